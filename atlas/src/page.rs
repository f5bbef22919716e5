//! The HTML page: the data for `templates/page.html`, which escapes all texts.

use crate::columns::{Column, flags};
use crate::describe::{self, Fact, accepted_by, count, facts, kernel_names, unusual_origin};
use crate::document::{DEFAULT_SCENARIO, FreeBits, Origin, Rejected};
use crate::evidence;
use crate::formatting::{hexes, ranges};
use crate::free::{self, Free};
use crate::legend::{verdict_meaning, verdict_word};
use crate::unusable::{self, Unusable};
use anyhow::{Context, Result};
use askama::Template;
use mapprobe::arch::Arch;
use mapprobe::verdict::Verdict;

const STYLE: &str = include_str!("../templates/page.css");
const SCRIPT: &str = include_str!("../templates/page.js");

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    evidence: String,
    heads: Vec<ColumnHead<'a>>,
    rows: Vec<Row<'a>>,
    arches: Vec<&'static str>,
    verdicts: Vec<VerdictLegend>,
    scenarios: Vec<&'a str>,
    /// The number of kernels in the first scenario.
    shown: usize,
    free: Vec<FreeCard>,
    unusable: Vec<UnusableCard>,
    kernels: Vec<KernelCard<'a>>,
    origins: [OriginLegend; 3],
}

/// The head of a column of the table.
struct ColumnHead<'a> {
    index: usize,
    arch: &'static str,
    scenario: &'a str,
    family: &'a str,
    series: &'a str,
    origin: &'static str,
    hidden: bool,
    /// Whether a line separates the column from another architecture.
    edge: bool,
    /// Whether there was interference, or some measurements were not possible.
    has_note: bool,
}

/// The row of a flag.
struct Row<'a> {
    name: &'a str,
    since: &'a str,
    cells: Vec<Cell<'a>>,
}

/// The cell of a flag and a kernel.
struct Cell<'a> {
    verdict: &'a str,
    hidden: bool,
    edge: bool,
}

struct VerdictLegend {
    word: &'static str,
    meaning: &'static str,
    count: usize,
}

struct OriginLegend {
    word: &'static str,
    meaning: &'static str,
}

/// The free bits of an architecture.
struct FreeCard {
    arch: &'static str,
    kernels: usize,
    common: RejectedTexts,
    without_validate: String,
    bits: Vec<Bit>,
    rows: Vec<FreeRow>,
}

struct Bit {
    number: u32,
    free: bool,
}

/// The free bits of a kernel.
struct FreeRow {
    kernel: String,
    rejected: RejectedTexts,
}

struct RejectedTexts {
    with_map_shared_validate: String,
    with_any_map_type: String,
    map_types: String,
}

impl From<&Rejected> for RejectedTexts {
    fn from(rejected: &Rejected) -> RejectedTexts {
        RejectedTexts {
            with_map_shared_validate: ranges(&rejected.with_map_shared_validate),
            with_any_map_type: ranges(&rejected.with_any_map_type),
            map_types: hexes(&rejected.map_types),
        }
    }
}

struct UnusableCard {
    arch: &'static str,
    values: String,
    /// The flag that uses the bit today.
    name: &'static str,
    rejected_by: String,
    accepted_by: String,
}

struct KernelCard<'a> {
    index: usize,
    arch: &'static str,
    kernel: &'a str,
    scenario: &'a str,
    origin: &'static str,
    counts: String,
    facts: Vec<Fact>,
}

/// Renders the page.
///
/// # Errors
/// The template or the evidence cannot be rendered.
pub fn html(columns: &[Column]) -> Result<String> {
    let reported = describe::reported(columns);
    let names = flags(columns);
    let scenarios = describe::scenarios(&reported);
    let scenario = scenarios.first().copied().unwrap_or(DEFAULT_SCENARIO);
    let in_scenario: Vec<&Column> =
        columns.iter().filter(|column| column.scenario == scenario).collect();
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        evidence: evidence::json(&reported, &names)?,
        heads: (0..reported.len()).map(|index| head(&reported, index, scenario)).collect(),
        rows: names.iter().map(|name| row(name, &reported, scenario)).collect(),
        arches: Arch::ALL
            .into_iter()
            .filter(|arch| reported.iter().any(|column| column.arch == *arch))
            .map(Arch::name)
            .collect(),
        verdicts: Verdict::ALL
            .map(|verdict| VerdictLegend {
                word: verdict_word(verdict),
                meaning: verdict_meaning(verdict),
                count: in_scenario.iter().map(|column| count(column, verdict)).sum(),
            })
            .into(),
        shown: reported.iter().filter(|column| column.scenario == scenario).count(),
        free: Arch::ALL
            .into_iter()
            .filter_map(|arch| free::on_all(arch, &in_scenario))
            .map(|free| free_card(&free))
            .collect(),
        unusable: Arch::ALL
            .into_iter()
            .flat_map(|arch| unusable::on_newest(arch, &in_scenario))
            .map(|unusable| unusable_card(&unusable))
            .collect(),
        kernels: reported
            .iter()
            .enumerate()
            .map(|(index, column)| kernel_card(index, column))
            .collect(),
        origins: Origin::ALL
            .map(|origin| OriginLegend { word: origin.word(), meaning: origin.meaning() }),
        scenarios,
    };
    page.render().context("the page cannot be rendered")
}

fn head<'a>(columns: &[&'a Column], index: usize, scenario: &str) -> ColumnHead<'a> {
    let column = columns[index];
    let (family, series) = column.family_and_series();
    ColumnHead {
        index,
        arch: column.arch.name(),
        scenario: &column.scenario,
        family,
        series,
        origin: unusual_origin(column).unwrap_or_default(),
        hidden: column.scenario != scenario,
        edge: is_edge(columns, index),
        has_note: column
            .header()
            .is_some_and(|header| !header.environment.is_empty() || !header.complete),
    }
}

/// Whether the previous column has another architecture.
fn is_edge(columns: &[&Column], index: usize) -> bool {
    index > 0 && columns[index - 1].arch != columns[index].arch
}

fn row<'a>(name: &'a str, columns: &[&'a Column], scenario: &str) -> Row<'a> {
    let finding = columns.iter().find_map(|column| column.finding(name));
    let cells = columns.iter().enumerate().map(|(index, column)| Cell {
        verdict: describe::cell(column, name),
        hidden: column.scenario != scenario,
        edge: is_edge(columns, index),
    });
    Row { name, since: finding.map_or("", |finding| &finding.since), cells: cells.collect() }
}

fn free_card(free: &Free) -> FreeCard {
    let row = |(column, free_bits): &(&Column, &FreeBits)| FreeRow {
        kernel: kernel_names(&[column]),
        rejected: (&free_bits.rejected).into(),
    };
    let bit =
        |number| Bit { number, free: free.rejected.with_map_shared_validate.contains(&number) };
    FreeCard {
        arch: free.arch.name(),
        kernels: free.kernels.len(),
        common: (&free.rejected).into(),
        without_validate: kernel_names(&free.without_validate),
        bits: (0..free.arch.flag_bits()).map(bit).collect(),
        rows: free.kernels.iter().map(row).collect(),
    }
}

fn unusable_card(unusable: &Unusable) -> UnusableCard {
    UnusableCard {
        arch: unusable.arch.name(),
        values: unusable.values_text(),
        name: unusable.name().unwrap_or_default(),
        rejected_by: kernel_names(&unusable.rejected_by),
        accepted_by: accepted_by(unusable),
    }
}

fn kernel_card<'a>(index: usize, column: &'a Column) -> KernelCard<'a> {
    let counts: Vec<String> = Verdict::ALL
        .into_iter()
        .map(|verdict| (count(column, verdict), verdict_word(verdict)))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    KernelCard {
        index,
        arch: column.arch.name(),
        kernel: &column.kernel,
        scenario: &column.scenario,
        origin: column.origin.map_or("", Origin::word),
        counts: counts.join(", "),
        facts: facts(column),
    }
}
