//! `nfd`: a feature file of Kubernetes' node feature discovery, from which a node gets a label for every flag.
//!
//! Labels of a node must be in a namespace of `feature.node.kubernetes.io` or of somebody's own.

use super::template::{self, ALIKE, Form};
use super::{Report, Text};

/// See [`template`].
pub const TEXTS: &[&str] = &[
    "# %t\n",
    "# not a plain kernel: %N: %s\n",
    "",
    "mapprobe.feature.node.kubernetes.io/%N=%W\n",
];

static FORM: Form = Form { texts: Text::NFD, rows: ALIKE, quoting: template::UNQUOTED };

/// Writes the report.
#[cold]
pub fn write(report: &Report) -> String {
    template::fill(report, &FORM)
}
