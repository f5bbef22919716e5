//! The running kernel, for programs that make system calls themselves.
//!
//! Every call is raw: the `mmap` wrapper of a C library rewrites errors, and a prober must see the
//! kernel's own. Nothing here needs an initialized C library.
#![allow(unsafe_code, reason = "system calls are unsafe; this file confines them")]

use crate::call::{Advice, Call, Kernel, Op, OpenMode, SIGNALED, SysResult, UTS_FIELD};
use crate::errno::Errno;
use core::arch::asm;
use core::ffi::{CStr, c_char, c_int};
use core::mem::{MaybeUninit, zeroed};
use libc::{AT_EUID, AT_FDCWD, AT_NULL, AT_PAGESZ, c_long};

/// `MADV_COLLAPSE`, `include/uapi/asm-generic/mman-common.h`; libc lacks it for musl.
const MADV_COLLAPSE: c_int = 25;
/// The smallest page size that Linux supports, `CONFIG_PAGE_SIZE_4KB`.
const MIN_PAGE_SIZE: usize = 4096;
/// Bytes of a signal mask: `_NSIG / 8`, `include/uapi/asm-generic/signal.h`.
const SIGNAL_MASK_BYTES: usize = 8;
/// The most memory that [`Op::Memory`] returns, so that a caller can add a little without overflow.
const MEMORY_MAX: usize = usize::MAX / 16 * 15;

/// The running Linux kernel, and what it placed on the initial stack of this program.
pub struct Linux {
    /// What follows the arguments: pointers to the strings of the environment, a null pointer, and
    /// the auxiliary vector, `getauxval(3)`.
    environment: *const usize,
}

/// An empty environment and an empty auxiliary vector.
static NO_ENVIRONMENT: [usize; 2] = [0, AT_NULL as usize];

impl Default for Linux {
    /// The kernel of a program that does not know its initial stack.
    fn default() -> Linux {
        Linux { environment: NO_ENVIRONMENT.as_ptr() }
    }
}

impl Linux {
    /// The kernel of a program that was started with this `argv`.
    ///
    /// # Safety
    /// `argv` is the one on the initial stack: its null pointer is followed by the environment and
    /// the auxiliary vector (`create_elf_tables` in `fs/binfmt_elf.c`), valid as long as the
    /// program runs.
    pub unsafe fn started_with(argv: *const *const c_char) -> Linux {
        // SAFETY: `argv` ends with a null pointer.
        Linux { environment: unsafe { past_null(argv.cast()) } }
    }

    /// An entry of the auxiliary vector.
    fn auxiliary(&self, kind: u64) -> Result<usize, Errno> {
        // SAFETY: `environment` ends with a null pointer; pairs of words follow, of which the last
        // has the kind AT_NULL.
        unsafe {
            let mut entry = past_null(self.environment);
            while *entry != AT_NULL as usize {
                if *entry as u64 == kind {
                    return Ok(*entry.add(1));
                }
                entry = entry.add(2);
            }
        }
        Err(Errno::ENOENT)
    }

    /// The length of the value of the variable `NO_COLOR`.
    fn no_color(&self) -> Result<usize, Errno> {
        let mut entry = self.environment;
        // SAFETY: `environment` holds pointers to C strings and ends with a null pointer.
        unsafe {
            while *entry != 0 {
                let variable = CStr::from_ptr(*entry as *const c_char).to_bytes();
                if let Some(value) = variable.strip_prefix(b"NO_COLOR=") {
                    return Ok(value.len());
                }
                entry = entry.add(1);
            }
        }
        Err(Errno::ENOENT)
    }

    /// Checks the length of a buffer for `mincore(2)`, which writes one byte per page.
    fn check_mincore_buffer(&self, buffer: &[u8], len: usize) -> Result<(), Errno> {
        let page_size = self.auxiliary(AT_PAGESZ).unwrap_or(MIN_PAGE_SIZE);
        if buffer.len().saturating_mul(page_size) < len { Err(Errno::EFAULT) } else { Ok(()) }
    }

    fn dispatch(&self, call: &mut Call) -> Result<usize, Errno> {
        let [a, b, c, d, e] = call.args;
        let path = c_string(call.input);
        let (input, input_len) = (call.input.as_ptr() as usize, call.input.len());
        let (output, output_len) = (call.output.as_mut_ptr() as usize, call.output.len());
        let cwd = AT_FDCWD as usize;
        // The third argument of reboot(2) is the command.
        let reboot = |command: c_int| {
            let [magic1, magic2] = [libc::LINUX_REBOOT_MAGIC1, libc::LINUX_REBOOT_MAGIC2];
            [magic1 as usize, magic2 as usize, command as usize, 0, 0, 0]
        };
        let mut window_size = MaybeUninit::<libc::winsize>::uninit();
        let one_second = libc::timespec { tv_sec: 1, tv_nsec: 0 };

        let (number, args) = match call.op {
            Op::PageSize => return self.auxiliary(AT_PAGESZ),
            Op::Euid => return self.auxiliary(AT_EUID),
            Op::NoColor => return self.no_color(),
            Op::Memory => return memory(),
            Op::Pipe => return pipe(),
            Op::Time => return time(),
            Op::IgnoreSignals => return ignore_signals(),
            Op::FileDevice => return file_status(path).map(|status| status.st_dev as usize),
            Op::Wait => return wait(a),
            Op::Touch => return touch(a),
            Op::FileSystemType => {
                return file_system_status(a).map(|status| status.f_type as usize);
            }
            Op::BlockSize => return file_system_status(a).map(|status| status.f_bsize as usize),
            // No attempt ended early: this is the first one.
            Op::FatalCalls => return Ok(0),
            Op::FileInode => return file_status(path).map(|status| status.st_ino as usize),

            Op::Mmap => (libc::SYS_mmap, [a, b, c, d, e, 0]),
            Op::Munmap => (libc::SYS_munmap, [a, b, 0, 0, 0, 0]),
            Op::Mincore => {
                self.check_mincore_buffer(call.output, b)?;
                (libc::SYS_mincore, [a, b, output, 0, 0, 0])
            }
            Op::Madvise => (libc::SYS_madvise, [a, b, advice(c)?, 0, 0, 0]),
            Op::MsyncInvalidate => (libc::SYS_msync, [a, b, libc::MS_INVALIDATE as usize, 0, 0, 0]),
            Op::MemfdCreate => {
                (libc::SYS_memfd_create, [path, libc::MFD_CLOEXEC as usize, 0, 0, 0, 0])
            }
            Op::Close => (libc::SYS_close, [a, 0, 0, 0, 0, 0]),
            Op::Read => (libc::SYS_read, [a, output, output_len, 0, 0, 0]),
            Op::Pread => (libc::SYS_pread64, [a, output, output_len, b, 0, 0]),
            Op::Write => (libc::SYS_write, [a, input, input_len, 0, 0, 0]),
            Op::Store => (libc::SYS_read, [a, b, c, 0, 0, 0]),
            Op::Load => (libc::SYS_write, [a, b, c, 0, 0, 0]),
            Op::Open => {
                let (flags, mode) = open_flags(OpenMode::from_arg(a)?);
                (libc::SYS_openat, [cwd, path, flags as usize, mode, 0, 0])
            }
            Op::Unlink => (libc::SYS_unlinkat, [cwd, path, 0, 0, 0, 0]),
            Op::Pid => (libc::SYS_getpid, [0; 6]),
            Op::Uname if output_len < 6 * UTS_FIELD => return Err(Errno::EFAULT),
            Op::Uname => (libc::SYS_uname, [output, 0, 0, 0, 0, 0]),
            Op::Exit => (libc::SYS_exit_group, [a, 0, 0, 0, 0, 0]),
            Op::Mkdir => (libc::SYS_mkdirat, [cwd, path, 0o755, 0, 0, 0]),
            Op::Mknod => {
                let mode = (libc::S_IFCHR | 0o600) as usize;
                (libc::SYS_mknodat, [cwd, path, mode, a, 0, 0])
            }
            Op::Mount => {
                let target = call.input.get(a..).map(c_string).ok_or(Errno::EINVAL)?;
                let flags = (libc::MS_NOSUID | libc::MS_NOEXEC) as usize;
                (libc::SYS_mount, [path, target, path, flags, 0, 0])
            }
            Op::Umount => (libc::SYS_umount2, [path, 0, 0, 0, 0, 0]),
            Op::Execve => {
                let argv = argv(call.input).as_ptr() as usize;
                (libc::SYS_execve, [path, argv, self.environment as usize, 0, 0, 0])
            }
            Op::MayReboot => (libc::SYS_reboot, reboot(libc::LINUX_REBOOT_CMD_CAD_ON)),
            Op::Reboot => (libc::SYS_reboot, reboot(libc::LINUX_REBOOT_CMD_POWER_OFF)),
            Op::Fork => return fork(),
            Op::FilterMode => (libc::SYS_prctl, [libc::PR_GET_SECCOMP as usize, 0, 0, 0, 0, 0]),
            Op::Terminal => {
                let window_size = window_size.as_mut_ptr() as usize;
                (libc::SYS_ioctl, [a, libc::TIOCGWINSZ as usize, window_size, 0, 0, 0])
            }
            // No descriptors and no timeout; aarch64 has no pause(2).
            Op::Pause => (libc::SYS_ppoll, [0; 6]),
            Op::Sleep => (libc::SYS_nanosleep, [&raw const one_second as usize, 0, 0, 0, 0, 0]),
        };
        // SAFETY: each arm passes what its manual page asks for: integers, the two buffers of the
        // call with lengths that were checked, strings that end with a NUL, and local structures.
        // Mappings that change are the ones that the experiments made.
        unsafe { syscall(number, args) }.result()
    }
}

impl Kernel for Linux {
    fn call(&mut self, call: &mut Call) -> SysResult {
        self.dispatch(call).into()
    }
}

/// The address after the next null word.
///
/// # Safety
/// A null word follows.
unsafe fn past_null(mut words: *const usize) -> *const usize {
    // SAFETY: the caller promises a null word; nothing after it is read.
    unsafe {
        while *words != 0 {
            words = words.add(1);
        }
        words.add(1)
    }
}

/// The address of a string that ends with a NUL. For other bytes it is the null pointer, for which
/// the kernel returns `EFAULT`.
fn c_string(bytes: &[u8]) -> usize {
    if bytes.last() == Some(&0) { bytes.as_ptr() as usize } else { 0 }
}

/// Pointers to all strings but the first, and a null pointer. They are leaked: after a successful
/// `execve(2)` nothing of this program is left.
fn argv(strings: &[u8]) -> &'static [usize] {
    let mut pointers = Vec::new();
    for (index, _) in strings.iter().enumerate().filter(|&(_, &byte)| byte == 0) {
        pointers.push(strings.as_ptr() as usize + index + 1);
    }
    // No string begins after the last NUL.
    pointers.pop();
    pointers.push(0);
    pointers.leak()
}

fn advice(arg: usize) -> Result<usize, Errno> {
    let number = match Advice::from_arg(arg)? {
        Advice::DontNeed => libc::MADV_DONTNEED,
        Advice::KeepOnFork => libc::MADV_KEEPONFORK,
        Advice::Collapse => MADV_COLLAPSE,
    };
    Ok(number as usize)
}

/// The flags of `openat(2)`, and the mode of a file that is created.
fn open_flags(mode: OpenMode) -> (c_int, usize) {
    let (flags, permissions) = match mode {
        OpenMode::Read => (libc::O_RDONLY | libc::O_NONBLOCK, 0),
        OpenMode::ReadWrite => (libc::O_RDWR | libc::O_NONBLOCK, 0),
        OpenMode::TmpFile => (libc::O_RDWR | libc::O_TMPFILE | libc::O_NONBLOCK, 0o600),
        OpenMode::CreateNew => {
            (libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_NONBLOCK, 0o600)
        }
        OpenMode::Create => {
            (libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_NONBLOCK, 0o644)
        }
        OpenMode::Device => (libc::O_RDWR, 0),
    };
    (flags | libc::O_CLOEXEC | libc::O_NOCTTY, permissions)
}

/// Memory and swap in bytes, `sysinfo(2)`.
fn memory() -> Result<usize, Errno> {
    // SAFETY: the structure consists of integers, and the kernel fills no more than its size.
    let info: libc::sysinfo = unsafe {
        let mut info = zeroed();
        syscall(libc::SYS_sysinfo, [&raw mut info as usize, 0, 0, 0, 0, 0]).result()?;
        info
    };
    let units = (info.totalram as usize).saturating_add(info.totalswap as usize);
    Ok(units.saturating_mul(info.mem_unit as usize).min(MEMORY_MAX))
}

/// Makes a pipe; the two ends as [`Op::Pipe`] returns them.
fn pipe() -> Result<usize, Errno> {
    let mut ends: [c_int; 2] = [0; 2];
    let flags = (libc::O_CLOEXEC | libc::O_NONBLOCK) as usize;
    // SAFETY: the kernel fills the two descriptors.
    unsafe { syscall(libc::SYS_pipe2, [&raw mut ends as usize, flags, 0, 0, 0, 0]) }.result()?;
    let [read_end, write_end] = ends;
    Ok(read_end as usize | (write_end as usize) << 16)
}

/// Seconds since 1970.
fn time() -> Result<usize, Errno> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let args = [libc::CLOCK_REALTIME as usize, &raw mut now as usize, 0, 0, 0, 0];
    // SAFETY: the kernel fills the structure.
    unsafe { syscall(libc::SYS_clock_gettime, args) }.result()?;
    Ok(now.tv_sec as usize)
}

fn ignore_signals() -> Result<usize, Errno> {
    // Handler, flags, restorer and mask: the kernel's `struct sigaction`.
    let action: [usize; 4] = [libc::SIG_IGN, 0, 0, 0];
    let action = &raw const action as usize;
    for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
        let args = [signal as usize, action, 0, SIGNAL_MASK_BYTES, 0, 0];
        // SAFETY: the kernel reads the structure.
        unsafe { syscall(libc::SYS_rt_sigaction, args) }.result()?;
    }
    Ok(0)
}

/// Copies the process. Without flags the copy sends no `SIGCHLD`; aarch64 has no `fork(2)`. QEMU's
/// user mode knows only copies that send it (`do_fork` in `linux-user/syscall.c`).
fn fork() -> Result<usize, Errno> {
    // SAFETY: the copy has memory of its own, and continues on a copy of the stack.
    let clone = |flags: usize| unsafe { syscall(libc::SYS_clone, [flags, 0, 0, 0, 0, 0]) }.result();
    match clone(0) {
        Err(Errno::EINVAL) => clone(libc::SIGCHLD as usize),
        result => result,
    }
}

/// Waits until a process ends. The result is that of [`Op::Wait`].
fn wait(pid: usize) -> Result<usize, Errno> {
    let mut status: c_int = 0;
    // Children that send no signal are waited for with `__WALL` only.
    let args = [pid, &raw mut status as usize, libc::__WALL as usize, 0, 0, 0];
    // SAFETY: the kernel fills the integer.
    unsafe { syscall(libc::SYS_wait4, args) }.result()?;
    if libc::WIFEXITED(status) {
        Ok(libc::WEXITSTATUS(status) as usize)
    } else {
        Ok(SIGNALED | libc::WTERMSIG(status) as usize)
    }
}

/// Stores a byte in a copy of the process. The result is that of [`Op::Touch`].
fn touch(addr: usize) -> Result<usize, Errno> {
    match fork()? {
        0 => {
            // SAFETY: this copy of the process shares only probed mappings with the original, which
            // hold no Rust object. It ends here without using its memory, or by the signal of the
            // store.
            unsafe {
                // No core file is wanted where the store ends this copy.
                syscall(libc::SYS_prctl, [libc::PR_SET_DUMPABLE as usize, 0, 0, 0, 0, 0]);
                core::ptr::with_exposed_provenance_mut::<u8>(addr).write_volatile(0);
                loop {
                    syscall(libc::SYS_exit_group, [0; 6]);
                }
            }
        }
        pid => wait(pid),
    }
}

fn file_system_status(fd: usize) -> Result<libc::statfs, Errno> {
    // SAFETY: the structure consists of integers, and the kernel fills no more than its size.
    unsafe {
        let mut status = zeroed();
        syscall(libc::SYS_fstatfs, [fd, &raw mut status as usize, 0, 0, 0, 0]).result()?;
        Ok(status)
    }
}

fn file_status(path: usize) -> Result<libc::stat, Errno> {
    // SAFETY: `path` is null or ends with a NUL; the structure consists of integers, and the kernel
    // fills no more than its size.
    unsafe {
        let mut status = zeroed();
        let args = [AT_FDCWD as usize, path, &raw mut status as usize, 0, 0, 0];
        syscall(libc::SYS_newfstatat, args).result()?;
        Ok(status)
    }
}

/// Makes a system call; `syscall(2)` lists the registers of every architecture.
///
/// # Safety
/// The call is sound with these arguments.
#[cfg(target_arch = "x86_64")]
unsafe fn syscall(number: c_long, [a, b, c, d, e, f]: [usize; 6]) -> SysResult {
    let register: usize;
    // SAFETY: the instruction changes the registers named here and what the call itself changes.
    unsafe {
        asm!("syscall", inlateout("rax") number => register, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, in("r8") e, in("r9") f, lateout("rcx") _, lateout("r11") _,
            options(nostack));
    }
    SysResult::from_register(register)
}

/// Makes a system call; `syscall(2)` lists the registers of every architecture.
///
/// # Safety
/// The call is sound with these arguments.
#[cfg(target_arch = "aarch64")]
unsafe fn syscall(number: c_long, [a, b, c, d, e, f]: [usize; 6]) -> SysResult {
    let register: usize;
    // SAFETY: the instruction changes the registers named here and what the call itself changes.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") a => register, in("x1") b, in("x2") c,
            in("x3") d, in("x4") e, in("x5") f, options(nostack));
    }
    SysResult::from_register(register)
}
