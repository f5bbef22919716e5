//! Answers of a report beside its verdicts: single keys, the outcomes of single contexts, and the
//! evidence of an interference.

use super::difference::{Difference, text};
use serde::Deserialize;
use serde_json::Value;

/// The expected value of a key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// A JSON pointer (RFC 6901), such as `/file/name`.
    pub key: String,
    pub value: Value,
    /// The kernels with this value: names in which `*` is a wildcard.
    pub kernels: Vec<String>,
    /// The kernel source or the manual that the expectation is taken from.
    pub source: String,
}

/// The expected outcome of a flag in one context.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextOutcome {
    pub flag: String,
    /// The map type, such as `MAP_SHARED_VALIDATE`.
    #[serde(rename = "type")]
    pub map_type: String,
    /// What is mapped, such as `/dax`.
    pub backing: String,
    /// `accepted`, or the name of an error.
    pub outcome: String,
    /// The kernels with this outcome: names in which `*` is a wildcard.
    pub kernels: Vec<String>,
    /// The kernel source or the manual that the expectation is taken from.
    pub source: String,
}

/// A part of the evidence of an interference.
#[derive(Debug)]
pub struct EvidencePart {
    /// The name of the interference.
    pub name: String,
    pub part: String,
    pub source: String,
}

/// Every expected answer in a scenario on a kernel.
#[derive(Debug, Default)]
pub struct Answers {
    pub keys: Vec<Key>,
    pub contexts: Vec<ContextOutcome>,
    pub evidence: Vec<EvidencePart>,
}

impl Answers {
    /// The differences between a report and the expectations.
    pub fn compare(&self, report: &Value) -> Vec<Difference> {
        let keys = self.keys.iter().filter_map(|one| one.compare(report));
        let contexts = self.contexts.iter().filter_map(|one| one.compare(report));
        let evidence = self.evidence.iter().filter_map(|one| one.compare(report));
        keys.chain(contexts).chain(evidence).collect()
    }
}

impl Key {
    fn compare(&self, report: &Value) -> Option<Difference> {
        let got = report.pointer(&self.key).unwrap_or(&Value::Null);
        (*got != self.value)
            .then(|| difference(&self.key, text(&self.value), text(got), &self.source))
    }
}

impl ContextOutcome {
    fn compare(&self, report: &Value) -> Option<Difference> {
        let ContextOutcome { flag, map_type, backing, outcome, source, .. } = self;
        let finding = named(&report["flags"], flag)?;
        let contexts = finding["contexts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let context = contexts.iter().find(|context| {
            context["type"] == map_type.as_str() && context["backing"] == backing.as_str()
        });
        let got = context.map_or("no such context".into(), |context| text(&context["outcome"]));
        let expected = format!("{outcome} under {map_type} of {backing}");
        (got != *outcome).then(|| Difference {
            reason: text(&finding["reason"]),
            evidence: finding["evidence"].as_array().into_iter().flatten().map(text).collect(),
            ..difference(flag, expected, got, source)
        })
    }
}

impl EvidencePart {
    fn compare(&self, report: &Value) -> Option<Difference> {
        let evidence = text(&named(&report["environment"], &self.name)?["evidence"]);
        let expected = format!("{} with {:?}", self.name, self.part);
        (!evidence.contains(&self.part))
            .then(|| difference("environment", expected, evidence, &self.source))
    }
}

/// The element of a list with a name. If there is none, another comparison says so.
fn named<'a>(list: &'a Value, name: &str) -> Option<&'a Value> {
    list.as_array()?.iter().find(|one| one["name"] == name)
}

fn difference(what: &str, expected: String, got: String, source: &str) -> Difference {
    Difference {
        flag: what.to_owned(),
        expected,
        source: source.to_owned(),
        got,
        reason: "see the report".into(),
        evidence: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn source() -> (Vec<String>, String) {
        (vec!["*".into()], "mmap(2)".into())
    }

    fn answers() -> Answers {
        let (kernels, source) = source();
        Answers {
            keys: vec![Key {
                key: "/file/name".into(),
                value: json!("memfd"),
                kernels: kernels.clone(),
                source: source.clone(),
            }],
            contexts: vec![ContextOutcome {
                flag: "MAP_SYNC".into(),
                map_type: "MAP_SHARED_VALIDATE".into(),
                backing: "/dax".into(),
                outcome: "accepted".into(),
                kernels,
                source: source.clone(),
            }],
            evidence: vec![EvidencePart { name: "filter".into(), part: "mincore".into(), source }],
        }
    }

    fn report(file: &str, outcome: &str, evidence: &str) -> Value {
        let context = |map_type: &str, outcome: &str| {
            let backing = "/dax";
            json!({"type": map_type, "backing": backing, "outcome": outcome})
        };
        let contexts = [context("MAP_SHARED", "EPERM"), context("MAP_SHARED_VALIDATE", outcome)];
        json!({
            "file": {"name": file},
            "environment": [{"name": "filter", "evidence": evidence}],
            "flags": [{"name": "MAP_SYNC", "contexts": contexts, "evidence": ["mmap: EINVAL"]}]
        })
    }

    #[test]
    fn answers_as_expected_are_no_differences() {
        let report = report("memfd", "accepted", "killed by mincore");
        assert_eq!(answers().compare(&report), []);
    }

    #[test]
    fn every_other_answer_is_a_difference() {
        for (report, what, expected, got) in [
            (report("/tmp", "accepted", "mincore"), "/file/name", "memfd", "/tmp"),
            (
                report("memfd", "EINVAL", "mincore"),
                "MAP_SYNC",
                "accepted under MAP_SHARED_VALIDATE of /dax",
                "EINVAL",
            ),
            (
                report("memfd", "accepted", "EPERM"),
                "environment",
                "filter with \"mincore\"",
                "EPERM",
            ),
        ] {
            let all = answers().compare(&report);
            assert_eq!(all.len(), 1, "{all:?}");
            let one = &all[0];
            assert_eq!((&*one.flag, &*one.expected, &*one.got), (what, expected, got));
        }
    }

    #[test]
    fn a_missing_key_and_a_missing_context_are_differences() {
        let all = answers().compare(&json!({"flags": [{"name": "MAP_SYNC"}]}));
        let got: Vec<&str> = all.iter().map(|one| one.got.as_str()).collect();
        assert_eq!(got, ["null", "no such context"]);
    }
}
