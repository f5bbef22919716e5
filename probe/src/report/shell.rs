//! `shell`: assignments for `.` and `eval` of any POSIX shell. The values are the verdicts, and for
//! each flag about huge pages also whether a page can be had now. One value lists what interferes;
//! a semicolon follows each name. One is the file of the experiments.

use super::data::Report;
use super::style::Style;
use super::wording::{push, push_file};

/// Writes the report.
pub fn write(out: &mut String, report: &Report, style: &Style) {
    push_assignment(out, style, "VERSION", env!("CARGO_PKG_VERSION"));
    push_assignment(out, style, "ARCH", report.arch.name());
    push_assignment(out, style, "KERNEL_RELEASE", &report.kernel.release);
    let mut names = String::new();
    for observed in &report.environment {
        names.push_str(observed.name());
        names.push(';');
    }
    push_assignment(out, style, "ENVIRONMENT", &names);
    let mut file_name = String::new();
    if let Some(file) = report.file {
        push_file(&mut file_name, report, file);
    }
    push_assignment(out, style, "FILE", &file_name);
    for row in &report.rows {
        let flag = row.flag.name();
        push_assignment(out, style, flag, row.finding.verdict.word());
        if let Some(availability) = row.availability {
            let name = format!("AVAILABLE_{flag}");
            push_assignment(out, style, &name, availability.answer().word());
        }
    }
}

/// Appends an assignment. The value is between single quotes: each quote ends the text, is escaped,
/// and begins it anew.
fn push_assignment(out: &mut String, style: &Style, name: &str, value: &str) {
    let (prefix, value) = (&style.prefix, value.replace('\'', r"'\''"));
    push(out, format_args!("{prefix}{name}='{value}'\n"));
}
