//! `table`: for people, fits 80 columns.

use super::columns::{pad, wrap};
use super::{Report, sentence};
use crate::text::Text;

/// Where the second, third and fourth column begin.
pub(crate) static COLUMNS: [usize; 3] = [21, 33, 46];

/// Writes the report.
#[cold]
pub fn write(report: &Report) -> String {
    let mut out = String::new();
    Text::MAPPROBE_FOR.push(&mut out);
    out.push_str(report.arch.name());
    Text::ON.push(&mut out);
    out.push_str(&report.kernel.sysname);
    out.push(' ');
    out.push_str(&report.kernel.release);
    Text::TABLE_HEAD.push(&mut out);
    let mut words = String::new();
    for row in &report.rows {
        let start = out.len();
        row.flag.name.push(&mut out);
        pad(&mut out, start + COLUMNS[0]);
        sentence::value(&mut out, row.flag, report.arch);
        pad(&mut out, start + COLUMNS[1]);
        let (verdict, reason) = &row.finding;
        verdict.word().push(&mut out);
        sentence::words(reason).push(&mut words);
        wrap(&mut out, start, COLUMNS[2], &mut words);
    }
    for (name, evidence) in report.lies() {
        out.push('\n');
        let start = out.len();
        Text::NOT_PLAIN.push(&mut out);
        name.push(&mut words);
        wrap(&mut out, start, COLUMNS[2], &mut words);
        let start = out.len();
        evidence.push(&mut words);
        wrap(&mut out, start, COLUMNS[2], &mut words);
    }
    if !report.complete {
        Text::INCOMPLETE.push(&mut out);
    }
    out
}
