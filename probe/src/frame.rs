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

/// A report in this frame.
#[cold]
pub fn text(report: &str, exit: i32) -> String {
    let mut framed = Text::FRAME_BEGIN.string();
    let (mut count, mut rest) = (0, report);
    while !rest.is_empty() {
        let special = rest.bytes().position(|byte| byte == b'\n' || byte == b'\\');
        let mut length = special.unwrap_or(WIDTH).min(WIDTH - "\\n".len());
        let (piece, behind) = loop {
            // Neither behind the end nor in the middle of a character.
            match rest.split_at_checked(length) {
                Some(parts) => break parts,
                None => length -= 1,
            }
        };
        let escape = match behind.as_bytes() {
            [b'\n', ..] => "\\n",
            [b'\\', ..] => "\\\\",
            _ => "",
        };
        rest = behind.get(escape.len() / 2..).unwrap_or_default();
        count += 1;
        Text::FRAME_LINE.push(&mut framed);
        let mut first_of_more_digits = 1000;
        while count < first_of_more_digits {
            framed.push('0');
            first_of_more_digits /= 10;
        }
        number(&mut framed, count);
        framed.push(':');
        hex(&mut framed, Word::from(crc32(crc32(0, piece), escape)), 8);
        framed.push(':');
        framed.push_str(piece);
        framed.push_str(escape);
        framed.push('\n');
    }
    Text::FRAME_END.push(&mut framed);
    number(&mut framed, count);
    const { Text::FRAME_END.nth(1) }.push(&mut framed);
    number(&mut framed, report.len() as Word);
    const { Text::FRAME_END.nth(2) }.push(&mut framed);
    hex(&mut framed, Word::from(crc32(0, report)), 8);
    const { Text::FRAME_END.nth(3) }.push(&mut framed);
    number(&mut framed, exit as Word);
    framed.push('\n');
    framed
}

/// CRC-32 as of IEEE 802.3 of a text behind one whose checksum is known, or 0. Bit by bit: a table would be larger than this program's
/// other tables together.
#[inline(never)]
fn crc32(before: u32, text: &str) -> u32 {
    let mut crc = !before;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ 0xedb8_8320 & (crc & 1).wrapping_neg();
        }
    }
    !crc
}
