//! The system calls of the simulated kernel: one `match` arm per operation.

use crate::files::{Kind, SMAPS};
use crate::hugetlb::HUGE_PAGES;
use crate::rules::Proc;
use crate::state::SimulatedKernel;
use kernel::{
    Advice, Call, Errno, Fd, Kernel, Mmap, Op, OpenMode, Pipe, SysResult, UTS_FIELD,
    str_or_replacement,
};

/// The fields of `struct new_utsname`: system, node, release, version, machine.
const UNAME: [&str; 5] = ["Linux", "model", "0.0", "#1", "model"];

impl Kernel for SimulatedKernel {
    fn call(&mut self, call: &mut Call) -> SysResult {
        let number = self.log.len();
        self.log.push(call.op);
        if let Some(fault) = self.fault
            && fault.call == number
        {
            return fault.result;
        }
        let result = match self.rules.filtered(call.op, &call.args) {
            Some(errno) => Err(errno),
            None => self.dispatch(call),
        };
        let resident = self.resident();
        self.max_resident = self.max_resident.max(resident.single);
        self.max_huge = self.max_huge.max(resident.in_huge_pages);
        result.into()
    }
}

impl SimulatedKernel {
    fn dispatch(&mut self, call: &mut Call) -> Result<usize, Errno> {
        let [a, b, c, d, e] = call.args;
        let fd = a as Fd;
        let path = call.input.split(|&byte| byte == 0).next().unwrap_or_default();
        let path = str_or_replacement(path);
        match call.op {
            Op::Mmap => self.mmap(&Mmap { addr: a, len: b, prot: c as u32, flags: d, fd: e as Fd }),
            Op::Munmap => self.munmap(a, b),
            Op::Mincore => self.mincore(a, b, call.output),
            Op::Madvise => self.madvise(a, b, Advice::from_arg(c)?),
            Op::MsyncInvalidate => self.msync_invalidate(a, b),
            Op::MemfdCreate if self.rules.no_memfd => Err(Errno::ENOSYS),
            Op::MemfdCreate => Ok(self.files.memfd_create() as usize),
            Op::Pipe => {
                let Pipe { read_end, write_end } = self.files.pipe();
                Ok(read_end as usize | (write_end as usize) << 16)
            }
            Op::Close => self.files.open.remove(&fd).map(|_| 0).ok_or(Errno::EBADF),
            Op::Read => {
                let bytes = self.peek(fd, call.output.len())?;
                self.files.consume(fd, bytes.len());
                Ok(fill(call.output, &bytes))
            }
            Op::Pread => {
                let bytes = self.files.pread(fd, b, call.output.len())?;
                Ok(fill(call.output, &bytes))
            }
            Op::Write => self.files.write(fd, call.input, &mut self.output),
            Op::Store => self.store(fd, b, c),
            Op::Load => self.load(fd, b, c),
            Op::Open => self.openat(path, OpenMode::from_arg(a)?),
            Op::Unlink => self.files.unlink(path).map(|()| 0),
            Op::Memory => Ok(self.rules.memory),
            Op::PageSize => Ok(self.rules.page_size),
            Op::Euid => Ok(if self.rules.root { 0 } else { 1000 }),
            Op::Pid => Ok(2),
            Op::Time | Op::IgnoreSignals | Op::Sleep | Op::FatalCalls => Ok(0),
            Op::Uname => {
                for (field, name) in call.output.chunks_mut(UTS_FIELD).zip(UNAME) {
                    fill(field, name.as_bytes());
                }
                Ok(0)
            }
            Op::FileDevice => self.files.find(path).map(|_| 1).ok_or(Errno::ENOENT),
            Op::FileInode => self.files.find(path).ok_or(Errno::ENOENT),
            Op::Mkdir | Op::Mknod => Err(Errno::EROFS),
            Op::Execve | Op::NoColor => Err(Errno::ENOENT),
            Op::Terminal => Err(Errno::ENOTTY),
            Op::Mount | Op::Umount | Op::MayReboot | Op::Fork | Op::Reboot => Err(Errno::EPERM),
            Op::Wait => Err(Errno::ECHILD),
            Op::Touch => Ok(self.touch_in_child(a)),
            Op::FileSystemType | Op::BlockSize => Err(Errno::ENOSYS),
            Op::Exit => panic!("the program exits with {a}, which is not simulated"),
            Op::Pause => panic!("the program waits forever"),
        }
    }

    /// `openat(2)` with the conditions that depend on mappings and settings.
    fn openat(&mut self, path: &str, mode: OpenMode) -> Result<usize, Errno> {
        if path == SMAPS && self.rules.proc == Proc::Missing {
            return Err(Errno::ENOENT);
        }
        if mode == OpenMode::ReadWrite
            && let Some(node) = self.files.find(path)
            && self.areas.denies_writing(node)
        {
            return Err(Errno::ETXTBSY);
        }
        if let Some(name) = path.strip_prefix(HUGE_PAGES) {
            let content = self.huge_pages_file(name).filter(|_| mode == OpenMode::Read);
            let content = content.ok_or(Errno::ENOENT)?;
            return Ok(self.files.open_snapshot(content.into_bytes()) as usize);
        }
        self.files.openat(path, mode).map(|fd| fd as usize)
    }

    /// The bytes that `read(2)` would return. No descriptor blocks.
    pub(crate) fn peek(&mut self, fd: Fd, count: usize) -> Result<Vec<u8>, Errno> {
        if self.needs_snapshot(fd) {
            let snapshot = Some(self.smaps().into_bytes());
            self.files.open.entry(fd).and_modify(|open| open.snapshot = snapshot);
        }
        self.files.peek(fd, count)?.ok_or(Errno::EAGAIN)
    }

    /// Whether the descriptor is `/proc/self/smaps` and was not read yet.
    fn needs_snapshot(&self, fd: Fd) -> bool {
        self.files.open.get(&fd).is_some_and(|open| {
            open.snapshot.is_none() && self.files.nodes[open.node].kind == Kind::Smaps
        })
    }
}

/// Copies bytes to the start of a buffer and returns their number.
fn fill(buffer: &mut [u8], bytes: &[u8]) -> usize {
    buffer[..bytes.len()].copy_from_slice(bytes);
    bytes.len()
}
