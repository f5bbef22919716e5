//! What came of a survey, as text: a table of the verdicts for each architecture, the differences from the facts, and a
//! line about each kernel.

use crate::survey::{Entry, Outcome};
use mapprobe::arch::Arch;
use mapprobe::flags::TABLE;
use std::fmt::Write;

/// All of it.
pub fn text(entries: &[Entry]) -> String {
    let mut text = String::new();
    for arch in Arch::ALL {
        let told: Vec<(&str, &Outcome)> = entries
            .iter()
            .filter(|entry| entry.kernel.arch == arch)
            .filter_map(|entry| Some((entry.kernel.name, entry.outcome.as_ref().ok()?)))
            .filter(|(_, outcome)| outcome.report.is_some())
            .collect();
        if !told.is_empty() {
            text += &table(&told);
            text.push('\n');
        }
    }
    for entry in entries {
        text += &differences(entry);
    }
    for entry in entries {
        text += &line(entry);
    }
    text
}

/// A row per flag, a column per kernel; a star marks a verdict that is not that of the facts.
fn table(kernels: &[(&str, &Outcome)]) -> String {
    let mut text = format!("{:<20}", "FLAG");
    let cells = |text: &mut String, cell: &dyn Fn(&str, &Outcome) -> String| {
        for (name, outcome) in kernels {
            let width = name.len().max("inconclusive*".len());
            let _ = write!(text, " {:<width$}", cell(name, outcome));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    };
    cells(&mut text, &|name, _| name.to_owned());
    for flag in TABLE {
        let _ = write!(text, "{:<20}", flag.name.plain());
        cells(&mut text, &|_, outcome| verdict(flag.name.plain(), outcome));
    }
    text
}

fn verdict(flag: &str, outcome: &Outcome) -> String {
    let Some((report, differences)) = &outcome.report else { return String::new() };
    let finding = report["flags"].as_array().into_iter().flatten().find(|finding| finding["name"] == flag);
    let word = finding.and_then(|finding| finding["verdict"].as_str()).unwrap_or("-");
    let star = if differences.iter().any(|difference| difference.flag == flag) { "*" } else { "" };
    format!("{word}{star}")
}

fn differences(entry: &Entry) -> String {
    let report = entry.outcome.as_ref().ok().and_then(|outcome| outcome.report.as_ref());
    let differences = report.into_iter().flat_map(|(_, differences)| differences);
    differences.map(|difference| format!("{}: {difference}\n", entry.kernel.name)).collect()
}

fn line(entry: &Entry) -> String {
    let Entry { kernel, package, outcome } = entry;
    let name = kernel.name;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return format!("{name:<16} {:>8}  failed: {error:#}\n", "-"),
    };
    let judgement = match &outcome.report {
        Some((_, differences)) if differences.is_empty() => "agrees with its facts".into(),
        Some((_, differences)) => format!("{} verdicts are not those of its facts", differences.len()),
        None => format!("no report; what it said is in {}", outcome.file.display()),
    };
    let exit = if outcome.exit == 0 { String::new() } else { format!(", exit code {}", outcome.exit) };
    format!("{name:<16} {:>6.1} s  {judgement}{exit} ({package})\n", outcome.time.as_secs_f32())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{facts::Facts, kernels};
    use anyhow::anyhow;
    use serde_json::json;
    use std::time::Duration;

    fn entry(name: &str, verdict: Option<&str>) -> Entry {
        let report = verdict.map(|verdict| json!({"flags": [{"name": "MAP_SHARED", "verdict": verdict}]}));
        let report = report.map(|report| {
            let all = Facts::of(name).unwrap().compare(&report);
            let differences = all.into_iter().filter(|difference| difference.flag == "MAP_SHARED").collect();
            (report, differences)
        });
        let outcome = Outcome { time: Duration::from_millis(1500), exit: 0, file: "target/lab/a.txt".into(), report };
        Entry { kernel: kernels::named(name).unwrap(), package: "linux 6.1".into(), outcome: Ok(outcome) }
    }

    #[test]
    fn verdicts_differences_and_times_are_shown() {
        let entries = [entry("x86_64-6.1", Some("honored")), entry("x86_64-6.12", Some("ignored"))];
        let text = text(&entries);
        let row = text.lines().find(|line| line.starts_with("MAP_SHARED ")).unwrap();
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["MAP_SHARED", "honored", "ignored*"]);
        assert!(text.contains("x86_64-6.12: MAP_SHARED: expected honored, got ignored"), "{text}");
        assert!(text.contains("1.5 s  agrees with its facts (linux 6.1)"), "{text}");
        assert!(text.contains("1.5 s  1 verdicts are not those of its facts"), "{text}");
        assert_eq!(entries.map(|entry| entry.agrees()), [true, false]);
    }

    #[test]
    fn other_texts_and_failures_have_a_line_and_no_column() {
        let failed = Entry { outcome: Err(anyhow!("It hung.")), ..entry("hppa-6.1", None) };
        let entries = [entry("x86_64-6.1", None), failed];
        let text = text(&entries);
        assert!(!text.contains("FLAG"), "{text}");
        assert!(text.contains("no report; what it said is in target/lab/a.txt"), "{text}");
        assert!(text.contains("failed: It hung."), "{text}");
        assert_eq!(entries.map(|entry| entry.agrees()), [true, false]);
    }
}
