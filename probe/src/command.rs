//! A run from the command line: arguments in, report on stdout, exit code out.

use crate::arch::Arch;
use crate::cli::{self, Request};
use crate::errno::Errno;
use crate::flags::Flag;
use crate::kernel::{Fd, How, Kernel};
use crate::recording;
use crate::report::{self, FORMATS, Fit, Report, Writer, sentence};
use crate::text::Text;
use crate::{frame, init, require, run};

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
    let mut framed = false;
    let reply = match cli::parse(arguments.get(1..).unwrap_or_default()) {
        Ok(mut request) => {
            if let Request::Run(options) = &mut request {
                framed = options.framed;
                options.style.colour = is_coloured(kernel, options.format);
            }
            answer(kernel, request, table)
        }
        Err(complaint) => Err(complaint),
    };
    match reply {
        Ok((text, code)) => {
            let exit = print(kernel, &text, code);
            if framed {
                frame::lines(&text, exit, &mut |line| {
                    let _ = write_all(kernel, STDERR, line.as_bytes());
                });
            }
            exit
        }
        Err(complaint) => {
            complain(kernel, &complaint);
            FAILED
        }
    }
}

/// Whether a format is printed in colour: one for people, on a terminal, where nobody said no (no-color.org).
fn is_coloured(kernel: &mut dyn Kernel, format: usize) -> bool {
    let for_people = FORMATS.get(format).is_some_and(|format| format.fit == Fit::People);
    for_people && kernel.terminal(STDOUT).is_ok() && !kernel.no_color()
}

/// What a request is answered with: lines for standard output, or nothing, and the exit code when they could be written.
pub type Reply = (String, i32);

/// Answers a request, or says in a sentence what is wrong with it.
pub fn answer(kernel: &mut dyn Kernel, request: Request, table: &'static [Flag]) -> Result<Reply, String> {
    let options = match request {
        Request::Text(text) => return Ok((text, PRINTED)),
        Request::Run(options) => options,
    };
    // Nothing is asked in vain.
    report::format(options.what, &options)?;
    if options.replay.is_some() && options.record.is_some() {
        return Err(Text::RECORD_AND_REPLAY.string());
    }
    let mut recorded = None;
    let mut report = if let Some(from) = &options.replay {
        let mut recording = Vec::new();
        let read = kernel.read_file(from, &mut |block| recording.extend_from_slice(block));
        read.map_err(|errno| about(from, Text::CANNOT_BE_READ, errno))?;
        recording::replay(&recording, table, options.reproducible).map_err(|complaint| {
            let mut message = String::from(from);
            Text::COLON.push(&mut message);
            message.push_str(&complaint);
            message
        })?
    } else if let Some(to) = &options.record {
        // The file is opened first, so that a run is not in vain.
        let file = match to.as_str() {
            "-" => None,
            _ => {
                Some(kernel.open(to, How::Create).result().map_err(|errno| about(to, Text::CANNOT_BE_WRITTEN, errno))?)
            }
        };
        let (report, recording) = recording::record(kernel, &options, table)?;
        if let Some(file) = file {
            let written = write_all(kernel, file as Fd, recording.as_bytes());
            kernel.close(file as Fd);
            written.map_err(|errno| about(to, Text::COULD_NOT_BE_WRITTEN, errno))?;
        } else {
            recorded = Some(recording);
        }
        report
    } else {
        // The first format has all calls in it: written row by row, the report takes less memory.
        let (mut writer, first) = (Writer::default(), options.format == 0 && options.require.is_empty());
        let mut each = |report: &mut Report| {
            if first {
                writer.take(report);
            }
        };
        let mut report = run::report(kernel, Arch::native(), &options, table, &mut each)?;
        if first {
            return Ok((writer.end(&mut report), PRINTED));
        }
        report
    };
    // What was asked may stand in a recording.
    let format = report::format(report.what, &options)?;
    let mut unmet = String::new();
    let Some(code) = require::settle(&mut report, &options, &mut unmet) else { return Err(unmet) };
    let text = match recorded {
        None if options.alone => return Ok((unmet, code)),
        None => {
            report.style = options.style;
            (format.write)(&report)
        }
        Some(recording) => recording,
    };
    // There is nowhere left to report a failure of this.
    let _ = write_all(kernel, STDERR, unmet.as_bytes());
    Ok((text, code))
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
