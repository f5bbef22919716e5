//! The live kernel, for a program compiled to WebAssembly and from there to C: each call is an import that the host shim
//! (`targets/hppa/host.c`) turns into one system call. Addresses are the host's, so they are only passed on; a buffer is
//! an offset into the program's own linear memory, which the shim checks. The shim answers scalars only, and errors in the
//! numbers of `asm-generic`.
#![allow(unsafe_code, reason = "imports are unsafe to call; this file is where they are confined")]

use super::{Advice, Answer, Ending, Errno, Fd, Kernel, Mmap, Uname, text};

// SAFETY: the shim declares the same names and signatures; wasm2c's generated header makes the C compiler check them.
#[link(wasm_import_module = "host")]
unsafe extern "C" {
    safe fn argc() -> u32;
    fn argument(index: u32, into: *mut u8, len: u32) -> u32;
    safe fn mmap(addr: u32, len: u32, prot: u32, flags: u32, fd: i32) -> i32;
    safe fn munmap(addr: u32, len: u32) -> i32;
    fn mincore(addr: u32, len: u32, pages: *mut u8, count: u32) -> i32;
    safe fn madvise_dontneed(addr: u32, len: u32) -> i32;
    safe fn msync_invalidate(addr: u32, len: u32) -> i32;
    fn memfd_create(name: *const u8, len: u32) -> i32;
    safe fn pipe() -> i64;
    safe fn close(fd: i32) -> i32;
    fn read(fd: i32, into: *mut u8, len: u32) -> i32;
    fn pread(fd: i32, into: *mut u8, len: u32, offset: u32) -> i32;
    fn write(fd: i32, bytes: *const u8, len: u32) -> i32;
    safe fn store(fd: i32, addr: u32, len: u32) -> i32;
    safe fn load(fd: i32, addr: u32, len: u32) -> i32;
    safe fn page_size() -> u32;
    safe fn euid() -> i32;
    safe fn getpid() -> i32;
    safe fn time() -> i64;
    fn uname(field: u32, into: *mut u8, len: u32) -> i32;
    safe fn ignore_sigpipe() -> i32;
    safe fn exit(code: i32) -> !;
    fn open_console(path: *const u8, len: u32) -> i32;
    fn mkdir(path: *const u8, len: u32) -> i32;
    fn mount(kind: *const u8, kind_len: u32, target: *const u8, target_len: u32) -> i32;
    fn umount(target: *const u8, len: u32) -> i32;
    fn file_dev(path: *const u8, len: u32) -> i64;
    fn file_ino(path: *const u8, len: u32) -> i64;
    fn execve(path: *const u8, len: u32, args: *const u8, args_len: u32) -> i32;
    safe fn may_reboot() -> i32;
    safe fn reboot(halt: u32) -> i32;
    safe fn pause();
}

/// The running Linux kernel, behind the host shim.
pub struct Wasm;

/// Longest argument that is passed on; the shim cuts what is longer.
const ARGUMENT: usize = 4096;
/// Bytes of a field of `struct new_utsname`, `include/uapi/linux/utsname.h`.
const UTS_FIELD: usize = 65;

/// Turns a scalar of the shim into an answer: -4095..-1 are errors, everything else (addresses included) a value.
fn answer(returned: i32) -> Answer {
    match returned {
        -4095..=-1 => Answer::failed(Errno(-returned as u16)),
        value => Answer::value(u64::from(value as u32)),
    }
}

/// An address or length as the 32-bit kernel takes it. What does not fit cannot be mapped; the kernel says so of the largest.
fn word(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The arguments of the program, its own name first.
pub fn arguments() -> Vec<Vec<u8>> {
    let get = |index| {
        let mut bytes = vec![0; ARGUMENT];
        // SAFETY: the shim writes at most `ARGUMENT` bytes and says how many.
        let len = unsafe { argument(index, bytes.as_mut_ptr(), ARGUMENT as u32) };
        bytes.truncate(len as usize);
        bytes
    };
    (0..argc()).map(get).collect()
}

/// Calls an import with the pointer and length of a string or slice.
macro_rules! with {
    ($import:ident, $bytes:expr $(, $more:expr)*) => {
        // SAFETY: the import reads or writes only the bytes that are lent, as the shim checks.
        unsafe { $import($bytes.as_ptr(), $bytes.len() as u32 $(, $more)*) }
    };
}

impl Kernel for Wasm {
    fn mmap(&mut self, call: &Mmap) -> Answer {
        answer(mmap(word(call.addr), word(call.len), call.prot, call.flags as u32, call.fd))
    }

    fn munmap(&mut self, addr: u64, len: u64) -> Answer {
        answer(munmap(word(addr), word(len)))
    }

    fn mincore(&mut self, addr: u64, len: u64, pages: &mut [u8]) -> Answer {
        // SAFETY: the shim refuses with EFAULT when `pages` is too short for `len`.
        answer(unsafe { mincore(word(addr), word(len), pages.as_mut_ptr(), pages.len() as u32) })
    }

    fn madvise(&mut self, addr: u64, len: u64, advice: Advice) -> Answer {
        match advice {
            Advice::DontNeed => answer(madvise_dontneed(word(addr), word(len))),
        }
    }

    fn msync_invalidate(&mut self, addr: u64, len: u64) -> Answer {
        answer(msync_invalidate(word(addr), word(len)))
    }

    fn memfd_create(&mut self, name: &str) -> Answer {
        answer(with!(memfd_create, name))
    }

    fn pipe(&mut self) -> Result<(Fd, Fd), Errno> {
        // Both descriptors in one scalar, the writing end above; an error is negative.
        match pipe() {
            error @ ..0 => Err(Errno(-error as u16)),
            ends => Ok((ends as Fd, (ends >> 32) as Fd)),
        }
    }

    fn close(&mut self, fd: Fd) -> Answer {
        answer(close(fd))
    }

    fn read(&mut self, fd: Fd, into: &mut [u8]) -> Answer {
        // SAFETY: the shim writes at most the slice's length into the slice.
        answer(unsafe { read(fd, into.as_mut_ptr(), into.len() as u32) })
    }

    fn pread(&mut self, fd: Fd, into: &mut [u8], offset: u64) -> Answer {
        // SAFETY: the shim writes at most the slice's length into the slice.
        answer(unsafe { pread(fd, into.as_mut_ptr(), into.len() as u32, word(offset)) })
    }

    fn write(&mut self, fd: Fd, bytes: &[u8]) -> Answer {
        // SAFETY: the shim reads at most the slice's length from the slice.
        answer(unsafe { write(fd, bytes.as_ptr(), bytes.len() as u32) })
    }

    fn store(&mut self, fd: Fd, addr: u64, len: u64) -> Answer {
        answer(store(fd, word(addr), word(len)))
    }

    fn load(&mut self, fd: Fd, addr: u64, len: u64) -> Answer {
        answer(load(fd, word(addr), word(len)))
    }

    fn page_size(&mut self) -> u64 {
        u64::from(page_size())
    }

    fn euid(&mut self) -> Option<u64> {
        u64::try_from(euid()).ok()
    }

    fn pid(&mut self) -> u64 {
        getpid() as u64
    }

    fn time(&mut self) -> u64 {
        time() as u64
    }

    fn uname(&mut self) -> Result<Uname, Errno> {
        let field = |index: u32| -> Result<String, Errno> {
            let mut bytes = [0; UTS_FIELD];
            // SAFETY: the shim writes at most `UTS_FIELD` bytes and says how many.
            let len = answer(unsafe { uname(index, bytes.as_mut_ptr(), UTS_FIELD as u32) }).result()? as usize;
            Ok(String::from(text(bytes.get(..len).unwrap_or_default())))
        };
        // Fields in the order of struct new_utsname; 1 is the host's name, which is nobody's business.
        Ok(Uname { sysname: field(0)?, release: field(2)?, version: field(3)?, machine: field(4)? })
    }

    fn ignore_sigpipe(&mut self) -> Answer {
        answer(ignore_sigpipe())
    }

    fn exit(&mut self, code: i32) -> ! {
        exit(code)
    }

    fn open_console(&mut self, path: &str) -> Answer {
        answer(with!(open_console, path))
    }

    fn mkdir(&mut self, path: &str) -> Answer {
        answer(with!(mkdir, path))
    }

    fn mount(&mut self, kind: &str, target: &str) -> Answer {
        answer(with!(mount, kind, target.as_ptr(), target.len() as u32))
    }

    fn umount(&mut self, target: &str) -> Answer {
        answer(with!(umount, target))
    }

    fn file_id(&mut self, path: &str) -> Result<(u64, u64), Errno> {
        let whole = |returned: i64| u64::try_from(returned).map_err(|_| Errno(-returned as u16));
        Ok((whole(with!(file_dev, path))?, whole(with!(file_ino, path))?))
    }

    fn execve(&mut self, path: &str, args: &[&str]) -> Errno {
        // The shim builds argv from zero-terminated strings that follow each other.
        let mut list = Vec::new();
        for arg in args {
            list.extend_from_slice(arg.as_bytes());
            list.push(0);
        }
        answer(with!(execve, path, list.as_ptr(), list.len() as u32)).result().err().unwrap_or(Errno::EINVAL)
    }

    fn may_reboot(&mut self) -> Answer {
        answer(may_reboot())
    }

    fn reboot(&mut self, how: Ending) -> Answer {
        answer(reboot(u32::from(how == Ending::Halt)))
    }

    fn pause(&mut self) {
        pause();
    }
}
