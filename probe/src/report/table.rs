//! `table`: for people, fits 80 columns.

use super::columns::{pad, wrap};
use super::{Report, Row, sentence};
use crate::kernel::Word;
use crate::text::Text;
use crate::verdict::Verdict;

/// Where the second, third and fourth column begin.
pub(crate) static COLUMNS: [usize; 3] = [21, 33, 46];

/// The colour of each verdict, as ECMA-48 numbers them: green for what is there, yellow for what is dropped in silence, red
/// for a no, blue for what cannot be had here, grey for what does not exist, magenta for what nobody can tell.
static COLOURS: [u8; Verdict::ALL.len()] = [32, 32, 33, 31, 34, 90, 35];

/// Writes the report.
#[cold]
pub fn write(report: &Report) -> String {
    let mut out = String::new();
    wrap(&mut out, 0, &sentence::title(report), 0);
    Text::TABLE_HEAD.push(&mut out);
    for row in &report.rows {
        write_row(&mut out, report, row);
    }
    for (name, evidence) in report.lies() {
        out.push('\n');
        let start = out.len();
        Text::NOT_PLAIN.push(&mut out);
        last_cell(&mut out, start, name);
        let start = out.len();
        last_cell(&mut out, start, evidence);
    }
    if !report.complete {
        Text::INCOMPLETE.push(&mut out);
    }
    out
}

#[cold]
#[inline(never)]
fn write_row(out: &mut String, report: &Report, row: &Row) {
    let mut start = out.len();
    row.flag.name.push(out);
    pad(out, start + COLUMNS[0]);
    sentence::value(out, row.flag, report.arch);
    pad(out, start + COLUMNS[1]);
    let (verdict, reason) = &row.finding;
    paint(out, report, &mut start, COLOURS.get(*verdict as usize).copied().unwrap_or_default());
    verdict.word().push(out);
    paint(out, report, &mut start, 0);
    last_cell(out, start, sentence::words(reason));
}

#[cold]
#[inline(never)]
fn last_cell(out: &mut String, start: usize, words: Text) {
    wrap(out, start, &words.string(), COLUMNS[2]);
}

/// If there are colours, everything behind it has this one; 0 is none. It takes no room in the line, whose start is moved by as much.
#[cold]
#[inline(never)]
fn paint(out: &mut String, report: &Report, start: &mut usize, colour: u8) {
    if !report.style.colour {
        return;
    }
    let before = out.len();
    out.push('\x1b');
    out.push('[');
    sentence::number(out, Word::from(colour));
    out.push('m');
    *start += out.len() - before;
}
