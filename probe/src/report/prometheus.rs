//! `prometheus`: the text format of Prometheus, for the textfile collector of its node exporter.
//! The collector rejects time stamps, so there are none.

use super::data::Report;
use super::style::Style;
use super::wording::push;

/// Writes the report.
pub fn write(out: &mut String, report: &Report, _: &Style) {
    out.push_str(
        "# HELP mapprobe_environment What interferes with the measurements.\n\
         # TYPE mapprobe_environment gauge\n",
    );
    for observed in &report.environment {
        push(out, format_args!("mapprobe_environment{{name=\"{}\"}} 1\n", observed.name()));
    }
    push(
        out,
        format_args!(
            "# HELP mapprobe_info The program and the kernel.\n\
             # TYPE mapprobe_info gauge\n\
             mapprobe_info{{version=\"{}\",arch=\"{}\",release=\"{}\"}} 1\n",
            env!("CARGO_PKG_VERSION"),
            report.arch.name(),
            escaped(&report.kernel.release)
        ),
    );
    out.push_str(
        "# HELP mapprobe_flag_verdict What the kernel does with a flag of mmap.\n\
         # TYPE mapprobe_flag_verdict gauge\n",
    );
    for row in &report.rows {
        let (flag, verdict) = (row.flag.name(), row.finding.verdict.word());
        let labels = format_args!("flag=\"{flag}\",verdict=\"{verdict}\"");
        push(out, format_args!("mapprobe_flag_verdict{{{labels}}} 1\n"));
    }
    out.push_str(
        "# HELP mapprobe_huge_page_available Whether a huge page can be had now.\n\
         # TYPE mapprobe_huge_page_available gauge\n",
    );
    for row in &report.rows {
        if let Some(availability) = row.availability {
            let (flag, answer) = (row.flag.name(), availability.answer().word());
            let labels = format_args!("flag=\"{flag}\",answer=\"{answer}\"");
            push(out, format_args!("mapprobe_huge_page_available{{{labels}}} 1\n"));
        }
    }
}

/// A label value: backslash, quote and newline are escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
