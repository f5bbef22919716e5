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
            Op::MemfdCreate | Op::Open if !self.has_room_for(1) => Err(Errno::EMFILE),
            Op::Pipe if !self.has_room_for(2) => Err(Errno::EMFILE),
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
            Op::Write if self.exceeds_file_size_limit(fd, call.input.len()) => Err(Errno::EFBIG),
            Op::Write => self.files.write(fd, call.input, &mut self.output),
            Op::Store => self.store(fd, b, c),
            Op::Load => self.load(fd, b, c),
            Op::Open => self.openat(path, OpenMode::from_arg(a)?),
            Op::Unlink => self.files.unlink(path).map(|()| 0),
            Op::Memory => Ok(self.rules.memory),
            Op::PageSize => Ok(self.rules.page_size),
            Op::Euid => Ok(if self.rules.root { 0 } else { 1000 }),
            Op::Pid => Ok(2),
            Op::Time | Op::IgnoreSignals | Op::Sleep => Ok(0),
            Op::FilterMode | Op::FatalCalls => Ok(0),
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
            Op::FileSystemType => self.file_system(fd).map(|(kind, _)| kind),
            Op::BlockSize => self.file_system(fd).map(|(_, block_size)| block_size),
            Op::Exit => panic!("the program exits with {a}, which is not simulated"),
            Op::Pause => panic!("the program waits forever"),
        }
    }

    /// Whether `RLIMIT_NOFILE` allows so many more descriptors; 0 to 2 are in use.
    fn has_room_for(&self, count: usize) -> bool {
        self.files.open.len() + 3 + count <= self.rules.descriptor_limit
    }

    /// `generic_write_checks`, `fs/read_write.c`: only the size of regular files is limited.
    fn exceeds_file_size_limit(&self, fd: Fd, len: usize) -> bool {
        let Some(open) = self.files.open.get(&fd) else { return false };
        let is_regular = matches!(
            self.files.nodes[open.node].kind,
            Kind::Memory | Kind::Disk | Kind::Ext4 | Kind::Dax | Kind::UncachedPlan9
        );
        is_regular && len > self.rules.file_size_limit
    }

    /// `fstatfs(2)`: type and block size of the file system. The types are in
    /// `include/uapi/linux/magic.h`.
    fn file_system(&self, fd: Fd) -> Result<(usize, usize), Errno> {
        const TMPFS: usize = 0x0102_1994;
        const HUGETLBFS: usize = 0x9584_58f6;
        let open = self.files.open.get(&fd).ok_or(Errno::EBADF)?;
        match self.files.nodes[open.node].kind {
            Kind::Huge => {
                let log2 = self.rules.huge_sizes.first().ok_or(Errno::ENODEV)?;
                Ok((HUGETLBFS, 1 << log2))
            }
            _ => Ok((TMPFS, self.rules.page_size)),
        }
    }

    /// `openat(2)` with the conditions that depend on mappings and settings.
    fn openat(&mut self, path: &str, mode: OpenMode) -> Result<usize, Errno> {
        let is_below = |missing: &&str| path.strip_prefix(*missing).is_some_and(is_path_end);
        let no_proc = path.starts_with("/proc/") && self.rules.proc == Proc::Missing;
        if no_proc || self.rules.missing.iter().any(is_below) {
            return Err(Errno::ENOENT);
        }
        if let Proc::NoSmaps(errno) = self.rules.proc
            && path == SMAPS
        {
            return Err(errno);
        }
        if mode == OpenMode::ReadWrite
            && let Some(node) = self.files.find(path)
            && self.areas.denies_writing(node)
        {
            return Err(Errno::ETXTBSY);
        }
        // do_last, fs/namei.c: a directory cannot be opened for writing.
        if mode == OpenMode::TmpFile && !self.rules.tmp_file {
            return self.files.openat(path, OpenMode::ReadWrite).map(|fd| fd as usize);
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
            let path = self.files.nodes[self.files.open[&fd].node].path.as_deref();
            let snapshot = Some(self.proc_file(path.unwrap_or_default()).into_bytes());
            self.files.open.entry(fd).and_modify(|open| open.snapshot = snapshot);
        }
        self.files.peek(fd, count)?.ok_or(Errno::EAGAIN)
    }

    /// Whether the descriptor is a file of `/proc` and was not read yet.
    fn needs_snapshot(&self, fd: Fd) -> bool {
        self.files.open.get(&fd).is_some_and(|open| {
            open.snapshot.is_none() && self.files.nodes[open.node].kind == Kind::Proc
        })
    }
}

/// Whether the rest of a path names the same file, or something below it.
fn is_path_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

/// Copies bytes to the start of a buffer and returns their number.
fn fill(buffer: &mut [u8], bytes: &[u8]) -> usize {
    buffer[..bytes.len()].copy_from_slice(bytes);
    bytes.len()
}
