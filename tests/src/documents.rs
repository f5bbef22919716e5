//! Every document of a run of the lab in one file, a line each, with where it came from: what other programs read.

use crate::run::{Completed, Entry, Question};
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
    /// How the document came about: a kernel was booted.
    made: &'static str,
    /// From the start of QEMU to its end.
    seconds: f64,
    document: &'a Value,
}

/// What was booted, and with what.
#[derive(Debug, Serialize)]
struct Origin<'a> {
    package: &'a str,
    version: &'a str,
    sha256: &'a str,
    suite: &'a str,
    emulator: &'a str,
}

/// Writes the documents of these entries into a file, in the order of the lab. Lines of an earlier run about other kernels, scenarios
/// and questions stay, as long as there are rows of them.
pub fn write(file: &Path, entries: &[Entry]) -> Result<()> {
    let mut lines: Vec<(Place, String)> = Vec::new();
    for entry in entries {
        if let Some(line) = entry.completed().and_then(|told| line(entry, told)) {
            lines.extend(
                place(entry.kernel.name, entry.scenario.name, schema(entry)).zip(Some(line?)),
            );
        }
    }
    let made: Vec<Option<Place>> = entries
        .iter()
        .map(|entry| place(entry.kernel.name, entry.scenario.name, schema(entry)))
        .collect();
    for line in fs::read_to_string(file).unwrap_or_default().lines() {
        let old: Value = serde_json::from_str(line).unwrap_or_default();
        let words = [&old["kernel"], &old["guest"], &old["document"]["schema"]]
            .map(|word| word.as_str().unwrap_or(""));
        let there =
            place(words[0], words[1], words[2]).filter(|place| !made.contains(&Some(*place)));
        if old["schema"] == "mapprobe.lab" {
            lines.extend(there.zip(Some(line.to_owned())));
        }
    }
    lines.sort_by_key(|(place, _)| *place);
    let text: String = lines.into_iter().map(|(_, line)| line + "\n").collect();
    // Nobody may see half a file.
    let new = file.with_extension("ndjson.new");
    fs::write(&new, text)
        .and_then(|()| fs::rename(&new, file))
        .with_context(|| format!("{} cannot be written.", file.display()))
}

/// The places of a document's kernel, scenario and question among the rows.
type Place = (usize, usize, usize);

/// What a document about a question says it is.
const SCHEMAS: [(Question, &str); 2] =
    [(Question::Report, "mapprobe.report"), (Question::FreeBits, "mapprobe.free-bits")];

fn schema(entry: &Entry) -> &'static str {
    SCHEMAS
        .iter()
        .find(|(question, _)| *question == entry.question)
        .map_or("", |(_, schema)| schema)
}

/// Where a line stands; nowhere if there is no such row any more.
fn place(kernel: &str, scenario: &str, schema: &str) -> Option<Place> {
    Some((
        kernels::ALL.iter().position(|row| row.name == kernel)?,
        scenarios::ALL.iter().position(|row| row.name == scenario)?,
        SCHEMAS.iter().position(|(_, name)| *name == schema)?,
    ))
}

/// The line about an entry, if it has a document.
fn line(entry: &Entry, told: &Completed) -> Option<Result<String>> {
    let document = told.document.as_ref()?;
    let provenance = &told.origin.provenance;
    let envelope = Envelope {
        schema: "mapprobe.lab",
        schema_version: "1.0",
        kernel: entry.kernel.name,
        scenario: entry.scenario.name,
        origin: Origin {
            package: &provenance.package,
            version: &provenance.version,
            sha256: &provenance.sha256,
            suite: told.origin.suite,
            emulator: &told.origin.emulator,
        },
        made: "boot",
        seconds: (told.time.as_secs_f64() * 10.0).round() / 10.0,
        document,
    };
    Some(serde_json::to_string(&envelope).context("A document cannot be written as JSON."))
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
    fn a_line_says_what_where_and_how() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reports.ndjson");
        write(&file, &[entry("x86_64-6.1", "root", "honored"), failed("hppa-6.1", "user")])
            .unwrap();
        let expected = r#"{"schema":"mapprobe.lab","schema_version":"1.0","kernel":"x86_64-6.1","guest":"root","origin":{"package":"linux","version":"6.1-1","sha256":"abc","suite":"bookworm","emulator":"QEMU 7"},"made":"boot","seconds":1.5,"document":{"schema":"mapprobe.report","kernel":{"release":"6.1.0"},"process":{"euid":0},"flags":[{"name":"MAP_SHARED","verdict":"honored"}]}}"#;
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{expected}\n"));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_run_replaces_its_own_lines_only() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reports.ndjson");
        let gone = r#"{"schema":"mapprobe.lab","kernel":"x86_64-3.2","guest":"root","document":{"schema":"mapprobe.report"}}"#;
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
        let told: Vec<Value> = lines(&file)
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
        assert_eq!(told, expected);
    }

    /// What the scenario does not say any more must not seem to be new.
    #[test]
    fn what_failed_has_no_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reports.ndjson");
        write(&file, &[entry("x86_64-6.1", "root", "honored")]).unwrap();
        write(&file, &[failed("x86_64-6.1", "root")]).unwrap();
        assert_eq!(lines(&file).len(), 0);
    }
}
