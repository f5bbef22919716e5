//! Translates a recording into x86-64 system calls that another process can make, although the
//! kernel chooses other addresses there.

use crate::recording::RecordedCall;
use anyhow::{Result, bail};
use kernel::{Advice, Op, OpenMode, UTS_FIELD};
use libc::c_long;

/// An argument of a system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    Number(u64),
    /// The result of an earlier call plus an offset.
    Offset {
        /// The index of the call.
        call: usize,
        offset: u64,
    },
    /// The result of an earlier call, rounded up to an odd multiple of 2 to a power.
    OddMultiple {
        /// The index of the call.
        call: usize,
        power: u32,
    },
    /// The address of these bytes.
    Input(Vec<u8>),
    /// The address of a buffer of [`OUTPUT_BYTES`] bytes.
    Output,
}

/// The size of the buffer that the calls fill.
pub const OUTPUT_BYTES: usize = 4096;

// The largest structure in the buffer is that of uname(2).
const _: () = assert!(6 * UTS_FIELD <= OUTPUT_BYTES);

/// The number that stands for [`Op::Touch`]: `clone(2)`, a store of the child, and `wait4(2)`.
pub const TOUCH: c_long = 0xffff;

/// A system call has at most this number of arguments.
pub const MAX_ARGUMENTS: usize = 6;

/// A system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemCall {
    pub number: c_long,
    /// At most [`MAX_ARGUMENTS`].
    pub arguments: Vec<Argument>,
}

/// The kernel chooses addresses above this one, different ones in every process. Lower addresses
/// are hints that mapprobe chose.
const CHOSEN_BY_KERNEL: u64 = 1 << 40;

/// A page has 2 to this power bytes.
const PAGE_POWER: u32 = 12;

/// The system calls of a recording. Recorded requests that need no system call are skipped.
///
/// # Errors
/// A call cannot be repeated; the first one is named.
pub fn of(recording: &[RecordedCall]) -> Result<Vec<SystemCall>> {
    let mut calls = Vec::new();
    let mut mappings = Mappings::default();
    for recorded in recording {
        let Some(call) = translate(recorded, &mappings)? else { continue };
        if let (Op::Mmap, Some(start)) = (recorded.op, recorded.result) {
            mappings.0.push(Mapping { start, len: recorded.args[1], call: calls.len() });
        }
        calls.push(call);
    }
    Ok(calls)
}

/// The mappings so far, from the oldest to the newest. Unmapped ones are included, because mapprobe
/// also uses addresses of removed mappings.
#[derive(Default)]
struct Mappings(Vec<Mapping>);

struct Mapping {
    start: u64,
    len: u64,
    /// The index of the mmap(2) call.
    call: usize,
}

impl Mappings {
    /// The address of a range, relative to the newest mapping that contains it.
    fn locate(&self, address: u64, len: u64) -> Result<Argument> {
        let contains = |mapping: &&Mapping| {
            address.checked_sub(mapping.start).is_some_and(|offset| offset < mapping.len)
        };
        let Some(mapping) = self.0.iter().rev().find(contains) else {
            if address >= CHOSEN_BY_KERNEL {
                bail!("The recorded run uses the address {address:#x}, which no call mapped.");
            }
            return Ok(Argument::Number(address));
        };
        let (call, power) = (mapping.call, address.trailing_zeros());
        // mapprobe reserves three times the alignment to get an aligned address. A call about the
        // whole reserved range uses its start instead.
        let is_aligned = power > PAGE_POWER
            && 3_u64.checked_shl(power) == Some(mapping.len)
            && len < mapping.len;
        Ok(match is_aligned {
            true => Argument::OddMultiple { call, power },
            false => Argument::Offset { call, offset: address - mapping.start },
        })
    }
}

/// The system call that `kernel/src/linux.rs` makes for a recorded call. `None` if it makes
/// none.
fn translate(recorded: &RecordedCall, mappings: &Mappings) -> Result<Option<SystemCall>> {
    use Argument::{Input, Number, Output};
    let [a, b, c, d, e] = recorded.args.map(Number);
    let current_directory = || Number(libc::AT_FDCWD as u64);
    let path = || Input(recorded.input.iter().copied().chain([0]).collect());
    let len = |bytes: u64| Number(bytes.clamp(1, OUTPUT_BYTES as u64));
    let first_address = mappings.locate(recorded.args[0], recorded.args[1]);
    let second_address = || mappings.locate(recorded.args[1], recorded.args[2]);
    let (number, arguments) = match recorded.op {
        Op::Mmap => (libc::SYS_mmap, vec![first_address?, b, c, d, e, Number(0)]),
        Op::Munmap => (libc::SYS_munmap, vec![first_address?, b]),
        Op::Mincore => (libc::SYS_mincore, vec![first_address?, b, Output]),
        Op::Madvise => {
            let advice = advice_number(recorded.args[2])?;
            (libc::SYS_madvise, vec![first_address?, b, Number(advice)])
        }
        Op::MsyncInvalidate => {
            (libc::SYS_msync, vec![first_address?, b, Number(libc::MS_INVALIDATE as u64)])
        }
        Op::MemfdCreate => (libc::SYS_memfd_create, vec![path(), Number(libc::MFD_CLOEXEC.into())]),
        Op::Pipe => {
            (libc::SYS_pipe2, vec![Output, Number((libc::O_CLOEXEC | libc::O_NONBLOCK) as u64)])
        }
        Op::Close => (libc::SYS_close, vec![a]),
        Op::Read => (libc::SYS_read, vec![a, Output, len(recorded.result.unwrap_or(1))]),
        Op::Pread => (libc::SYS_pread64, vec![a, Output, len(recorded.result.unwrap_or(1)), b]),
        Op::Write => {
            // The recording omits trailing zeros.
            let len = recorded.result.map_or(recorded.input.len(), |written| written as usize);
            let mut bytes = recorded.input.clone();
            bytes.resize(len, 0);
            (libc::SYS_write, vec![a, Input(bytes), Number(len as u64)])
        }
        Op::Touch => (TOUCH, vec![mappings.locate(recorded.args[0], 1)?]),
        Op::Store => (libc::SYS_read, vec![a, second_address()?, c]),
        Op::Load => (libc::SYS_write, vec![a, second_address()?, c]),
        Op::Open => {
            let (flags, mode) = open_flags(recorded.args[0])?;
            let arguments = vec![current_directory(), path(), Number(flags), Number(mode)];
            (libc::SYS_openat, arguments)
        }
        Op::Unlink => (libc::SYS_unlinkat, vec![current_directory(), path(), Number(0)]),
        Op::Memory => (libc::SYS_sysinfo, vec![Output]),
        Op::PageSize | Op::Euid | Op::FatalCalls => return Ok(None),
        Op::Pid => (libc::SYS_getpid, vec![]),
        Op::Time => (libc::SYS_clock_gettime, vec![Number(libc::CLOCK_REALTIME as u64), Output]),
        Op::Uname => (libc::SYS_uname, vec![Output]),
        op => bail!("The recorded run contains {op:?}, which cannot be repeated."),
    };
    Ok(Some(SystemCall { number, arguments }))
}

/// The kernel's number of an [`Advice`].
fn advice_number(recorded: u64) -> Result<u64> {
    let numbers = [
        (Advice::DontNeed, libc::MADV_DONTNEED),
        (Advice::KeepOnFork, libc::MADV_KEEPONFORK),
        // MADV_COLLAPSE in `include/uapi/asm-generic/mman-common.h`.
        (Advice::Collapse, 25),
    ];
    match numbers.into_iter().find(|&(advice, _)| advice as u64 == recorded) {
        Some((_, number)) => Ok(number as u64),
        None => bail!("The recorded run uses an unknown madvise(2) advice: {recorded}."),
    }
}

/// The flags and the mode of open(2) for an [`OpenMode`].
fn open_flags(recorded: u64) -> Result<(u64, u64)> {
    // mapprobe uses `OpenMode::Device` only as PID 1.
    let modes = [
        (OpenMode::Read, libc::O_RDONLY, 0o600),
        (OpenMode::ReadWrite, libc::O_RDWR, 0o600),
        (OpenMode::TmpFile, libc::O_RDWR | libc::O_TMPFILE, 0o600),
        (OpenMode::CreateNew, libc::O_RDWR | libc::O_CREAT | libc::O_EXCL, 0o600),
        (OpenMode::Create, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC, 0o644),
    ];
    let common = libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    match modes.into_iter().find(|&(open_mode, ..)| open_mode as u64 == recorded) {
        Some((_, flags, mode)) => Ok(((flags | common) as u64, mode)),
        None => bail!("The recorded run opens a file in an unknown mode: {recorded}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::parse;

    fn arguments(lines: &str) -> Vec<Vec<Argument>> {
        let recording =
            parse(&format!("mapprobe recording 2\narch x86_64\n{lines}"), "x86_64").unwrap();
        of(&recording).unwrap().into_iter().map(|call| call.arguments).collect()
    }

    #[test]
    fn addresses_are_relative_to_the_newest_mapping() {
        let calls = arguments(
            "page_size = 1000\n\
             mmap 0 4000 0 4022 ffffffffffffffff = 7f0000001000\n\
             mmap 7f0000002000 1000 1 32 ffffffffffffffff = 7f0000002000\n\
             munmap 7f0000002000 1000 = 0\n\
             load 4 7f0000003009 1 = 1\n",
        );
        let offset = |call, offset| Argument::Offset { call, offset };
        assert_eq!(calls[0][0], Argument::Number(0));
        assert_eq!(calls[1][0], offset(0, 0x1000));
        assert_eq!(calls[2][0], offset(1, 0));
        assert_eq!(calls[3], [Argument::Number(4), offset(0, 0x2009), Argument::Number(1)]);
    }

    #[test]
    fn aligned_addresses_are_aligned_again() {
        let calls = arguments(
            "mmap 0 c0000000 0 4022 ffffffffffffffff = 7fb4a9600000\n\
             mmap 7fb4c0000000 1000 1 4032 ffffffffffffffff = -22\n\
             munmap 7fb4a9600000 c0000000 = 0\n\
             mmap 0 600000 0 4022 ffffffffffffffff = 7fb4a9600000\n\
             mmap 7fb4a9600000 1000 1 4032 ffffffffffffffff = -22\n\
             munmap 7fb4a9600000 600000 = 0\n",
        );
        for (call, power) in [(0, 30), (3, 21)] {
            assert_eq!(calls[call + 1][0], Argument::OddMultiple { call, power });
            assert_eq!(calls[call + 2][0], Argument::Offset { call, offset: 0 });
        }
    }

    #[test]
    fn buffers_have_the_recorded_length() {
        let calls = arguments("write 5 < m = 3\nread 4 = 2 > s\nopen < /p = -2\n");
        assert_eq!(
            calls[0],
            [Argument::Number(5), Argument::Input(b"m\0\0".to_vec()), Argument::Number(3)]
        );
        assert_eq!(calls[1], [Argument::Number(4), Argument::Output, Argument::Number(2)]);
        assert_eq!(calls[2][1], Argument::Input(b"/p\0".to_vec()));
    }

    #[test]
    fn unknown_addresses_are_errors() {
        let recording =
            parse("mapprobe recording 2\narch x86_64\nmunmap 7f0000001000 1000 = 0\n", "x86_64")
                .unwrap();
        assert!(of(&recording).unwrap_err().to_string().contains("0x7f0000001000"));
    }
}
