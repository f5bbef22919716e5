//! Recordings: [`Recorder`] writes the calls of a run and their results as text, and [`Replay`]
//! answers the calls from such a text. A recorded run replays to the same report on any machine.
//!
//! ```text
//! mapprobe recording 2
//! arch x86_64
//! argument --path
//! argument /mnt
//! page_size = 1000
//! mmap 0 800000 0 4022 ffffffffffffffff = 7f3a5c000000
//! mmap 7f3a5c001000 1000 1 1000003 3 = -95
//! mincore 7f3a5c001000 2000 = 0 > %01
//! write 4 < m = 1
//! end 4
//! ```
//!
//! The head names the architecture and the arguments of the run. Each line after it is a call:
//!
//! - its name, and its integers in hexadecimal, without trailing zeros;
//! - after `<` the bytes that the kernel read;
//! - after `=` the result: a value in hexadecimal, or a negated error number in decimal;
//! - after `>` the bytes that the kernel filled in.
//!
//! The last line counts the calls. Trailing zero bytes are left out; `%` and every byte that is not
//! printable ASCII are written as `%` and two hexadecimal digits. The node name of the machine is
//! not recorded.

use crate::call::{Call, Kernel, MAX_ERRNO, Op, SysResult, UTS_FIELD};
use crate::errno::Errno;
use core::fmt::Write;

/// The first line.
pub const FIRST_LINE: &str = "mapprobe recording 2\n";
/// The first line of version 1: the same format, but a run made fewer calls.
pub const FIRST_LINE_OF_VERSION_1: &str = "mapprobe recording 1\n";
/// Begins the line that names the architecture.
pub const ARCH: &str = "arch ";
/// Begins a line with an argument of the run.
pub const ARGUMENT: &str = "argument ";
/// Begins the last line, which holds the number of calls.
pub const END: &str = "end ";

/// Separates the call from its result.
const RESULT: &str = " = ";
/// Separates the result from the bytes filled in.
const FILLED: &str = " > ";

/// Takes the first line off, without its newline.
pub fn take_line<'t>(rest: &mut &'t [u8]) -> &'t [u8] {
    let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    let line = rest.get(..end).unwrap_or_default();
    *rest = rest.get(end + 1..).unwrap_or_default();
    line
}

/// A kernel that passes every call on to another one and records it.
pub struct Recorder<'k> {
    kernel: &'k mut dyn Kernel,
    calls: usize,
    text: String,
}

impl<'k> Recorder<'k> {
    /// Appends the calls to `head`.
    pub fn new(kernel: &'k mut dyn Kernel, head: String) -> Recorder<'k> {
        Recorder { kernel, calls: 0, text: head }
    }

    /// Ends the recording and returns it.
    pub fn finish(mut self) -> String {
        push(&mut self.text, format_args!("{END}{}\n", self.calls));
        self.text
    }
}

impl Kernel for Recorder<'_> {
    fn call(&mut self, call: &mut Call) -> SysResult {
        self.calls += 1;
        push_request(&mut self.text, call);
        let result = self.kernel.call(call);
        if call.op == Op::Uname {
            let node_name = call.output.iter_mut().skip(UTS_FIELD).take(UTS_FIELD);
            node_name.for_each(|byte| *byte = 0);
        }
        let out = &mut self.text;
        match result.result() {
            Ok(value) => push(out, format_args!("{RESULT}{value:x}")),
            Err(errno) => push(out, format_args!("{RESULT}-{}", errno.0)),
        }
        if result.is_ok() && !call.output.is_empty() {
            out.push_str(FILLED);
            push_bytes(out, call.output);
        }
        out.push('\n');
        result
    }
}

/// Appends to a string, which cannot fail.
fn push(out: &mut String, text: core::fmt::Arguments) {
    let _ = out.write_fmt(text);
}

/// Appends a call without its result.
fn push_request(out: &mut String, call: &Call) {
    out.push_str(call.op.name());
    let mut args = call.args.as_slice();
    while let [used @ .., 0] = args {
        args = used;
    }
    for &arg in args {
        // -1 (`NO_FD`) has 64 bits, so that recordings of 32-bit programs replay on 64-bit
        // machines.
        let upper_half = if usize::BITS < 64 && arg == usize::MAX { "ffffffff" } else { "" };
        push(out, format_args!(" {upper_half}{arg:x}"));
    }
    if !call.input.is_empty() {
        out.push_str(" < ");
        push_bytes(out, call.input);
    }
}

/// Appends bytes without trailing zeros.
fn push_bytes(out: &mut String, mut bytes: &[u8]) {
    while let [used @ .., 0] = bytes {
        bytes = used;
    }
    for &byte in bytes {
        match byte {
            b'%' => out.push_str("%25"),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => push(out, format_args!("%{byte:02x}")),
        }
    }
}

/// The first line of a recording that does not match the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The number of the line, from 1.
    pub line: usize,
    /// What the line should be: a call without its result, the last line, or nothing.
    pub expected: String,
}

/// A kernel that answers from a recording, as long as the calls are those of the recorded run.
/// After the first mismatch every call fails with `ENOSYS`.
pub struct Replay<'t> {
    rest: &'t [u8],
    lines_read: usize,
    calls: usize,
    mismatch: Option<Mismatch>,
    /// The current call as it is written in a recording.
    request: String,
}

impl<'t> Replay<'t> {
    /// Answers from the lines in `rest`, which follow the first `lines_read` lines.
    pub fn new(rest: &'t [u8], lines_read: usize) -> Replay<'t> {
        Replay { rest, lines_read, calls: 0, mismatch: None, request: String::new() }
    }

    /// Checks that the recording ends where the run ended.
    pub fn finish(mut self) -> Result<(), Mismatch> {
        if let Some(mismatch) = self.mismatch {
            return Err(mismatch);
        }
        let end = format!("{END}{}", self.calls);
        if take_line(&mut self.rest) != end.as_bytes() {
            return Err(Mismatch { line: self.lines_read + 1, expected: end });
        }
        if !self.rest.is_empty() {
            return Err(Mismatch { line: self.lines_read + 2, expected: String::from("nothing") });
        }
        Ok(())
    }
}

impl Kernel for Replay<'_> {
    fn call(&mut self, call: &mut Call) -> SysResult {
        if self.mismatch.is_some() {
            return SysResult::failure(Errno::ENOSYS);
        }
        self.request.clear();
        push_request(&mut self.request, call);
        self.lines_read += 1;
        self.calls += 1;
        let line = take_line(&mut self.rest);
        let after_request = line.strip_prefix(self.request.as_bytes());
        match after_request.and_then(|text| parse_result(text, call.output)) {
            Some(result) => result,
            None => {
                let expected = core::mem::take(&mut self.request);
                self.mismatch = Some(Mismatch { line: self.lines_read, expected });
                SysResult::failure(Errno::ENOSYS)
            }
        }
    }
}

/// Parses the part of a line after the call, and fills in the bytes.
fn parse_result(text: &[u8], output: &mut [u8]) -> Option<SysResult> {
    let text = text.strip_prefix(RESULT.as_bytes())?;
    if let Some(digits) = text.strip_prefix(b"-") {
        let number = parse_number(digits, 10).filter(|&number| number <= MAX_ERRNO.into())?;
        return Some(SysResult::failure(Errno(number as u16)));
    }
    let end = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let value = parse_number(digits, 16)?;
    let filled = if rest.is_empty() { rest } else { rest.strip_prefix(FILLED.as_bytes())? };
    parse_bytes(filled, output)?;
    Some(SysResult::success(value))
}

/// Fills `output` with the bytes of `text`, and the rest of it with zeros. `None` if the bytes do
/// not fit.
fn parse_bytes(text: &[u8], output: &mut [u8]) -> Option<()> {
    output.fill(0);
    let (mut text, mut output) = (text.iter().copied(), output.iter_mut());
    while let Some(byte) = text.next() {
        *output.next()? = match byte {
            b'%' => hex_digit(text.next()?)? << 4 | hex_digit(text.next()?)?,
            plain => plain,
        };
    }
    Some(())
}

/// Parses a number of at least one digit; letters are lower case.
pub fn parse_number(digits: &[u8], radix: u8) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    let mut value: usize = 0;
    for &digit in digits {
        let digit = hex_digit(digit).filter(|&digit| digit < radix)?;
        value = value.checked_mul(radix.into())?.checked_add(digit.into())?;
    }
    Some(value)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
