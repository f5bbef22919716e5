//! A kernel of a series without expectations, such as a new one: each flag is compared with the
//! version that introduced it (`since` in the flag table) and with the exceptions in
//! `expectations/since.toml`.

use super::series::{Series, series};
use super::{Difference, Expectations};
use crate::library;
use anyhow::{Context, Result, ensure};
use mapprobe::arch::Arch;
use mapprobe::flags::{Flag, Version};
use serde::Deserialize;
use serde_json::Value;
use std::fmt::{self, Display, Formatter};
use std::path::Path;

/// A verdict that is allowed although the flag's `since` contradicts it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    pub flag: String,
    pub verdict: String,
    pub reason: String,
}

/// The file of exceptions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    pub exceptions: Vec<Exception>,
}

impl Exceptions {
    /// Reads `expectations/since.toml`.
    pub fn read() -> Result<Exceptions> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("expectations/since.toml");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read.", path.display()))?;
        Exceptions::parse(&text)
            .with_context(|| format!("{} is not a file of exceptions.", path.display()))
    }

    fn parse(text: &str) -> Result<Exceptions> {
        let all: Exceptions = toml::from_str(text)?;
        for Exception { flag, reason, .. } in &all.exceptions {
            ensure!(library::flag_names().any(|name| name == flag), "{flag} is not a flag");
            ensure!(!reason.trim().is_empty(), "{flag}: the reason is missing");
        }
        Ok(all)
    }

    fn allow(&self, flag: &str, verdict: &str) -> bool {
        self.exceptions.iter().any(|one| one.flag == flag && one.verdict == verdict)
    }

    /// The expectation that a verdict contradicts on a kernel of a series, if any.
    fn contradiction(
        &self,
        flag: Flag,
        arch: Arch,
        series: Series,
        verdict: &str,
    ) -> Option<String> {
        let Version([major, minor, _]) = flag.since();
        let since = format!("{major}.{minor}");
        let introduced = (u32::from(major), u32::from(minor)) <= series;
        let expected = match (flag.value(arch), verdict) {
            (None, "absent") => return None,
            (None, _) => "absent: this architecture has no such flag".into(),
            (Some(_), "absent") => "not absent: this architecture has this flag".into(),
            (Some(_), "unknown" | "ignored") if introduced => {
                format!("known: introduced in {since}")
            }
            (Some(_), "honored" | "accepted") if !introduced => {
                format!("neither honored nor accepted: introduced in {since}")
            }
            _ => return None,
        };
        (!self.allow(flag.name(), verdict)).then_some(expected)
    }

    /// The differences between a report and the flag table for a kernel of a series.
    pub fn compare(&self, report: &Value, arch: Arch, series: Series) -> Vec<Difference> {
        let findings = report["flags"].as_array().map(Vec::as_slice).unwrap_or_default();
        let different = Flag::ALL.iter().filter_map(|&flag| {
            let finding = findings
                .iter()
                .find(|finding| finding["name"] == flag.name())
                .unwrap_or(&Value::Null);
            let verdict = finding["verdict"].as_str();
            let expected = match verdict {
                Some(verdict) => self.contradiction(flag, arch, series, verdict)?,
                None => "a finding".into(),
            };
            let source =
                "`since` in the flag table; exceptions are in expectations/since.toml".into();
            Some(Difference { expected, source, ..Difference::new(flag.name(), None, finding) })
        });
        different.collect()
    }
}

/// The basis of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The expectations for the kernel and the scenario.
    Expectations,
    /// The flag table: the series is newer than all series with expectations.
    New(Series),
    /// The flag table: the expectations are for another series.
    OtherSeries(Series),
}

impl Display for Basis {
    fn fmt(&self, to: &mut Formatter) -> fmt::Result {
        match self {
            Basis::Expectations => write!(to, "its expectations"),
            Basis::New((major, minor)) => {
                write!(to, "the flag table, since the series {major}.{minor} is new")
            }
            Basis::OtherSeries((major, minor)) => {
                write!(to, "the flag table, since no expectations are for {major}.{minor}")
            }
        }
    }
}

/// Compares a report with the expectations if they are for the series of its kernel, and with the
/// flag table otherwise. `newest` is the newest series with expectations.
pub fn compare(
    report: &Value,
    expectations: &Expectations,
    arch: Arch,
    newest: Series,
) -> Result<(Basis, Vec<Difference>)> {
    let release = report["kernel"]["release"].as_str().unwrap_or_default();
    let found = series(release)
        .with_context(|| format!("The kernel of the report has no series: {release:?}."))?;
    if Some(found) == series(&expectations.release) {
        return Ok((Basis::Expectations, expectations.compare(report)));
    }
    let basis = if found > newest { Basis::New(found) } else { Basis::OtherSeries(found) };
    Ok((basis, Exceptions::read()?.compare(report, arch, found)))
}

#[cfg(test)]
mod tests;
