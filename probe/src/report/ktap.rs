//! `ktap`: version 1 of the kernel's test protocol (`Documentation/dev-tools/ktap.rst`), for whatever reads the results of kernel tests.
//!
//! A flag is a test. One that the kernel does not give is no failure of the kernel, so it is `ok` too, unless it was required. The
//! verdict stands in a diagnostic before the result.

use super::template::{self, Form};
use super::{Report, Text};

/// See [`template`].
pub const TEXTS: &[&str] = &[
    "KTAP version 1\n1..%C\n# %t\n",
    "# not a plain kernel: %N: %s\n",
    "",
    "# %N: verdict=%W: %s\n%o %I %N\n",
    "%o %I %N # SKIP %W: %s\n",
];

static FORM: Form =
    Form { texts: Text::KTAP, rows: [0, 0, 0, 0, 0, 1, 1], quoting: template::UNQUOTED };

/// Writes the report.
#[cold]
pub fn write(report: &Report) -> String {
    template::fill(report, &FORM)
}
