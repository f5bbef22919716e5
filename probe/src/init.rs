//! The start of the program, and the program as PID 1 of a machine: started by the kernel from an
//! initramfs, as `/init` or by `rdinit=`.
//!
//! PID 1 probes and prints in a child, so that a call that ends its process does not end the init.
//! No failed step ends the run: the report is printed if any sink accepts it, and then the next
//! init starts or the machine is switched off. If an init exits, the kernel panics.

use crate::app;
use crate::cli::{self, QueryRequest, Request};
use crate::console::Console;
use crate::error::Error;
use crate::frame;
use crate::output::STDERR;
use crate::report::Style;
use crate::supervisor::{self, Careful, Children};
use kernel::Kernel;

/// The init that is started after this program, if `rdinit=` started this program in its place.
const NEXT_INIT: &str = "/init";
/// The kernel's command line.
const COMMAND_LINE: &str = "/proc/cmdline";
/// The common end of the parameters `rdinit=` and `init=`.
const INIT_PARAMETER: &[u8] = b"init=";
/// The PID namespace of this process.
const PID_NAMESPACE: &str = "/proc/self/ns/pid";
/// The inode number of the namespace that a machine boots with: `PROC_PID_INIT_INO`,
/// `include/linux/proc_ns.h`.
const INITIAL_NAMESPACE: usize = 0xefff_fffc;
/// The bits of the inode number that every architecture returns; bit 31 may be a sign.
const INODE_MASK: usize = 0x7fff_ffff;

/// Runs the program, as PID 1 of a machine or not, in children where a system call may be fatal.
/// Returns the exit code.
pub fn start(kernel: &mut dyn Kernel, arguments: &[&str]) -> i32 {
    // The other commands, and errors, make no call that may be fatal.
    let request = cli::parse(arguments.get(1..).unwrap_or_default());
    let is_query = matches!(request, Ok(Request::Query(_)));
    let children = if is_query { Children::examine(kernel) } else { Children::Unfiltered };
    let is_init = match children {
        Children::Filtered => is_init(&mut Careful(kernel)),
        _ => is_init(kernel),
    };
    if is_init {
        run(kernel, arguments, children)
    }
    if children != Children::Filtered {
        return app::run(kernel, arguments);
    }
    let code = supervisor::run(kernel, &mut |kernel| app::run(kernel, arguments));
    code.unwrap_or_else(|error| app::fail(kernel, &error))
}

/// Runs the program as PID 1.
fn run(kernel: &mut dyn Kernel, arguments: &[&str], children: Children) -> ! {
    let console = Console::open(kernel);
    let Split { request, foreign, mistake } = split(arguments.get(1..).unwrap_or_default());
    let probe_and_print = |kernel: &mut dyn Kernel| {
        let text = text_of(kernel, &request, mistake.as_ref());
        console.print(kernel, &text);
        app::SUCCESS
    };
    if children == Children::Unusable {
        probe_and_print(kernel);
    } else {
        // No signal ends an init, but its children. The next init must not ignore any.
        let ended = supervisor::run(kernel, &mut |kernel| {
            kernel.ignore_signals();
            probe_and_print(kernel)
        });
        if let Err(error) = ended {
            console.print(kernel, &text_of_error(&error));
        }
    }
    let is_replacement = replaces_another_init(kernel);
    console.close(kernel);
    let own_path = if is_replacement { arguments.first().copied() } else { None };
    if let Err(message) = start_next_init(kernel, own_path.unwrap_or(NEXT_INIT), &foreign) {
        let console = Console::open(kernel);
        console.print(kernel, &message);
        console.close(kernel);
    }
    power_off(kernel)
}

/// Responds to a request: the framed output, behind a line about a mistake in the arguments.
fn text_of(kernel: &mut dyn Kernel, request: &Request, mistake: Option<&Error>) -> String {
    let response = match respond(kernel, request) {
        Ok(response) => response,
        Err(error) => return text_of_error(&error),
    };
    app::print_messages(kernel, &response.messages);
    let mut text = mistake.map(app::error_line).unwrap_or_default();
    let exit = if mistake.is_some() { app::FAILURE } else { response.exit };
    frame::for_each_line(&response.output, exit, &mut |line| text.push_str(line));
    text
}

/// The line about an error, and an empty framed report.
fn text_of_error(error: &Error) -> String {
    let mut text = app::error_line(error);
    frame::for_each_line("", app::FAILURE, &mut |line| text.push_str(line));
    text
}

fn respond(kernel: &mut dyn Kernel, request: &Request) -> Result<app::Response, Error> {
    let style = match request {
        Request::Query(query) => query.style(),
        _ => Style::default(),
    };
    app::respond(kernel, request, &style)
}

/// Whether this process is the init of a machine, which must never exit. PID 1 of a container may
/// exit; it may not reboot the machine. An init without that privilege is recognized by its PID
/// namespace, if `/proc` is mounted.
pub fn is_init(kernel: &mut dyn Kernel) -> bool {
    kernel.pid() == 1
        && (kernel.may_reboot()
            || kernel
                .file_inode(PID_NAMESPACE)
                .is_ok_and(|inode| inode & INODE_MASK == INITIAL_NAMESPACE & INODE_MASK))
}

/// Ends the process with `code`, or the machine when the process is its init.
pub fn end(kernel: &mut dyn Kernel, code: i32) -> ! {
    if is_init(kernel) {
        power_off(kernel)
    }
    kernel.exit(code)
}

/// The arguments of PID 1, divided between this program and the next init.
struct Split<'a> {
    request: Request,
    /// The arguments of other programs, for the next init.
    foreign: Vec<&'a str>,
    /// What is wrong with an argument that looks like one of ours. The report is printed all the
    /// same.
    mistake: Option<Error>,
}

/// Divides the arguments of PID 1. The kernel passes the parameters that it does not recognize and
/// those after `--`, and firmware may append more. Ours are the first and longest run of arguments
/// that parses.
fn split<'a>(arguments: &[&'a str]) -> Split<'a> {
    for from in 0..arguments.len() {
        for to in (from + 1..=arguments.len()).rev() {
            let ours = arguments.get(from..to).unwrap_or_default();
            if let Ok(request) = cli::parse(ours) {
                let before = arguments.get(..from).unwrap_or_default();
                let after = arguments.get(to..).unwrap_or_default();
                let foreign = [before, after].concat();
                // A misspelled flag must not be passed on as an argument of another program.
                let next_is_flag = after.first().is_some_and(|next| next.starts_with("MAP_"));
                let with_next = arguments.get(from..=to).filter(|_| next_is_flag);
                let mistake = with_next.and_then(|arguments| cli::parse(arguments).err());
                return Split { request, foreign, mistake };
            }
        }
    }
    let looks_like_ours = |argument: &&str| {
        argument.starts_with('-') || argument.starts_with("MAP_") || *argument == "require"
    };
    let first = arguments.iter().position(looks_like_ours);
    let mistaken = first.and_then(|first| arguments.get(first..));
    Split {
        request: Request::Query(QueryRequest::default()),
        foreign: arguments.to_vec(),
        mistake: mistaken.and_then(|arguments| cli::parse(arguments).err()),
    }
}

/// Whether `rdinit=` or `init=` started this program. Otherwise the kernel started `/init`: it is
/// this program, or it executed this program and must not be started again. Without `/proc` the
/// answer is yes.
fn replaces_another_init(kernel: &mut dyn Kernel) -> bool {
    let Ok(line) = kernel.read_whole_file(COMMAND_LINE) else { return true };
    line.windows(INIT_PARAMETER.len()).any(|part| part == INIT_PARAMETER)
}

/// Starts the next init. Returns if there is none other than this program, or an error message if
/// it cannot be started.
fn start_next_init(
    kernel: &mut dyn Kernel,
    own_path: &str,
    foreign: &[&str],
) -> Result<(), String> {
    let Ok(next_device) = kernel.file_device(NEXT_INIT) else { return Ok(()) };
    let own_device = kernel.file_device(own_path);
    let Ok(next_inode) = kernel.file_inode(NEXT_INIT) else { return Ok(()) };
    let own_inode = kernel.file_inode(own_path);
    if own_device == Ok(next_device) && own_inode == Ok(next_inode) {
        return Ok(());
    }
    let errno = kernel.execve(&[&[NEXT_INIT, NEXT_INIT], foreign].concat());
    Err(format!("mapprobe: could not start {NEXT_INIT}: {errno}\n"))
}

/// Switches the machine off, or waits forever if that is not possible.
fn power_off(kernel: &mut dyn Kernel) -> ! {
    // Closing a serial line waits until everything is sent.
    for fd in 0..=STDERR {
        kernel.close(fd);
    }
    // In a child if possible: if the machine stays on, the kernel ends the caller (`reboot(2)`,
    // `kernel/reboot.c`) and panics if that is its init.
    if !matches!(kernel.fork(), Ok(1..)) {
        kernel.reboot();
    }
    // Two calls, because a system call filter may reject one.
    loop {
        kernel.pause();
        kernel.sleep();
    }
}
