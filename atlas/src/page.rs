//! The page: what the template (`templates/page.html`) shows, as words and lists. The template escapes every text.

use crate::bits::{day, hexes, ranges};
use crate::columns::{Column, PLAIN, flags};
use crate::document::Made;
use crate::free::{self, Free};
use crate::lost::{self, Lost};
use crate::{evidence, legend};
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
    /// The columns that have a report.
    heads: Vec<HeadCell<'a>>,
    rows: Vec<Row<'a>>,
    arches: Vec<&'static str>,
    words: Vec<Word>,
    guests: Vec<&'a str>,
    shown: usize,
    free: Vec<FreeCard>,
    lost: Vec<LostRow>,
    kernels: Vec<Card<'a>>,
    made: [(&'static str, &'static str); 3],
}

/// The head of a column of the matrix.
struct HeadCell<'a> {
    place: usize,
    arch: &'static str,
    guest: &'a str,
    name: (&'a str, &'a str),
    made: &'static str,
    hidden: bool,
    /// The first of its architecture.
    edge: bool,
    /// Something lies between the program and the kernel, or not everything could be asked.
    remark: bool,
}

/// A flag.
struct Row<'a> {
    name: &'a str,
    since: &'a str,
    cells: Vec<Cell<'a>>,
}

/// A flag on a kernel.
struct Cell<'a> {
    /// A dash where that mapprobe did not ask.
    word: &'a str,
    hidden: bool,
    edge: bool,
}

/// A verdict in the legend.
struct Word {
    word: &'static str,
    sentence: &'static str,
    count: usize,
}

/// What is guaranteed to fail on an architecture.
struct FreeCard {
    arch: &'static str,
    kernels: usize,
    validate: String,
    any: String,
    types: String,
    without: String,
    bits: Vec<(u32, bool)>,
    rows: Vec<[String; 4]>,
}

/// What could not have carried a new flag.
struct LostRow {
    arch: &'static str,
    what: String,
    name: &'static str,
    refused: String,
    taken: String,
}

/// Everything known about a kernel that is no verdict.
struct Card<'a> {
    place: usize,
    arch: &'static str,
    kernel: &'a str,
    guest: &'a str,
    made: &'static str,
    counts: String,
    facts: Vec<(&'static str, String)>,
}

/// The page about these columns.
///
/// # Errors
/// The template or the evidence cannot be written.
pub fn html(columns: &[Column]) -> Result<String> {
    let told: Vec<&Column> = columns.iter().filter(|column| column.report.is_some()).collect();
    let names = flags(columns);
    let guests = guests(&told);
    let first = guests.first().copied().unwrap_or(PLAIN);
    let of_first: Vec<&Column> = columns.iter().filter(|column| column.guest == first).collect();
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        evidence: evidence::json(&told, &names)?,
        heads: told
            .iter()
            .enumerate()
            .map(|(place, column)| HeadCell {
                place,
                arch: column.arch.name(),
                guest: &column.guest,
                name: column.name(),
                made: made(column),
                hidden: column.guest != first,
                edge: edge(&told, place),
                remark: column
                    .head()
                    .is_some_and(|head| !head.environment.is_empty() || !head.complete),
            })
            .collect(),
        rows: names.iter().map(|name| row(name, &told, first)).collect(),
        arches: Arch::ALL
            .map(Arch::name)
            .into_iter()
            .filter(|name| told.iter().any(|it| it.arch.name() == *name))
            .collect(),
        words: Verdict::ALL
            .map(|verdict| Word {
                word: verdict.word().plain(),
                sentence: legend::sentence(verdict),
                count: of_first.iter().map(|column| count(column, verdict)).sum(),
            })
            .into(),
        shown: told.iter().filter(|column| column.guest == first).count(),
        free: Arch::ALL
            .into_iter()
            .filter_map(|arch| free::on_all(arch, &of_first))
            .map(free_card)
            .collect(),
        lost: Arch::ALL
            .into_iter()
            .flat_map(|arch| lost::on_newest(arch, &of_first))
            .map(lost_row)
            .collect(),
        kernels: told.iter().enumerate().map(card).collect(),
        made: legend::MADE,
        guests,
    };
    page.render().context("The page cannot be written")
}

/// The guests of some columns, the one that is shown first at the beginning.
pub fn guests<'a>(columns: &[&'a Column]) -> Vec<&'a str> {
    let mut guests: Vec<&str> = columns.iter().map(|column| column.guest.as_str()).collect();
    guests.sort_unstable_by_key(|guest| (*guest != PLAIN, *guest));
    guests.dedup();
    guests
}

/// How many flags of a kernel have a verdict.
pub fn count(column: &Column, verdict: Verdict) -> usize {
    let flags = column.report.iter().flat_map(|report| &report.flags);
    flags.filter(|finding| finding.verdict == verdict.word().plain()).count()
}

/// Whether a column is the first of its architecture, and not the first of all.
fn edge(columns: &[&Column], place: usize) -> bool {
    let arch = |place: usize| columns.get(place).map(|column| column.arch);
    place.checked_sub(1).is_some_and(|before| arch(before) != arch(place))
}

/// How a column came about, unless it was booted.
fn made(column: &Column) -> &'static str {
    column.made.filter(|made| *made != Made::Boot).map_or("", Made::word)
}

fn row<'a>(name: &'a str, columns: &[&'a Column], guest: &str) -> Row<'a> {
    let cell = |(place, column): (usize, &&'a Column)| Cell {
        word: column.finding(name).map_or("\u{2013}", |finding| finding.verdict.as_str()),
        hidden: column.guest != guest,
        edge: edge(columns, place),
    };
    Row {
        name,
        since: columns
            .iter()
            .find_map(|column| column.finding(name))
            .map_or("", |finding| finding.since.as_str()),
        cells: columns.iter().enumerate().map(cell).collect(),
    }
}

/// Names of kernels, with how they came about where that matters.
pub fn names(columns: &[&Column]) -> String {
    let name = |column: &&Column| match made(column) {
        "" => column.kernel.clone(),
        made => format!("{} ({made})", column.kernel),
    };
    columns.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn free_card(free: Free) -> FreeCard {
    let row = |(column, free_bits): &(&Column, &crate::document::FreeBits)| {
        [
            names(&[column]),
            ranges(&free_bits.with_map_shared_validate),
            ranges(&free_bits.with_any_map_type),
            hexes(&free_bits.map_types),
        ]
    };
    let bits = 0..free.arch.flag_bits();
    FreeCard {
        arch: free.arch.name(),
        kernels: free.columns.len(),
        bits: bits.map(|bit| (bit, free.with_map_shared_validate.contains(&bit))).collect(),
        validate: ranges(&free.with_map_shared_validate),
        any: ranges(&free.with_any_map_type),
        types: hexes(&free.map_types),
        without: names(&free.without_validate),
        rows: free.columns.iter().map(row).collect(),
    }
}

/// Who took something, in words.
pub fn taken(lost: &Lost) -> String {
    let each = lost.taken.iter().map(|(column, how)| match how.as_str() {
        "" => names(&[column]),
        how => format!("{}, {how}", names(&[column])),
    });
    each.collect::<Vec<_>>().join("; ")
}

fn lost_row(lost: Lost) -> LostRow {
    LostRow {
        arch: lost.arch.name(),
        what: lost.words(),
        name: lost.name().unwrap_or_default(),
        refused: names(&lost.refused),
        taken: taken(&lost),
    }
}

/// What is known about where a column comes from.
pub fn facts(column: &Column) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(origin) = &column.origin {
        facts.push(("Package", format!("{} {}", origin.package, origin.version)));
        let more =
            [("Suite", &origin.suite), ("SHA-256", &origin.sha256), ("Run by", &origin.emulator)];
        facts.extend(more.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))));
    }
    if let Some(head) = column.head() {
        let kernel = &head.kernel;
        // A model calls itself a model.
        if column.made != Some(Made::Model) {
            let words = [&kernel.sysname, &kernel.release, &kernel.version, &kernel.machine]
                .map(String::as_str);
            facts.push(("uname", words.join(" ")));
        }
        facts.push(("Page size", format!("{} bytes", head.process.page_size)));
        // A machine without a clock begins in 1970.
        if let Some(time) = head.process.time.filter(|time| *time > 86_400) {
            facts.push(("Date", day(time)));
        }
        facts.push(("Asked by", format!("mapprobe {}", head.tool.version)));
        for lie in &head.environment {
            facts.push(("Not a plain kernel", format!("{}: {}", lie.name, lie.evidence)));
        }
        if !head.complete {
            facts.push(("Incomplete", "not everything could be asked".into()));
        }
    }
    facts
}

fn card<'a>((place, column): (usize, &&'a Column)) -> Card<'a> {
    let counts = Verdict::ALL.map(|verdict| (count(column, verdict), verdict.word().plain()));
    let counts = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"));
    Card {
        place,
        arch: column.arch.name(),
        kernel: &column.kernel,
        guest: &column.guest,
        made: column.made.map_or("", Made::word),
        counts: counts.collect::<Vec<_>>().join(", "),
        facts: facts(column),
    }
}
