//! A simulated machine whose init is the program. It has three sinks for output, each of which may
//! fail in its own way. The simulated kernel answers everything that is not special to an init.

use kernel::{Call, Errno, Fd, Kernel, Op, SysResult, str_or_replacement};
use mapprobe::init;
use simulator::{Rules, SimulatedKernel};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The first line of every framed report.
pub const BEGIN: &str = "mapprobe: begin 1\n";
/// The largest number of calls of a run that ends.
const MAX_CALLS: usize = 30_000;
/// Seconds of sleep in a row that count as waiting forever.
const FOREVER: usize = 100;
/// The first descriptor of a device when the standard ones are in use. The simulated kernel gives
/// none of these.
const DEVICES: Fd = 500;
/// The descriptor of `/proc/cmdline`.
const COMMAND_LINE: Fd = 400;
/// Messages that `/dev/kmsg` accepts of an open file.
const BURST: usize = 10;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The machine was switched off.
    PowerOff,
    /// The next init was started.
    NextInit,
    /// The program sleeps forever.
    Waits,
    /// The program ended. On a machine, the kernel panics.
    Exited(usize),
    /// The program makes calls without end.
    Spins,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sink {
    Stdout,
    Console,
    KernelLog,
}

/// What happens to output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    Works,
    /// Accepts one byte at a time.
    OneByte,
    /// Every second call would block, or is interrupted.
    Intermittent,
    /// Every call would block.
    Blocks,
    /// Accepts 0 bytes.
    AcceptsNothing,
    Fails(Errno),
    /// Accepts a number of calls; all others fail.
    FailsAfter(usize),
    /// Standard output is closed, or the device cannot be opened.
    Closed(Errno),
    /// Accepts everything and can be read, but nobody reads it.
    PlainFile,
}

struct OpenDevice {
    sink: Sink,
    writes: usize,
}

pub struct Machine {
    /// The behavior of standard output, of the console and of the kernel's log.
    pub sinks: [Behavior; 3],
    /// Whether another file is `/init`.
    pub has_next_init: bool,
    /// The content of `/proc/cmdline`, if it exists.
    pub command_line: Option<&'static str>,
    /// The result of `fork(2)` after the standard files are closed; before, it fails.
    pub fork: Result<usize, Errno>,
    /// The inode of the process's PID namespace.
    pub namespace: usize,
    /// Operations that always fail.
    pub failing: Vec<(Op, Errno)>,
    /// A call, by its number, that is not executed and fails.
    pub fault: Option<(usize, Errno)>,
    /// Every call so far.
    pub log: Vec<Op>,
    /// What was printed where.
    pub printed: BTreeMap<Sink, String>,
    /// For the machine alone; public so that `..Machine::new()` works.
    pub state: State,
}

/// What the machine remembers.
pub struct State {
    writes: usize,
    sleeps: usize,
    open: BTreeMap<Fd, OpenDevice>,
    inherited: BTreeSet<Fd>,
    directories: Vec<String>,
    mounted: Vec<String>,
    nodes: Vec<(String, usize)>,
    kernel: SimulatedKernel,
}

impl Machine {
    pub fn new() -> Machine {
        Machine {
            sinks: [Behavior::Works; 3],
            has_next_init: false,
            command_line: Some("quiet rdinit=/mapprobe -- x"),
            fork: Err(Errno::ENOSYS),
            namespace: 0xefff_fffc,
            failing: Vec::new(),
            fault: None,
            log: Vec::new(),
            printed: BTreeMap::new(),
            state: State {
                writes: 0,
                sleeps: 0,
                open: BTreeMap::new(),
                inherited: BTreeSet::new(),
                directories: Vec::new(),
                mounted: Vec::new(),
                nodes: Vec::new(),
                kernel: SimulatedKernel::new(Rules::x86_6_1()),
            },
        }
    }

    /// Starts the program as the kernel does, with its own name as the first argument.
    pub fn boot(&mut self, arguments: &[&str]) -> End {
        self.open_standard_files();
        match catch_unwind(AssertUnwindSafe(|| init::start(self, arguments))) {
            Ok(code) => End::Exited(code as usize),
            Err(end) => *end.downcast::<End>().unwrap_or_else(|panic| resume_unwind(panic)),
        }
    }

    /// Opens standard input, output and error, unless they are closed.
    pub fn open_standard_files(&mut self) {
        if !matches!(self.sinks[0], Behavior::Closed(_)) {
            for fd in 0..3 {
                self.state.open.insert(fd, OpenDevice { sink: Sink::Stdout, writes: 0 });
                self.state.inherited.insert(fd);
            }
        }
    }

    /// Where a whole report was printed.
    pub fn whole_report(&self) -> Option<Sink> {
        let printed = self.printed.iter().find(|(_, text)| is_whole_report(text));
        printed.map(|(&sink, _)| sink)
    }

    /// Everything that did not exist before the run.
    pub fn leftovers(&self) -> Vec<String> {
        let descriptors = self.open_devices().map(|fd| format!("descriptor {fd}"));
        let mounted = self.state.mounted.iter().cloned();
        let nodes = self.state.nodes.iter().map(|(path, _)| path.clone());
        descriptors.chain(mounted).chain(nodes).chain(self.state.kernel.leftovers()).collect()
    }

    /// The descriptors of devices that the program opened.
    fn open_devices(&self) -> impl Iterator<Item = &Fd> {
        self.state.open.keys().filter(|fd| !self.state.inherited.contains(fd))
    }

    /// Whether standard input, output or error is open.
    pub fn has_standard_files(&self) -> bool {
        self.state.open.keys().any(|&fd| fd < 3)
    }

    /// Opens a device. `None` if the path is none.
    fn open_device(&mut self, path: &str) -> Option<Result<usize, Errno>> {
        let node = self.state.nodes.iter().find(|(node, _)| node == path);
        let sink = match (path, node) {
            ("/dev/console", _) | (_, Some((_, 0x501))) => Sink::Console,
            ("/dev/kmsg", _) | (_, Some((_, 0x10b))) => Sink::KernelLog,
            _ => return None,
        };
        if let Behavior::Closed(errno) = self.sinks[sink as usize] {
            return Some(Err(errno));
        }
        let is_free = |fd: &Fd| !self.state.open.contains_key(fd);
        let fd = (0..3).chain(DEVICES..).find(is_free).expect("a free descriptor");
        self.state.open.insert(fd, OpenDevice { sink, writes: 0 });
        Some(Ok(fd as usize))
    }

    fn write(&mut self, fd: Fd, bytes: &[u8]) -> Result<usize, Errno> {
        let Some(OpenDevice { sink, writes }) = self.state.open.get_mut(&fd) else {
            return Err(Errno::EBADF);
        };
        *writes += 1;
        self.state.writes += 1;
        let (sink, writes) = (*sink, *writes);
        let is_log = sink == Sink::KernelLog;
        let is_every = |count: usize| self.state.writes.is_multiple_of(count);
        let accepted = match self.sinks[sink as usize] {
            Behavior::Works | Behavior::PlainFile => bytes.len(),
            // The kernel's log accepts a message as a whole.
            Behavior::OneByte | Behavior::Intermittent if is_log && !is_every(3) => bytes.len(),
            Behavior::OneByte if !is_log => bytes.len().min(1),
            Behavior::Intermittent if !is_log && is_every(2) => bytes.len().div_ceil(2),
            Behavior::Intermittent if is_every(3) => return Err(Errno::EINTR),
            Behavior::OneByte | Behavior::Intermittent | Behavior::Blocks => {
                return Err(Errno::EAGAIN);
            }
            Behavior::AcceptsNothing => 0,
            Behavior::FailsAfter(calls) if writes <= calls => bytes.len(),
            Behavior::FailsAfter(_) => return Err(Errno::EIO),
            Behavior::Fails(errno) | Behavior::Closed(errno) => return Err(errno),
        };
        if is_log && writes > BURST {
            return Ok(accepted);
        }
        let mut text = str_or_replacement(&bytes[..accepted]);
        if is_log {
            // The log removes the level of a message. A message without one does not appear on a
            // quiet console.
            text = text.strip_prefix("<1>").unwrap_or_default();
        }
        if self.sinks[sink as usize] != Behavior::PlainFile {
            self.printed.entry(sink).or_default().push_str(text);
        }
        Ok(accepted)
    }

    fn serve(&mut self, call: &mut Call) -> Result<usize, Errno> {
        let fd = call.args[0] as Fd;
        let strings: Vec<&str> =
            call.input.split(|&byte| byte == 0).map(str_or_replacement).collect();
        let path = strings[0];
        let has_open_device = self.open_devices().next().is_some();
        let state = &mut self.state;
        match call.op {
            Op::Pid => Ok(1),
            Op::MayReboot => Ok(0),
            Op::Fork if state.open.keys().any(|&fd| fd < 3) => Err(Errno::ENOSYS),
            Op::Fork => self.fork,
            Op::Reboot => end(End::PowerOff),
            Op::Execve => end(End::NextInit),
            Op::Pause => end(End::Waits),
            Op::Exit => end(End::Exited(call.args[0])),
            Op::Sleep => {
                state.sleeps += 1;
                if state.sleeps == FOREVER { end(End::Waits) } else { Ok(0) }
            }
            Op::Mkdir if state.directories.iter().any(|known| known == path) => Err(Errno::EEXIST),
            Op::Mkdir => {
                state.directories.push(path.to_string());
                Ok(0)
            }
            Op::Mknod if state.nodes.iter().any(|(node, _)| node == path) => Err(Errno::EEXIST),
            Op::Mknod => {
                state.nodes.push((path.to_string(), call.args[0]));
                Ok(0)
            }
            Op::Unlink => {
                state.nodes.retain(|(node, _)| node != path);
                Ok(0)
            }
            Op::Mount if !state.directories.iter().any(|known| known == strings[1]) => {
                Err(Errno::ENOENT)
            }
            Op::Mount => {
                state.mounted.push(strings[1].to_string());
                Ok(0)
            }
            // An open device keeps its file system busy.
            Op::Umount if path == "/dev" && has_open_device => Err(Errno::EBUSY),
            Op::Umount => {
                state.mounted.retain(|target| target != path);
                Ok(0)
            }
            Op::FileDevice if path == "/init" && !self.has_next_init => Err(Errno::ENOENT),
            Op::FileDevice => Ok(1),
            Op::FileInode if path.ends_with("ns/pid") => Ok(self.namespace),
            Op::FileInode => Ok(path.len()),
            Op::Pread if fd < 3 && self.sinks[0] == Behavior::PlainFile => Ok(0),
            Op::Pread if fd < 3 => Err(Errno::ESPIPE),
            Op::Write if !(3..DEVICES).contains(&fd) => self.write(fd, call.input),
            Op::Close if state.open.remove(&fd).is_some() => Ok(0),
            Op::Close if fd < 3 => Err(Errno::EBADF),
            Op::Close if fd == COMMAND_LINE => Ok(0),
            Op::Open if path == "/proc/cmdline" => match self.command_line {
                Some(_) => Ok(COMMAND_LINE as usize),
                None => Err(Errno::ENOENT),
            },
            Op::Read if fd == COMMAND_LINE => {
                // A few bytes at a time.
                let line = self.command_line.take().unwrap_or_default();
                let (now, later) = line.split_at(line.len().min(7));
                self.command_line = Some(later);
                call.output[..now.len()].copy_from_slice(now.as_bytes());
                Ok(now.len())
            }
            Op::Open => match self.open_device(path) {
                Some(opened) => opened,
                None => self.state.kernel.call(call).result(),
            },
            _ => state.kernel.call(call).result(),
        }
    }
}

fn end(end: End) -> ! {
    resume_unwind(Box::new(end))
}

/// Whether a text ends with a framed report of which no line is missing.
fn is_whole_report(text: &str) -> bool {
    let report = text.rsplit_once(BEGIN).map(|(_, report)| report);
    let Some((lines, end)) = report.and_then(|report| report.split_once("mapprobe: end lines="))
    else {
        return false;
    };
    let count = lines.lines().filter(|line| line.starts_with("mapprobe:")).count();
    count > 0
        && lines.ends_with('\n')
        && end.starts_with(&format!("{count} bytes="))
        && end.ends_with('\n')
}

impl Kernel for Machine {
    fn call(&mut self, call: &mut Call) -> SysResult {
        let number = self.log.len();
        self.log.push(call.op);
        if ![Op::Sleep, Op::Pause].contains(&call.op) {
            self.state.sleeps = 0;
        }
        if number > MAX_CALLS {
            end(End::Spins);
        }
        if let Some((faulty, errno)) = self.fault
            && faulty == number
        {
            return SysResult::failure(errno);
        }
        if let Some(&(_, errno)) = self.failing.iter().find(|(op, _)| *op == call.op) {
            return SysResult::failure(errno);
        }
        self.serve(call).into()
    }
}
