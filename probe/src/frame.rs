//! The report on a console: numbered, checksummed lines between a begin and an end line, so that a reader can skip kernel
//! messages and tell a whole report from a damaged one.
//!
//! ```text
//! mapprobe: begin 1
//! mapprobe:0001:5f3c0e41:{\n
//! mapprobe: end lines=1 bytes=2 crc32=0a1b2c3d exit=0
//! ```
//! A line carries its number, the CRC-32 (IEEE 802.3) of its payload as printed, and the payload: at most 64 characters of the
//! report, in which a newline is `\n` and a backslash `\\`. The end line carries the number of lines, and the bytes and CRC-32
//! of the whole report.

use crate::kernel::Word;
use crate::report::sentence::{hex, number};
use crate::text::Text;

/// Characters of payload per line.
const WIDTH: usize = 64;

/// Calls `print` with each line of the framed report, newline included.
pub fn lines(report: &str, exit: i32, print: &mut dyn FnMut(&str)) {
    let mut line = String::new();
    Text::FRAME_BEGIN.push(&mut line);
    print(&line);
    let mut count = 0;
    let mut payload = String::new();
    let mut send = |payload: &mut String| {
        count += 1;
        line.clear();
        Text::FRAME_LINE.push(&mut line);
        for &limit in &[1000, 100, 10] {
            if count < limit {
                line.push('0');
            }
        }
        number(&mut line, count);
        line.push(':');
        hex(&mut line, Word::from(crc32(payload.as_bytes())), 8);
        line.push(':');
        line.push_str(payload);
        line.push('\n');
        print(&line);
        payload.clear();
    };
    for char in report.chars() {
        match char {
            '\n' => payload.push_str("\\n"),
            '\\' => payload.push_str("\\\\"),
            other => payload.push(other),
        }
        if char == '\n' || payload.len() + '\\'.len_utf8() * 2 > WIDTH {
            send(&mut payload);
        }
    }
    if !payload.is_empty() {
        send(&mut payload);
    }
    line.clear();
    Text::FRAME_END.push(&mut line);
    number(&mut line, count);
    const { Text::FRAME_END.nth(1) }.push(&mut line);
    number(&mut line, report.len() as Word);
    const { Text::FRAME_END.nth(2) }.push(&mut line);
    hex(&mut line, Word::from(crc32(report.as_bytes())), 8);
    const { Text::FRAME_END.nth(3) }.push(&mut line);
    number(&mut line, exit as Word);
    line.push('\n');
    print(&line);
}

/// CRC-32 as of IEEE 802.3, bit by bit: a table would be larger than this program's other tables together.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}
