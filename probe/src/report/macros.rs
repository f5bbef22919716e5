//! `macros`: definitions for the C preprocessor, in the manner of `bpftool feature probe macros`. Where nobody can tell, neither of the two
//! names is defined.

use super::template::{self, Form};
use super::{Report, Text};

/// See [`template`].
pub const TEXTS: &[&str] = &[
    "/*** %t ***/\n",
    "/*** not a plain kernel: %N: %s ***/\n",
    "",
    "#define %pHAVE_%N /* %W */\n",
    "#define %pNO_HAVE_%N /* %W: %s */\n",
    "/* %pHAVE_%N: %W: %s */\n",
];

static FORM: Form = Form { texts: Text::MACROS, rows: [0, 0, 1, 1, 1, 1, 2], quoting: *b"***" };

/// Writes the report.
#[cold]
pub fn write(report: &Report) -> String {
    template::fill(report, &FORM)
}
