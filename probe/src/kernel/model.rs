//! A kernel made of rules: what `do_mmap` does with its flags argument, by architecture and era, with the effects a program can
//! see, and with what only looks like Linux. For tests: a verdict can be compared with what this kernel really does.
//!
//! It imports nothing from the flag table, the experiments or the verdicts, so that judge and model cannot share a mistake: the
//! numbers are written down again, from the headers named beside them. What would crash a real kernel, fill a machine's
//! memory, hang the program or take away what it did not make ends the test.

mod areas;
mod files;
mod liars;
mod memory;
mod mmap;
mod numbers;
mod procfs;
mod rules;

pub use files::SMAPS;
pub use liars::{Manner, Refusal};
pub use numbers::{ARM64, Layout, PARISC, X86};
pub use rules::{ERAS, Guard, MACHINES, MIB, Machine, Proc, Rules, Space, Stack};

use super::{
    Advice, Answer, Call, Errno, Fd, How, Kernel, Mmap, Op, PROT_READ, PROT_WRITE, UTS_FIELD, text,
};
use areas::Areas;
use files::{Files, Kind};
use std::collections::BTreeMap;

/// The kernel.
#[derive(Clone, Debug)]
pub struct Model {
    /// What it does.
    pub rules: Rules,
    /// What was written to standard output and standard error.
    pub output: Vec<u8>,
    /// How many times it was called.
    pub calls: usize,
    /// A call, counted from 0, that answers this instead of doing anything.
    pub fault: Option<(usize, Answer)>,
    /// What was called.
    pub log: Vec<Op>,
    /// The highest number of pages in memory at a time: fresh memory, copies, and pages of files. Huge pages not counted.
    pub max_resident: usize,
    /// The highest number of pages that were part of huge pages at a time.
    pub max_huge: usize,
    areas: Areas,
    files: Files,
    /// What was in memory that is free now, where nobody clears it.
    remains: BTreeMap<u64, u8>,
}

impl Model {
    /// A kernel with nothing mapped but the program, and nothing open.
    pub fn new(rules: Rules) -> Model {
        Model {
            areas: Areas::of(&rules.space),
            files: Files::new(rules.page_size),
            rules,
            output: Vec::new(),
            calls: 0,
            fault: None,
            log: Vec::new(),
            max_resident: 0,
            max_huge: 0,
            remains: BTreeMap::new(),
        }
    }

    /// How many mappings there are.
    pub fn mapped(&self) -> usize {
        self.areas.0.values().filter(|area| !area.foreign).count()
    }

    /// How many descriptors are open.
    pub fn open(&self) -> usize {
        self.files.open.len()
    }

    /// What the program has made and not undone, each in a few words.
    pub fn left(&self) -> Vec<String> {
        let own = self.areas.0.iter().filter(|(_, area)| !area.foreign);
        let mappings = own
            .map(|(start, area)| format!("mapping {start:#x}-{:#x} prot {}", area.end, area.prot));
        let open =
            self.files.open.iter().map(|(fd, open)| {
                format!("descriptor {fd}: {:?}", self.files.nodes[open.node].kind)
            });
        let named =
            self.files.nodes.iter().filter(|node| node.made).filter_map(|node| node.path.as_ref());
        mappings.chain(open).chain(named.map(|path| format!("file {path}"))).collect()
    }

    /// `ftruncate(2)`, which the program has no use for but a comparison with one that has needs.
    pub fn truncate(&mut self, fd: Fd, size: u64) {
        let node = self.files.open[&fd].node;
        self.files.nodes[node].size = size;
    }

    /// Pages in memory now: single ones, and those of huge pages.
    pub fn resident(&self) -> (usize, usize) {
        let page = self.rules.page_size;
        let pages = self.areas.0.values().map(|area| area.pages(page));
        let (single, huge) = pages.fold((0, 0), |sum, pages| (sum.0 + pages.0, sum.1 + pages.1));
        let used = |number: usize| {
            let mapped =
                self.areas.0.values().any(|area| area.file.is_some_and(|(node, _)| node == number));
            mapped || self.files.open.values().any(|open| open.node == number)
        };
        let nodes = self.files.nodes.iter().enumerate();
        let cached = nodes.filter(|(number, node)| !node.cache.is_empty() && used(*number));
        let cached: usize = cached.map(|(_, node)| node.cache.len()).sum();
        (single + cached, huge)
    }

    /// What a read would give. The pipe is one that does not wait.
    fn peek(&mut self, fd: Fd, count: usize) -> Result<Vec<u8>, Errno> {
        let smaps = self.files.open.get(&fd).filter(|open| open.text.is_none());
        if smaps.is_some_and(|open| self.files.nodes[open.node].kind == Kind::Smaps) {
            let text = Some(self.smaps().into_bytes());
            self.files.open.entry(fd).and_modify(|open| open.text = text);
        }
        self.files.peek(fd, count)?.ok_or(Errno::EAGAIN)
    }

    fn openat(&mut self, path: &str, how: How) -> Result<u64, Errno> {
        if path == SMAPS && self.rules.proc == Proc::Missing {
            return Err(Errno::ENOENT);
        }
        let found = self.files.find(path);
        let denied =
            |area: &areas::Area| area.denies_writing && area.file.map(|(node, _)| node) == found;
        if how == How::ReadWrite && found.is_some() && self.areas.0.values().any(denied) {
            return Err(Errno::ETXTBSY);
        }
        self.files.openat(path, how).map(|fd| fd as u64)
    }

    /// What is done for a call.
    fn serve(&mut self, call: &mut Call) -> Result<u64, Errno> {
        let [first, second, third, fourth, fifth] = call.args;
        let fd = first as Fd;
        let path = call.input.split(|&byte| byte == 0).next().map(text).unwrap_or_default();
        match call.op {
            Op::Mmap => {
                let fd = fifth as Fd;
                self.do_mmap(&Mmap {
                    addr: first,
                    len: second,
                    prot: third as u32,
                    flags: fourth,
                    fd,
                })
            }
            Op::Munmap => self.munmap(first, second),
            Op::Mincore => self.mincore(first, second, call.output),
            Op::Madvise => self.madvise(first, second, advice(third)),
            Op::MsyncInvalidate => self.msync(first, second),
            Op::MemfdCreate if self.rules.no_memfd => Err(Errno::ENOSYS),
            Op::MemfdCreate => Ok(self.files.memfd() as u64),
            Op::Pipe => {
                let (reading, writing) = self.files.pipe();
                Ok(reading as u64 | (writing as u64) << 16)
            }
            Op::Close => self.files.open.remove(&fd).map(|_| 0).ok_or(Errno::EBADF),
            Op::Read => {
                let bytes = self.peek(fd, call.output.len())?;
                self.files.consume(fd, bytes.len());
                call.output[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len() as u64)
            }
            Op::Pread => {
                let bytes = self.files.pread(fd, second, call.output.len())?;
                call.output[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len() as u64)
            }
            Op::Write => {
                self.files.write(fd, call.input, &mut self.output).map(|count| count as u64)
            }
            Op::Store => self.store(fd, second, third),
            Op::Load => self.load(fd, second, third),
            Op::Open => self.openat(path, how(first)),
            Op::Unlink => self.files.unlink(path).map(|()| 0),
            Op::Memory => Ok(self.rules.memory),
            Op::PageSize => Ok(self.rules.page_size),
            Op::Euid => Ok(if self.rules.root { 0 } else { 1000 }),
            Op::Pid => Ok(2),
            Op::Time | Op::IgnoreSigpipe | Op::Sleep => Ok(0),
            Op::Uname => {
                for (field, name) in
                    call.output.chunks_mut(UTS_FIELD).zip(["Linux", "model", "0.0", "#1", "model"])
                {
                    field[..name.len()].copy_from_slice(name.as_bytes());
                }
                Ok(0)
            }
            Op::FileDevice => self.files.find(path).map(|_| 1).ok_or(Errno::ENOENT),
            Op::FileInode => self.files.find(path).map(|node| node as u64).ok_or(Errno::ENOENT),
            Op::Mkdir | Op::Mknod => Err(Errno::EROFS),
            Op::Execve | Op::NoColor => Err(Errno::ENOENT),
            Op::Terminal => Err(Errno::ENOTTY),
            Op::Mount | Op::Umount | Op::MayReboot | Op::Fork | Op::Reboot => Err(Errno::EPERM),
            Op::Exit => panic!("the model was told to exit with {first}"),
            Op::Pause => panic!("the model was told to wait for ever"),
        }
    }
}

fn advice(number: u64) -> Advice {
    let all = [Advice::DontNeed, Advice::KeepOnFork, Advice::Collapse];
    all.into_iter().find(|&advice| advice as u64 == number).expect("an advice")
}

fn how(number: u64) -> How {
    let all = [How::Read, How::ReadWrite, How::Nameless, How::New, How::Create, How::Device];
    all.into_iter().find(|&how| how as u64 == number).expect("a way to open")
}

impl Kernel for Model {
    fn call(&mut self, call: &mut Call) -> Answer {
        let number = self.calls;
        self.calls += 1;
        self.log.push(call.op);
        if let Some((at, answer)) = self.fault
            && at == number
        {
            return answer;
        }
        let answer = match self.rules.refusal(call.op, &call.args) {
            Some(errno) => Err(errno),
            None => self.serve(call),
        };
        let (single, huge) = self.resident();
        self.max_resident = self.max_resident.max(single);
        self.max_huge = self.max_huge.max(huge);
        answer.map_or_else(Answer::failed, Answer::value)
    }
}
