//! The program as PID 1 of a machine: started by the kernel from an initramfs, as `/init` or by `rdinit=`.
//!
//! A failed step is never fatal: whatever happens, the report goes to the console as far as possible, and then the machine
//! goes on to the next init or is switched off. Returning would panic the kernel.

use crate::cli::{self, Options, Request};
use crate::command::{self, FAILED, PRINTED, STDERR, STDOUT};
use crate::errno::Errno;
use crate::flags::Flag;
use crate::frame;
use crate::kernel::{Ending, Fd, How, Kernel};
use crate::report::sentence;
use crate::text::Text;

/// What is mounted when it is missing: file system and place. Nothing here is needed for a complete report.
const MOUNTS: [(&str, &str); 3] = [("devtmpfs", "/dev"), ("proc", "/proc"), ("sysfs", "/sys")];
/// Where the report goes when the kernel opened nothing for us.
const CONSOLE: &str = "/dev/console";
/// The init that is started next when we were started in its place by `rdinit=`.
const NEXT: &str = "/init";

/// Everything PID 1 does.
#[cold]
pub fn run(kernel: &mut dyn Kernel, arguments: &[&str], table: &'static [Flag]) -> ! {
    let mounted = MOUNTS.map(|(kind, target)| {
        let _ = kernel.mkdir(target);
        kernel.mount(kind, target).is_ok().then_some(target)
    });
    let console = console(kernel);
    let (request, foreign, exit) = split(kernel, arguments.get(1..).unwrap_or_default());
    // A complaint about what was asked for stands where the report would.
    let (text, exit) = match command::answer(kernel, request, table) {
        Ok(text) => (text, exit),
        Err(complaint) => {
            command::complain(kernel, &complaint);
            (complaint, FAILED)
        }
    };
    let _ = command::write_all(kernel, console, frame::text(&text, exit).as_bytes());
    for target in mounted.iter().rev().flatten() {
        let _ = kernel.umount(target);
    }
    hand_over(kernel, arguments.first().copied().unwrap_or_default(), foreign);
    power_off(kernel)
}

/// Ends the process with `code`, or the machine when the process is its init. A PID namespace's pid 1 is no init: it may
/// not end the machine, and just exits.
pub fn end(kernel: &mut dyn Kernel, code: i32) -> ! {
    if kernel.pid() == 1 && kernel.may_reboot().is_ok() {
        power_off(kernel)
    }
    kernel.exit(code)
}

/// The console: what the kernel opened, or what we can open.
fn console(kernel: &mut dyn Kernel) -> Fd {
    match kernel.write(STDOUT, &[]).result() {
        Err(Errno::EBADF) => kernel.open(CONSOLE, How::ReadWrite).result().map_or(STDERR, |fd| fd as Fd),
        _ => STDOUT,
    }
}

/// What is asked of us, the words that are not ours, and the exit code of a run with them. The kernel hands over words of its
/// command line that it does not know, then those after `--`, and firmware may add some at the end: ours are the first that can
/// be read together, as many as possible. An option among the others was misspelled; the report is printed all the same.
///
/// Measured: inside its only caller it makes the program larger.
#[cold]
#[inline(never)]
fn split<'a, 'b>(kernel: &mut dyn Kernel, arguments: &'b [&'a str]) -> (Request, [&'b [&'a str]; 2], i32) {
    for from in 0..arguments.len() {
        for to in (from + 1..=arguments.len()).rev() {
            if let Ok(request) = cli::parse(arguments.get(from..to).unwrap_or_default()) {
                let [before, behind] = [arguments.get(..from), arguments.get(to..)].map(Option::unwrap_or_default);
                return (request, [before, behind], PRINTED);
            }
        }
    }
    let misspelled = arguments.iter().position(|word| word.starts_with('-'));
    let exit = match misspelled.map(|at| cli::parse(arguments.get(at..).unwrap_or_default())) {
        Some(Err(complaint)) => {
            command::complain(kernel, &complaint);
            FAILED
        }
        _ => PRINTED,
    };
    (Request::Run(Options::default()), [arguments, &[]], exit)
}

/// Starts the next init when there is one that is not this file. Returns when there is none, or it could not be started.
#[cold]
fn hand_over(kernel: &mut dyn Kernel, own_path: &str, foreign: [&[&str]; 2]) {
    let Ok(next) = kernel.file_id(NEXT) else { return };
    if own_path == NEXT || kernel.file_id(own_path) == Ok(next) {
        return;
    }
    let mut arguments = vec![NEXT];
    for words in foreign {
        arguments.extend_from_slice(words);
    }
    let errno = kernel.execve(NEXT, &arguments);
    let mut message = Text::COULD_NOT_START.string();
    sentence::errno(&mut message, errno);
    command::complain(kernel, &message);
}

/// Switches the machine off, or stops it for good where it cannot.
#[cold]
fn power_off(kernel: &mut dyn Kernel) -> ! {
    let _ = kernel.reboot(Ending::PowerOff);
    let _ = kernel.reboot(Ending::Halt);
    loop {
        kernel.pause();
    }
}
