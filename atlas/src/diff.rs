//! `atlas diff`: what changed between two reports. Process id and time are left out.

use crate::document::{Answer, Document, Finding, Report, open};
use crate::input;
use crate::outcome::{DIFFERENT, Outcome, SAME};
use crate::schema::Schemas;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::Path;

/// Compares the reports in two files: a line for each change. Exit codes: 0 the same, 1 different.
///
/// # Errors
/// Names what cannot be read, and the file that is not one report.
pub fn diff(old: &Path, new: &Path) -> Result<Outcome> {
    let schemas = Schemas::load()?;
    let (old, new) = (report(&schemas, old)?, report(&schemas, new)?);
    let changes = changes(&old, &new);
    let text = changes.iter().map(|change| format!("{change}\n")).collect();
    Ok(Outcome {
        text,
        complaints: Vec::new(),
        exit: if changes.is_empty() { SAME } else { DIFFERENT },
    })
}

/// A report, as data and as it came.
struct Read {
    report: Report,
    value: Value,
}

fn report(schemas: &Schemas, file: &Path) -> Result<Read> {
    let found = input::read_all(&[file])?;
    let [found] = found.as_slice() else {
        bail!(
            "{} has {} documents; one report is compared with another",
            file.display(),
            found.len()
        );
    };
    let (envelope, document) = open(schemas, found)?;
    let value = if envelope.is_some() { &found.value["document"] } else { &found.value };
    match document {
        Document::Report(report) => Ok(Read { report, value: value.clone() }),
        _ => {
            let named = value["schema"].as_str().context("a document without a schema")?;
            bail!("{} is a {named}; what is compared is a mapprobe.report", file.display())
        }
    }
}

/// Every change, the ones about the whole report first, then flag by flag.
fn changes(old: &Read, new: &Read) -> Vec<String> {
    let mut changes = Vec::new();
    for part in ["tool", "kernel", "process", "environment", "validation", "complete"] {
        walk(part, &old.value[part], &new.value[part], &mut changes);
    }
    for finding in &old.report.flags {
        match find(&new.report, &finding.name) {
            Some(other) => of_flag(finding, other, &mut changes),
            None => changes.push(format!("{}: only in the first report", finding.name)),
        }
    }
    for finding in &new.report.flags {
        if find(&old.report, &finding.name).is_none() {
            changes.push(format!("{}: only in the second report", finding.name));
        }
    }
    changes
}

fn find<'a>(report: &'a Report, name: &str) -> Option<&'a Finding> {
    report.flags.iter().find(|finding| finding.name == name)
}

/// Changes of a value, member by member; what a run cannot help but change is left out.
fn walk(path: &str, old: &Value, new: &Value, changes: &mut Vec<String>) {
    if old == new || ["process.pid", "process.time"].contains(&path) {
        return;
    }
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                walk(
                    &format!("{path}.{key}"),
                    value,
                    after.get(key).unwrap_or(&Value::Null),
                    changes,
                );
            }
            for (key, value) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                walk(&format!("{path}.{key}"), &Value::Null, value, changes);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            let texts = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>();
            let (before, after) = (texts(before), texts(after));
            changes.push(match path.ends_with(".evidence") {
                true => format!("{path}: {}", folded(&before, &after)),
                false => {
                    let (lost, come) = (without(&before, &after), without(&after, &before));
                    let lost = lost.iter().map(|value| format!(" -{value}"));
                    let come = come.iter().map(|value| format!(" +{value}"));
                    let all: String = lost.chain(come).collect();
                    format!("{path}:{}", if all.is_empty() { " in another order" } else { &all })
                }
            });
        }
        _ => changes.push(format!("{path}: {old} -> {new}")),
    }
}

/// Changes of a flag's finding.
fn of_flag(old: &Finding, new: &Finding, changes: &mut Vec<String>) {
    let name = &old.name;
    let none = || "none".to_owned();
    let words = [
        ("value", old.value.clone().unwrap_or_else(none), new.value.clone().unwrap_or_else(none)),
        ("since", old.since.clone(), new.since.clone()),
        ("verdict", old.verdict.clone(), new.verdict.clone()),
        ("reason_code", old.reason_code.clone(), new.reason_code.clone()),
    ];
    for (key, before, after) in words.into_iter().filter(|(_, before, after)| before != after) {
        changes.push(format!("{name}: {key}: {before} -> {after}"));
    }
    let same = |answer: &Answer, other: &Answer| {
        (&answer.map_type, &answer.backing) == (&other.map_type, &other.backing)
    };
    let pick = |answers: &[Answer], wanted: &Answer| {
        answers.iter().find(|answer| same(answer, wanted)).cloned()
    };
    let added = new.contexts.iter().filter(|answer| pick(&old.contexts, answer).is_none());
    for context in old.contexts.iter().chain(added) {
        let outcome = |answers| {
            pick(answers, context).map_or("not asked".to_owned(), |answer| answer.outcome)
        };
        let (before, after) = (outcome(&old.contexts), outcome(&new.contexts));
        if before != after {
            changes.push(format!(
                "{name}: {} of {}: {before} -> {after}",
                context.map_type, context.backing
            ));
        }
    }
    if old.evidence != new.evidence {
        changes.push(format!("{name}: evidence: {}", folded(&old.evidence, &new.evidence)));
    } else if old.reason != new.reason {
        changes.push(format!("{name}: reason: the same in other words"));
    }
}

/// Two lists of calls, as how many are only in one of them.
fn folded(old: &[String], new: &[String]) -> String {
    let (lost, come) = (without(old, new).len(), without(new, old).len());
    let calls =
        |number: usize| if number == 1 { "1 call".to_owned() } else { format!("{number} calls") };
    match (lost, come) {
        (0, 0) => "the same calls in another order".into(),
        _ => {
            format!("{} only in the first report, {} only in the second", calls(lost), calls(come))
        }
    }
}

/// What is in a list more often than in another.
fn without<'a>(list: &'a [String], other: &[String]) -> Vec<&'a str> {
    let mut left: Vec<&String> = other.iter().collect();
    let extra = list.iter().filter(|text| match left.iter().position(|there| there == text) {
        Some(at) => {
            left.swap_remove(at);
            false
        }
        None => true,
    });
    extra.map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn walked(old: &Value, new: &Value) -> Vec<String> {
        let mut changes = Vec::new();
        walk("process", old, new, &mut changes);
        changes
    }

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        let old = json!({"pid": 7, "time": 1, "page_size": 4096, "list": [1, 2, 2]});
        assert!(
            walked(&old, &json!({"pid": null, "time": 9, "page_size": 4096, "list": [1, 2, 2]}))
                .is_empty()
        );
        let changes = walked(
            &old,
            &json!({"pid": 7, "time": 1, "page_size": 16384, "list": [2, 3], "new": true}),
        );
        let expected = [
            "process.page_size: 4096 -> 16384",
            "process.list: -1 -2 +3",
            "process.new: null -> true",
        ];
        assert_eq!(changes, expected);
    }

    #[test]
    fn evidence_is_folded() {
        let calls = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (old, new) = (calls(&["a", "a", "b"]), calls(&["b", "a", "c", "d"]));
        assert_eq!(
            folded(&old, &new),
            "1 call only in the first report, 2 calls only in the second"
        );
        assert_eq!(
            folded(&calls(&["a", "b"]), &calls(&["b", "a"])),
            "the same calls in another order"
        );
    }
}
