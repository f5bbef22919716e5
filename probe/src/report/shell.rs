//! `shell`: assignments for `.` and `eval` of any POSIX shell. The values are the verdicts, and for
//! each flag about huge pages also whether a page can be had now. One value lists what interferes;
//! a semicolon follows each name. One is the file of the experiments.

use super::data::Report;
use super::style::Style;
use super::wording::{push, push_file};

/// Writes the report.
pub fn write(out: &mut String, report: &Report, style: &Style) {
    let prefix = &style.prefix;
    push(out, format_args!("{prefix}VERSION='{}'\n", env!("CARGO_PKG_VERSION")));
    push(out, format_args!("{prefix}ARCH='{}'\n", report.arch.name()));
    push(out, format_args!("{prefix}KERNEL_RELEASE='{}'\n", quoted(&report.kernel.release)));
    push(out, format_args!("{prefix}ENVIRONMENT='"));
    for observed in &report.environment {
        push(out, format_args!("{};", observed.name()));
    }
    push(out, format_args!("'\n{prefix}FILE='"));
    if let Some(file) = report.file {
        let mut name = String::new();
        push_file(&mut name, report, file);
        out.push_str(&quoted(&name));
    }
    out.push_str("'\n");
    for row in &report.rows {
        push(out, format_args!("{prefix}{}='{}'\n", row.flag.name(), row.finding.verdict.word()));
        if let Some(availability) = row.availability {
            let answer = availability.answer().word();
            push(out, format_args!("{prefix}AVAILABLE_{}='{answer}'\n", row.flag.name()));
        }
    }
}

/// A text between single quotes: each quote ends the text, is escaped, and begins it anew.
fn quoted(text: &str) -> String {
    text.replace('\'', r"'\''")
}
