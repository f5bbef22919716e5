//! What is otherwise in a guest than the facts about its kernel say, written by hand (`facts/guests/`).

use super::{Fact, Facts, VERDICTS};
use anyhow::{Context, Result, ensure};
use dist::debian::matches;
use serde::Deserialize;
use std::path::Path;

/// The facts about one guest.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GuestFacts {
    /// What lies between the program and the kernel.
    pub environment: Vec<Named>,
    /// The flags about which more or something else is known than in the plain guest.
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
    /// As in [`Fact`].
    pub reason_code: Option<String>,
    /// As in [`Fact`].
    pub reason_has: Option<String>,
    /// As in [`Fact`].
    pub reason_lacks: Option<String>,
    /// Where that can be read.
    pub source: String,
}

impl GuestFacts {
    /// Reads the facts about the guest with this name.
    pub fn of(guest: &str) -> Result<GuestFacts> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("facts/guests/{guest}.toml"));
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("There are no facts about the guest {guest}: write {}.", path.display())
        })?;
        GuestFacts::parse(&text)
            .with_context(|| format!("{} is not a file of facts.", path.display()))
    }

    fn parse(text: &str) -> Result<GuestFacts> {
        let facts: GuestFacts = toml::from_str(text)?;
        let named = facts.environment.iter().map(|one| (&one.name, &one.source));
        for (what, source) in named.chain(facts.flags.iter().map(|one| (&one.flag, &one.source))) {
            ensure!(!source.trim().is_empty(), "{what}: the source is missing");
        }
        for Change { flag, verdict, reason_code, reason_has, reason_lacks, .. } in &facts.flags {
            let right = verdict.as_deref().is_none_or(|word| VERDICTS.contains(&word));
            ensure!(right, "{flag}: {verdict:?} is no verdict");
            let says =
                [verdict, reason_code, reason_has, reason_lacks].iter().any(|said| said.is_some());
            ensure!(says, "{flag}: nothing is said about it");
        }
        Ok(facts)
    }
}

impl Change {
    /// Whether it is about a kernel.
    pub fn concerns(&self, kernel: &str) -> bool {
        self.kernels.iter().any(|pattern| matches(pattern, kernel))
    }
}

impl Facts {
    /// The facts about a kernel in a guest.
    pub fn in_guest(kernel: &str, guest: &str) -> Result<Facts> {
        let mut facts = Facts::of(kernel)?;
        let GuestFacts { environment, flags } = GuestFacts::of(guest)?;
        facts.environment.extend(environment.into_iter().map(|one| (one.name, one.source)));
        for change in flags.into_iter().filter(|change| change.concerns(kernel)) {
            let Change { flag, verdict, reason_code, reason_has, reason_lacks, source, .. } =
                change;
            let known = facts.flags.remove(&flag);
            let known = known.with_context(|| {
                format!("The facts about {guest} name {flag}, which is no flag.")
            })?;
            let verdict = verdict.unwrap_or(known.verdict);
            facts
                .flags
                .insert(flag, Fact { verdict, reason_code, reason_has, reason_lacks, source });
        }
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{guests, kernels};

    /// A change that changes nothing, or is about no kernel that is booted so, would never be seen to be wrong.
    #[test]
    fn every_guest_has_its_facts_and_every_change_is_one() {
        for guest in guests::ALL {
            for change in GuestFacts::of(guest.name).unwrap().flags {
                let name = format!("{}: {}", guest.name, change.flag);
                let booted = |kernel: &&kernels::Kernel| guest.skipped(kernel).is_none();
                let about: Vec<_> = kernels::ALL
                    .iter()
                    .filter(booted)
                    .filter(|kernel| change.concerns(kernel.name))
                    .collect();
                assert!(!about.is_empty(), "{name} is about no kernel");
                for kernel in about {
                    let plain = &Facts::of(kernel.name).unwrap().flags[&change.flag];
                    assert_ne!(
                        Some(&plain.verdict),
                        change.verdict.as_ref(),
                        "{name} is no change on {}",
                        kernel.name
                    );
                    let there =
                        &Facts::in_guest(kernel.name, guest.name).unwrap().flags[&change.flag];
                    assert_eq!(there.verdict, *change.verdict.as_ref().unwrap_or(&plain.verdict));
                }
            }
        }
    }

    #[test]
    fn no_facts_are_about_a_guest_that_is_not_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("facts/guests");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(guests::named(name.trim_end_matches(".toml")).is_some(), "{name}");
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
            assert!(GuestFacts::parse(wrong).is_err(), "{wrong}");
        }
        assert!(GuestFacts::parse("").unwrap().flags.is_empty());
    }
}
