//! A run from the command line: arguments in, report on stdout, exit code out.

use crate::arch::Arch;
use crate::cli::{self, Request};
use crate::errno::Errno;
use crate::flags::Flag;
use crate::init;
use crate::kernel::{Fd, Kernel};
use crate::report::sentence;
use crate::run;

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
    let pid = kernel.pid();
    if pid == 1 && kernel.may_reboot().is_ok() {
        init::run(kernel, arguments, table)
    }
    // A closed pipe is to be an error that can be reported, not the end.
    let _ = kernel.ignore_sigpipe();
    match cli::parse(arguments.get(1..).unwrap_or_default()) {
        Ok(request) => {
            let text = answer(kernel, &request, table, pid);
            print(kernel, &text)
        }
        Err(complaint) => {
            complain(kernel, &complaint);
            FAILED
        }
    }
}

/// What a request is answered with: text that ends with a newline.
pub fn answer(kernel: &mut dyn Kernel, request: &Request, table: &'static [Flag], pid: u64) -> String {
    let options = match request {
        Request::Text(text) => return text.clone(),
        Request::Report(options) => options,
    };
    let mut report = run::probe(kernel, Arch::native(), table, pid);
    if options.reproducible {
        report.process.pid = None;
        report.process.time = None;
    }
    (options.format.write)(&report)
}

/// Prints all of a text, or says that it could not be.
fn print(kernel: &mut dyn Kernel, text: &str) -> i32 {
    match write_all(kernel, STDOUT, text.as_bytes()) {
        Ok(()) => PRINTED,
        Err(errno) => {
            let mut message = String::from("the report could not be written to standard output: ");
            sentence::errno(&mut message, errno);
            complain(kernel, &message);
            FAILED
        }
    }
}

/// Says what was wrong, on standard error.
pub fn complain(kernel: &mut dyn Kernel, message: &str) {
    let mut line = String::from("mapprobe: ");
    line.push_str(message);
    if !line.ends_with('\n') {
        line.push('\n');
    }
    // There is nowhere left to report a failure of this.
    let _ = write_all(kernel, STDERR, line.as_bytes());
}

/// Writes all bytes: one call, and more only after a short write. A call that writes nothing is a failure.
pub fn write_all(kernel: &mut dyn Kernel, fd: Fd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match kernel.write(fd, bytes).result() {
            Ok(0) => return Err(Errno::EIO),
            Ok(written) => bytes = bytes.get(written as usize..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
