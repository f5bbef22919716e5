//! `table`: for people, fits 80 columns.

use super::columns::{pad, wrap};
use super::{Report, sentence};
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
    let (mut out, mut words) = (String::new(), String::new());
    sentence::title(&mut words, report);
    wrap(&mut out, 0, &mut words, 0);
    Text::TABLE_HEAD.push(&mut out);
    for row in &report.rows {
        let mut start = out.len();
        row.flag.name.push(&mut out);
        pad(&mut out, start + COLUMNS[0]);
        sentence::value(&mut out, row.flag, report.arch);
        pad(&mut out, start + COLUMNS[1]);
        let (verdict, reason) = &row.finding;
        if report.style.colour {
            let colour = COLOURS.get(*verdict as usize).copied().unwrap_or_default();
            paint(&mut out, &mut start, colour);
        }
        verdict.word().push(&mut out);
        if report.style.colour {
            paint(&mut out, &mut start, 0);
        }
        sentence::words(reason).push(&mut words);
        wrap(&mut out, start, &mut words, COLUMNS[2]);
    }
    for (name, evidence) in report.lies() {
        out.push('\n');
        let start = out.len();
        Text::NOT_PLAIN.push(&mut out);
        name.push(&mut words);
        wrap(&mut out, start, &mut words, COLUMNS[2]);
        let start = out.len();
        evidence.push(&mut words);
        wrap(&mut out, start, &mut words, COLUMNS[2]);
    }
    if !report.complete {
        Text::INCOMPLETE.push(&mut out);
    }
    out
}

/// Everything behind it has this colour; 0 is none. It takes no room in the line, whose start is moved by as much.
#[cold]
fn paint(out: &mut String, start: &mut usize, colour: u8) {
    let before = out.len();
    out.push('\x1b');
    out.push('[');
    sentence::number(out, Word::from(colour));
    out.push('m');
    *start += out.len() - before;
}
