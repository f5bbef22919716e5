//! The boundary to the kernel: integers and byte strings, nothing else.
//!
//! Addresses of probed mappings are plain numbers and are never dereferenced: memory is touched by letting the kernel
//! copy ([`Kernel::store`], [`Kernel::load`]), which answers `EFAULT` where a program would get a signal. Everything
//! whose number differs between architectures (errors, `O_*`, `MADV_*`, `MS_*`, structure layouts) stays behind it.

use crate::errno::Errno;

#[cfg(not(target_family = "wasm"))]
pub mod linux;
pub mod model;
#[cfg(target_family = "wasm")]
pub mod wasm;

/// What a system call left in its return register: a value, or an error as its number below zero. It stays one number until
/// somebody asks ([`Answer::result`]), because it crosses more function calls than anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer(i64);

impl Answer {
    /// The answer of a call that failed.
    pub const fn failed(errno: Errno) -> Answer {
        Answer(-(errno.0 as i64))
    }

    /// The answer of a call that succeeded. (No address of a program has the highest bit set.)
    pub const fn value(value: u64) -> Answer {
        Answer(value as i64)
    }

    /// The value, or why there is none.
    pub const fn result(self) -> Result<u64, Errno> {
        if self.0 < 0 { Err(Errno(self.0.unsigned_abs() as u16)) } else { Ok(self.0 as u64) }
    }

    /// Whether the call succeeded.
    pub const fn is_ok(self) -> bool {
        self.0 >= 0
    }
}

/// A file descriptor.
pub type Fd = i32;

/// The descriptor of an anonymous mapping, `mmap(2)`.
pub const NO_FD: Fd = -1;

/// `PROT_NONE`, `include/uapi/asm-generic/mman-common.h`; the same on every architecture of the table.
pub const PROT_NONE: u32 = 0;
/// `PROT_READ`, same file.
pub const PROT_READ: u32 = 1;
/// `PROT_WRITE`, same file.
pub const PROT_WRITE: u32 = 2;

/// Bytes from outside as text; what is not UTF-8 becomes one U+FFFD.
pub fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or("\u{fffd}")
}

/// The arguments of `mmap(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mmap {
    /// The hint, or with `MAP_FIXED` the address; 0 leaves the choice to the kernel.
    pub addr: u64,
    /// Bytes.
    pub len: u64,
    /// `PROT_*` bits.
    pub prot: u32,
    /// Map type and flags, all bits as they are.
    pub flags: u64,
    /// What is mapped, or [`NO_FD`].
    pub fd: Fd,
}

/// `madvise(2)` as far as the experiments use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// `MADV_DONTNEED`: refused with `EINVAL` on locked memory.
    DontNeed,
}

/// Operating system identification, `uname(2)`. Printed, never used to decide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uname {
    /// Name of the operating system.
    pub sysname: String,
    /// Release, such as `6.1.0-50-amd64`.
    pub release: String,
    /// Build identification.
    pub version: String,
    /// Hardware name.
    pub machine: String,
}

/// How the machine is to end, `reboot(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `LINUX_REBOOT_CMD_POWER_OFF`.
    PowerOff,
    /// `LINUX_REBOOT_CMD_HALT`, for machines that cannot switch themselves off.
    Halt,
}

/// The system calls of the program. Every method is one call of the kernel, named after its manual page, unless it says
/// otherwise; none of them keeps state.
pub trait Kernel {
    /// `mmap(2)` with offset 0, the raw system call: its errors are not rewritten.
    fn mmap(&mut self, call: &Mmap) -> Answer;
    /// `munmap(2)`.
    fn munmap(&mut self, addr: u64, len: u64) -> Answer;
    /// `mincore(2)`: one byte per page into `pages`, bit 0 set when resident.
    fn mincore(&mut self, addr: u64, len: u64, pages: &mut [u8]) -> Answer;
    /// `madvise(2)`.
    fn madvise(&mut self, addr: u64, len: u64, advice: Advice) -> Answer;
    /// `msync(2)` with `MS_INVALIDATE`: `EBUSY` on locked memory, otherwise without effect on a page nobody changed.
    fn msync_invalidate(&mut self, addr: u64, len: u64) -> Answer;
    /// `memfd_create(2)` with `MFD_CLOEXEC`.
    fn memfd_create(&mut self, name: &str) -> Answer;
    /// `pipe2(2)` with `O_CLOEXEC`: the reading end, then the writing end.
    fn pipe(&mut self) -> Result<(Fd, Fd), Errno>;
    /// `close(2)`.
    fn close(&mut self, fd: Fd) -> Answer;
    /// `read(2)` into the program's own memory.
    fn read(&mut self, fd: Fd, into: &mut [u8]) -> Answer;
    /// `pread64(2)`.
    fn pread(&mut self, fd: Fd, into: &mut [u8], offset: u64) -> Answer;
    /// `write(2)` from the program's own memory.
    fn write(&mut self, fd: Fd, bytes: &[u8]) -> Answer;
    /// `read(2)` into a probed mapping: `EFAULT` when it cannot be written.
    fn store(&mut self, fd: Fd, addr: u64, len: u64) -> Answer;
    /// `write(2)` from a probed mapping: `EFAULT` when it cannot be read.
    fn load(&mut self, fd: Fd, addr: u64, len: u64) -> Answer;
    /// `AT_PAGESZ` of the auxiliary vector, `getauxval(3)`: bytes.
    fn page_size(&mut self) -> u64;
    /// `AT_EUID` of the auxiliary vector; `None` where the kernel did not pass one.
    fn euid(&mut self) -> Option<u64>;
    /// `getpid(2)`.
    fn pid(&mut self) -> u64;
    /// `clock_gettime(2)`: seconds since 1970.
    fn time(&mut self) -> u64;
    /// `uname(2)`.
    fn uname(&mut self) -> Result<Uname, Errno>;
    /// `rt_sigaction(2)`: a closed pipe becomes `EPIPE` instead of a signal.
    fn ignore_sigpipe(&mut self) -> Answer;
    /// `exit_group(2)`.
    fn exit(&mut self, code: i32) -> !;

    /// `openat(2)` for reading and writing, without waiting and without becoming the controlling terminal.
    fn open_console(&mut self, path: &str) -> Answer;
    /// `mkdirat(2)`, mode 0755.
    fn mkdir(&mut self, path: &str) -> Answer;
    /// `mount(2)` with `MS_NOSUID | MS_NOEXEC`.
    fn mount(&mut self, kind: &str, target: &str) -> Answer;
    /// `umount2(2)`.
    fn umount(&mut self, target: &str) -> Answer;
    /// `stat(2)`: device and inode number, which together say whether two names are one file.
    fn file_id(&mut self, path: &str) -> Result<(u64, u64), Errno>;
    /// `execve(2)` with the environment this program was given; returns only when it failed.
    fn execve(&mut self, path: &str, args: &[&str]) -> Errno;
    /// `reboot(2)` with `LINUX_REBOOT_CMD_CAD_ON`, the state every kernel boots in: changes nothing and succeeds only for
    /// whoever may end the machine; in a container's PID namespace it is `EINVAL` or `EPERM`.
    fn may_reboot(&mut self) -> Answer;
    /// `reboot(2)`; returns only when it failed.
    fn reboot(&mut self, how: Ending) -> Answer;
    /// `pause(2)`, or what sleeps without using the processor where that call is missing.
    fn pause(&mut self);
}
