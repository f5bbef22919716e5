//! `shell`: assignments for `.` and `eval` of any POSIX shell. Values are words, not 0 and 1: there are more than two verdicts.
//!
//! What lies between the program and a kernel stands in one value, a semicolon behind each.

use super::template::{self, ALIKE, Form};
use super::{Report, Text};

/// See [`template`].
pub const TEXTS: &[&str] = &[
    concat!(
        "%pVERSION='",
        env!("CARGO_PKG_VERSION"),
        "'\n%pARCH='%a'\n%pKERNEL_RELEASE='%R'\n%pENVIRONMENT='"
    ),
    "%N;",
    "'\n",
    "%p%N='%W'\n",
];

static FORM: Form = Form { texts: Text::SHELL, rows: ALIKE, quoting: *b"'''" };

/// Writes the report.
#[cold]
pub fn write(report: &Report) -> String {
    template::fill(report, &FORM)
}
