//! The boundary to the kernel: integers and byte strings, nothing else.
//!
//! A kernel is one function, [`Kernel::call`]: so a live one, one made of rules, a recorder and a recording are all the same
//! kind of thing. The program uses the methods of `dyn Kernel` below, one per system call.
//!
//! Addresses of probed mappings are plain numbers and are never dereferenced: memory is touched by letting the kernel
//! copy ([`Op::Store`], [`Op::Load`]), which answers `EFAULT` where a program would get a signal. Everything
//! whose number differs between architectures (errors, `O_*`, `MADV_*`, `MS_*`, structure layouts) stays behind it.

use crate::errno::Errno;

mod calls;
#[cfg(not(target_family = "wasm"))]
pub mod linux;
#[cfg(not(target_family = "wasm"))]
pub mod model;
pub mod replay;
#[cfg(target_family = "wasm")]
pub mod wasm;

/// An integer of a system call, of a length or an address: what a register of the program's own machine holds. A number of a larger
/// machine, in a recording, need not fit.
#[cfg(target_pointer_width = "64")]
pub type Word = u64;
/// An integer of a system call: as wide as a register, since twice as wide costs kilobytes.
#[cfg(target_pointer_width = "32")]
pub type Word = u32;

/// What a system call left in its return register: a value, or an error as its number below zero. It stays one number until
/// somebody asks ([`Answer::result`]), because it crosses more function calls than anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer(Word);

/// The largest number of an error: `MAX_ERRNO`, `include/linux/err.h`. No address is that close below zero.
pub const MAX_ERRNO: u16 = 4095;

impl Answer {
    /// The answer of a call that failed.
    pub const fn failed(errno: Errno) -> Answer {
        Answer((errno.0 as Word).wrapping_neg())
    }

    /// The answer of a call that succeeded.
    pub const fn value(value: Word) -> Answer {
        Answer(value)
    }

    /// The value, or why there is none.
    pub const fn result(self) -> Result<Word, Errno> {
        if self.is_ok() { Ok(self.0) } else { Err(Errno(self.0.wrapping_neg() as u16)) }
    }

    /// Whether the call succeeded.
    pub const fn is_ok(self) -> bool {
        self.0 < (MAX_ERRNO as Word).wrapping_neg()
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
    // Decoded as if it were, it is UTF-8 when its characters are these bytes again. The validation of `core` is nearly twice as large.
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&first) = rest.next() {
        let (mut code, ones) = (u32::from(first), first.leading_ones());
        if ones > 1 {
            code &= 0x7f >> ones;
        }
        for _ in 1..ones {
            code = code << 6 | u32::from(rest.next().unwrap_or(&0) & 0x3f);
        }
        text.push(char::from_u32(code).unwrap_or_default());
    }
    if text.as_bytes() == bytes { text.leak() } else { "\u{fffd}" }
}

/// The arguments of `mmap(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mmap {
    /// The hint, or with `MAP_FIXED` the address; 0 leaves the choice to the kernel.
    pub addr: Word,
    /// Bytes.
    pub len: Word,
    /// `PROT_*` bits.
    pub prot: u32,
    /// Map type and flags, all bits as they are.
    pub flags: Word,
    /// What is mapped, or [`NO_FD`].
    pub fd: Fd,
}

/// What [`Op::Madvise`] advises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Advice {
    /// `MADV_DONTNEED`: refused with `EINVAL` on locked memory.
    DontNeed,
    /// `MADV_KEEPONFORK`, 4.14: refused with `EINVAL` on memory that is always wiped.
    KeepOnFork,
    /// `MADV_COLLAPSE`, 6.1: makes a huge page at once; refused with `EINVAL` where huge pages are ruled out.
    Collapse,
}

/// How [`Op::Open`] opens; always close-on-exec and without becoming the controlling terminal, all but a device without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum How {
    /// `O_RDONLY`.
    Read,
    /// `O_RDWR`.
    ReadWrite,
    /// `O_RDWR | O_TMPFILE`, mode 0600: a file without a name in the directory that is opened.
    Nameless,
    /// `O_RDWR | O_CREAT | O_EXCL`, mode 0600: a new file, for file systems without the one before.
    New,
    /// `O_WRONLY | O_CREAT | O_TRUNC`, mode 0644.
    Create,
    /// `O_RDWR`, and whoever writes waits until the device takes it.
    Device,
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

macro_rules! ops {
    ($($(#[$doc:meta])* $op:ident $name:literal,)*) => {
        /// What can be asked of a kernel. Each is one system call, named after its manual page, unless it says otherwise; none
        /// keeps state. Behind the name: integers -> answer, in the order of [`Call::args`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Op { $($(#[$doc])* $op,)* }

        impl Op {
            /// Every one, in the order of its number.
            pub const ALL: &[Op] = &[$(Op::$op),*];
            /// The words of a recording, in the same order.
            pub const NAMES: &[&str] = &[$($name),*];
        }
    };
}

ops! {
    /// `mmap(2)` with offset 0: address, length, `PROT_*`, flags, descriptor -> address. Its errors are not rewritten.
    Mmap "mmap",
    /// `munmap(2)`: address, length.
    Munmap "munmap",
    /// `mincore(2)`: address, length; fills one byte per page, bit 0 set when resident.
    Mincore "mincore",
    /// `madvise(2)`: address, length, [`Advice`].
    Madvise "madvise",
    /// `msync(2)` with `MS_INVALIDATE`: address, length. `EBUSY` on locked memory, otherwise without effect on a page nobody changed.
    MsyncInvalidate "msync",
    /// `memfd_create(2)` with `MFD_CLOEXEC`; reads the name -> descriptor.
    MemfdCreate "memfd_create",
    /// `pipe2(2)` with `O_CLOEXEC | O_NONBLOCK` -> the reading end, and 16 bits above it the writing end.
    Pipe "pipe",
    /// `close(2)`: descriptor.
    Close "close",
    /// `read(2)` into the program's own memory: descriptor -> bytes.
    Read "read",
    /// `pread64(2)` into the program's own memory: descriptor, offset -> bytes.
    Pread "pread",
    /// `write(2)` from the program's own memory: descriptor -> bytes.
    Write "write",
    /// `read(2)` into a probed mapping: descriptor, address, length -> bytes. `EFAULT` when it cannot be written.
    Store "store",
    /// `write(2)` from a probed mapping: descriptor, address, length -> bytes. `EFAULT` when it cannot be read.
    Load "load",
    /// `openat(2)`: [`How`]; reads the path -> descriptor.
    Open "open",
    /// `unlinkat(2)`: reads the path.
    Unlink "unlink",
    /// `sysinfo(2)` -> bytes of memory and swap together; 15/16 of the address space where there are more.
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
    /// `rt_sigaction(2)`: a closed pipe becomes `EPIPE` instead of a signal.
    IgnoreSigpipe "ignore_sigpipe",
    /// `exit_group(2)`: code. Does not return.
    Exit "exit",
    /// `mkdirat(2)`, mode 0755; reads the path.
    Mkdir "mkdir",
    /// `mknodat(2)`: `makedev(3)` of a character device, mode 0600; reads the path.
    Mknod "mknod",
    /// `mount(2)` with `MS_NOSUID | MS_NOEXEC`; reads the file system, which is also the source, and the target, which begins
    /// at the offset given.
    Mount "mount",
    /// `umount2(2)`; reads the path.
    Umount "umount",
    /// `stat(2)`; reads the path -> device number.
    FileDevice "file_device",
    /// `stat(2)`; reads the path -> inode number.
    FileInode "file_inode",
    /// `execve(2)` with the environment this program was given; reads the path, and then every argument. Returns only when it failed.
    Execve "execve",
    /// `reboot(2)` with `LINUX_REBOOT_CMD_CAD_ON`, the state every kernel boots in: changes nothing and succeeds only for
    /// whoever may end the machine; in a container's PID namespace it is `EINVAL` or `EPERM`.
    MayReboot "may_reboot",
    /// `fork(2)`; in the child -> 0.
    Fork "fork",
    /// `reboot(2)` with `LINUX_REBOOT_CMD_POWER_OFF`, which halts a machine that cannot switch itself off. Returns only when it failed.
    Reboot "reboot",
    /// `ioctl(2)` with `TIOCGWINSZ`: descriptor. Succeeds on a terminal only.
    Terminal "terminal",
    /// `getenv(3)` of `NO_COLOR` -> how many bytes its value has; `ENOENT` where there is none.
    NoColor "no_color",
    /// `pause(2)`, or what sleeps without using the processor where that call is missing.
    Pause "pause",
    /// `nanosleep(2)`: a second.
    Sleep "sleep",
}

/// Integers of a call at most.
pub const ARGS: usize = 5;

/// A call of the kernel.
#[derive(Debug)]
pub struct Call<'a> {
    /// Which.
    pub op: Op,
    /// Its integers; what it does not take is 0.
    pub args: [Word; ARGS],
    /// Bytes the kernel reads. A path or name ends with a zero, and where there are several each one does.
    pub input: &'a [u8],
    /// Bytes the kernel fills.
    pub output: &'a mut [u8],
}

/// See the head of this file.
pub trait Kernel {
    /// Makes the call.
    fn call(&mut self, call: &mut Call) -> Answer;
}

/// Bytes of a field of `struct new_utsname`, `include/uapi/linux/utsname.h`: `__NEW_UTS_LEN + 1`.
pub const UTS_FIELD: usize = 65;
