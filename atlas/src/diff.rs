//! `atlas diff`: the changes between two reports. The process id and the time are ignored.

use crate::document::{self, ContextOutcome, Document, Finding, Report};
use crate::input;
use crate::schema::Schemas;
use anyhow::{Result, bail};
use serde_json::Value;
use std::path::Path;

/// The keys of a report that do not belong to a flag.
const COMMON_KEYS: [&str; 6] =
    ["tool", "kernel", "process", "environment", "validation", "complete"];

/// Values that differ between any two runs.
const IGNORED: [&str; 2] = ["process.pid", "process.time"];

/// Compares the reports in two files and returns one line per change.
///
/// # Errors
/// A file cannot be read or does not contain exactly one report.
pub fn diff(old: &Path, new: &Path) -> Result<Vec<String>> {
    let schemas = Schemas::load()?;
    Ok(compare(&read(&schemas, old)?, &read(&schemas, new)?))
}

/// A report as a data structure and as JSON.
struct ReportFile {
    report: Report,
    json: Value,
}

impl ReportFile {
    fn finding(&self, flag: &str) -> Option<&Finding> {
        self.report.flags.iter().find(|finding| finding.name == flag)
    }
}

fn read(schemas: &Schemas, file: &Path) -> Result<ReportFile> {
    let documents = input::read_all(&[file])?;
    let [located] = documents.as_slice() else {
        bail!("{} has {} documents; expected one report", file.display(), documents.len());
    };
    let json = document::inner(&located.value).clone();
    match document::open(schemas, located)? {
        (_, Document::Report(report)) => Ok(ReportFile { report, json }),
        _ => bail!(
            "{} is a {}; expected a mapprobe.report",
            file.display(),
            json["schema"].as_str().unwrap_or("document")
        ),
    }
}

/// The changes of the whole report, then those of each flag.
fn compare(old: &ReportFile, new: &ReportFile) -> Vec<String> {
    let mut changes: Vec<String> = COMMON_KEYS
        .into_iter()
        .flat_map(|key| compare_values(key, &old.json[key], &new.json[key]))
        .collect();
    for finding in &old.report.flags {
        match new.finding(&finding.name) {
            Some(other) => changes.extend(compare_findings(finding, other)),
            None => changes.push(format!("{}: only in the first report", finding.name)),
        }
    }
    for finding in &new.report.flags {
        if old.finding(&finding.name).is_none() {
            changes.push(format!("{}: only in the second report", finding.name));
        }
    }
    changes
}

fn compare_values(path: &str, old: &Value, new: &Value) -> Vec<String> {
    if old == new || IGNORED.contains(&path) {
        return Vec::new();
    }
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            let added = after.keys().filter(|key| !before.contains_key(*key));
            before
                .keys()
                .chain(added)
                .flat_map(|key| compare_values(&format!("{path}.{key}"), &old[key], &new[key]))
                .collect()
        }
        (Value::Array(before), Value::Array(after)) => {
            let texts = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>();
            let (before, after) = (texts(before), texts(after));
            if path.ends_with(".evidence") {
                return vec![format!("{path}: {}", count_changes(&before, &after))];
            }
            let removed = difference(&before, &after).into_iter().map(|text| format!(" -{text}"));
            let added = difference(&after, &before).into_iter().map(|text| format!(" +{text}"));
            let changes: String = removed.chain(added).collect();
            match changes.is_empty() {
                true => vec![format!("{path}: in another order")],
                false => vec![format!("{path}:{changes}")],
            }
        }
        _ => vec![format!("{path}: {old} -> {new}")],
    }
}

fn compare_findings(old: &Finding, new: &Finding) -> Vec<String> {
    let name = &old.name;
    let value = |finding: &Finding| finding.value.clone().unwrap_or_else(|| "none".to_owned());
    let (old_value, new_value) = (value(old), value(new));
    let available = |finding: &Finding| {
        let answer = finding.available.as_deref();
        answer.unwrap_or("not asked").to_owned()
    };
    let (old_available, new_available) = (available(old), available(new));
    let fields = [
        ("value", &old_value, &new_value),
        ("since", &old.since, &new.since),
        ("verdict", &old.verdict, &new.verdict),
        ("reason_code", &old.reason_code, &new.reason_code),
        ("available", &old_available, &new_available),
    ];
    let mut changes: Vec<String> = fields
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(key, before, after)| format!("{name}: {key}: {before} -> {after}"))
        .collect();
    changes.extend(compare_contexts(old, new));
    if old.evidence != new.evidence {
        changes.push(format!("{name}: evidence: {}", count_changes(&old.evidence, &new.evidence)));
    } else if old.reason != new.reason {
        changes.push(format!("{name}: reason: the same in other words"));
    }
    changes
}

fn compare_contexts(old: &Finding, new: &Finding) -> Vec<String> {
    let find = |contexts: &[ContextOutcome], wanted: &ContextOutcome| {
        let is_wanted = |context: &&ContextOutcome| {
            (&context.map_type, &context.backing) == (&wanted.map_type, &wanted.backing)
        };
        contexts.iter().find(is_wanted).map(|context| context.outcome.clone())
    };
    let added = new.contexts.iter().filter(|context| find(&old.contexts, context).is_none());
    let change = |context: &ContextOutcome| {
        let outcome = |contexts| find(contexts, context).unwrap_or_else(|| "not asked".to_owned());
        let (before, after) = (outcome(&old.contexts), outcome(&new.contexts));
        let ContextOutcome { map_type, backing, .. } = context;
        (before != after)
            .then(|| format!("{}: {map_type} of {backing}: {before} -> {after}", old.name))
    };
    old.contexts.iter().chain(added).filter_map(change).collect()
}

/// How many calls are in only one of two lists.
fn count_changes(old: &[String], new: &[String]) -> String {
    let (removed, added) = (difference(old, new).len(), difference(new, old).len());
    if (removed, added) == (0, 0) {
        return "the same calls in another order".to_owned();
    }
    let calls = |count| if count == 1 { "1 call".to_owned() } else { format!("{count} calls") };
    format!("{} only in the first report, {} only in the second", calls(removed), calls(added))
}

/// The multiset difference: texts that are in one list more often than in the other.
fn difference<'a>(list: &'a [String], other: &[String]) -> Vec<&'a str> {
    let mut unmatched: Vec<&String> = other.iter().collect();
    let mut extra = Vec::new();
    for text in list {
        match unmatched.iter().position(|other| *other == text) {
            Some(index) => {
                unmatched.swap_remove(index);
            }
            None => extra.push(text.as_str()),
        }
    }
    extra
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn process_id_and_time_are_ignored() {
        let old = json!({"pid": 7, "time": 1, "page_size": 4096, "list": [1, 2, 2]});
        let later = json!({"pid": null, "time": 9, "page_size": 4096, "list": [1, 2, 2]});
        assert!(compare_values("process", &old, &later).is_empty());
        let changed = json!({"pid": 7, "time": 1, "page_size": 16384, "list": [2, 3], "new": true});
        let expected = [
            "process.page_size: 4096 -> 16384",
            "process.list: -1 -2 +3",
            "process.new: null -> true",
        ];
        assert_eq!(compare_values("process", &old, &changed), expected);
    }

    #[test]
    fn changes_of_evidence_are_counted() {
        let calls = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (old, new) = (calls(&["a", "a", "b"]), calls(&["b", "a", "c", "d"]));
        assert_eq!(
            count_changes(&old, &new),
            "1 call only in the first report, 2 calls only in the second"
        );
        assert_eq!(
            count_changes(&calls(&["a", "b"]), &calls(&["b", "a"])),
            "the same calls in another order"
        );
    }
}
