//! A machine made of rules whose init is the program: three ways to be heard, each of which may fail in its own way. Everything that is no
//! business of an init is answered by the kernel made of rules.

use mapprobe::command;
use mapprobe::errno::Errno;
use mapprobe::kernel::model::{Model, Rules};
use mapprobe::kernel::{Answer, Call, Fd, Kernel, Op, text};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// How every report begins.
pub const TEXT: &str = "mapprobe: begin 1\n";
/// Calls after which nobody believes any more that a run ends.
const MANY: usize = 30_000;
/// Seconds of sleep in a row that are rest.
const REST: usize = 100;
/// Where descriptors of devices begin when the standard ones are taken: the kernel made of rules gives none of these.
const DEVICES: Fd = 500;
/// That of `/proc/cmdline`.
const COMMAND_LINE: Fd = 400;
/// Messages that `/dev/kmsg` takes of an open file.
const BURST: usize = 10;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The machine was switched off.
    Off,
    /// The next init was started.
    Next,
    /// It sleeps for ever.
    Rests,
    /// It ended, which is a panic of the kernel.
    Exited(u64),
    /// It goes on and on.
    Spins,
}

/// A way to be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heard {
    Stdout,
    Console,
    Log,
}

/// What becomes of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Takes,
    /// One byte at a time.
    Byte,
    /// Every second call would block, or is interrupted.
    NowAndThen,
    /// Every call would block.
    Later,
    /// 0 bytes are taken.
    Nothing,
    Fails(Errno),
    /// So many calls are answered, the others fail.
    Dies(usize),
    /// Standard output is closed, or the device cannot be opened.
    Closed(Errno),
    /// Takes everything, can be read, and nobody does.
    PlainFile,
}

/// An open device.
struct Open {
    way: Heard,
    writes: usize,
}

/// The machine.
pub struct Guest {
    pub ways: [Way; 3],
    /// Whether there is another `/init`.
    pub next: bool,
    /// What is in `/proc/cmdline`, if there is one.
    pub command_line: Option<&'static str>,
    /// What `fork` answers.
    pub child: Result<u64, Errno>,
    /// The inode of the process's PID namespace.
    pub namespace: u64,
    /// Calls that always fail.
    pub refused: Vec<(Op, Errno)>,
    /// A call, by its number, that is answered with this.
    pub fault: Option<(usize, Answer)>,
    /// What was called.
    pub log: Vec<Op>,
    /// What was heard where.
    pub heard: BTreeMap<Heard, String>,
    pub state: State,
}

/// What it remembers.
pub struct State {
    writes: usize,
    sleeps: usize,
    open: BTreeMap<Fd, Open>,
    standard: Vec<Fd>,
    folders: Vec<String>,
    mounted: Vec<String>,
    nodes: Vec<(String, u64)>,
    model: Model,
}

impl Guest {
    pub fn new() -> Guest {
        Guest {
            ways: [Way::Takes; 3],
            next: false,
            command_line: Some("quiet rdinit=/mapprobe -- x"),
            child: Err(Errno::ENOSYS),
            namespace: 0xefff_fffc,
            refused: Vec::new(),
            fault: None,
            log: Vec::new(),
            heard: BTreeMap::new(),
            state: State {
                writes: 0,
                sleeps: 0,
                open: BTreeMap::new(),
                standard: Vec::new(),
                folders: Vec::new(),
                mounted: Vec::new(),
                nodes: Vec::new(),
                model: Model::new(Rules::x86_6_1()),
            },
        }
    }

    /// Starts the program as init, with no flag to ask about.
    pub fn start(&mut self, arguments: &[&str]) -> End {
        if !matches!(self.ways[0], Way::Closed(_)) {
            for fd in 0..3 {
                self.state.open.insert(fd, Open { way: Heard::Stdout, writes: 0 });
                self.state.standard.push(fd);
            }
        }
        let run = catch_unwind(AssertUnwindSafe(|| command::main(self, arguments, &[])));
        match run {
            Ok(code) => End::Exited(code as u64),
            Err(end) => *end.downcast::<End>().unwrap_or_else(|panic| resume_unwind(panic)),
        }
    }

    /// Where a whole report was heard.
    pub fn whole(&self) -> Option<Heard> {
        let whole = |text: &str| {
            let report = text
                .rsplit_once(TEXT)
                .and_then(|(_, report)| report.split_once("mapprobe: end lines="));
            report.is_some_and(|(lines, end)| {
                let count = lines.lines().filter(|line| line.starts_with("mapprobe:")).count();
                end.starts_with(&format!("{count} bytes="))
                    && end.ends_with('\n')
                    && lines.ends_with('\n')
                    && count > 0
            })
        };
        self.heard.iter().find(|(_, text)| whole(text)).map(|(&way, _)| way)
    }

    /// What is there that was not there before.
    pub fn left(&self) -> Vec<String> {
        let open = self
            .state
            .open
            .keys()
            .filter(|fd| !self.state.standard.contains(fd))
            .map(|fd| format!("descriptor {fd}"));
        let nodes = self.state.nodes.iter().map(|(path, _)| path.clone());
        open.chain(self.state.mounted.iter().cloned())
            .chain(nodes)
            .chain(self.state.model.left())
            .collect()
    }

    /// Whether standard input, output or error is open.
    pub fn is_open(&self) -> bool {
        self.state.open.keys().any(|&fd| fd < 3)
    }

    fn device(&mut self, path: &str) -> Option<Result<u64, Errno>> {
        let number =
            self.state.nodes.iter().find(|(node, _)| node == path).map(|&(_, number)| number);
        let way = match (path, number) {
            ("/dev/console", _) | (_, Some(0x501)) => Heard::Console,
            ("/dev/kmsg", _) | (_, Some(0x10b)) => Heard::Log,
            _ => return None,
        };
        if let Way::Closed(errno) = self.ways[way as usize] {
            return Some(Err(errno));
        }
        let free = |fd: &Fd| !self.state.open.contains_key(fd);
        let fd = (0..3).find(free).or_else(|| (DEVICES..).find(free)).expect("one is free");
        self.state.open.insert(fd, Open { way, writes: 0 });
        Some(Ok(fd as u64))
    }

    fn write(&mut self, fd: Fd, bytes: &[u8]) -> Result<u64, Errno> {
        let Some(Open { way, writes }) = self.state.open.get_mut(&fd) else {
            return Err(Errno::EBADF);
        };
        *writes += 1;
        self.state.writes += 1;
        let (way, writes) = (*way, *writes);
        let taken = match self.ways[way as usize] {
            Way::Takes | Way::PlainFile => bytes.len(),
            // A message is never half taken.
            Way::Byte | Way::NowAndThen
                if way == Heard::Log && !self.state.writes.is_multiple_of(3) =>
            {
                bytes.len()
            }
            Way::Byte if way != Heard::Log => 1.min(bytes.len()),
            Way::NowAndThen if way != Heard::Log && self.state.writes.is_multiple_of(2) => {
                bytes.len().div_ceil(2)
            }
            Way::NowAndThen if self.state.writes.is_multiple_of(3) => return Err(Errno::EINTR),
            Way::Byte | Way::NowAndThen | Way::Later => return Err(Errno::EAGAIN),
            Way::Nothing => 0,
            Way::Dies(after) if writes <= after => bytes.len(),
            Way::Dies(_) => return Err(Errno::EIO),
            Way::Fails(errno) | Way::Closed(errno) => return Err(errno),
        };
        if way == Heard::Log && writes > BURST {
            return Ok(taken as u64);
        }
        let said = text(&bytes[..taken]);
        // A message of the kernel loses its level, and does not come to a quiet console without one.
        let said =
            if way == Heard::Log { said.strip_prefix("<1>").unwrap_or_default() } else { said };
        if self.ways[way as usize] != Way::PlainFile {
            self.heard.entry(way).or_default().push_str(said);
        }
        Ok(taken as u64)
    }

    fn serve(&mut self, call: &mut Call) -> Result<u64, Errno> {
        let fd = call.args[0] as Fd;
        let strings: Vec<&str> = call.input.split(|&byte| byte == 0).map(text).collect();
        let path = strings[0];
        match call.op {
            Op::Pid => Ok(1),
            Op::MayReboot => Ok(0),
            Op::Fork => self.child,
            Op::Reboot => resume_unwind(Box::new(End::Off)),
            Op::Execve => resume_unwind(Box::new(End::Next)),
            Op::Pause => resume_unwind(Box::new(End::Rests)),
            Op::Exit => resume_unwind(Box::new(End::Exited(call.args[0]))),
            Op::Sleep => {
                self.state.sleeps += 1;
                if self.state.sleeps == REST {
                    resume_unwind(Box::new(End::Rests));
                }
                Ok(0)
            }
            Op::Mkdir if self.state.folders.iter().any(|folder| folder == path) => {
                Err(Errno::EEXIST)
            }
            Op::Mkdir => {
                self.state.folders.push(path.to_string());
                Ok(0)
            }
            Op::Mknod if self.state.nodes.iter().any(|(node, _)| node == path) => {
                Err(Errno::EEXIST)
            }
            Op::Mknod => {
                self.state.nodes.push((path.to_string(), call.args[0]));
                Ok(0)
            }
            Op::Unlink => {
                self.state.nodes.retain(|(node, _)| node != path);
                Ok(0)
            }
            Op::Mount if !self.state.folders.iter().any(|folder| folder == strings[1]) => {
                Err(Errno::ENOENT)
            }
            Op::Mount => {
                self.state.mounted.push(strings[1].to_string());
                Ok(0)
            }
            // An open device keeps it busy.
            Op::Umount
                if path == "/dev"
                    && !self.left().iter().all(|left| !left.starts_with("descriptor")) =>
            {
                Err(Errno::EBUSY)
            }
            Op::Umount => {
                self.state.mounted.retain(|target| target != path);
                Ok(0)
            }
            Op::FileDevice if path == "/init" && !self.next => Err(Errno::ENOENT),
            Op::FileDevice => Ok(1),
            Op::FileInode if path.ends_with("ns/pid") => Ok(self.namespace),
            Op::FileInode => Ok(path.len() as u64),
            Op::Pread if fd < 3 && self.ways[0] == Way::PlainFile => Ok(0),
            Op::Pread if fd < 3 => Err(Errno::ESPIPE),
            Op::Write if !(3..DEVICES).contains(&fd) => self.write(fd, call.input),
            Op::Close if self.state.open.remove(&fd).is_some() => Ok(0),
            Op::Close if fd < 3 => Err(Errno::EBADF),
            Op::Open if path == "/proc/cmdline" => match self.command_line {
                Some(_) => Ok(COMMAND_LINE as u64),
                None => Err(Errno::ENOENT),
            },
            Op::Read if fd == COMMAND_LINE => {
                // A few bytes at a time.
                let line = self.command_line.take().unwrap_or_default();
                let (now, later) = line.split_at(line.len().min(7));
                self.command_line = Some(later);
                call.output[..now.len()].copy_from_slice(now.as_bytes());
                Ok(now.len() as u64)
            }
            Op::Close if fd == COMMAND_LINE => Ok(0),
            Op::Open => match self.device(path) {
                Some(opened) => opened,
                None => self.state.model.call(call).result(),
            },
            _ => self.state.model.call(call).result(),
        }
    }
}

impl Kernel for Guest {
    fn call(&mut self, call: &mut Call) -> Answer {
        let number = self.log.len();
        self.log.push(call.op);
        if ![Op::Sleep, Op::Pause].contains(&call.op) {
            self.state.sleeps = 0;
        }
        if number > MANY {
            resume_unwind(Box::new(End::Spins));
        }
        if let Some((at, answer)) = self.fault
            && at == number
        {
            return answer;
        }
        if let Some(&(_, errno)) = self.refused.iter().find(|(op, _)| *op == call.op) {
            return Answer::failed(errno);
        }
        self.serve(call).map_or_else(Answer::failed, Answer::value)
    }
}
