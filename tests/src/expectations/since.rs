//! A kernel without expectations, a newer one for instance: what is known of it is in which version each flag came (`since` in the flag
//! table), with the exceptions that are written down (`expectations/since.toml`).

use super::{Difference, Expectations};
use anyhow::{Context, Result, ensure};
use mapprobe::arch::Arch;
use mapprobe::flags::{Flag, TABLE, Version};
use serde::Deserialize;
use serde_json::Value;
use std::fmt::{self, Display, Formatter};
use std::path::Path;

/// Major and minor version.
pub type Series = (u32, u32);

/// The series of a release such as `6.12.107+deb13-cloud-amd64`.
pub fn series(release: &str) -> Option<Series> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// A verdict that a flag may have although its `since` says otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The flag.
    pub flag: String,
    /// The verdict.
    pub verdict: String,
    /// Why.
    pub reason: String,
}

/// The file of exceptions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    /// All of them.
    pub exceptions: Vec<Exception>,
}

impl Exceptions {
    /// Reads them.
    pub fn read() -> Result<Exceptions> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("expectations/since.toml");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read.", path.display()))?;
        Exceptions::parse(&text)
            .with_context(|| format!("{} is no file of exceptions.", path.display()))
    }

    fn parse(text: &str) -> Result<Exceptions> {
        let all: Exceptions = toml::from_str(text)?;
        for Exception { flag, reason, .. } in &all.exceptions {
            ensure!(TABLE.iter().any(|row| row.name.plain() == flag), "{flag} is no flag");
            ensure!(!reason.trim().is_empty(), "{flag}: the reason is missing");
        }
        Ok(all)
    }

    fn allow(&self, flag: &str, verdict: &str) -> bool {
        self.exceptions.iter().any(|one| one.flag == flag && one.verdict == verdict)
    }

    /// What a verdict should have been on a kernel of a series, when the table contradicts it.
    fn contradiction(
        &self,
        flag: &Flag,
        arch: Arch,
        series: Series,
        verdict: &str,
    ) -> Option<String> {
        let Version([major, minor, _]) = flag.since;
        let since = format!("{major}.{minor}");
        let came = (u32::from(major), u32::from(minor)) <= series;
        let expected = match (flag.value(arch), verdict) {
            (None, "absent") => return None,
            (None, _) => "absent: this architecture has no such flag".into(),
            (Some(_), "absent") => "not absent: this architecture has this flag".into(),
            (Some(_), "unknown" | "ignored") if came => format!("known: it came with {since}"),
            (Some(_), "honored" | "accepted") if !came => {
                format!("neither honored nor accepted: it came with {since}")
            }
            _ => return None,
        };
        (!self.allow(flag.name.plain(), verdict)).then_some(expected)
    }

    /// Where a report of a kernel of a series contradicts the table, flag by flag.
    pub fn compare(&self, report: &Value, arch: Arch, series: Series) -> Vec<Difference> {
        let findings = report["flags"].as_array().map(Vec::as_slice).unwrap_or_default();
        let different = TABLE.iter().filter_map(|flag| {
            let finding = findings
                .iter()
                .find(|finding| finding["name"] == flag.name.plain())
                .unwrap_or(&Value::Null);
            let verdict = finding["verdict"].as_str();
            let expected = match verdict {
                Some(verdict) => self.contradiction(flag, arch, series, verdict)?,
                None => "a finding".into(),
            };
            let source =
                "`since` in the flag table; exceptions are in expectations/since.toml".into();
            Some(Difference {
                expected,
                source,
                ..Difference::new(flag.name.plain(), None, finding)
            })
        });
        different.collect()
    }
}

/// What a report was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The expectations about its kernel and its scenario.
    Expectations,
    /// The table alone: the kernel is newer than every one that there are expectations about.
    New(Series),
    /// The table alone: the expectations are about another series.
    Strange(Series),
}

impl Display for Basis {
    fn fmt(&self, to: &mut Formatter) -> fmt::Result {
        match self {
            Basis::Expectations => write!(to, "its expectations"),
            Basis::New((major, minor)) => {
                write!(to, "the flag table alone, for {major}.{minor} is new")
            }
            Basis::Strange((major, minor)) => {
                write!(
                    to,
                    "the flag table alone, for its expectations are not about {major}.{minor}"
                )
            }
        }
    }
}

/// Compares a report with the expectations, if they are about its kernel's series, and with the table otherwise. `newest` is the newest
/// series that there are expectations about.
pub fn compare(
    report: &Value,
    expectations: &Expectations,
    arch: Arch,
    newest: Series,
) -> Result<(Basis, Vec<Difference>)> {
    let release = report["kernel"]["release"].as_str().unwrap_or_default();
    let found = series(release)
        .with_context(|| format!("The report's kernel has a strange release: {release:?}."))?;
    if Some(found) == series(&expectations.release) {
        return Ok((Basis::Expectations, expectations.compare(report)));
    }
    let basis = if found > newest { Basis::New(found) } else { Basis::Strange(found) };
    Ok((basis, Exceptions::read()?.compare(report, arch, found)))
}

#[cfg(test)]
mod tests;
