//! `shell`: assignments for `.` and `eval` of any POSIX shell. The values are the verdicts, and for
//! each flag about huge pages also whether a page can be had now. One value lists what interferes; a
//! semicolon follows each name.

use super::data::Report;
use super::style::Style;
use core::fmt::{self, Write};

/// Writes the report.
pub fn write(out: &mut String, report: &Report, style: &Style) -> fmt::Result {
    let prefix = &style.prefix;
    writeln!(out, "{prefix}VERSION='{}'", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "{prefix}ARCH='{}'", report.arch.name())?;
    writeln!(out, "{prefix}KERNEL_RELEASE='{}'", quoted(&report.kernel.release))?;
    write!(out, "{prefix}ENVIRONMENT='")?;
    for observed in &report.environment {
        write!(out, "{};", observed.name())?;
    }
    out.push_str("'\n");
    for row in &report.rows {
        writeln!(out, "{prefix}{}='{}'", row.flag.name(), row.finding.verdict.word())?;
        if let Some(availability) = row.availability {
            let answer = availability.answer().word();
            writeln!(out, "{prefix}AVAILABLE_{}='{answer}'", row.flag.name())?;
        }
    }
    Ok(())
}

/// A text between single quotes: each quote ends the text, is escaped, and begins it anew.
fn quoted(text: &str) -> String {
    text.replace('\'', r"'\''")
}
