//! Reads the report out of a console log: the frame that the program prints as PID 1.
//!
//! ```text
//! mapprobe: begin 1
//! mapprobe:0001:CRC32:{\n
//! mapprobe:0002:CRC32:  "schema": "mapprobe.report",\n
//! mapprobe: end lines=2 bytes=33 crc32=0a1b2c3d exit=0
//! ```
//!
//! The kernel prints on the same console: its messages appear between the lines of the frame and
//! sometimes inside them, and `\n` arrives as `\r\n`. So every line is found by its marker and
//! accepted only with a correct checksum. A message inside a line is removed if it begins with a
//! timestamp, and the parts of the line are joined. A log without a complete frame never counts as
//! a report.

use std::collections::BTreeMap;

/// The start of every line of the frame.
const MARKER: &[u8] = b"mapprobe:";
/// The version of the frame that this reader supports: the number after `begin`.
const VERSION: &str = "1";

/// The content of a console log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub report: Framed,
    /// The first line that reports a panic, a BUG or a killed init.
    pub panic: Option<String>,
}

/// A report as it arrived on the console.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Framed {
    /// The log has no line of a report.
    #[default]
    Nothing,
    /// The report has no end: the number of valid lines.
    Truncated(usize),
    /// The report has an end but cannot be rebuilt.
    Damaged {
        /// The numbers of lines that are missing, contradict each other, or have a wrong checksum.
        lines: Vec<u32>,
        reason: String,
    },
    /// The report is complete, and its checksum is correct.
    Whole {
        /// The report, byte for byte.
        report: Vec<u8>,
        /// The exit code that the run would have had.
        exit: i32,
    },
}

/// Reads a console log. The last whole report counts.
pub fn read(log: &[u8]) -> Reading {
    let mut readings = reports(log);
    let whole = readings.iter().rposition(|reading| matches!(reading, Framed::Whole { .. }));
    let best = whole.or(readings.len().checked_sub(1)).map(|at| readings.swap_remove(at));
    Reading { report: best.unwrap_or_default(), panic: lines(log).find_map(trouble) }
}

/// Every report of a console log, in order.
pub fn reports(log: &[u8]) -> Vec<Framed> {
    let (as_it_is, mended) = (framed(log), framed(&without_messages(log)));
    let whole = |reports: &[Framed]| {
        reports.iter().filter(|report| matches!(report, Framed::Whole { .. })).count()
    };
    if whole(&mended) > whole(&as_it_is) { mended } else { as_it_is }
}

/// A log without the kernel's messages. The kernel writes a message to a serial line at once, even
/// in the middle of a line of a program, and ends it with a line feed.
fn without_messages(log: &[u8]) -> Vec<u8> {
    let (mut kept, mut rest) = (Vec::with_capacity(log.len()), log);
    while let [first, behind @ ..] = rest {
        if is_message(rest) {
            let end = rest.iter().position(|&byte| byte == b'\n');
            rest = end.map_or(&[], |end| &rest[end + 1..]);
        } else {
            kept.push(*first);
            rest = behind;
        }
    }
    kept
}

/// Whether the text starts with the timestamp of a kernel message, such as `[    3.288085] `
/// (`CONFIG_PRINTK_TIME`).
fn is_message(text: &[u8]) -> bool {
    let head = text
        .iter()
        .take(24)
        .position(|&byte| byte == b']')
        .and_then(|end| text[..end].strip_prefix(b"["));
    let head = head.and_then(|head| std::str::from_utf8(head).ok()).unwrap_or_default();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    head.split_once('.').is_some_and(|(seconds, rest)| {
        digits(seconds.trim_start_matches(' ')) && rest.len() == 6 && digits(rest)
    })
}

/// Every report of the log as it is.
fn framed(log: &[u8]) -> Vec<Framed> {
    let mut frames = vec![Frame::default()];
    for line in lines(log) {
        match parse(line) {
            Some(Line::Begin(version)) => {
                frames.push(Frame { begun: Some(version), ..Frame::default() })
            }
            Some(line) => frames.last_mut().expect("never empty").add(line),
            None => {}
        }
    }
    frames.into_iter().map(Frame::finish).filter(|f| *f != Framed::Nothing).collect()
}

fn lines(log: &[u8]) -> impl Iterator<Item = &[u8]> {
    log.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The line as text, if it reports the end of the kernel.
fn trouble(line: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(line);
    let signs = ["Kernel panic", "Attempted to kill init", "kernel BUG at", "Kernel bug", "Oops:"];
    signs.iter().any(|sign| line.contains(sign)).then(|| line.into_owned())
}

/// A line of the frame.
enum Line {
    Begin(String),
    /// A line with a correct checksum.
    Piece(u32, Vec<u8>),
    /// A line with the marker, a number and a wrong checksum.
    Broken(u32),
    End(End),
}

/// The content of the last line.
#[derive(Clone, Copy)]
struct End {
    lines: u32,
    bytes: usize,
    crc32: u32,
    exit: i32,
}

/// Finds a line of the frame anywhere in a console line. The first valid one counts.
fn parse(line: &[u8]) -> Option<Line> {
    let starts = line.windows(MARKER.len()).enumerate().filter(|(_, window)| *window == MARKER);
    let candidates: Vec<Line> =
        starts.filter_map(|(at, _)| parse_at(&line[at + MARKER.len()..])).collect();
    let good = candidates.iter().position(|line| !matches!(line, Line::Broken(_)));
    candidates.into_iter().nth(good.unwrap_or(0))
}

/// Parses the text behind a marker.
fn parse_at(rest: &[u8]) -> Option<Line> {
    if let Some(words) = rest.strip_prefix(b" ") {
        let words = std::str::from_utf8(words).ok()?;
        if let Some(version) = words.strip_prefix("begin ") {
            return Some(Line::Begin(version.trim_end().to_owned()));
        }
        return parse_end(words.strip_prefix("end ")?).map(Line::End);
    }
    let mut fields = rest.splitn(3, |&byte| byte == b':');
    let number = std::str::from_utf8(fields.next()?)
        .ok()
        .filter(|digits| digits.len() >= 4)?
        .parse()
        .ok()?;
    let sum = fields.next().and_then(hexadecimal);
    let payload = fields.next().unwrap_or_default();
    let text = (sum == Some(crc32fast::hash(payload))).then(|| unescape(payload)).flatten();
    Some(text.map_or(Line::Broken(number), |text| Line::Piece(number, text)))
}

/// Parses `lines=412 bytes=25813 crc32=0a1b2c3d exit=0`. Further fields are ignored.
fn parse_end(words: &str) -> Option<End> {
    let field = |name: &str| {
        words.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    };
    Some(End {
        lines: field("lines")?.parse().ok()?,
        bytes: field("bytes")?.parse().ok()?,
        crc32: hexadecimal(field("crc32")?.as_bytes())?,
        exit: field("exit")?.parse().ok()?,
    })
}

/// Eight lower-case hexadecimal digits.
fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let right =
        digits.len() == 8 && digits.iter().all(|d| d.is_ascii_digit() || (b'a'..=b'f').contains(d));
    right.then(|| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()).flatten()
}

/// Replaces `\n` and `\\`; none for any other escape.
fn unescape(payload: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = payload.iter();
    let mut text = Vec::with_capacity(payload.len());
    while let Some(&byte) = bytes.next() {
        text.push(match byte {
            b'\\' => match bytes.next()? {
                b'n' => b'\n',
                b'\\' => b'\\',
                _ => return None,
            },
            plain => plain,
        });
    }
    Some(text)
}

/// The lines of one report.
#[derive(Default)]
struct Frame {
    /// The version in the line `begin`.
    begun: Option<String>,
    /// The valid lines; `None` if two valid lines of the same number differ.
    pieces: BTreeMap<u32, Option<Vec<u8>>>,
    broken: Vec<u32>,
    end: Option<End>,
}

impl Frame {
    fn add(&mut self, line: Line) {
        match line {
            Line::Begin(version) => self.begun = Some(version),
            Line::Broken(number) => self.broken.push(number),
            Line::End(end) => {
                self.end.get_or_insert(end);
            }
            Line::Piece(number, text) => {
                let known = self.pieces.entry(number).or_insert_with(|| Some(text.clone()));
                if known.as_ref() != Some(&text) {
                    *known = None;
                }
            }
        }
    }

    fn finish(self) -> Framed {
        let damaged = |lines, reason: String| Framed::Damaged { lines, reason };
        match (&self.begun, &self.end) {
            (None, None) if self.pieces.is_empty() && self.broken.is_empty() => {
                return Framed::Nothing;
            }
            (None, _) => {
                return damaged(vec![], "The line that begins the report is missing.".into());
            }
            (Some(version), _) if version != VERSION => {
                return damaged(
                    vec![],
                    format!("The frame has format {version}; this reader knows {VERSION}."),
                );
            }
            (Some(_), None) => return Framed::Truncated(self.pieces.len()),
            (Some(_), Some(_)) => {}
        }
        let end = self.end.expect("matched above");
        let mut lines: Vec<u32> = (1..=end.lines)
            .filter(|number| !matches!(self.pieces.get(number), Some(Some(_))))
            .collect();
        lines.extend(self.pieces.range(end.lines.saturating_add(1)..).map(|(number, _)| *number));
        if !lines.is_empty() {
            let (broken, missing): (Vec<u32>, Vec<u32>) =
                lines.iter().partition(|number| self.seen(**number));
            return damaged(
                lines,
                format!("Damaged lines: {broken:?}; missing lines: {missing:?}."),
            );
        }
        let report: Vec<u8> = self.pieces.into_values().flatten().flatten().collect();
        if report.len() != end.bytes || crc32fast::hash(&report) != end.crc32 {
            let reason = format!(
                "Every line is valid, but all of them are {} bytes with checksum {:08x}; {} and \
                 {:08x} were announced.",
                report.len(),
                crc32fast::hash(&report),
                end.bytes,
                end.crc32
            );
            return damaged(vec![], reason);
        }
        Framed::Whole { report, exit: end.exit }
    }

    /// Whether a line with this number arrived, valid or not.
    fn seen(&self, number: u32) -> bool {
        self.broken.contains(&number) || self.pieces.contains_key(&number)
    }
}

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;
