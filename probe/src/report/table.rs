//! `table`: for people, fits 80 columns.

use super::{Report, sentence};
use crate::kernel::Word;
use crate::text::Text;
use crate::verdict::Verdict;

/// Characters of a line.
const WIDTH: usize = 80;
/// Where the second, third and fourth column begin.
static COLUMNS: [usize; 3] = [21, 33, 46];

/// The colour of each verdict, as ECMA-48 numbers them: green for what is there, yellow for what is dropped in silence, red
/// for a no, blue for what cannot be had here, grey for what does not exist, magenta for what nobody can tell.
static COLOURS: [u8; Verdict::ALL.len()] = [32, 32, 33, 31, 34, 90, 35];

/// Writes the report.
#[cold]
pub fn write(report: &Report) -> String {
    let (mut out, mut words) = (String::new(), sentence::title(report));
    wrap(&mut out, 0, &mut words, 0);
    Text::TABLE_HEAD.push(&mut out);
    for row in &report.rows {
        let mut start = out.len();
        row.flag.name.push(&mut out);
        pad(&mut out, start + COLUMNS[0]);
        match row.flag.value(report.arch) {
            Some(bits) => {
                sentence::bits(&mut out, bits);
            }
            None => out.push('-'),
        }
        pad(&mut out, start + COLUMNS[1]);
        let (verdict, reason) = &row.finding;
        paint(&mut out, report, &mut start, COLOURS.get(*verdict as usize).copied().unwrap_or_default());
        verdict.word().push(&mut out);
        paint(&mut out, report, &mut start, 0);
        sentence::summary(&mut words, reason);
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

/// The last cell of a line, a text that is wrapped between words. It is taken away.
#[cold]
fn wrap(out: &mut String, mut start: usize, text: &mut String, column: usize) {
    pad(out, start + column);
    let mut between = false;
    for word in text.as_bytes().split(|&byte| byte == b' ').map(crate::kernel::text) {
        if out.len() - start + usize::from(between) + word.len() > WIDTH {
            out.push('\n');
            start = out.len();
            pad(out, start + column);
            between = false;
        }
        if between {
            out.push(' ');
        }
        out.push_str(word);
        between = true;
    }
    out.push('\n');
    text.clear();
}

fn pad(out: &mut String, column: usize) {
    while out.len() < column {
        out.push(' ');
    }
}
