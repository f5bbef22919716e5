//! The live kernel, for programs that can make system calls themselves.
//!
//! Raw system calls throughout: the C library's `mmap` wrapper rewrites errors, and a prober must see what the kernel said.
//! Unsafe lives here because a system call is an unsafe act. Each one is sound for one of two reasons, named at its place:
//! it only reads or writes buffers that Rust lends it for the call, or it changes mappings that Rust knows nothing about
//! (the experiments place `MAP_FIXED` only on ground they reserved themselves).
#![allow(unsafe_code, reason = "system calls are unsafe; this file and start.rs are where they are confined")]

use super::{Advice, Answer, Ending, Errno, Fd, Kernel, Mmap, Uname, text};
use core::ffi::{c_char, c_long};
use core::mem::MaybeUninit;

/// The running Linux kernel.
pub struct Linux;

/// Turns what `libc::syscall` returned into an answer.
fn answer(returned: c_long) -> Answer {
    if returned == -1 {
        // SAFETY: the C library's errno of this thread is always a valid place to read.
        let errno = unsafe { *libc::__errno_location() };
        return Answer::failed(Errno(errno as u16));
    }
    Answer::value(returned as u64)
}

/// `libc::syscall` with every argument widened to a register, so that no upper half is left undefined.
macro_rules! syscall {
    ($number:ident $(, $argument:expr)*) => {
        answer(libc::syscall(libc::$number $(, $argument as c_long)*))
    };
}

/// A path or name for the kernel, with the zero at its end.
fn c_string(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 1);
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
    bytes
}

impl Kernel for Linux {
    fn mmap(&mut self, call: &Mmap) -> Answer {
        // SAFETY: Rust knows nothing of the mapping; MAP_FIXED goes only to ground the experiments reserved.
        unsafe { syscall!(SYS_mmap, call.addr, call.len, call.prot, call.flags, call.fd, 0) }
    }

    fn munmap(&mut self, addr: u64, len: u64) -> Answer {
        // SAFETY: the experiments unmap only what they mapped.
        unsafe { syscall!(SYS_munmap, addr, len) }
    }

    fn mincore(&mut self, addr: u64, len: u64, pages: &mut [u8]) -> Answer {
        if (pages.len() as u64 * self.page_size()) < len {
            return Answer::failed(Errno::EFAULT);
        }
        // SAFETY: the kernel writes one byte per page of `len` into `pages`, whose length was just checked.
        unsafe { syscall!(SYS_mincore, addr, len, pages.as_mut_ptr()) }
    }

    fn madvise(&mut self, addr: u64, len: u64, advice: Advice) -> Answer {
        let advice = match advice {
            Advice::DontNeed => libc::MADV_DONTNEED,
        };
        // SAFETY: the experiments advise only about their own mappings.
        unsafe { syscall!(SYS_madvise, addr, len, advice) }
    }

    fn msync_invalidate(&mut self, addr: u64, len: u64) -> Answer {
        // SAFETY: changes no memory; the experiments name only their own mappings.
        unsafe { syscall!(SYS_msync, addr, len, libc::MS_INVALIDATE) }
    }

    fn memfd_create(&mut self, name: &str) -> Answer {
        let name = c_string(name);
        // SAFETY: the kernel reads a string that lives until after the call.
        unsafe { syscall!(SYS_memfd_create, name.as_ptr(), libc::MFD_CLOEXEC) }
    }

    fn pipe(&mut self) -> Result<(Fd, Fd), Errno> {
        let mut ends = [-1; 2];
        // SAFETY: the kernel writes two descriptors into `ends`.
        unsafe { syscall!(SYS_pipe2, ends.as_mut_ptr(), libc::O_CLOEXEC) }.result()?;
        let [reading, writing] = ends;
        Ok((reading, writing))
    }

    fn close(&mut self, fd: Fd) -> Answer {
        // SAFETY: takes an integer; nothing in this program owns descriptors through Rust types.
        unsafe { syscall!(SYS_close, fd) }
    }

    fn read(&mut self, fd: Fd, into: &mut [u8]) -> Answer {
        // SAFETY: the kernel writes at most the slice's length into the slice.
        unsafe { syscall!(SYS_read, fd, into.as_mut_ptr(), into.len()) }
    }

    fn pread(&mut self, fd: Fd, into: &mut [u8], offset: u64) -> Answer {
        // SAFETY: the kernel writes at most the slice's length into the slice.
        unsafe { syscall!(SYS_pread64, fd, into.as_mut_ptr(), into.len(), offset) }
    }

    fn write(&mut self, fd: Fd, bytes: &[u8]) -> Answer {
        // SAFETY: the kernel reads at most the slice's length from the slice.
        unsafe { syscall!(SYS_write, fd, bytes.as_ptr(), bytes.len()) }
    }

    fn store(&mut self, fd: Fd, addr: u64, len: u64) -> Answer {
        // SAFETY: the kernel writes into a mapping of the experiments, which Rust knows nothing about.
        unsafe { syscall!(SYS_read, fd, addr, len) }
    }

    fn load(&mut self, fd: Fd, addr: u64, len: u64) -> Answer {
        // SAFETY: the kernel only reads; an address without a mapping is EFAULT.
        unsafe { syscall!(SYS_write, fd, addr, len) }
    }

    fn page_size(&mut self) -> u64 {
        auxiliary(libc::AT_PAGESZ).unwrap_or(4096)
    }

    fn euid(&mut self) -> Option<u64> {
        auxiliary(libc::AT_EUID)
    }

    fn pid(&mut self) -> u64 {
        // SAFETY: takes nothing, always succeeds.
        unsafe { syscall!(SYS_getpid) }.result().unwrap_or(0)
    }

    fn time(&mut self) -> u64 {
        let mut now = MaybeUninit::<libc::timespec>::zeroed();
        // SAFETY: all zeros is a valid timespec, and the C library (through the vDSO, without a system call) fills it in.
        let now = unsafe {
            libc::clock_gettime(libc::CLOCK_REALTIME, now.as_mut_ptr());
            now.assume_init()
        };
        now.tv_sec as u64
    }

    fn uname(&mut self) -> Result<Uname, Errno> {
        let mut name = MaybeUninit::<libc::utsname>::zeroed();
        // SAFETY: the kernel writes one utsname.
        unsafe { syscall!(SYS_uname, name.as_mut_ptr()) }.result()?;
        // SAFETY: all zeros was valid before the call, and the kernel wrote strings.
        let name = unsafe { name.assume_init() };
        Ok(Uname {
            sysname: field(&name.sysname),
            release: field(&name.release),
            version: field(&name.version),
            machine: field(&name.machine),
        })
    }

    fn ignore_sigpipe(&mut self) -> Answer {
        // struct kernel_sigaction, arch/*/include/uapi/asm/signal.h: handler, flags, restorer or mask, mask.
        let action: [usize; 4] = [libc::SIG_IGN, 0, 0, 0];
        // SAFETY: the kernel reads one sigaction, at most four words, with a mask of eight bytes; no handler is installed.
        unsafe { syscall!(SYS_rt_sigaction, libc::SIGPIPE, action.as_ptr(), 0, 8) }
    }

    fn exit(&mut self, code: i32) -> ! {
        loop {
            // SAFETY: ends the process.
            let _ = unsafe { syscall!(SYS_exit_group, code) };
        }
    }

    fn open_console(&mut self, path: &str) -> Answer {
        let path = c_string(path);
        let how = libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK;
        // SAFETY: the kernel reads a string that lives until after the call.
        unsafe { syscall!(SYS_openat, libc::AT_FDCWD, path.as_ptr(), how, 0) }
    }

    fn mkdir(&mut self, path: &str) -> Answer {
        let path = c_string(path);
        // SAFETY: the kernel reads a string that lives until after the call.
        unsafe { syscall!(SYS_mkdirat, libc::AT_FDCWD, path.as_ptr(), 0o755) }
    }

    fn mount(&mut self, kind: &str, target: &str) -> Answer {
        let (kind, target) = (c_string(kind), c_string(target));
        let flags = libc::MS_NOSUID | libc::MS_NOEXEC;
        // SAFETY: the kernel reads strings that live until after the call.
        unsafe { syscall!(SYS_mount, kind.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, 0) }
    }

    fn umount(&mut self, target: &str) -> Answer {
        let target = c_string(target);
        // SAFETY: the kernel reads a string that lives until after the call.
        unsafe { syscall!(SYS_umount2, target.as_ptr(), 0) }
    }

    fn file_id(&mut self, path: &str) -> Result<(u64, u64), Errno> {
        let path = c_string(path);
        let mut found = MaybeUninit::<libc::stat>::zeroed();
        // SAFETY: the kernel reads a string that lives until after the call and writes one struct stat.
        unsafe { syscall!(SYS_newfstatat, libc::AT_FDCWD, path.as_ptr(), found.as_mut_ptr(), 0) }.result()?;
        // SAFETY: all zeros was valid before the call, and the kernel wrote integers.
        let found = unsafe { found.assume_init() };
        Ok((found.st_dev, found.st_ino))
    }

    fn execve(&mut self, path: &str, args: &[&str]) -> Errno {
        let path = c_string(path);
        let strings: Vec<Vec<u8>> = args.iter().map(|arg| c_string(arg)).collect();
        let mut argv: Vec<*const u8> = strings.iter().map(|arg| arg.as_ptr()).collect();
        argv.push(core::ptr::null());
        // SAFETY: `environ` is the C library's and stays; path and argv are zero-terminated and outlive the call.
        let failed = unsafe { syscall!(SYS_execve, path.as_ptr(), argv.as_ptr(), environ) };
        failed.result().err().unwrap_or(Errno::EINVAL)
    }

    fn may_reboot(&mut self) -> Answer {
        reboot(libc::LINUX_REBOOT_CMD_CAD_ON)
    }

    fn reboot(&mut self, how: Ending) -> Answer {
        reboot(match how {
            Ending::PowerOff => libc::LINUX_REBOOT_CMD_POWER_OFF,
            Ending::Halt => libc::LINUX_REBOOT_CMD_HALT,
        })
    }

    fn pause(&mut self) {
        // SAFETY: waits for no descriptor and no end; aarch64 has no pause(2).
        let _ = unsafe { syscall!(SYS_ppoll, 0, 0, 0, 0, 0) };
    }
}

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// `reboot(2)` with the two magic numbers.
fn reboot(command: i32) -> Answer {
    let (one, two) = (libc::LINUX_REBOOT_MAGIC1, libc::LINUX_REBOOT_MAGIC2);
    // SAFETY: takes integers; the fourth argument is read only by RESTART2.
    unsafe { syscall!(SYS_reboot, one, two, command as u32, 0) }
}

/// An entry of the auxiliary vector; `None` where it is missing.
fn auxiliary(kind: libc::c_ulong) -> Option<u64> {
    // SAFETY: reads the C library's copy of the auxiliary vector. A missing entry is 0, with errno ENOENT.
    let (value, errno) = unsafe {
        *libc::__errno_location() = 0;
        (libc::getauxval(kind), *libc::__errno_location())
    };
    (errno == 0).then_some(value)
}

/// A zero-terminated string in a fixed field.
fn field(field: &[c_char]) -> String {
    // SAFETY: c_char and u8 have the same size and every bit pattern is valid for both.
    let bytes = unsafe { core::slice::from_raw_parts(field.as_ptr().cast::<u8>(), field.len()) };
    String::from(text(bytes.split(|&byte| byte == 0).next().unwrap_or_default()))
}
