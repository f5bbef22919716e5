//! A run from the command line: arguments in, report on stdout, exit code out.

use crate::arch::Arch;
use crate::cli::{self, Asked, Options};
use crate::errno::Errno;
use crate::flags::Flag;
use crate::kernel::{Fd, How, Kernel};
use crate::recording;
use crate::report::{self, FORMATS, Fit, Report, Writer, sentence};
use crate::text::Text;
use crate::{frame, init, require, run};
use core::mem::take;

/// Standard output.
pub const STDOUT: Fd = 1;
/// Standard error.
pub const STDERR: Fd = 2;

/// Exit code of a report that was printed.
pub const PRINTED: i32 = 0;
/// Exit code of wrong arguments and of a report that could not be written.
pub const FAILED: i32 = 2;

/// The whole program over a table. As the machine's init it never returns.
pub fn main(kernel: &mut dyn Kernel, arguments: &[&str], table: &'static [Flag]) -> i32 {
    if init::is_init(kernel) {
        init::run(kernel, arguments, table)
    }
    // A closed pipe is to be an error that can be reported, not the end.
    let _ = kernel.ignore_sigpipe();
    let (mut options, mut said) = (Options::default(), String::new());
    let code = match cli::read(arguments.get(1..).unwrap_or_default(), &mut options, &mut said) {
        Some(Asked::Kernel) => {
            options.style.colour = is_coloured(kernel, options.format);
            answer(kernel, &mut options, table, &mut said)
        }
        asked => asked.map(|_| PRINTED),
    };
    let Some(code) = code else {
        complain(kernel, &said);
        return FAILED;
    };
    let exit = print(kernel, &said, code);
    if options.framed {
        frame::lines(&said, exit, &mut |line| {
            let _ = write_all(kernel, STDERR, line.as_bytes());
        });
    }
    exit
}

/// Whether a format is printed in colour: one for people, on a terminal, where nobody said no (no-color.org).
fn is_coloured(kernel: &mut dyn Kernel, format: usize) -> bool {
    let for_people = FORMATS.get(format).is_some_and(|format| format.fit == Fit::People);
    for_people && kernel.terminal(STDOUT).is_ok() && !kernel.no_color()
}

/// Says what the kernel is asked for: lines for standard output, or nothing. Returns the exit code when they could be written. Nothing:
/// what was said is wrong with it.
pub fn answer(
    kernel: &mut dyn Kernel,
    options: &mut Options,
    table: &'static [Flag],
    said: &mut String,
) -> Option<i32> {
    // Nothing is asked in vain.
    let by_row = report::format(options.what, options, said)?.by_row && options.require.is_empty();
    if !by_row || options.replay.is_some() || options.record.is_some() {
        return whole(kernel, options, table, said);
    }
    // A format with all calls in it: written row by row, the report takes less memory.
    let mut writer = Writer::default();
    let mut each = |report: &mut Report| writer.take(report);
    let mut report = kept(run::report(kernel, Arch::native(), options, table, &mut each), said)?;
    *said = writer.end(&mut report);
    Some(PRINTED)
}

/// A report that is looked at as a whole.
#[cold]
#[inline(never)]
fn whole(
    kernel: &mut dyn Kernel,
    options: &mut Options,
    table: &'static [Flag],
    said: &mut String,
) -> Option<i32> {
    let mut recorded = None;
    let mut report = match (&options.replay, &options.record) {
        (Some(_), Some(_)) => {
            Text::RECORD_AND_REPLAY.push(said);
            return None;
        }
        (Some(from), None) => {
            let mut recording = Vec::new();
            if let Err(errno) =
                kernel.read_file(from, &mut |block| recording.extend_from_slice(block))
            {
                return failed(said, from, Text::CANNOT_BE_READ, errno);
            }
            said.push_str(from);
            Text::COLON.push(said);
            let report = recording::read(&recording, table, options.reproducible, said)?;
            said.clear();
            report
        }
        (None, Some(to)) => {
            // The file is opened first, so that a run is not in vain.
            let mut file = None;
            if to != "-" {
                match kernel.open(to, How::Create).result() {
                    Ok(fd) => file = Some(fd as Fd),
                    Err(errno) => return failed(said, to, Text::CANNOT_BE_WRITTEN, errno),
                }
            }
            let mut recording = String::new();
            let report = kept(recording::record(kernel, options, table, &mut recording), said)?;
            if let Some(file) = file {
                let written = write_all(kernel, file, recording.as_bytes());
                kernel.close(file);
                if let Err(errno) = written {
                    return failed(said, to, Text::COULD_NOT_BE_WRITTEN, errno);
                }
            } else {
                recorded = Some(recording);
            }
            report
        }
        (None, None) => {
            kept(run::report(kernel, Arch::native(), options, table, &mut |_| {}), said)?
        }
    };
    // What was asked may stand in a recording.
    let format = report::format(report.what, options, said)?;
    let code = require::settle(&mut report, options, said)?;
    if recorded.is_none() && options.alone {
        return Some(code);
    }
    // There is nowhere left to report a failure of this.
    let _ = write_all(kernel, STDERR, said.as_bytes());
    report.style = take(&mut options.style);
    *said = recorded.unwrap_or_else(|| (format.write)(&report));
    Some(code)
}

/// Says what is wrong, if anything is.
fn kept<T>(result: Result<T, String>, said: &mut String) -> Option<T> {
    match result {
        Ok(kept) => Some(kept),
        Err(complaint) => {
            *said = complaint;
            None
        }
    }
}

/// Says what is wrong with a file.
#[cold]
#[inline(never)]
fn failed<T>(said: &mut String, path: &str, what: Text, errno: Errno) -> Option<T> {
    *said = about(path, what, errno);
    None
}

/// A sentence about a file.
#[cold]
pub fn of_file(path: &str, what: Text) -> String {
    let mut message = String::from(path);
    Text::COLON.push(&mut message);
    what.push(&mut message);
    message
}

/// A sentence about a file and an error.
#[cold]
pub fn about(path: &str, what: Text, errno: Errno) -> String {
    let mut message = of_file(path, what);
    Text::COLON.push(&mut message);
    sentence::errno(&mut message, errno);
    message
}

/// Prints all of a text and returns the exit code, or says that it could not be.
fn print(kernel: &mut dyn Kernel, text: &str, code: i32) -> i32 {
    match write_all(kernel, STDOUT, text.as_bytes()) {
        Ok(()) => code,
        Err(errno) => {
            complain(kernel, &about("standard output", Text::COULD_NOT_BE_WRITTEN, errno));
            FAILED
        }
    }
}

/// The line that says what was wrong.
#[cold]
pub fn complaint(message: &str) -> String {
    let mut line = Text::MAPPROBE_SAYS.string();
    line.push_str(message);
    if !line.ends_with('\n') {
        line.push('\n');
    }
    line
}

/// Says what was wrong, on standard error.
#[cold]
fn complain(kernel: &mut dyn Kernel, message: &str) {
    // There is nowhere left to report a failure of this.
    let _ = write_all(kernel, STDERR, complaint(message).as_bytes());
}

/// How many seconds a file that takes nothing now is given.
const PATIENCE: u32 = 10;

/// Writes all bytes: one call, and more only after a short write, or a second after the file took nothing (`O_NONBLOCK` may be set on
/// what others opened). A call that writes nothing is a failure.
pub fn write_all(kernel: &mut dyn Kernel, fd: Fd, mut bytes: &[u8]) -> Result<(), Errno> {
    let mut patience = PATIENCE;
    while !bytes.is_empty() {
        match kernel.write(fd, bytes).result() {
            Ok(0) => return Err(Errno::EIO),
            Ok(written) => {
                bytes = bytes.get(written as usize..).unwrap_or_default();
                patience = PATIENCE;
            }
            Err(Errno::EAGAIN | Errno::EINTR) if patience > 0 => {
                patience -= 1;
                kernel.sleep();
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
