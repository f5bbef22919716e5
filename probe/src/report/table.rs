//! `table`: for people, fits 80 columns.

use super::{Report, sentence};

/// Characters of a line.
const WIDTH: usize = 80;
/// Where the second, third and fourth column begin.
static COLUMNS: [usize; 3] = [21, 33, 46];

/// Writes the report.
pub fn write(report: &Report) -> String {
    let mut out = String::new();
    out.push_str("mapprobe ");
    out.push_str(env!("CARGO_PKG_VERSION"));
    out.push_str(" for ");
    out.push_str(report.arch.name());
    out.push_str(" on ");
    out.push_str(&report.kernel.sysname);
    out.push(' ');
    out.push_str(&report.kernel.release);
    out.push_str("\n\n");
    line(&mut out, ["FLAG", "VALUE", "VERDICT"], "REASON");
    for row in &report.rows {
        let (mut value, mut summary) = (String::new(), String::new());
        match row.flag.value(report.arch) {
            Some(bits) => {
                value.push_str("0x");
                sentence::hex(&mut value, bits, 1);
            }
            None => value.push('-'),
        }
        let (verdict, reason) = &row.finding;
        sentence::summary(&mut summary, reason);
        line(&mut out, [row.flag.name, &value, verdict.word()], &summary);
    }
    for (name, evidence) in report.lies() {
        out.push('\n');
        line(&mut out, ["not a plain kernel", "", ""], name);
        line(&mut out, ["", "", ""], evidence);
    }
    if !report.complete {
        out.push_str("\nincomplete: not every flag could be asked\n");
    }
    out
}

/// Three short cells and a text that is wrapped between words.
fn line(out: &mut String, cells: [&str; 3], text: &str) {
    let mut start = out.len();
    for (cell, column) in cells.iter().zip(&COLUMNS) {
        out.push_str(cell);
        pad(out, start + column);
    }
    let mut between = "";
    for word in text.as_bytes().split(|&byte| byte == b' ').map(crate::kernel::text) {
        if out.len() - start + between.len() + word.len() > WIDTH {
            out.push('\n');
            start = out.len();
            pad(out, start + COLUMNS[2]);
            between = "";
        }
        out.push_str(between);
        out.push_str(word);
        between = " ";
    }
    out.push('\n');
}

fn pad(out: &mut String, column: usize) {
    while out.len() < column {
        out.push(' ');
    }
}
