//! What differs in a scenario from the expectations for its kernel, written by hand in
//! `expectations/scenarios/`.

use super::answers::{Answers, ContextOutcome, EvidencePart, Key};
use super::{Expectation, Expectations, VERDICTS};
use anyhow::{Context, Result, ensure};
use dist::debian::matches;
use serde::Deserialize;
use std::path::Path;

/// The expectations for one scenario.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioExpectations {
    /// What interferes with the measurements.
    pub environment: Vec<Named>,
    /// The flags with other expectations than in the plain scenario.
    pub flags: Vec<Change>,
    /// Single keys of the report.
    pub keys: Vec<Key>,
    /// The outcomes of flags in single contexts.
    pub contexts: Vec<ContextOutcome>,
}

/// Interference that a report names in `environment`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The name in the report.
    pub name: String,
    /// The kernels where it is named, if not all: names in which `*` is a wildcard.
    pub kernels: Option<Vec<String>>,
    /// A part of its evidence.
    pub evidence_has: Option<String>,
    /// The kernel source or the manual that the expectation is taken from.
    pub source: String,
}

/// A change to the expectation for one flag.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub flag: String,
    /// The kernels with this change: names in which `*` is a wildcard.
    pub kernels: Vec<String>,
    /// The verdict, if it changes.
    pub verdict: Option<String>,
    pub reason_code: Option<String>,
    pub reason_has: Option<String>,
    pub reason_lacks: Option<String>,
    /// The beginning of the answer whether a huge page can be had now.
    pub available: Option<String>,
    /// The kernel source or the manual that the expectation is taken from.
    pub source: String,
}

impl ScenarioExpectations {
    /// Reads the expectations for a scenario.
    pub fn of(scenario: &str) -> Result<ScenarioExpectations> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("expectations/scenarios/{scenario}.toml"));
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "There are no expectations for the scenario {scenario}: write {}.",
                path.display()
            )
        })?;
        ScenarioExpectations::parse(&text)
            .with_context(|| format!("{} is not a file of expectations.", path.display()))
    }

    fn parse(text: &str) -> Result<ScenarioExpectations> {
        let expectations: ScenarioExpectations = toml::from_str(text)?;
        let ScenarioExpectations { environment, flags, keys, contexts } = &expectations;
        let sources = environment.iter().map(|one| (&one.name, &one.source));
        let sources = sources.chain(flags.iter().map(|one| (&one.flag, &one.source)));
        let sources = sources.chain(keys.iter().map(|one| (&one.key, &one.source)));
        let sources = sources.chain(contexts.iter().map(|one| (&one.flag, &one.source)));
        for (what, source) in sources {
            ensure!(!source.trim().is_empty(), "{what}: the source is missing");
        }
        for Change { flag, verdict, reason_code, reason_has, reason_lacks, available, .. } in flags
        {
            let right = verdict.as_deref().is_none_or(|word| VERDICTS.contains(&word));
            ensure!(right, "{flag}: {verdict:?} is not a verdict");
            let changes = [verdict, reason_code, reason_has, reason_lacks, available]
                .iter()
                .any(|field| field.is_some());
            ensure!(changes, "{flag}: the change has no content");
        }
        Ok(expectations)
    }
}

impl Change {
    /// Whether the change applies to a kernel.
    pub fn applies_to(&self, kernel: &str) -> bool {
        any_matches(&self.kernels, kernel)
    }
}

/// Whether one of several patterns matches the name of a kernel.
fn any_matches(patterns: &[String], kernel: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, kernel))
}

impl Expectations {
    /// The expectations for a kernel in a scenario.
    pub fn in_scenario(kernel: &str, scenario: &str) -> Result<Expectations> {
        let mut expectations = Expectations::of(kernel)?;
        let ScenarioExpectations { environment, flags, mut keys, mut contexts } =
            ScenarioExpectations::of(scenario)?;
        keys.retain(|one| any_matches(&one.kernels, kernel));
        contexts.retain(|one| any_matches(&one.kernels, kernel));
        expectations.answers = Answers { keys, contexts, evidence: Vec::new() };
        for Named { name, kernels, evidence_has, source } in environment {
            if kernels.is_some_and(|kernels| !any_matches(&kernels, kernel)) {
                continue;
            }
            if let Some(part) = evidence_has {
                let (name, source) = (name.clone(), source.clone());
                expectations.answers.evidence.push(EvidencePart { name, part, source });
            }
            expectations.environment.insert(name, source);
        }
        for change in flags.into_iter().filter(|change| change.applies_to(kernel)) {
            let Change { flag, verdict, reason_code, reason_has, reason_lacks, available, .. } =
                change;
            let source = change.source;
            let known = expectations.flags.remove(&flag);
            let known = known.with_context(|| {
                format!("The expectations for {scenario} name {flag}, which is not a flag.")
            })?;
            let verdict = verdict.unwrap_or(known.verdict);
            expectations.flags.insert(
                flag,
                Expectation { verdict, reason_code, reason_has, reason_lacks, available, source },
            );
        }
        Ok(expectations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kernels, scenarios};

    /// A change that applies to no booted kernel would never be noticed.
    #[test]
    fn every_scenario_has_expectations_and_every_change_changes_something() {
        for scenario in scenarios::ALL {
            let ScenarioExpectations { environment, flags, keys, contexts } =
                ScenarioExpectations::of(scenario.name).unwrap();
            let named = environment.into_iter().filter_map(|one| Some((one.kernels?, one.name)));
            let keys = keys.into_iter().map(|one| (one.kernels, one.key));
            let contexts = contexts.into_iter().map(|one| (one.kernels, one.flag));
            for (patterns, what) in named.chain(keys).chain(contexts) {
                assert!(
                    kernels::ALL.iter().any(|kernel| scenario.skipped(kernel).is_none()
                        && any_matches(&patterns, kernel.name)),
                    "{}: {what} applies to no kernel",
                    scenario.name
                );
            }
            for change in flags {
                let name = format!("{}: {}", scenario.name, change.flag);
                let booted = |kernel: &&kernels::Kernel| scenario.skipped(kernel).is_none();
                let about: Vec<_> = kernels::ALL
                    .iter()
                    .filter(booted)
                    .filter(|kernel| change.applies_to(kernel.name))
                    .collect();
                assert!(!about.is_empty(), "{name} applies to no kernel");
                for kernel in about {
                    let plain = &Expectations::of(kernel.name).unwrap().flags[&change.flag];
                    assert_ne!(
                        Some(&plain.verdict),
                        change.verdict.as_ref(),
                        "{name} changes nothing on {}",
                        kernel.name
                    );
                    let there = &Expectations::in_scenario(kernel.name, scenario.name)
                        .unwrap()
                        .flags[&change.flag];
                    assert_eq!(there.verdict, *change.verdict.as_ref().unwrap_or(&plain.verdict));
                }
            }
        }
    }

    #[test]
    fn every_file_of_expectations_belongs_to_a_scenario() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("expectations/scenarios");
        for entry in std::fs::read_dir(directory).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(scenarios::named(name.trim_end_matches(".toml")).is_some(), "{name}");
        }
    }

    #[test]
    fn a_missing_source_and_a_change_without_content_are_errors() {
        for wrong in [
            "[[flags]]\nflag = \"A\"\nkernels = [\"*\"]\nsource = \"x\"",
            "[[flags]]\nflag = \"A\"\nkernels = [\"*\"]\nverdict = \"honored\"\nsource = \"\"",
            "[[flags]]\nflag = \"A\"\nkernels = [\"*\"]\nverdict = \"honoured\"\nsource = \"x\"",
            "[[environment]]\nname = \"no /proc\"\nsource = \" \"",
            "[[keys]]\nkey = \"/file/name\"\nvalue = \"x\"\nkernels = [\"*\"]\nsource = \"\"",
            "[[contexts]]\nflag = \"A\"\ntype = \"B\"\nbacking = \"C\"\noutcome = \"D\"\n\
             kernels = [\"*\"]\nsource = \"\"",
            "[flags]",
        ] {
            assert!(ScenarioExpectations::parse(wrong).is_err(), "{wrong}");
        }
        assert!(ScenarioExpectations::parse("").unwrap().flags.is_empty());
    }
}
