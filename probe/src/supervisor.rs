//! Runs the program in a child where a system call may end the process: by a system call filter
//! that kills (`SECCOMP_RET_KILL_PROCESS`, `seccomp(2)`), or by a crash inside the kernel.
//!
//! The child announces every call in a pipe before it makes it. When a signal ends the child, the
//! last announcement names the call, and another child starts in which that call is not made but
//! fails with `ENOSYS`. So the report comes, and it names the calls.
//!
//! What this needs cannot be replaced: if `clone(2)`, `wait4(2)` or `exit_group(2)` is fatal, there
//! is no report. A child that ends after it has printed is not followed by another one.

use crate::error::Error;
use crate::output::{STDERR, STDOUT};
use crate::report::wording::push;
use core::mem::size_of;
use kernel::{Call, Ended, Errno, Fd, Kernel, Op, Pipe, SysResult};

/// The most children of a run.
const ATTEMPTS: usize = 512;
/// Bytes after which no further name of a fatal call is printed.
const NAMES_MAX: usize = 200;
/// `SIGKILL` on every architecture here.
const SIGKILL: u8 = 9;
/// `SIGSEGV` on every architecture here; the kernel ends a process with it that crashed inside the
/// kernel (`make_task_dead`, `kernel/exit.c`).
const SIGSEGV: u8 = 11;
/// `SIGSYS` on every architecture here: the signal of a system call filter.
const SIGSYS: u8 = 31;
/// `SIGHUP`, `SIGINT`, `SIGQUIT` and `SIGTERM` on every architecture here: somebody ended the run.
const FROM_OUTSIDE: [u8; 4] = [1, 2, 3, 15];

/// What the first child of a run showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Children {
    /// No child can be made, or its end cannot be learned.
    Unusable,
    /// A system call filter is in force, or may be.
    Filtered,
    /// There is no system call filter.
    Unfiltered,
}

impl Children {
    /// Asks for a filter in a child, because the question may be fatal.
    pub fn examine(kernel: &mut dyn Kernel) -> Children {
        match kernel.fork() {
            Ok(0) => {
                let is_unfiltered = kernel.is_unfiltered();
                kernel.exit(if is_unfiltered { 0 } else { 1 })
            }
            Ok(pid) => match kernel.wait(pid) {
                Ok(Ended::Exited(0)) => Children::Unfiltered,
                Ok(_) if killed(kernel, &mut |_| {}).is_none() => Children::Filtered,
                _ => Children::Unusable,
            },
            Err(_) => Children::Unusable,
        }
    }
}

/// The signal that ends a child that makes these calls; `None` if it exits.
fn killed(kernel: &mut dyn Kernel, calls: &mut dyn FnMut(&mut dyn Kernel)) -> Option<u8> {
    match kernel.fork() {
        Ok(0) => {
            calls(kernel);
            kernel.exit(0)
        }
        Ok(pid) => match kernel.wait(pid) {
            Ok(Ended::BySignal(signal)) => Some(signal),
            _ => None,
        },
        Err(_) => None,
    }
}

/// A kernel that makes each call in a child first, and fails with `ENOSYS` if that ends the child.
pub struct Careful<'k>(pub &'k mut dyn Kernel);

impl Kernel for Careful<'_> {
    fn call(&mut self, call: &mut Call) -> SysResult {
        let Careful(kernel) = self;
        let mut make = |kernel: &mut dyn Kernel| {
            kernel.call(call);
        };
        match killed(&mut **kernel, &mut make) {
            Some(_) => SysResult::failure(Errno::ENOSYS),
            None => kernel.call(call),
        }
    }
}

/// Which calls an announcement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Every call of the operation with the same detail.
    Same,
    /// Every `mmap` with these flags, and others.
    WithFlags,
}

/// A call as it is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Announced {
    op: Op,
    scope: Scope,
    /// The flags of `mmap`, the advice of `madvise`, the mode of `openat`; otherwise 0.
    detail: usize,
    /// Whether the child has printed something.
    has_printed: bool,
}

/// Bytes of an announcement: operation, scope, whether something was printed, and the detail. The
/// pipe holds whole announcements only, because a write of at most `PIPE_BUF` bytes is not divided
/// (`pipe(7)`).
const BYTES: usize = 3 + size_of::<usize>();

impl Announced {
    /// `safe_flags` are the flags of all `mmap` calls so far, which were not fatal.
    fn of(call: &Call, safe_flags: usize, has_printed: bool) -> Announced {
        let unsafe_flags = detail(call) & !safe_flags;
        let announced =
            Announced { op: call.op, scope: Scope::Same, detail: detail(call), has_printed };
        if call.op == Op::Mmap && unsafe_flags != 0 {
            return Announced { scope: Scope::WithFlags, detail: unsafe_flags, ..announced };
        }
        announced
    }

    fn covers(&self, call: &Call) -> bool {
        self.op == call.op
            && match self.scope {
                Scope::Same => detail(call) == self.detail,
                Scope::WithFlags => detail(call) & self.detail == self.detail,
            }
    }

    fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let [op, scope, has_printed, detail @ ..] = &mut bytes;
        (*op, *scope, *has_printed) = (self.op as u8, self.scope as u8, self.has_printed.into());
        *detail = self.detail.to_ne_bytes();
        bytes
    }

    fn from_bytes(bytes: [u8; BYTES]) -> Option<Announced> {
        let [op, scope, has_printed, detail @ ..] = bytes;
        let scope = if scope == Scope::Same as u8 { Scope::Same } else { Scope::WithFlags };
        let op = *Op::ALL.get(usize::from(op))?;
        let detail = usize::from_ne_bytes(detail);
        Some(Announced { op, scope, detail, has_printed: has_printed != 0 })
    }
}

/// What distinguishes calls of one operation, as far as a filter may care.
fn detail(call: &Call) -> usize {
    let [first, _, third, flags, _] = call.args;
    match call.op {
        Op::Mmap => flags,
        Op::Madvise => third,
        Op::Open => first,
        _ => 0,
    }
}

/// A call that ended a child.
struct Fatal {
    call: Announced,
    signal: u8,
}

/// A kernel that does not make fatal calls, and announces the others.
struct Guarded<'k> {
    kernel: &'k mut dyn Kernel,
    fatal: &'k [Fatal],
    /// The process that was started, which the report names; 0 if it is not known.
    pid: usize,
    channel: Option<Pipe>,
    safe_flags: usize,
    has_printed: bool,
}

impl Guarded<'_> {
    fn announce(&mut self, call: &Call) {
        let Some(Pipe { read_end, write_end }) = self.channel else { return };
        let bytes = Announced::of(call, self.safe_flags, self.has_printed).to_bytes();
        if !self.kernel.write(write_end, &bytes).is_ok() {
            last_announcement(self.kernel, read_end);
            self.kernel.write(write_end, &bytes);
        }
    }
}

impl Kernel for Guarded<'_> {
    fn call(&mut self, call: &mut Call) -> SysResult {
        if call.op == Op::FatalCalls {
            let names = names(self.fatal);
            for (to, from) in call.output.iter_mut().zip(names.bytes()) {
                *to = from;
            }
            return SysResult::success(self.fatal.len());
        }
        if call.op == Op::Pid && self.pid != 0 {
            return SysResult::success(self.pid);
        }
        if self.fatal.iter().any(|fatal| fatal.call.covers(call)) {
            return SysResult::failure(Errno::ENOSYS);
        }
        self.announce(call);
        let result = self.kernel.call(call);
        match call.op {
            Op::Mmap => self.safe_flags |= detail(call),
            Op::Write if [STDOUT, STDERR].contains(&(call.args[0] as Fd)) => {
                self.has_printed |= result.is_ok();
            }
            _ => {}
        }
        result
    }
}

/// Empties the pipe and returns its last announcement.
fn last_announcement(kernel: &mut dyn Kernel, read_end: Fd) -> Option<Announced> {
    let (mut block, mut last) = ([0; 64 * BYTES], None);
    while let Ok(len @ BYTES..) = kernel.read(read_end, &mut block).result() {
        last = block.get(..len).and_then(|read| read.last_chunk()).copied();
    }
    Announced::from_bytes(last?)
}

/// A pipe that is neither standard input nor output nor error, although they may be closed.
fn pipe_above_standard_files(kernel: &mut dyn Kernel) -> Option<Pipe> {
    let pipe = kernel.pipe().ok()?;
    if pipe.read_end > STDERR && pipe.write_end > STDERR {
        return Some(pipe);
    }
    let above = pipe_above_standard_files(kernel);
    let careful: &mut dyn Kernel = &mut Careful(kernel);
    careful.close(pipe.read_end);
    careful.close(pipe.write_end);
    above
}

/// The pipe of the announcements, tried in a child first. If that is fatal there is none, and
/// `fatal` gets the calls.
fn open_channel(kernel: &mut dyn Kernel, fatal: &mut Vec<Fatal>) -> Option<Pipe> {
    let mut add = |op, signal| {
        let call = Announced { op, scope: Scope::Same, detail: 0, has_printed: false };
        fatal.push(Fatal { call, signal });
    };
    let mut make_pipe = |kernel: &mut dyn Kernel| {
        let _ = kernel.pipe();
    };
    if let Some(signal) = killed(kernel, &mut make_pipe) {
        add(Op::Pipe, signal);
        return None;
    }
    let channel = pipe_above_standard_files(kernel)?;
    let mut read = |kernel: &mut dyn Kernel| {
        kernel.read(channel.read_end, &mut [0]);
    };
    if let Some(signal) = killed(kernel, &mut read) {
        add(Op::Read, signal);
        add(Op::Store, signal);
        return None;
    }
    Some(channel)
}

/// Runs the program in children until one of them exits, and returns its exit code. Without
/// children it runs in this process.
pub fn run(
    kernel: &mut dyn Kernel,
    program: &mut dyn FnMut(&mut dyn Kernel) -> i32,
) -> Result<i32, Error> {
    let mut fatal = Vec::new();
    let channel = open_channel(kernel, &mut fatal);
    let careful: &mut dyn Kernel = &mut Careful(kernel);
    let pid = careful.pid();
    for _ in 0..ATTEMPTS {
        let child = kernel.fork();
        if matches!(child, Ok(0) | Err(_)) {
            let used = channel.filter(|_| child.is_ok());
            if let (None, Some(Pipe { read_end, write_end })) = (used, channel) {
                kernel.close(read_end);
                kernel.close(write_end);
            }
            let (safe_flags, has_printed) = (0, false);
            let mut guarded =
                Guarded { kernel, fatal: &fatal, pid, channel: used, safe_flags, has_printed };
            let guarded: &mut dyn Kernel = &mut guarded;
            // A filter that kills on prctl ends this child, so the report names it.
            guarded.is_unfiltered();
            let code = program(guarded);
            if child.is_ok() {
                guarded.exit(code);
            }
            return Ok(code);
        }
        match kernel.wait(child.unwrap_or(0)) {
            Ok(Ended::Exited(code)) => return Ok(code.into()),
            Ok(Ended::BySignal(signal)) => {
                let last = channel.and_then(|channel| last_announcement(kernel, channel.read_end));
                match last {
                    Some(call) if !call.has_printed && !FROM_OUTSIDE.contains(&signal) => {
                        fatal.push(Fatal { call, signal });
                    }
                    _ => return Err(ended_by(signal, last)),
                }
            }
            Err(errno) => {
                return Err(Error::Ended(format!("how the run ended is unknown: wait4: {errno}")));
            }
        }
    }
    Err(Error::Ended(format!("{ATTEMPTS} children were killed by {}", names(&fatal))))
}

/// The fatal calls as text, each once.
fn names(fatal: &[Fatal]) -> String {
    let mut text = String::new();
    let mut previous = None;
    for (index, Fatal { call, signal }) in fatal.iter().enumerate() {
        let name = system_call(call.op);
        let is_mmap = call.op == Op::Mmap;
        let is_same = |other: &Fatal| other.signal == *signal && system_call(other.call.op) == name;
        if !is_mmap && fatal.iter().take(index).any(is_same) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        if text.len() > NAMES_MAX {
            text.push_str("...");
            break;
        }
        if !is_mmap {
            text.push_str(name);
        } else if previous == Some(Op::Mmap) {
            push(&mut text, format_args!("{:#x}", call.detail));
        } else {
            push(&mut text, format_args!("mmap with {:#x}", call.detail));
        }
        if *signal != SIGSYS {
            push(&mut text, format_args!(" ({})", signal_name(*signal)));
        }
        previous = Some(call.op);
    }
    text
}

/// The system call of an operation on most architectures.
fn system_call(op: Op) -> &'static str {
    match op {
        Op::Store => "read",
        Op::Load => "write",
        Op::Pread => "pread64",
        Op::Open => "openat",
        Op::Unlink => "unlinkat",
        Op::Pipe => "pipe2",
        Op::Memory => "sysinfo",
        Op::Time => "clock_gettime",
        Op::IgnoreSignals => "rt_sigaction",
        Op::Terminal => "ioctl",
        Op::Fork | Op::Touch => "clone",
        Op::Wait => "wait4",
        Op::FileDevice | Op::FileInode => "stat",
        Op::FileSystemType | Op::BlockSize => "fstatfs",
        Op::FilterMode => "prctl",
        Op::Sleep => "nanosleep",
        op => op.name(),
    }
}

fn signal_name(signal: u8) -> String {
    match signal {
        SIGKILL => String::from("SIGKILL"),
        SIGSEGV => String::from("SIGSEGV"),
        SIGSYS => String::from("SIGSYS"),
        other => format!("signal {other}"),
    }
}

/// The message about a signal after which the run is not repeated.
fn ended_by(signal: u8, last: Option<Announced>) -> Error {
    let call = last.map_or("an unknown call", |call| system_call(call.op));
    Error::Ended(format!("ended by {} during {call}", signal_name(signal)))
}
