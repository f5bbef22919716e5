//! Recorder and replay: every call of a run with its answer, as text, and a kernel that answers from such a text. A recorded run
//! replays to the same report on any machine.
//!
//! ```text
//! mapprobe recording 1
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
//! A line is a call: its name, its integers in hexadecimal without the zeros at the end, behind `<` the bytes the kernel read, behind
//! `=` the answer (a value in hexadecimal, or the number of an error, negative and decimal), behind `>` the bytes it filled in. The last line counts the calls. Bytes
//! that are no printable ASCII, and `%`, are written `%` and two hexadecimal digits; zeros at the end are left out. The name of the
//! machine, which nothing depends on, is not recorded.

use super::{Answer, Call, Errno, Kernel, MAX_ERRNO, Op, UTS_FIELD, Word};
use crate::report::sentence::{hex, number};
use crate::text::Text;

/// The first line.
pub const BEGINS: &str = "mapprobe recording 1\n";
/// Begins the line that names the architecture.
pub const ARCH: &str = "arch ";
/// Begins the last line, which counts the calls.
pub const END: &str = "end ";
/// Begins a line with an argument of the run.
pub const ARGUMENT: &str = "argument ";

/// What separates the call from its answer.
const ANSWER: &str = " = ";
/// What separates the answer from the bytes filled in.
const FILLED: &str = " > ";

/// A kernel that answers what another one answers, and notes it.
pub struct Recorder<'k> {
    kernel: &'k mut dyn Kernel,
    calls: Word,
    /// The recording.
    pub text: String,
}

impl<'k> Recorder<'k> {
    /// Goes on writing behind `text`.
    pub fn new(kernel: &'k mut dyn Kernel, text: String) -> Recorder<'k> {
        Recorder { kernel, calls: 0, text }
    }
}

impl Recorder<'_> {
    /// The whole recording.
    pub fn end(mut self) -> String {
        self.text.push_str(END);
        number(&mut self.text, self.calls);
        self.text.push('\n');
        self.text
    }
}

impl Kernel for Recorder<'_> {
    #[cold]
    fn call(&mut self, call: &mut Call) -> Answer {
        self.calls += 1;
        request(&mut self.text, call);
        let answer = self.kernel.call(call);
        if call.op == Op::Uname {
            call.output.iter_mut().skip(UTS_FIELD).take(UTS_FIELD).for_each(|byte| *byte = 0);
        }
        let out = &mut self.text;
        out.push_str(ANSWER);
        match answer.result() {
            Ok(value) => hex(out, value, 1),
            Err(errno) => {
                out.push('-');
                number(out, errno.0.into());
            }
        }
        if answer.is_ok() && !call.output.is_empty() {
            out.push_str(FILLED);
            bytes(out, call.output);
        }
        out.push('\n');
        answer
    }
}

/// Appends a call without its answer.
#[cold]
fn request(out: &mut String, call: &Call) {
    Text::OPS.nth(call.op as usize).push(out);
    let mut args = call.args.as_slice();
    while let [used @ .., 0] = args {
        args = used;
    }
    for &arg in args {
        out.push(' ');
        // A recording does not depend on how wide this machine's -1 is.
        out.push_str(if Word::BITS < 64 && arg == Word::MAX { "ffffffff" } else { "" });
        hex(out, arg, 1);
    }
    if !call.input.is_empty() {
        out.push_str(" < ");
        bytes(out, call.input);
    }
}

/// Appends bytes, without the zeros at the end.
#[cold]
fn bytes(out: &mut String, mut bytes: &[u8]) {
    while let [used @ .., 0] = bytes {
        bytes = used;
    }
    for &byte in bytes {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push('%');
            hex(out, byte.into(), 2);
        }
    }
}

/// A kernel that answers from a recording, as long as it is asked what the recorded one was asked.
pub struct Replay<'t> {
    rest: &'t [u8],
    /// What was asked last, or first without an answer: one text for all, since none is given back.
    pub asked: String,
    /// Lines read.
    line: Word,
    calls: Word,
    is_strange: bool,
}

impl<'t> Replay<'t> {
    /// Answers from the lines in `rest`, the first of which has the number `line + 1`.
    pub fn new(rest: &'t [u8], line: Word) -> Replay<'t> {
        Replay { rest, asked: String::new(), line, calls: 0, is_strange: false }
    }

    /// The number of the first line that is not the answer to what was `asked`. At the end of a run also of one that is not the last;
    /// then that is the right one.
    #[cold]
    pub fn strange(&mut self) -> Option<Word> {
        if !self.is_strange {
            self.line += 1;
            self.asked.clear();
            self.asked.push_str(END);
            number(&mut self.asked, self.calls);
            if take_line(&mut self.rest) == self.asked.as_bytes() {
                if self.rest.is_empty() {
                    return None;
                }
                self.line += 1;
                self.asked = String::from("nothing");
            }
        }
        Some(self.line)
    }
}

impl Kernel for Replay<'_> {
    #[cold]
    fn call(&mut self, call: &mut Call) -> Answer {
        if !self.is_strange {
            self.asked.clear();
            request(&mut self.asked, call);
            self.line += 1;
            self.calls += 1;
            let answer = take_line(&mut self.rest).strip_prefix(self.asked.as_bytes());
            if let Some(answer) = answer.and_then(|rest| answered(rest, call.output)) {
                return answer;
            }
            self.is_strange = true;
        }
        Answer::failed(Errno::ENOSYS)
    }
}

/// Takes the first line, without its newline.
#[cold]
pub fn take_line<'t>(rest: &mut &'t [u8]) -> &'t [u8] {
    let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    let line = rest.get(..end).unwrap_or_default();
    *rest = rest.get(end + 1..).unwrap_or_default();
    line
}

/// Reads what stands behind the call; fills in the bytes.
#[cold]
fn answered(mut rest: &[u8], output: &mut [u8]) -> Option<Answer> {
    rest = rest.strip_prefix(ANSWER.as_bytes())?;
    let failed = rest.strip_prefix(b"-");
    let radix: u8 = if failed.is_some() { 10 } else { 16 };
    rest = failed.unwrap_or(rest);
    let mut value: Word = 0;
    while let Some((&digit, behind)) = rest.split_first().filter(|&(&digit, _)| digit != b' ') {
        let digit = nibble(digit).filter(|&digit| digit < radix)?;
        value = value.checked_mul(radix.into())?.checked_add(digit.into())?;
        rest = behind;
    }
    if failed.is_some() {
        return (rest.is_empty() && value <= MAX_ERRNO.into())
            .then(|| Answer::failed(Errno(value as u16)));
    }
    output.fill(0);
    if let Some(filled) = rest.strip_prefix(FILLED.as_bytes()) {
        let mut filled = filled.iter().copied();
        for place in output {
            *place = match filled.next() {
                Some(b'%') => nibble(filled.next()?)? << 4 | nibble(filled.next()?)?,
                Some(byte) => byte,
                None => break,
            };
        }
    }
    Some(Answer::value(value))
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
