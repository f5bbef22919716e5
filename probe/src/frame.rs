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
    let mut line = Text::FRAME_BEGIN.string();
    print(&line);
    let (mut count, mut payload, mut ended) = (0, String::new(), false);
    let mut rest = report.chars();
    loop {
        let next = rest.next();
        if ended || payload.len() > WIDTH - 2 || next.is_none() && !payload.is_empty() {
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
            checksum(&mut line, payload.as_bytes());
            line.push(':');
            line.push_str(&payload);
            line.push('\n');
            print(&line);
            payload.clear();
        }
        let Some(char) = next else { break };
        ended = char == '\n';
        if ended || char == '\\' {
            payload.push('\\');
        }
        payload.push(if ended { 'n' } else { char });
    }
    line.clear();
    for (at, &value) in [count, report.len() as Word, 0, exit as Word].iter().enumerate() {
        Text::FRAME_END.nth(at).push(&mut line);
        if at == 2 {
            checksum(&mut line, report.as_bytes());
        } else {
            number(&mut line, value);
        }
    }
    line.push('\n');
    print(&line);
}

/// Appends the CRC-32 as of IEEE 802.3, bit by bit: a table would be larger than this program's other tables together.
#[inline(never)]
fn checksum(out: &mut String, bytes: &[u8]) {
    let mut crc = !0_u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    hex(out, Word::from(!crc), 8);
}
