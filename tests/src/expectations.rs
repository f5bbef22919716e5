//! The expected verdict for every flag on every kernel, written by hand in `expectations/`, and the
//! comparison of a report with them.
//!
//! [`scenario`] has what differs in a scenario, [`answers`] what is expected beside the verdicts,
//! [`since`] what is known about a kernel without expectations.

pub mod answers;
mod difference;
pub mod scenario;
pub mod series;
pub mod since;

use self::answers::Answers;
pub use self::difference::Difference;
use self::difference::text;
use self::series::series;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The expectations for one kernel.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// The series of the kernel, such as `6.1`.
    pub release: String,
    /// What interferes with the measurements, as the report names it, with the source of each
    /// statement.
    #[serde(skip)]
    pub environment: BTreeMap<String, String>,
    /// What is expected beside the verdicts.
    #[serde(skip)]
    pub answers: Answers,
    /// The expectations by flag. TOML rejects a name that occurs twice.
    pub flags: BTreeMap<String, Expectation>,
}

/// The expectation for one flag.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The expected verdict.
    pub verdict: String,
    /// The expected reason code, if the expectation has one.
    pub reason_code: Option<String>,
    /// A part of the reason.
    pub reason_has: Option<String>,
    /// Text that is not in the reason.
    pub reason_lacks: Option<String>,
    /// The beginning of the answer whether a huge page can be had now, with its reason: `no: the
    /// pool has no free page`.
    pub available: Option<String>,
    /// The kernel source or the manual that the expectation is taken from.
    pub source: String,
}

/// The verdicts of a report.
const VERDICTS: [&str; 7] =
    ["honored", "accepted", "ignored", "unknown", "unavailable", "absent", "inconclusive"];

impl Expectations {
    /// Reads the expectations for a kernel.
    pub fn of(kernel: &str) -> Result<Expectations> {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("expectations/{kernel}.toml"));
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("There are no expectations for {kernel}: write {}.", path.display())
        })?;
        Expectations::parse(&text)
            .with_context(|| format!("{} is not a file of expectations.", path.display()))
    }

    fn parse(text: &str) -> Result<Expectations> {
        let expectations: Expectations = toml::from_str(text)?;
        ensure!(
            series(&expectations.release).is_some(),
            "release: {:?} is not a series",
            expectations.release
        );
        for (flag, expectation) in &expectations.flags {
            ensure!(
                VERDICTS.contains(&expectation.verdict.as_str()),
                "{flag}: {:?} is not a verdict",
                expectation.verdict
            );
            ensure!(!expectation.source.trim().is_empty(), "{flag}: the source is missing");
        }
        Ok(expectations)
    }

    /// The differences between a report and the expectations: the environment, flag by flag, then
    /// the other answers.
    pub fn compare(&self, report: &Value) -> Vec<Difference> {
        let findings = report["flags"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named = |name: &str| {
            findings.iter().filter(move |finding| finding["name"] == name).collect::<Vec<_>>()
        };
        let known = self.flags.iter().filter_map(|(flag, expectation)| {
            let found = named(flag);
            match found.as_slice() {
                [one] => {
                    (!expectation.fits(one)).then(|| Difference::new(flag, Some(expectation), one))
                }
                [] => Some(Difference::missing(flag, expectation)),
                [.., last] => Some(Difference {
                    got: "more than one finding".into(),
                    ..Difference::new(flag, Some(expectation), last)
                }),
            }
        });
        let unexpected = findings.iter().filter_map(|finding| {
            let name = finding["name"].as_str().unwrap_or("a finding without a name");
            (!self.flags.contains_key(name)).then(|| Difference::new(name, None, finding))
        });
        let environment = self.compare_environment(report).into_iter();
        let answers = self.answers.compare(report);
        environment.chain(known).chain(unexpected).chain(answers).collect()
    }

    fn compare_environment(&self, report: &Value) -> Option<Difference> {
        let named =
            report["environment"].as_array().into_iter().flatten().map(|one| text(&one["name"]));
        let named: BTreeSet<String> = named.collect();
        let wanted: BTreeSet<String> = self.environment.keys().cloned().collect();
        let list = |names: &BTreeSet<String>| match names.is_empty() {
            true => "no interference".to_owned(),
            false => names.iter().cloned().collect::<Vec<_>>().join(", "),
        };
        let sources: Vec<&str> = self.environment.values().map(String::as_str).collect();
        (named != wanted).then(|| Difference {
            flag: "environment".into(),
            expected: list(&wanted),
            source: if sources.is_empty() {
                "the expectations for the scenario name none".into()
            } else {
                sources.join("; ")
            },
            got: list(&named),
            reason: report["environment"].to_string(),
            evidence: Vec::new(),
        })
    }
}

impl Expectation {
    /// Whether a finding is as expected.
    fn fits(&self, finding: &Value) -> bool {
        let reason = finding["reason"].as_str().unwrap_or_default();
        let available = available(finding);
        finding["verdict"] == self.verdict.as_str()
            && self.reason_code.as_deref().is_none_or(|code| finding["reason_code"] == code)
            && self.reason_has.as_deref().is_none_or(|part| reason.contains(part))
            && self.reason_lacks.as_deref().is_none_or(|part| !reason.contains(part))
            && self.available.as_deref().is_none_or(|start| available.starts_with(start))
    }

    /// The whole expectation as text.
    fn text(&self) -> String {
        let Expectation { verdict, reason_code, reason_has, reason_lacks, available, .. } = self;
        let part = |what: &str, text: &Option<String>| {
            text.as_ref().map(|text| format!(", {what} {text:?}"))
        };
        let parts = [
            part("reason code", reason_code),
            part("reason with", reason_has),
            part("reason without", reason_lacks),
            part("a huge page", available),
        ];
        format!("{verdict}{}", parts.into_iter().flatten().collect::<String>())
    }
}

/// The answer whether a huge page can be had now, and its reason.
fn available(finding: &Value) -> String {
    format!("{}: {}", text(&finding["available"]), text(&finding["available_reason"]))
}

impl Difference {
    fn new(flag: &str, expectation: Option<&Expectation>, finding: &Value) -> Difference {
        Difference {
            flag: flag.to_owned(),
            expected: expectation.map_or_else(|| "no such finding".into(), Expectation::text),
            source: expectation.map_or_else(
                || "no expectation names it".into(),
                |expectation| expectation.source.clone(),
            ),
            got: match finding["available"].is_string() {
                true => {
                    format!("{}; a huge page: {}", text(&finding["verdict"]), available(finding))
                }
                false => text(&finding["verdict"]),
            },
            reason: text(&finding["reason"]),
            evidence: finding["evidence"].as_array().into_iter().flatten().map(text).collect(),
        }
    }

    fn missing(flag: &str, expectation: &Expectation) -> Difference {
        Difference {
            got: "no finding".into(),
            ..Difference::new(flag, Some(expectation), &Value::Null)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const EXPECTATIONS: &str = r#"
        release = "6.1"
        [flags]
        MAP_SHARED = { verdict = "honored", source = "mmap(2)" }
        MAP_SYNC = { verdict = "inconclusive", source = "fs/ext4/file.c" }
    "#;

    fn differences(report: &Value) -> Vec<(String, String, String)> {
        let all = Expectations::parse(EXPECTATIONS).unwrap().compare(report);
        all.into_iter().map(|one| (one.flag, one.expected, one.got)).collect()
    }

    fn triple(flag: &str, expected: &str, got: &str) -> (String, String, String) {
        (flag.into(), expected.into(), got.into())
    }

    #[test]
    fn a_report_as_expected_has_no_differences() {
        let report = json!({"flags": [
            {"name": "MAP_SYNC", "verdict": "inconclusive"},
            {"name": "MAP_SHARED", "verdict": "honored"}]});
        assert_eq!(differences(&report), []);
    }

    #[test]
    fn every_difference_has_its_evidence() {
        let report = json!({"flags": [
            {"name": "MAP_SYNC", "verdict": "unknown", "reason": "It was rejected.",
             "evidence": ["mmap = EINVAL"]},
            {"name": "MAP_SHARED", "verdict": "honored"},
            {"name": "MAP_SHARED", "verdict": "honored"},
            {"name": "MAP_NEW", "verdict": "honored"}]});
        assert_eq!(
            differences(&report),
            [
                triple("MAP_SHARED", "honored", "more than one finding"),
                triple("MAP_SYNC", "inconclusive", "unknown"),
                triple("MAP_NEW", "no such finding", "honored")
            ]
        );
        let text = Expectations::parse(EXPECTATIONS).unwrap().compare(&report)[1].to_string();
        for part in [
            "expected inconclusive, got unknown",
            "fs/ext4/file.c",
            "It was rejected.",
            "mmap = EINVAL",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_huge_page_is_compared_where_an_answer_is_expected() {
        let expectations = r#"
            release = "6.1"
            [flags.MAP_HUGETLB]
            verdict = "honored"
            available = "no: the pool"
            source = "x"
        "#;
        let expectations = Expectations::parse(expectations).unwrap();
        let finding = |available: Value, reason: Value| {
            json!({"flags": [{
                "name": "MAP_HUGETLB", "verdict": "honored",
                "available": available, "available_reason": reason
            }]})
        };
        assert_eq!(expectations.compare(&finding("no".into(), "the pool is empty".into())), []);
        for (available, reason) in
            [("yes".into(), "the pool".into()), ("no".into(), "a limit".into()), Default::default()]
        {
            let all = expectations.compare(&finding(available, reason));
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].expected, "honored, a huge page \"no: the pool\"");
        }
    }

    #[test]
    fn a_reason_is_compared_where_one_is_expected() {
        let expectations = r#"
            release = "6.1"
            [flags.MAP_LOCKED]
            verdict = "unavailable"
            reason_code = "not_permitted"
            reason_has = "limit"
            reason_lacks = "pool"
            source = "x"
        "#;
        let expectations = Expectations::parse(expectations).unwrap();
        let finding = |code: &str, reason: &str| {
            json!({"flags": [{
                "name": "MAP_LOCKED", "verdict": "unavailable",
                "reason_code": code, "reason": reason
            }]})
        };
        assert_eq!(expectations.compare(&finding("not_permitted", "the limit is 0")), []);
        for (code, reason) in [
            ("over_limit", "the limit"),
            ("not_permitted", "no word"),
            ("not_permitted", "the limit of the pool"),
        ] {
            let all = expectations.compare(&finding(code, reason));
            assert_eq!(all.len(), 1, "{code}: {reason}");
            let expected = "unavailable, reason code \"not_permitted\", reason with \"limit\", \
                reason without \"pool\"";
            assert_eq!(all[0].expected, expected);
        }
    }

    #[test]
    fn exactly_the_expected_interference_must_be_named() {
        let mut expectations = Expectations::parse("release = \"6.1\"\n[flags]").unwrap();
        let report = |names: &[&str]| {
            let named: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
            json!({"flags": [], "environment": named})
        };
        assert_eq!(expectations.compare(&report(&[])), []);
        assert_eq!(expectations.compare(&report(&["no /proc"]))[0].got, "no /proc");
        expectations.environment.insert("no /proc".into(), "proc(5)".into());
        assert_eq!(expectations.compare(&report(&["no /proc"])), []);
        let missing = &expectations.compare(&report(&["no memfd"]))[0];
        assert_eq!((missing.expected.as_str(), missing.got.as_str()), ("no /proc", "no memfd"));
    }

    #[test]
    fn an_empty_report_differs_in_every_flag() {
        let expected = [
            triple("MAP_SHARED", "honored", "no finding"),
            triple("MAP_SYNC", "inconclusive", "no finding"),
        ];
        assert_eq!(differences(&json!({"flags": []})), expected);
        assert_eq!(differences(&json!(null)), expected);
    }

    #[test]
    fn a_wrong_verdict_a_missing_source_and_a_repeated_name_are_errors() {
        for wrong in [
            "release = \"six\"\n[flags]",
            "release = \"6.1\"\n[flags]\nMAP_SHARED = { verdict = \"honoured\", source = \"x\" }",
            "release = \"6.1\"\n[flags]\nMAP_SHARED = { verdict = \"honored\", source = \" \" }",
            "release = \"6.1\"\n[flags]\nMAP_SHARED = { verdict = \"honored\" }",
            "release = \"6.1\"\n[flags]\nA = { verdict = \"honored\", source = \"x\" }\n\
             A = { verdict = \"honored\", source = \"x\" }",
        ] {
            assert!(Expectations::parse(wrong).is_err(), "{wrong}");
        }
    }
}
