//! A system call as a value, its result, and the trait that a kernel implements.

use crate::errno::Errno;

/// The largest error number: `MAX_ERRNO`, `include/linux/err.h`.
pub const MAX_ERRNO: u16 = 4095;

/// What a system call returns: a value, or a negated error number (`IS_ERR_VALUE`,
/// `include/linux/err.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SysResult(usize);

impl SysResult {
    /// The result of a call that succeeded.
    pub const fn success(value: usize) -> SysResult {
        SysResult(value)
    }

    /// The result of a call that failed.
    pub const fn failure(errno: Errno) -> SysResult {
        SysResult((errno.0 as usize).wrapping_neg())
    }

    /// The content of the return register.
    pub const fn from_register(register: usize) -> SysResult {
        SysResult(register)
    }

    pub const fn is_ok(self) -> bool {
        self.0 < (MAX_ERRNO as usize).wrapping_neg()
    }

    pub const fn result(self) -> Result<usize, Errno> {
        if self.is_ok() { Ok(self.0) } else { Err(Errno(self.0.wrapping_neg() as u16)) }
    }
}

impl From<Result<usize, Errno>> for SysResult {
    fn from(result: Result<usize, Errno>) -> SysResult {
        match result {
            Ok(value) => SysResult::success(value),
            Err(errno) => SysResult::failure(errno),
        }
    }
}

/// A file descriptor.
pub type Fd = i32;

/// The two ends of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pipe {
    pub read_end: Fd,
    pub write_end: Fd,
}

/// Added to the number of a signal in the result of [`Op::Wait`].
pub const SIGNALED: usize = 0x100;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this code.
    Exited(u8),
    /// This signal ended it.
    BySignal(u8),
}

impl Ended {
    /// The end that a result of [`Op::Wait`] stands for.
    pub const fn from_result(value: usize) -> Ended {
        if value & SIGNALED == 0 {
            Ended::Exited(value as u8)
        } else {
            Ended::BySignal(value as u8)
        }
    }
}

/// The descriptor of an anonymous mapping, `mmap(2)`.
pub const NO_FD: Fd = -1;

/// `PROT_NONE`, `include/uapi/asm-generic/mman-common.h`; the same on every architecture.
pub const PROT_NONE: u32 = 0;
/// `PROT_READ`, same file.
pub const PROT_READ: u32 = 1;
/// `PROT_WRITE`, same file.
pub const PROT_WRITE: u32 = 2;

/// Bytes from outside as text; U+FFFD if they are not UTF-8.
pub fn str_or_replacement(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or("\u{fffd}")
}

/// The arguments of `mmap(2)`. The offset is always 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mmap {
    /// The hint, or with `MAP_FIXED` the address; 0 leaves the choice to the kernel.
    pub addr: usize,
    /// Length in bytes.
    pub len: usize,
    /// `PROT_*` bits.
    pub prot: u32,
    /// Map type and flags in the numbering of the architecture.
    pub flags: usize,
    /// The file to map, or [`NO_FD`].
    pub fd: Fd,
}

/// The advice of [`Op::Madvise`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Advice {
    /// `MADV_DONTNEED`: `EINVAL` on locked memory.
    DontNeed,
    /// `MADV_KEEPONFORK`, Linux 4.14: `EINVAL` on memory that is always wiped on fork.
    KeepOnFork,
    /// `MADV_COLLAPSE`, Linux 6.1: makes a huge page now; `EINVAL` where huge pages are ruled out.
    Collapse,
}

impl Advice {
    pub const ALL: [Advice; 3] = [Advice::DontNeed, Advice::KeepOnFork, Advice::Collapse];

    /// The advice that an argument of [`Op::Madvise`] stands for.
    pub fn from_arg(arg: usize) -> Result<Advice, Errno> {
        Advice::ALL.into_iter().find(|&advice| advice as usize == arg).ok_or(Errno::EINVAL)
    }
}

/// How [`Op::Open`] opens a file: always with `O_CLOEXEC | O_NOCTTY`, and with `O_NONBLOCK` except
/// for [`OpenMode::Device`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OpenMode {
    /// `O_RDONLY`.
    Read,
    /// `O_RDWR`.
    ReadWrite,
    /// `O_RDWR | O_TMPFILE`, mode 0600: the path is a directory, and the new file in it has no
    /// name.
    TmpFile,
    /// `O_RDWR | O_CREAT | O_EXCL`, mode 0600: a new file.
    CreateNew,
    /// `O_WRONLY | O_CREAT | O_TRUNC`, mode 0644.
    Create,
    /// `O_RDWR` without `O_NONBLOCK`: writes wait until the device is ready.
    Device,
}

impl OpenMode {
    pub const ALL: [OpenMode; 6] = [
        OpenMode::Read,
        OpenMode::ReadWrite,
        OpenMode::TmpFile,
        OpenMode::CreateNew,
        OpenMode::Create,
        OpenMode::Device,
    ];

    /// The mode that an argument of [`Op::Open`] stands for.
    pub fn from_arg(arg: usize) -> Result<OpenMode, Errno> {
        OpenMode::ALL.into_iter().find(|&mode| mode as usize == arg).ok_or(Errno::EINVAL)
    }
}

/// Bytes of a field of `struct new_utsname`, `include/uapi/linux/utsname.h`: `__NEW_UTS_LEN + 1`.
pub const UTS_FIELD: usize = 65;

/// The operating system's description of itself, `uname(2)`.
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

macro_rules! ops {
    ($($(#[$doc:meta])* $op:ident $name:literal,)*) => {
        /// The operations of a kernel. Each is one system call, named after its manual page, unless
        /// its documentation says otherwise. The documentation lists the integers of
        /// [`Call::args`], and after `->` the result.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Op { $($(#[$doc])* $op,)* }

        impl Op {
            pub const ALL: &[Op] = &[$(Op::$op),*];

            /// The name of the operation in a recording.
            pub const fn name(self) -> &'static str {
                match self { $(Op::$op => $name),* }
            }
        }
    };
}

ops! {
    /// `mmap(2)` with offset 0: address, length, `PROT_*`, flags, descriptor -> address.
    Mmap "mmap",
    /// `munmap(2)`: address, length.
    Munmap "munmap",
    /// `mincore(2)`: address, length; fills one byte per page, bit 0 set when resident.
    Mincore "mincore",
    /// `madvise(2)`: address, length, [`Advice`].
    Madvise "madvise",
    /// `msync(2)` with `MS_INVALIDATE`: address, length. `EBUSY` on locked memory; no effect on a
    /// page that is not dirty.
    MsyncInvalidate "msync",
    /// `memfd_create(2)` with `MFD_CLOEXEC`; reads the name -> descriptor.
    MemfdCreate "memfd_create",
    /// `pipe2(2)` with `O_CLOEXEC | O_NONBLOCK` -> the read end in bits 0 to 15, and the write end
    /// in the bits above.
    Pipe "pipe",
    /// `close(2)`: descriptor.
    Close "close",
    /// `read(2)` into the program's own memory: descriptor -> bytes.
    Read "read",
    /// `pread64(2)` into the program's own memory: descriptor, offset -> bytes.
    Pread "pread",
    /// `write(2)` from the program's own memory: descriptor -> bytes.
    Write "write",
    /// `read(2)` into a probed mapping: descriptor, address, length -> bytes. `EFAULT` when the
    /// mapping cannot be written.
    Store "store",
    /// `write(2)` from a probed mapping: descriptor, address, length -> bytes. `EFAULT` when the
    /// mapping cannot be read.
    Load "load",
    /// `openat(2)`: [`OpenMode`]; reads the path -> descriptor.
    Open "open",
    /// `unlinkat(2)`: reads the path.
    Unlink "unlink",
    /// `sysinfo(2)` -> bytes of memory and swap together, at most 15/16 of the address space.
    Memory "memory",
    /// `AT_PAGESZ` of the auxiliary vector, `getauxval(3)` -> bytes.
    PageSize "page_size",
    /// `AT_EUID` of the auxiliary vector; `ENOENT` where the kernel did not pass one.
    Euid "euid",
    /// `getpid(2)`.
    Pid "getpid",
    /// `clock_gettime(2)` or `time(2)` -> seconds since 1970.
    Time "time",
    /// `uname(2)`; fills `struct new_utsname`: six fields of 65 bytes.
    Uname "uname",
    /// `rt_sigaction(2)` with `SIG_IGN` of `SIGPIPE`, so that a write to a closed pipe fails with
    /// `EPIPE`, and of `SIGXFSZ`, so that a write beyond `RLIMIT_FSIZE` fails with `EFBIG`.
    IgnoreSignals "ignore_signals",
    /// `exit_group(2)`: exit code. Does not return.
    Exit "exit",
    /// `mkdirat(2)`, mode 0755; reads the path.
    Mkdir "mkdir",
    /// `mknodat(2)`: `makedev(3)` of a character device, mode 0600; reads the path.
    Mknod "mknod",
    /// `mount(2)` with `MS_NOSUID | MS_NOEXEC`: offset of the target in the input; reads the file
    /// system type, which is also the source, and the target.
    Mount "mount",
    /// `umount2(2)`; reads the path.
    Umount "umount",
    /// `stat(2)`; reads the path -> device number.
    FileDevice "file_device",
    /// `stat(2)`; reads the path -> inode number.
    FileInode "file_inode",
    /// `execve(2)` with the environment of this program; reads the path and every argument. Returns
    /// only when it failed.
    Execve "execve",
    /// `reboot(2)` with `LINUX_REBOOT_CMD_CAD_ON`, the state in which every kernel boots. Succeeds
    /// only for a process that may reboot the machine; `EINVAL` or `EPERM` in the PID namespace of
    /// a container.
    MayReboot "may_reboot",
    /// `fork(2)` -> the process ID of the child; in the child -> 0. The child sends no signal when
    /// it ends.
    Fork "fork",
    /// `wait4(2)` with `__WALL`: process ID; waits until the process ends -> its exit code, or
    /// [`SIGNALED`] plus the number of the signal that ended it.
    Wait "wait",
    /// `fork(2)`; the child stores a zero byte at an address with an instruction of its own, and
    /// ends; `wait4(2)`: address -> as [`Op::Wait`]. Only shared memory of the caller changes.
    Touch "touch",
    /// `fstatfs(2)`: descriptor -> the type of the file system, `linux/magic.h`.
    FileSystemType "file_system_type",
    /// `fstatfs(2)`: descriptor -> bytes of a block; on hugetlbfs, of a huge page.
    BlockSize "block_size",
    /// `prctl(2)` with `PR_GET_SECCOMP` -> 0 without a system call filter; `EINVAL` on a kernel
    /// that has none.
    FilterMode "filter_mode",
    /// No system call: the names of the system calls that ended earlier attempts of this run,
    /// separated by commas -> their number; fills in the names.
    FatalCalls "fatal_calls",
    /// `reboot(2)` with `LINUX_REBOOT_CMD_POWER_OFF`, which halts a machine without power control.
    /// Returns only when it failed.
    Reboot "reboot",
    /// `ioctl(2)` with `TIOCGWINSZ`: descriptor. Succeeds on a terminal only.
    Terminal "terminal",
    /// `getenv(3)` of `NO_COLOR` -> length of its value in bytes; `ENOENT` when it is not set.
    NoColor "no_color",
    /// `pause(2)`, or `ppoll(2)` without descriptors where that call is missing.
    Pause "pause",
    /// `nanosleep(2)` for one second.
    Sleep "sleep",
}

/// The number of integer arguments of a call.
pub const ARGS: usize = 5;

/// A system call.
#[derive(Debug)]
pub struct Call<'a> {
    pub op: Op,
    /// The integer arguments; unused ones are 0.
    pub args: [usize; ARGS],
    /// Bytes that the kernel reads. Each path, name or argument ends with a NUL.
    pub input: &'a [u8],
    /// Bytes that the kernel fills.
    pub output: &'a mut [u8],
}

/// A kernel: the running one, a recorder in front of one, a recording, or a simulated one.
pub trait Kernel {
    /// Executes a call: fills its output and returns its result.
    fn call(&mut self, call: &mut Call) -> SysResult;
}
