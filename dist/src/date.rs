//! The date of all build artifacts: `SOURCE_DATE_EPOCH` (reproducible-builds.org) if set, else the
//! date of the version.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::env;

/// The date of this version: 2026-01-01.
const VERSION: u64 = 1_767_225_600;
/// The environment variable with the date in seconds since 1970.
pub const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The date in seconds since 1970.
pub fn seconds() -> Result<u64> {
    match env::var_os(EPOCH) {
        None => Ok(VERSION),
        Some(text) => parse(&text.to_string_lossy()),
    }
}

/// The date in UTC, in a format of `date(1)`.
pub fn text(format: &str) -> Result<String> {
    let (date, format) = (format!("--date=@{}", seconds()?), format!("+{format}"));
    let output = workspace::command("date")
        .args(["--utc", &date, &format])
        .output()
        .context("cannot start date")?;
    if !output.status.success() {
        bail!(
            "date exited with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().into())
}

fn parse(text: &str) -> Result<u64> {
    // A tar header has room for 33 bits.
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
    fn only_seconds_are_accepted() {
        assert_eq!((parse("0").unwrap(), parse("1767225600").unwrap()), (0, VERSION));
        for wrong in ["", "-1", "now", "2026-01-01", "1e9", "8589934592", "18446744073709551616"] {
            assert!(
                parse(wrong).unwrap_err().to_string().contains("a number of seconds since 1970"),
                "{wrong}"
            );
        }
    }
}
