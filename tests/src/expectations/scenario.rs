//! What is otherwise in a scenario than the expectations about its kernel say, written by hand (`expectations/scenarios/`).

use super::{Expectation, Expectations, VERDICTS};
use anyhow::{Context, Result, ensure};
use dist::debian::matches;
use serde::Deserialize;
use std::path::Path;

/// The expectations about one scenario.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioExpectations {
    /// What lies between the program and the kernel.
    pub environment: Vec<Named>,
    /// The flags about which more or something else is known than in the plain scenario.
    pub flags: Vec<Change>,
}

/// Something a report names in `environment`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its name there.
    pub name: String,
    /// Where that can be read.
    pub source: String,
}

/// What is otherwise about one flag.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The flag.
    pub flag: String,
    /// On which kernels: names in which `*` stands for anything.
    pub kernels: Vec<String>,
    /// The verdict, if it is another one.
    pub verdict: Option<String>,
    /// As in [`Expectation`].
    pub reason_code: Option<String>,
    /// As in [`Expectation`].
    pub reason_has: Option<String>,
    /// As in [`Expectation`].
    pub reason_lacks: Option<String>,
    /// Where that can be read.
    pub source: String,
}

impl ScenarioExpectations {
    /// Reads the expectations about the scenario with this name.
    pub fn of(scenario: &str) -> Result<ScenarioExpectations> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("expectations/scenarios/{scenario}.toml"));
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "There are no expectations about the scenario {scenario}: write {}.",
                path.display()
            )
        })?;
        ScenarioExpectations::parse(&text)
            .with_context(|| format!("{} is not a file of expectations.", path.display()))
    }

    fn parse(text: &str) -> Result<ScenarioExpectations> {
        let expectations: ScenarioExpectations = toml::from_str(text)?;
        let named = expectations.environment.iter().map(|one| (&one.name, &one.source));
        for (what, source) in
            named.chain(expectations.flags.iter().map(|one| (&one.flag, &one.source)))
        {
            ensure!(!source.trim().is_empty(), "{what}: the source is missing");
        }
        for Change { flag, verdict, reason_code, reason_has, reason_lacks, .. } in
            &expectations.flags
        {
            let right = verdict.as_deref().is_none_or(|word| VERDICTS.contains(&word));
            ensure!(right, "{flag}: {verdict:?} is no verdict");
            let says =
                [verdict, reason_code, reason_has, reason_lacks].iter().any(|said| said.is_some());
            ensure!(says, "{flag}: nothing is said about it");
        }
        Ok(expectations)
    }
}

impl Change {
    /// Whether it is about a kernel.
    pub fn concerns(&self, kernel: &str) -> bool {
        self.kernels.iter().any(|pattern| matches(pattern, kernel))
    }
}

impl Expectations {
    /// The expectations about a kernel in a scenario.
    pub fn in_scenario(kernel: &str, scenario: &str) -> Result<Expectations> {
        let mut expectations = Expectations::of(kernel)?;
        let ScenarioExpectations { environment, flags } = ScenarioExpectations::of(scenario)?;
        expectations.environment.extend(environment.into_iter().map(|one| (one.name, one.source)));
        for change in flags.into_iter().filter(|change| change.concerns(kernel)) {
            let Change { flag, verdict, reason_code, reason_has, reason_lacks, source, .. } =
                change;
            let known = expectations.flags.remove(&flag);
            let known = known.with_context(|| {
                format!("The expectations about {scenario} name {flag}, which is no flag.")
            })?;
            let verdict = verdict.unwrap_or(known.verdict);
            expectations.flags.insert(
                flag,
                Expectation { verdict, reason_code, reason_has, reason_lacks, source },
            );
        }
        Ok(expectations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kernels, scenarios};

    /// A change that changes nothing, or is about no kernel that is booted so, would never be seen to be wrong.
    #[test]
    fn every_guest_has_its_facts_and_every_change_is_one() {
        for scenario in scenarios::ALL {
            for change in ScenarioExpectations::of(scenario.name).unwrap().flags {
                let name = format!("{}: {}", scenario.name, change.flag);
                let booted = |kernel: &&kernels::Kernel| scenario.skipped(kernel).is_none();
                let about: Vec<_> = kernels::ALL
                    .iter()
                    .filter(booted)
                    .filter(|kernel| change.concerns(kernel.name))
                    .collect();
                assert!(!about.is_empty(), "{name} is about no kernel");
                for kernel in about {
                    let plain = &Expectations::of(kernel.name).unwrap().flags[&change.flag];
                    assert_ne!(
                        Some(&plain.verdict),
                        change.verdict.as_ref(),
                        "{name} is no change on {}",
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
    fn no_facts_are_about_a_guest_that_is_not_there() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("expectations/scenarios");
        for entry in std::fs::read_dir(directory).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(scenarios::named(name.trim_end_matches(".toml")).is_some(), "{name}");
        }
    }

    #[test]
    fn facts_without_a_source_or_with_nothing_to_say_are_refused() {
        for wrong in [
            "[[flags]]\nflag = \"A\"\nkernels = [\"*\"]\nsource = \"x\"",
            "[[flags]]\nflag = \"A\"\nkernels = [\"*\"]\nverdict = \"honored\"\nsource = \"\"",
            "[[flags]]\nflag = \"A\"\nkernels = [\"*\"]\nverdict = \"honoured\"\nsource = \"x\"",
            "[[environment]]\nname = \"no /proc\"\nsource = \" \"",
            "[flags]",
        ] {
            assert!(ScenarioExpectations::parse(wrong).is_err(), "{wrong}");
        }
        assert!(ScenarioExpectations::parse("").unwrap().flags.is_empty());
    }
}
