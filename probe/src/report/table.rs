//! `table`: for people, in 80 columns.

use super::columns::{pad, wrap_last_cell};
use super::data::{Report, Row};
use super::style::Style;
use super::wording::{push, push_number, push_summary, replaced_file, title};
use crate::arch::Arch;
use crate::flags::Flag;
use crate::verdict::Verdict;

/// Where the second column begins.
const VALUE: usize = 21;
/// Where the third column begins.
const VERDICT: usize = 33;
/// Where the last column begins.
const REASON: usize = 46;

/// The colour of a verdict, as a parameter of the escape sequence SGR (ECMA-48).
fn colour(verdict: Verdict) -> u8 {
    const RED: u8 = 31;
    const GREEN: u8 = 32;
    const YELLOW: u8 = 33;
    const BLUE: u8 = 34;
    const MAGENTA: u8 = 35;
    const GREY: u8 = 90;
    match verdict {
        Verdict::Honored | Verdict::Accepted => GREEN,
        Verdict::Ignored => YELLOW,
        Verdict::Unknown => RED,
        Verdict::Unavailable => BLUE,
        Verdict::Absent => GREY,
        Verdict::Inconclusive => MAGENTA,
    }
}

/// Writes the report.
pub fn write(out: &mut String, report: &Report, style: &Style) {
    wrap_last_cell(out, 0, 0, 0, &title(report));
    out.push_str("\nFLAG                 VALUE       VERDICT      REASON\n");
    for row in &report.rows {
        write_row(out, report, row, style);
    }
    for observed in &report.environment {
        out.push('\n');
        let line_start = out.len();
        out.push_str("interference");
        wrap_last_cell(out, line_start, 0, REASON, observed.name());
        let line_start = out.len();
        wrap_last_cell(out, line_start, 0, REASON, &observed.evidence);
    }
    if let Some(file) = replaced_file(report) {
        out.push('\n');
        let line_start = out.len();
        out.push_str("file");
        wrap_last_cell(out, line_start, 0, REASON, &file);
    }
    if !report.complete {
        out.push_str("\nincomplete: not every flag could be probed\n");
    }
}

/// Appends the first two columns of a line, up to the third.
pub fn push_flag(out: &mut String, flag: Flag, arch: Arch) {
    let line_start = out.len();
    out.push_str(flag.name());
    pad(out, line_start + VALUE);
    push_number(out, flag, arch);
    pad(out, line_start + VERDICT);
}

fn write_row(out: &mut String, report: &Report, row: &Row, style: &Style) {
    let (flag, finding) = (row.flag, &row.finding);
    let line_start = out.len();
    push_flag(out, flag, report.arch);
    let word = finding.verdict.word();
    let before = out.len();
    if style.colour {
        push(out, format_args!("\x1b[{}m{word}\x1b[0m", colour(finding.verdict)));
    } else {
        out.push_str(word);
    }
    let invisible = out.len() - before - word.len();
    let mut reason = String::new();
    push_summary(&mut reason, row);
    wrap_last_cell(out, line_start, invisible, REASON, &reason);
}
