//! `prometheus`: the text format of Prometheus, for the textfile collector of its node exporter. Without time stamps, which that does
//! not take.

use super::template::{self, ALIKE, Form};
use super::{Report, Text};

/// See [`template`].
pub const TEXTS: &[&str] = &[
    "# HELP mapprobe_environment What lies between mapprobe and a kernel.\n# TYPE mapprobe_environment gauge\n",
    "mapprobe_environment{name=\"%N\"} 1\n",
    concat!(
        "# HELP mapprobe_info Who asked what kernel.\n# TYPE mapprobe_info gauge\nmapprobe_info{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\",arch=\"%a\",release=\"%R\"} 1\n",
        "# HELP mapprobe_flag_verdict What the kernel does with a flag of mmap.\n# TYPE mapprobe_flag_verdict gauge\n"
    ),
    "mapprobe_flag_verdict{flag=\"%N\",verdict=\"%W\"} 1\n",
];

static FORM: Form = Form { texts: Text::PROMETHEUS, rows: ALIKE, quoting: *b"\\\"\n" };

/// Writes the report.
#[cold]
pub fn write(report: &Report) -> String {
    template::fill(report, &FORM)
}
