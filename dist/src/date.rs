//! The one date that delivered files have: `SOURCE_DATE_EPOCH` when it is set (reproducible-builds.org), else that of the
//! version. No clock is ever looked at.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::env;

/// When this version began: 2026-01-01.
const VERSION: u64 = 1_767_225_600;
/// Seconds since 1970, set by whoever packages.
pub const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Seconds since 1970.
///
/// # Errors
/// `SOURCE_DATE_EPOCH` is no such number.
pub fn seconds() -> Result<u64> {
    match env::var_os(EPOCH) {
        None => Ok(VERSION),
        Some(text) => parse(&text.to_string_lossy()),
    }
}

/// The date in UTC, in a form of `date(1)`.
pub fn text(form: &str) -> Result<String> {
    let (at, form) = (format!("--date=@{}", seconds()?), format!("+{form}"));
    let said = workspace::command("date")
        .args(["--utc", &at, &form])
        .output()
        .context("date cannot be started")?;
    if !said.status.success() {
        bail!("date ended with {}: {}", said.status, String::from_utf8_lossy(&said.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&said.stdout).trim().into())
}

fn parse(text: &str) -> Result<u64> {
    // Nine thousand years: what a tar header has room for, and date(1) can say.
    let number = text.parse().ok().filter(|seconds| *seconds < 1 << 33);
    number.with_context(|| {
        format!(
            "{EPOCH} is {text:?}; a number of seconds since 1970 was expected, such as {VERSION}."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{VERSION, parse};

    #[test]
    fn only_seconds_are_taken() {
        assert_eq!((parse("0").unwrap(), parse("1767225600").unwrap()), (0, VERSION));
        for wrong in ["", "-1", "now", "2026-01-01", "1e9", "8589934592", "18446744073709551616"] {
            assert!(
                parse(wrong).unwrap_err().to_string().contains("a number of seconds since 1970"),
                "{wrong}"
            );
        }
    }
}
