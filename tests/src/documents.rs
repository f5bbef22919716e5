//! Every document of a run of the lab in one file, a line each, together with its origin. Other
//! programs read this file; its schema is `atlas/schema/mapprobe.lab.json`.

use crate::run::{Completed, Entry, Query};
use crate::{kernels, scenarios};
use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A line of the file.
#[derive(Debug, Serialize)]
struct Envelope<'a> {
    schema: &'static str,
    schema_version: &'static str,
    kernel: &'a str,
    #[serde(rename = "guest")]
    scenario: &'a str,
    origin: Origin<'a>,
    /// The kind of run that the document comes from: a boot.
    made: &'static str,
    /// From the start of QEMU to its end.
    seconds: f64,
    document: &'a Value,
}

/// The kernel package and the emulator.
#[derive(Debug, Serialize)]
struct Origin<'a> {
    package: &'a str,
    version: &'a str,
    sha256: &'a str,
    suite: &'a str,
    emulator: &'a str,
}

/// Writes the documents of some entries into a file, in the order of the lab. Lines of an earlier
/// run about other kernels, scenarios and queries stay, as long as the lab still has them.
pub fn write(file: &Path, entries: &[Entry]) -> Result<()> {
    let position_of = |entry: &Entry| {
        Position::find(entry.kernel.name, entry.scenario.name, entry.query.schema())
    };
    let mut lines: Vec<(Position, String)> = Vec::new();
    for entry in entries {
        if let Some(completed) = entry.completed()
            && let Some(document) = &completed.document
        {
            lines.extend(position_of(entry).zip(Some(line(entry, completed, document)?)));
        }
    }
    let replaced: Vec<Position> = entries.iter().filter_map(position_of).collect();
    for line in fs::read_to_string(file).unwrap_or_default().lines() {
        let old: Value = serde_json::from_str(line).unwrap_or_default();
        let [kernel, scenario, schema] =
            [&old["kernel"], &old["guest"], &old["document"]["schema"]]
                .map(|key| key.as_str().unwrap_or_default());
        let position = Position::find(kernel, scenario, schema);
        if old["schema"] == "mapprobe.lab" {
            let kept = position.filter(|position| !replaced.contains(position));
            lines.extend(kept.zip(Some(line.to_owned())));
        }
    }
    lines.sort_by_key(|(position, _)| *position);
    let text: String = lines.into_iter().map(|(_, line)| line + "\n").collect();
    // Renamed, so that a reader never sees an incomplete file.
    let new = file.with_extension("ndjson.new");
    fs::write(&new, text)
        .and_then(|()| fs::rename(&new, file))
        .with_context(|| format!("{} cannot be written.", file.display()))
}

/// The position of a line in the order of the lab.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    /// The row of the kernel.
    kernel: usize,
    /// The row of the scenario.
    scenario: usize,
    query: Query,
}

impl Position {
    /// The position of a document; none if the lab has no such kernel, scenario or query.
    fn find(kernel: &str, scenario: &str, schema: &str) -> Option<Position> {
        Some(Position {
            kernel: kernels::ALL.iter().position(|row| row.name == kernel)?,
            scenario: scenarios::ALL.iter().position(|row| row.name == scenario)?,
            query: Query::ALL.into_iter().find(|query| query.schema() == schema)?,
        })
    }
}

/// The line about a document.
fn line(entry: &Entry, completed: &Completed, document: &Value) -> Result<String> {
    let provenance = &completed.origin.provenance;
    let envelope = Envelope {
        schema: "mapprobe.lab",
        schema_version: "1.0",
        kernel: entry.kernel.name,
        scenario: entry.scenario.name,
        origin: Origin {
            package: &provenance.package,
            version: &provenance.version,
            sha256: &provenance.sha256,
            suite: completed.origin.suite.unwrap_or_default(),
            emulator: &completed.origin.emulator,
        },
        made: "boot",
        seconds: (completed.time.as_secs_f64() * 10.0).round() / 10.0,
        document,
    };
    serde_json::to_string(&envelope).context("A document cannot be written as JSON.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::{entry, failed};
    use serde_json::json;

    fn lines(file: &Path) -> Vec<Value> {
        fs::read_to_string(file)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_has_the_origin_and_the_document() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reports.ndjson");
        write(&file, &[entry("x86_64-6.1", "root", "honored"), failed("hppa-6.1", "user")])
            .unwrap();
        let expected = concat!(
            r#"{"schema":"mapprobe.lab","schema_version":"1.0","kernel":"x86_64-6.1","#,
            r#""guest":"root","origin":{"package":"linux","version":"6.1-1","sha256":"abc","#,
            r#""suite":"bookworm","emulator":"QEMU 7"},"made":"boot","seconds":1.5,"#,
            r#""document":{"schema":"mapprobe.report","kernel":{"release":"6.1.0"},"#,
            r#""process":{"euid":0},"#,
            r#""flags":[{"name":"MAP_SHARED","verdict":"honored"}]}}"#,
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{expected}\n"));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_run_replaces_only_its_own_lines() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reports.ndjson");
        let gone = concat!(
            r#"{"schema":"mapprobe.lab","kernel":"x86_64-3.2","guest":"root","#,
            r#""document":{"schema":"mapprobe.report"}}"#
        );
        fs::write(&file, format!("not JSON\n{{\"schema\":\"other\"}}\n{gone}\n")).unwrap();
        write(
            &file,
            &[entry("x86_64-6.1", "root", "honored"), entry("x86_64-6.1", "user", "honored")],
        )
        .unwrap();
        write(
            &file,
            &[entry("x86_64-6.1", "root", "ignored"), entry("hppa-6.1", "root", "honored")],
        )
        .unwrap();
        let found: Vec<Value> = lines(&file)
            .iter()
            .map(|line| {
                json!([line["kernel"], line["guest"], line["document"]["flags"][0]["verdict"]])
            })
            .collect();
        let expected = [
            json!(["x86_64-6.1", "root", "ignored"]),
            json!(["x86_64-6.1", "user", "honored"]),
            json!(["hppa-6.1", "root", "honored"]),
        ];
        assert_eq!(found, expected);
    }

    /// An old line must not look like the result of this run.
    #[test]
    fn a_failed_boot_has_no_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reports.ndjson");
        write(&file, &[entry("x86_64-6.1", "root", "honored")]).unwrap();
        write(&file, &[failed("x86_64-6.1", "root")]).unwrap();
        assert_eq!(lines(&file).len(), 0);
    }
}
