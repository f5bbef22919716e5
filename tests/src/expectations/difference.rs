//! A difference between a report and the expectations.

use serde_json::Value;
use std::fmt::{self, Display, Formatter};

/// A difference between a report and the expectations.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// The flag, `environment`, `process`, or a key.
    pub flag: String,
    /// The expectation as text.
    pub expected: String,
    /// The kernel source or the manual that the expectation is taken from.
    pub source: String,
    /// The verdict of the report.
    pub got: String,
    /// The reason in the report.
    pub reason: String,
    /// The system calls behind the verdict, with their results.
    pub evidence: Vec<String>,
}

impl Display for Difference {
    fn fmt(&self, to: &mut Formatter) -> fmt::Result {
        let Difference { flag, expected, source, got, reason, evidence } = self;
        writeln!(to, "{flag}: expected {expected}, got {got}")?;
        writeln!(to, "    expected because: {source}")?;
        writeln!(to, "    got because:      {reason}")?;
        evidence.iter().try_for_each(|call| writeln!(to, "      {call}"))
    }
}

/// A string as it is, anything else as JSON.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
