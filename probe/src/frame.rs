//! The report on a console: numbered, checksummed lines between a begin and an end line. A reader
//! can skip kernel messages between them and tell a whole report from a damaged one.
//!
//! ```text
//! mapprobe: begin 1
//! mapprobe:0001:5f3c0e41:{\n
//! mapprobe: end lines=1 bytes=2 crc32=0a1b2c3d exit=0
//! ```
//!
//! Each line holds its number, the CRC-32 of its payload, and the payload: at most 64 characters of
//! the report, in which a newline is written `\n` and a backslash `\\`. The end line holds the
//! number of lines, and the number of bytes and the CRC-32 of the whole report.

/// The most characters of payload per line.
const WIDTH: usize = 64;

/// Calls `print` with each line of the framed report, newline included.
pub fn for_each_line(report: &str, exit: i32, print: &mut dyn FnMut(&str)) {
    print("mapprobe: begin 1\n");
    let mut lines = 0;
    let mut payload = String::new();
    let mut print_payload = |payload: &mut String| {
        lines += 1;
        print(&format!("mapprobe:{lines:04}:{:08x}:{payload}\n", crc32(payload.as_bytes())));
        payload.clear();
    };
    for character in report.chars() {
        match character {
            '\n' => payload.push_str("\\n"),
            '\\' => payload.push_str("\\\\"),
            _ => payload.push(character),
        }
        // An escaped character takes two.
        if character == '\n' || payload.len() > WIDTH - 2 {
            print_payload(&mut payload);
        }
    }
    if !payload.is_empty() {
        print_payload(&mut payload);
    }
    let (bytes, checksum) = (report.len(), crc32(report.as_bytes()));
    print(&format!("mapprobe: end lines={lines} bytes={bytes} crc32={checksum:08x} exit={exit}\n"));
}

/// The CRC-32 of IEEE 802.3, bit by bit: about 60 kB are checked once, so it needs no table.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}
