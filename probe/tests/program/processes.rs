//! Child processes, and signals that end them, on a simulated kernel. A test cannot return twice
//! from `fork(2)`: it runs the child to its end, and then the whole program again from its start,
//! where `fork(2)` returns the process ID of that child.

use kernel::{Call, Errno, Fd, Kernel, Op, SIGNALED, SysResult};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The first descriptor of the parent's pipes when the standard files are in use.
const PIPES: Fd = 900;
/// The bytes that a pipe holds where the user has many pipes, `pipe(7)`: one page.
const CAPACITY: usize = 4096;
/// The process ID of the first child.
const FIRST_PID: usize = 100;
/// `SIGPIPE`, `include/uapi/asm-generic/signal.h`.
const SIGPIPE: usize = 13;

/// A process that makes a call: the parent, or a child of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Parent,
    Child,
}

/// The signal that a call ends its process with.
pub type Kills<'a> = &'a dyn Fn(Caller, &Call) -> Option<u8>;

/// A child that ended: the result of `wait4(2)`, its kernel, and what the pipe holds.
struct EndedChild<K> {
    result: usize,
    kernel: K,
    pipe: Vec<u8>,
}

/// The end of a child, as the payload of a panic: the result of `wait4(2)`.
struct End(usize);

/// A kernel with child processes.
struct Processes<'a, K> {
    kernel: K,
    caller: Caller,
    forks: usize,
    ended: &'a [EndedChild<K>],
    /// Copies to the parent's kernel what a child shares with it.
    share: fn(&K, &mut K),
    kills: Kills<'a>,
    /// The open ends of the parent's pipes, and what the pipes hold.
    ends: Vec<Fd>,
    pipe: Vec<u8>,
    ignores_signals: bool,
}

impl<K: Kernel> Processes<'_, K> {
    fn fork(&mut self) -> usize {
        let child = self.ended.get(self.forks);
        self.forks += 1;
        let Some(child) = child else {
            self.caller = Caller::Child;
            return 0;
        };
        (self.share)(&child.kernel, &mut self.kernel);
        self.pipe.clone_from(&child.pipe);
        FIRST_PID + self.forks - 1
    }

    /// The lowest free descriptor. Of the standard files, the kernel knows which are open.
    fn open_end(&mut self) -> Fd {
        let is_free = |fd: &Fd| {
            let args = [*fd as usize, 0, 0, 0, 0];
            let write = &mut Call { op: Op::Write, args, input: &[], output: &mut [] };
            let mut is_closed = || self.kernel.call(write).result() == Err(Errno::EBADF);
            !self.ends.contains(fd) && (*fd >= PIPES || is_closed())
        };
        let fd = (0..3).chain(PIPES..).find(is_free).expect("a free descriptor");
        self.ends.push(fd);
        fd
    }

    fn make_pipe(&mut self) -> usize {
        let (read_end, write_end) = (self.open_end(), self.open_end());
        (write_end as usize) << 16 | read_end as usize
    }

    fn close(&mut self, fd: Fd) -> Result<usize, Errno> {
        self.ends.retain(|end| *end != fd);
        Ok(0)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        if self.pipe.len() + bytes.len() > CAPACITY {
            return Err(Errno::EAGAIN);
        }
        self.pipe.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, Errno> {
        if self.pipe.is_empty() {
            return Err(Errno::EAGAIN);
        }
        let len = into.len().min(self.pipe.len());
        for (to, from) in into.iter_mut().zip(self.pipe.drain(..len)) {
            *to = from;
        }
        Ok(len)
    }
}

impl<K: Kernel> Kernel for Processes<'_, K> {
    fn call(&mut self, call: &mut Call) -> SysResult {
        match (self.caller, (self.kills)(self.caller, call)) {
            (Caller::Child, Some(signal)) => end(SIGNALED | usize::from(signal)),
            (Caller::Parent, Some(_)) => panic!("{:?} ends the parent", call.op),
            (_, None) => {}
        }
        let first = call.args[0];
        let is_end = self.ends.contains(&(first as Fd));
        let result = match (self.caller, call.op) {
            (Caller::Parent, Op::Fork) => Ok(self.fork()),
            (Caller::Parent, Op::Wait) => Ok(self.ended[first - FIRST_PID].result),
            (Caller::Parent, Op::Pipe) => Ok(self.make_pipe()),
            (Caller::Child, Op::Exit) => end(first),
            (_, Op::Write) if is_end => self.write(call.input),
            (_, Op::Read) if is_end => self.read(call.output),
            (_, Op::Pread) if is_end => Err(Errno::ESPIPE),
            (_, Op::Close) if is_end => self.close(first as Fd),
            _ => {
                let result = self.kernel.call(call);
                self.ignores_signals |= call.op == Op::IgnoreSignals && result.is_ok();
                let is_broken_pipe = call.op == Op::Write && result.result() == Err(Errno::EPIPE);
                if is_broken_pipe && self.caller == Caller::Child && !self.ignores_signals {
                    end(SIGNALED | SIGPIPE);
                }
                return result;
            }
        };
        result.into()
    }
}

fn end(result: usize) -> ! {
    resume_unwind(Box::new(End(result)))
}

/// Runs a program with child processes. Returns its result, or the payload of its panic, and the
/// parent's kernel. `make` makes the same kernel each time.
pub fn run<K: Kernel, R>(
    make: &dyn Fn() -> K,
    share: fn(&K, &mut K),
    kills: Kills,
    program: &mut dyn FnMut(&mut dyn Kernel) -> R,
) -> (Result<R, Box<dyn Any + Send>>, K) {
    let mut ended = Vec::new();
    loop {
        let (caller, forks, pipe) = (Caller::Parent, 0, Vec::new());
        let kernel = make();
        let mut processes = Processes {
            kernel,
            caller,
            forks,
            ended: &ended,
            share,
            kills,
            ends: Vec::new(),
            pipe,
            ignores_signals: false,
        };
        let result = catch_unwind(AssertUnwindSafe(|| program(&mut processes)));
        let Processes { kernel, pipe, .. } = processes;
        match result.map_err(|payload| payload.downcast::<End>()) {
            Ok(result) => return (Ok(result), kernel),
            Err(Ok(end)) => ended.push(EndedChild { result: end.0, kernel, pipe }),
            Err(Err(payload)) => return (Err(payload), kernel),
        }
    }
}
