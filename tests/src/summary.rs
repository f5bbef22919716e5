//! The summary of a run as text: the verdicts for each architecture, the times of the boots, the
//! differences, the builds in containers, and the skips.

use crate::containers::{self, Build};
use crate::expectations::since::Basis;
use crate::library;
use crate::run::{Completed, Entry, Origin, Outcome, Query};
use mapprobe::arch::Arch;
use std::fmt::Write;
use std::time::Duration;

/// The number of boots that are listed as the slowest.
const SLOWEST: usize = 5;

/// The whole summary; `time` is the time of the whole run.
pub fn text(entries: &[Entry], builds: &[Build], time: Duration) -> String {
    let mut text = String::new();
    for arch in Arch::ALL {
        let plain = |entry: &&Entry| entry.scenario.name == "root" && entry.query == Query::Report;
        let compared: Vec<&Entry> = entries
            .iter()
            .filter(|entry| {
                entry.kernel.arch == arch
                    && entry.completed().is_some_and(|completed| completed.compared.is_some())
            })
            .filter(plain)
            .collect();
        if !compared.is_empty() {
            text += &verdicts(&compared);
            text.push('\n');
        }
    }
    if !entries.is_empty() {
        text += &times(entries);
    }
    for entry in entries {
        text += &findings(entry);
    }
    text += &built(builds);
    text += &skips(entries);
    text += &skipped_builds(builds);
    text += &slowest(entries);
    text + &counts(entries, builds, time)
}

/// A row per flag, a column per kernel. A star marks an unexpected verdict.
fn verdicts(kernels: &[&Entry]) -> String {
    let mut text = format!("{:<20}", "FLAG");
    let cells = |text: &mut String, cell: &dyn Fn(&Entry) -> String| {
        for entry in kernels {
            let width = entry.kernel.name.len().max("inconclusive*".len());
            let _ = write!(text, " {:<width$}", cell(entry));
        }
        end_line(text);
    };
    cells(&mut text, &|entry| entry.kernel.name.to_owned());
    for name in library::flag_names() {
        let _ = write!(text, "{name:<20}");
        cells(&mut text, &|entry| {
            let report = entry.completed().and_then(|completed| completed.document.as_ref());
            let findings =
                report.and_then(|report| report["flags"].as_array()).into_iter().flatten();
            let verdict = findings
                .filter(|finding| finding["name"] == name)
                .find_map(|one| one["verdict"].as_str());
            let star =
                if entry.differences().iter().any(|one| one.flag == name) { "*" } else { "" };
            format!("{}{star}", verdict.unwrap_or("-"))
        });
    }
    text
}

/// A row per kernel, a column per scenario with the time of each boot, and the kernel's package. A
/// star marks a failed boot or an unexpected report.
fn times(entries: &[Entry]) -> String {
    let mut scenarios: Vec<String> = Vec::new();
    let mut kernels: Vec<&str> = Vec::new();
    for entry in entries {
        if !scenarios.contains(&column(entry)) {
            scenarios.push(column(entry));
        }
        if !kernels.contains(&entry.kernel.name) {
            kernels.push(entry.kernel.name);
        }
    }
    let mut text = format!("{:<16}", "SECONDS");
    for scenario in &scenarios {
        let _ = write!(text, " {scenario:>12}");
    }
    end_line(&mut text);
    for kernel in kernels {
        let _ = write!(text, "{kernel:<16}");
        for scenario in &scenarios {
            let entry = entries
                .iter()
                .find(|entry| entry.kernel.name == kernel && column(entry) == *scenario);
            let _ = write!(text, " {:>12}", entry.map_or(String::new(), cell));
        }
        let completed =
            entries.iter().filter(|entry| entry.kernel.name == kernel).find_map(Entry::completed);
        if let Some(Completed { origin: Origin { provenance, .. }, .. }) = completed {
            let _ = write!(text, "  {} {}", provenance.package, provenance.version);
        }
        end_line(&mut text);
    }
    text + "\n"
}

fn column(entry: &Entry) -> String {
    match entry.query {
        Query::Report => entry.scenario.name.into(),
        Query::FreeBits => entry.query.arguments().into(),
    }
}

fn cell(entry: &Entry) -> String {
    let star = if entry.failed() { "*" } else { "" };
    match &entry.outcome {
        Outcome::Skipped(_) => "skipped".into(),
        Outcome::Failed(_) => "failed*".into(),
        Outcome::Completed(completed) => format!("{:.1}{star}", completed.time.as_secs_f32()),
    }
}

/// The differences and remarks about an entry.
fn findings(entry: &Entry) -> String {
    let name = entry.name();
    match &entry.outcome {
        Outcome::Skipped(_) => String::new(),
        Outcome::Failed(message) => format!("{name}: failed: {message}\n\n"),
        Outcome::Completed(completed) => {
            let mut text: String = entry
                .differences()
                .iter()
                .map(|difference| format!("{name}: {difference}\n"))
                .collect();
            text += &remarks(&name, completed);
            text
        }
    }
}

fn remarks(name: &str, completed: &Completed) -> String {
    let mut text = String::new();
    match &completed.compared {
        Some((basis, _)) if !matches!(basis, Basis::Expectations) => {
            let _ = writeln!(text, "{name}: compared with {basis}");
        }
        Some(_) => {}
        None if completed.document.is_none() => {
            let _ = writeln!(text, "{name}: no report; output in {}", completed.file.display());
        }
        None => {}
    }
    if completed.exit != 0 {
        let _ = writeln!(text, "{name}: exit code {}", completed.exit);
    }
    text
}

/// The skipped boots: a line for each scenario and reason.
fn skips(entries: &[Entry]) -> String {
    let mut rows: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for entry in entries {
        let Outcome::Skipped(reason) = entry.outcome else { continue };
        match rows.iter_mut().find(|row| (row.0, row.1) == (entry.scenario.name, reason)) {
            Some(row) => row.2.push(entry.kernel.name),
            None => rows.push((entry.scenario.name, reason, vec![entry.kernel.name])),
        }
    }
    rows.iter()
        .map(|(scenario, reason, kernels)| {
            format!("skipped: {scenario} on {}: {reason}\n", kernels.join(", "))
        })
        .collect()
}

/// The builds in containers: a line for each with its time and the checks that passed, or its
/// error.
fn built(builds: &[Build]) -> String {
    let mut text = String::new();
    for Build { name, outcome } in builds {
        let _ = match outcome {
            containers::Outcome::Skipped(_) => continue,
            containers::Outcome::Failed(message) => {
                writeln!(text, "{name}: failed: {message}\n")
            }
            containers::Outcome::Built { time, findings } => {
                writeln!(text, "{name:<16} {:>12.1}  {findings}", time.as_secs_f32())
            }
        };
    }
    if text.is_empty() { text } else { format!("{:<16} {:>12}\n{text}\n", "CONTAINERS", "SECONDS") }
}

/// The skipped builds: a line for each reason.
fn skipped_builds(builds: &[Build]) -> String {
    let mut rows: Vec<(&str, Vec<&str>)> = Vec::new();
    for Build { name, outcome } in builds {
        let containers::Outcome::Skipped(reason) = outcome else { continue };
        match rows.iter_mut().find(|row| row.0 == reason) {
            Some(row) => row.1.push(name),
            None => rows.push((reason, vec![name])),
        }
    }
    rows.iter()
        .map(|(reason, names)| format!("skipped: containers: {}: {reason}\n", names.join(", ")))
        .collect()
}

fn slowest(entries: &[Entry]) -> String {
    let mut boots: Vec<(Duration, String)> =
        entries.iter().filter_map(|entry| Some((entry.completed()?.time, entry.name()))).collect();
    boots.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    boots.truncate(SLOWEST);
    let names: Vec<String> =
        boots.iter().map(|(time, name)| format!("{name} {:.1} s", time.as_secs_f32())).collect();
    if names.is_empty() { String::new() } else { format!("slowest: {}\n", names.join(", ")) }
}

/// `120 run: 119 passed, 1 failed; 18 skipped; 401 s`
fn counts(entries: &[Entry], builds: &[Build], time: Duration) -> String {
    let skipped = entries.iter().filter(|entry| entry.skipped()).count()
        + builds
            .iter()
            .filter(|build| matches!(build.outcome, containers::Outcome::Skipped(_)))
            .count();
    let failed = entries.iter().filter(|entry| entry.failed()).count()
        + builds.iter().filter(|build| build.failed()).count();
    let (run, seconds) = (entries.len() + builds.len() - skipped, time.as_secs());
    format!("{run} run: {} passed, {failed} failed; {skipped} skipped; {seconds} s\n", run - failed)
}

fn end_line(text: &mut String) {
    text.truncate(text.trim_end().len());
    text.push('\n');
}

#[cfg(test)]
pub mod tests;
