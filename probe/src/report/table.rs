//! `table`: for people, fits 80 columns.

use super::{Report, sentence};
use crate::text::Text;

/// Characters of a line.
const WIDTH: usize = 80;
/// Where the second, third and fourth column begin.
static COLUMNS: [usize; 3] = [21, 33, 46];

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
        match row.flag.value(report.arch) {
            Some(bits) => {
                sentence::bits(&mut out, bits);
            }
            None => out.push('-'),
        }
        pad(&mut out, start + COLUMNS[1]);
        let (verdict, reason) = &row.finding;
        verdict.word().push(&mut out);
        sentence::summary(&mut words, reason);
        wrap(&mut out, start, &mut words);
    }
    for (name, evidence) in report.lies() {
        out.push('\n');
        let start = out.len();
        Text::NOT_PLAIN.push(&mut out);
        name.push(&mut words);
        wrap(&mut out, start, &mut words);
        let start = out.len();
        evidence.push(&mut words);
        wrap(&mut out, start, &mut words);
    }
    if !report.complete {
        Text::INCOMPLETE.push(&mut out);
    }
    out
}

/// The last cell of a line, a text that is wrapped between words. It is taken away.
#[cold]
fn wrap(out: &mut String, mut start: usize, text: &mut String) {
    pad(out, start + COLUMNS[2]);
    let mut between = false;
    for word in text.as_bytes().split(|&byte| byte == b' ').map(crate::kernel::text) {
        if out.len() - start + usize::from(between) + word.len() > WIDTH {
            out.push('\n');
            start = out.len();
            pad(out, start + COLUMNS[2]);
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
