//! Texts that the page and the Markdown file have in common.

use crate::columns::Column;
use crate::document::{DEFAULT_SCENARIO, Origin};
use crate::formatting::date;
use crate::legend::verdict_word;
use crate::unusable::Unusable;
use mapprobe::verdict::Verdict;

/// Shown for a flag that the report does not contain.
pub const NO_VERDICT: &str = "\u{2013}";

/// A machine without a clock starts on 1970-01-01. Times before this one are not shown.
const FIRST_CREDIBLE_TIME: u64 = 86_400;

/// The columns that have a report.
pub fn reported(columns: &[Column]) -> Vec<&Column> {
    columns.iter().filter(|column| column.report.is_some()).collect()
}

/// The scenarios of some columns. The first one is shown initially.
pub fn scenarios<'a>(columns: &[&'a Column]) -> Vec<&'a str> {
    let mut scenarios: Vec<&str> = columns.iter().map(|column| column.scenario.as_str()).collect();
    scenarios.sort_unstable_by_key(|scenario| (*scenario != DEFAULT_SCENARIO, *scenario));
    scenarios.dedup();
    scenarios
}

/// The word in the cell of a flag and a kernel.
pub fn cell<'a>(column: &'a Column, flag: &str) -> &'a str {
    column.finding(flag).map_or(NO_VERDICT, |finding| &finding.verdict)
}

/// How many flags of a kernel have a verdict.
pub fn count(column: &Column, verdict: Verdict) -> usize {
    let findings = column.report.iter().flat_map(|report| &report.flags);
    findings.filter(|finding| finding.verdict == verdict_word(verdict)).count()
}

/// The origin of a column if it is not a boot.
pub fn unusual_origin(column: &Column) -> Option<&'static str> {
    match column.origin? {
        Origin::Boot => None,
        origin => Some(origin.word()),
    }
}

/// The names of kernels, such as `hppa-4.10 (simulated), hppa-5.10`.
pub fn kernel_names(columns: &[&Column]) -> String {
    let name = |column: &&Column| match unusual_origin(column) {
        None => column.kernel.clone(),
        Some(origin) => format!("{} ({origin})", column.kernel),
    };
    columns.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// The kernels that accepted a value, and for which calls.
pub fn accepted_by(unusable: &Unusable) -> String {
    let kernels = unusable.accepted_by.iter().map(|acceptance| {
        let name = kernel_names(&[acceptance.kernel]);
        match &acceptance.condition {
            Some(condition) => format!("{name}, {condition}"),
            None => name,
        }
    });
    kernels.collect::<Vec<_>>().join("; ")
}

/// A property of a kernel.
pub struct Fact {
    pub name: &'static str,
    pub value: String,
}

/// What is known about a kernel besides its flags.
pub fn facts(column: &Column) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |name, value| facts.push(Fact { name, value });
    if let Some(source) = &column.source {
        add("Package", format!("{} {}", source.package, source.version));
        let optional =
            [("Suite", &source.suite), ("SHA-256", &source.sha256), ("Emulator", &source.emulator)];
        for (name, value) in optional {
            if let Some(value) = value {
                add(name, value.clone());
            }
        }
    }
    if let Some(header) = column.header() {
        // The uname of a simulated kernel is made up.
        if column.origin != Some(Origin::Simulated) {
            let uname = &header.kernel;
            let fields = [&uname.sysname, &uname.release, &uname.version, &uname.machine];
            add("uname", fields.map(String::as_str).join(" "));
        }
        add("Page size", format!("{} bytes", header.process.page_size));
        if let Some(time) = header.process.time.filter(|time| *time > FIRST_CREDIBLE_TIME) {
            add("Date", date(time));
        }
        add("Measured by", format!("mapprobe {}", header.tool.version));
        for interference in &header.environment {
            add("Interference", format!("{}: {}", interference.name, interference.evidence));
        }
        if !header.complete {
            add("Incomplete", "some measurements were not possible".into());
        }
    }
    facts
}
