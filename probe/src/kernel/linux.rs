//! The live kernel, for programs that can make system calls themselves.
//!
//! Raw system calls throughout: the C library's `mmap` wrapper rewrites errors, and a prober must see what the kernel said.
//! The C library is not used at all, so it need not be started (`start.rs`). A call is a row of [`row`]: its number, and where
//! each of its registers comes from; what differs from that is in [`Linux::arguments`]. Unsafe lives here because a system call is an
//! unsafe act: each either only reads or writes buffers that are lent for the call, or changes mappings that Rust knows nothing
//! about (the experiments place `MAP_FIXED` only on ground they reserved themselves).
#![allow(
    unsafe_code,
    reason = "system calls are unsafe; this file and start.rs are where they are confined"
)]

use super::{Answer, Call, Errno, How, Kernel, Op, UTS_FIELD};
use core::arch::asm;
use core::mem::{offset_of, size_of};
use libc::{c_int, c_long};

/// The running Linux kernel, and what it laid down for this program on the initial stack.
pub struct Linux {
    /// Past the arguments: pointers to the environment's strings, a zero, and then the auxiliary vector, `getauxval(3)`.
    environment: *const usize,
}

/// What a program finds that was given nothing: no environment, no auxiliary vector.
static NOTHING: [usize; 2] = [0, libc::AT_NULL as usize];

impl Default for Linux {
    /// The kernel of a program that knows nothing of its start.
    fn default() -> Linux {
        Linux { environment: NOTHING.as_ptr() }
    }
}

/// Where the words behind the next zero begin.
///
/// # Safety
/// There is a zero.
unsafe fn past_zero(mut words: *const usize) -> *const usize {
    // SAFETY: as promised, and nothing behind the zero is read.
    unsafe {
        while *words != 0 {
            words = words.add(1);
        }
        words.add(1)
    }
}

/// What a call needs beside its arguments: words for what the kernel reads or writes as a structure.
type Scratch = [u64; 18];

/// Structures that the kernel fills, of which `mem_unit` is the last field; a C library's may be longer. `rt_sigaction(2)` reads
/// handler, flags, restorer and mask: four words.
const _: () = assert!(
    size_of::<libc::stat>() <= size_of::<Scratch>()
        && offset_of!(libc::sysinfo, mem_unit) < size_of::<Scratch>()
        && size_of::<libc::timespec>() <= size_of::<Scratch>()
        && 4 * size_of::<usize>() <= size_of::<Scratch>()
);

/// Where a register of a system call comes from. First the places of [`Linux::arguments`] in their order, then constants.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Place {
    /// [`Call::args`].
    A,
    B,
    C,
    D,
    E,
    /// [`Call::input`], as it is.
    Input,
    InputLen,
    /// [`Call::input`] when a zero ends it; otherwise the null pointer, which the kernel answers with `EFAULT`.
    Text,
    Output,
    OutputLen,
    Scratch,
    Zero,
    Cwd,
    PipeFlags,
    MemfdCloexec,
    Invalidate,
    Sigpipe,
    /// Bytes of a signal mask, `_NSIG / 8` in `include/uapi/asm-generic/signal.h`.
    Mask,
    Directory,
    Node,
    Magic1,
    Magic2,
    CadOn,
    PowerOff,
    Careful,
    WindowSize,
}

/// How many places are not constants.
const PLACES: usize = Place::Zero as usize + 1;

/// The others, in their order.
static CONSTANTS: [c_int; 14] = [
    libc::AT_FDCWD,
    libc::O_CLOEXEC | libc::O_NONBLOCK,
    libc::MFD_CLOEXEC as c_int,
    libc::MS_INVALIDATE,
    libc::SIGPIPE,
    8,
    0o755,
    (libc::S_IFCHR | 0o600) as c_int,
    libc::LINUX_REBOOT_MAGIC1,
    libc::LINUX_REBOOT_MAGIC2,
    libc::LINUX_REBOOT_CMD_CAD_ON,
    libc::LINUX_REBOOT_CMD_POWER_OFF,
    (libc::MS_NOSUID | libc::MS_NOEXEC) as c_int,
    libc::TIOCGWINSZ as c_int,
];

const _: () = assert!(PLACES + CONSTANTS.len() == Place::WindowSize as usize + 1);

/// A system call.
#[derive(Clone, Copy)]
struct Row {
    number: u16,
    /// The word of the scratch space that is the answer, or none: then the return value is.
    answer: u8,
    from: [Place; 6],
}

/// No word: the return value is the answer.
const RETURNED: usize = 255;

/// Every operation, in the order of its number.
static ROWS: [Row; Op::ALL.len()] = {
    let mut rows = [row(Op::Mmap); Op::ALL.len()];
    let mut at = 0;
    while at < rows.len() {
        rows[at] = row(Op::ALL[at]);
        at += 1;
    }
    rows
};

const fn row(op: Op) -> Row {
    use Place::*;
    /// The word of the scratch space at a place in bytes.
    const fn word(offset: usize) -> usize {
        offset / size_of::<u64>()
    }
    let found = word(if matches!(op, Op::FileInode) {
        offset_of!(libc::stat, st_ino)
    } else {
        offset_of!(libc::stat, st_dev)
    });
    let now = word(offset_of!(libc::timespec, tv_sec));
    let (number, answer, from): (c_long, usize, &[Place]) = match op {
        Op::Mmap => (libc::SYS_mmap, RETURNED, &[A, B, C, D, E]),
        Op::Munmap => (libc::SYS_munmap, RETURNED, &[A, B]),
        Op::Mincore => (libc::SYS_mincore, RETURNED, &[A, B, Output]),
        Op::Madvise => (libc::SYS_madvise, RETURNED, &[A, B, C]),
        Op::MsyncInvalidate => (libc::SYS_msync, RETURNED, &[A, B, Invalidate]),
        Op::MemfdCreate => (libc::SYS_memfd_create, RETURNED, &[Text, MemfdCloexec]),
        // Two descriptors of 32 bits, the reading end first: in the lower half of a word on little-endian machines.
        Op::Pipe => (libc::SYS_pipe2, RETURNED, &[Scratch, PipeFlags]),
        Op::Close => (libc::SYS_close, RETURNED, &[A]),
        Op::Read => (libc::SYS_read, RETURNED, &[A, Output, OutputLen]),
        Op::Pread => (libc::SYS_pread64, RETURNED, &[A, Output, OutputLen, B]),
        Op::Write => (libc::SYS_write, RETURNED, &[A, Input, InputLen]),
        Op::Store => (libc::SYS_read, RETURNED, &[A, B, C]),
        Op::Load => (libc::SYS_write, RETURNED, &[A, B, C]),
        Op::Open => (libc::SYS_openat, RETURNED, &[Cwd, Text, A, B]),
        Op::Unlink => (libc::SYS_unlinkat, RETURNED, &[Cwd, Text]),
        Op::Memory => (libc::SYS_sysinfo, RETURNED, &[Scratch]),
        // Answered without a system call.
        Op::PageSize | Op::Euid | Op::NoColor | Op::Pid => (libc::SYS_getpid, RETURNED, &[]),
        // CLOCK_REALTIME is 0.
        Op::Time => (libc::SYS_clock_gettime, now, &[Zero, Scratch]),
        Op::Uname => (libc::SYS_uname, RETURNED, &[Output]),
        Op::IgnoreSigpipe => (libc::SYS_rt_sigaction, RETURNED, &[Sigpipe, Scratch, Zero, Mask]),
        Op::Exit => (libc::SYS_exit_group, RETURNED, &[A]),
        Op::Mkdir => (libc::SYS_mkdirat, RETURNED, &[Cwd, Text, Directory]),
        Op::Mknod => (libc::SYS_mknodat, RETURNED, &[Cwd, Text, Node, A]),
        Op::Mount => (libc::SYS_mount, RETURNED, &[Text, A, Text, Careful]),
        Op::Umount => (libc::SYS_umount2, RETURNED, &[Text]),
        Op::FileDevice | Op::FileInode => (libc::SYS_newfstatat, found, &[Cwd, Text, Scratch]),
        Op::Execve => (libc::SYS_execve, RETURNED, &[Text, A, B]),
        Op::MayReboot => (libc::SYS_reboot, RETURNED, &[Magic1, Magic2, CadOn]),
        // Without flags and with the same stack: aarch64 has no fork(2).
        Op::Fork => (libc::SYS_clone, RETURNED, &[]),
        Op::Reboot => (libc::SYS_reboot, RETURNED, &[Magic1, Magic2, PowerOff]),
        Op::Terminal => (libc::SYS_ioctl, RETURNED, &[A, WindowSize, Scratch]),
        // For no descriptor and without an end; aarch64 has no pause(2).
        Op::Pause => (libc::SYS_ppoll, RETURNED, &[]),
        // The first words of the scratch space as they are, SIG_IGN and 0: one second, and no part of one.
        Op::Sleep => (libc::SYS_nanosleep, RETURNED, &[Scratch]),
    };
    let mut row = Row { number: number as u16, answer: answer as u8, from: [Zero; 6] };
    let mut at = 0;
    while at < from.len() {
        row.from[at] = from[at];
        at += 1;
    }
    row
}

/// `MADV_COLLAPSE`, `include/uapi/asm-generic/mman-common.h`; the crate names it for some C libraries only.
const MADV_COLLAPSE: c_int = 25;
/// [`super::Advice`] in its order.
static ADVICE: [c_int; 3] = [libc::MADV_DONTNEED, libc::MADV_KEEPONFORK, MADV_COLLAPSE];
/// [`How`] in its order.
static HOW: [c_int; 6] = [
    libc::O_RDONLY | libc::O_NONBLOCK,
    libc::O_RDWR | libc::O_NONBLOCK,
    libc::O_RDWR | libc::O_TMPFILE | libc::O_NONBLOCK,
    libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_NONBLOCK,
    libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_NONBLOCK,
    libc::O_RDWR,
];

/// The kernel's number for one of ours.
fn chosen(from: &[c_int], at: u64) -> Result<u64, Errno> {
    from.get(at as usize).map(|&number| number as u64).ok_or(Errno::EINVAL)
}

/// Where the strings behind the first begin, and a null pointer. It stays: when the call succeeds, nothing of this program does.
#[cold]
#[inline(never)]
fn argv(strings: &[u8]) -> &'static [u64] {
    let mut list = Vec::new();
    for (at, _) in strings.iter().enumerate().filter(|&(_, &byte)| byte == 0) {
        list.push(strings.as_ptr() as u64 + at as u64 + 1);
    }
    // Behind the last zero nothing begins.
    list.pop();
    list.push(0);
    list.leak()
}

impl Linux {
    /// The kernel of a program that has this `argv`.
    ///
    /// # Safety
    /// It is the one on the initial stack: behind its null pointer are the environment and the auxiliary vector, and all of it
    /// stays as long as the program runs (`create_elf_tables` in `fs/binfmt_elf.c`).
    pub unsafe fn started_with(argv: *const *const core::ffi::c_char) -> Linux {
        // SAFETY: as promised.
        Linux { environment: unsafe { past_zero(argv.cast()) } }
    }

    /// An entry of the auxiliary vector.
    fn auxiliary(&self, kind: u64) -> Answer {
        // SAFETY: `environment` is what the constructors promise; entries are pairs, and AT_NULL is the last.
        unsafe {
            let mut entry = past_zero(self.environment);
            while *entry != libc::AT_NULL as usize {
                if *entry as u64 == kind {
                    return Answer::value(*entry.add(1) as u64);
                }
                entry = entry.add(2);
            }
        }
        Answer::failed(Errno::ENOENT)
    }

    /// How long the value of `NO_COLOR` is.
    #[cold]
    fn no_color(&self) -> Answer {
        let mut entry = self.environment;
        // SAFETY: `environment` is what the constructors promise: pointers to strings with a zero at their ends, the last pointer is null.
        unsafe {
            while *entry != 0 {
                let pair = core::ffi::CStr::from_ptr(*entry as *const core::ffi::c_char).to_bytes();
                if let Some(value) = pair.strip_prefix(b"NO_COLOR=") {
                    return Answer::value(value.len() as u64);
                }
                entry = entry.add(1);
            }
        }
        Answer::failed(Errno::ENOENT)
    }

    /// The places from which registers are filled, in the order of [`Place`]; the scratch space is not among them yet.
    fn arguments(&self, call: &mut Call) -> Result<[u64; PLACES], Errno> {
        let [mut a, mut b, mut c, d, e] = call.args;
        let input = call.input.as_ptr() as u64;
        let text = if call.input.last() == Some(&0) { input } else { 0 };
        let output_len = call.output.len() as u64;
        match call.op {
            Op::Mincore => {
                let page = self.auxiliary(libc::AT_PAGESZ).result()?;
                if output_len.saturating_mul(page) < b {
                    return Err(Errno::EFAULT);
                }
            }
            Op::Uname if output_len < 6 * UTS_FIELD as u64 => return Err(Errno::EFAULT),
            Op::Madvise => c = chosen(&ADVICE, c)?,
            Op::Open => {
                b = if a == How::Create as u64 { 0o644 } else { 0o600 };
                a = chosen(&HOW, a)? | (libc::O_CLOEXEC | libc::O_NOCTTY) as u64;
            }
            Op::Mount if a < call.input.len() as u64 => a += input,
            Op::Mount => return Err(Errno::EINVAL),
            Op::Execve => {
                (a, b) = (argv(call.input).as_ptr() as u64, self.environment as u64);
            }
            _ => {}
        }
        let input_len = call.input.len() as u64;
        Ok([
            a,
            b,
            c,
            d,
            e,
            input,
            input_len,
            text,
            call.output.as_mut_ptr() as u64,
            output_len,
            0,
            0,
        ])
    }
}

impl Kernel for Linux {
    fn call(&mut self, call: &mut Call) -> Answer {
        match call.op {
            Op::PageSize => return self.auxiliary(libc::AT_PAGESZ),
            Op::Euid => return self.auxiliary(libc::AT_EUID),
            Op::NoColor => return self.no_color(),
            _ => {}
        }
        let mut places = match self.arguments(call) {
            Ok(places) => places,
            Err(errno) => return Answer::failed(errno),
        };
        // The first word is the handler of a `struct sigaction`; whoever does not read one fills it in.
        let mut scratch: Scratch = [0; _];
        scratch[0] = libc::SIG_IGN as u64;
        places[Place::Scratch as usize] = scratch.as_mut_ptr() as u64;
        let Row { number, answer, ref from } = ROWS[call.op as usize];
        let mut registers = [0; 6];
        for (register, &from) in registers.iter_mut().zip(from) {
            let constant =
                || CONSTANTS.get(from as usize - PLACES).copied().unwrap_or_default() as u64;
            *register = places.get(from as usize).copied().unwrap_or_else(constant);
        }
        // SAFETY: every row gives the kernel only what it takes: integers, `scratch`, which is large enough for each structure, the
        // buffers that were lent, with their lengths or after a comparison with what is written, and text with a zero at its
        // end. What else it changes are mappings of the experiments.
        let returned = unsafe { raw(number.into(), registers) };
        let answered = Answer(returned as u64);
        if !answered.is_ok() {
            return answered;
        }
        if call.op == Op::Memory {
            let field =
                |offset: usize| scratch.get(offset / size_of::<u64>()).copied().unwrap_or_default();
            let units = field(offset_of!(libc::sysinfo, totalram))
                .saturating_add(field(offset_of!(libc::sysinfo, totalswap)));
            let bytes =
                units.saturating_mul(u64::from(field(offset_of!(libc::sysinfo, mem_unit)) as u32));
            return Answer::value(bytes.min(u64::MAX / 16 * 15));
        }
        if call.op == Op::Pipe {
            return Answer::value(scratch[0] & 0xffff | scratch[0] >> 16);
        }
        scratch.get(usize::from(answer)).map_or(answered, |&word| Answer::value(word))
    }
}

/// Makes a system call: `syscall(2)` has the registers of every architecture.
///
/// # Safety
/// What the call does is sound.
#[cfg(target_arch = "x86_64")]
unsafe fn raw(number: u64, [a, b, c, d, e, f]: [u64; 6]) -> i64 {
    let returned;
    // SAFETY: the instruction changes what is named here and what the call is about.
    unsafe {
        asm!("syscall", inlateout("rax") number => returned, in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    returned
}

/// Makes a system call: `syscall(2)` has the registers of every architecture.
///
/// # Safety
/// What the call does is sound.
#[cfg(target_arch = "aarch64")]
unsafe fn raw(number: u64, [a, b, c, d, e, f]: [u64; 6]) -> i64 {
    let returned;
    // SAFETY: the instruction changes what is named here and what the call is about.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") a => returned, in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack));
    }
    returned
}
