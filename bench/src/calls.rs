//! A recording as system calls of x86-64 that mean the same in another process, where the kernel chooses other addresses.

use crate::recording::Asked;
use anyhow::{Result, bail};
use libc::c_long;
use mapprobe::kernel::{Advice, How, Op, UTS_FIELD};

/// An argument of a system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A number that is the same in every process.
    Plain(u64),
    /// An address in what an earlier call of the list mapped.
    Mapped {
        /// The position of that call.
        call: usize,
        /// Bytes behind its answer.
        offset: u64,
    },
    /// The first address behind the answer of an earlier call that is aligned to a power of two and to no larger one.
    Odd {
        /// The position of that call.
        call: usize,
        /// The logarithm of the power.
        power: u32,
    },
    /// Where these bytes are.
    Input(Vec<u8>),
    /// Where there is room for [`ROOM`] bytes.
    Output,
}

/// Bytes a call may fill.
pub const ROOM: usize = 4096;

/// A system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemCall {
    /// Its number.
    pub number: c_long,
    /// At most six.
    pub arguments: Vec<Argument>,
}

/// No process of x86-64 has the same addresses above this one as another; below are hints that a program chose itself.
const CHOSEN_BY_KERNEL: u64 = 1 << 40;

/// Every address of a mapping is aligned to pages, of 2 to the power of this many bytes.
const PAGE: u32 = 12;

/// The system calls of a recording, in their order. What is answered without one is left out.
///
/// # Errors
/// A sentence about the first call that cannot be made again.
pub fn of(recording: &[Asked]) -> Result<Vec<SystemCall>> {
    let mut calls = Vec::new();
    let mut mappings = Mappings::default();
    for asked in recording {
        if let Some(call) = call(asked, &mappings)? {
            if let (Op::Mmap, Some(answer)) = (asked.op, asked.answer) {
                mappings.0.push(Mapping { answer, len: asked.args[1], call: calls.len() });
            }
            calls.push(call);
        }
    }
    Ok(calls)
}

/// What was mapped, the newest last. What was unmapped stays: programs ask about it, too.
#[derive(Default)]
struct Mappings(Vec<Mapping>);

struct Mapping {
    answer: u64,
    len: u64,
    call: usize,
}

impl Mappings {
    /// An address relative to the newest mapping it lies in; `len` bytes from there on are asked about.
    fn locate(&self, address: u64, len: u64) -> Result<Argument> {
        let holds = |mapping: &&Mapping| {
            address.checked_sub(mapping.answer).is_some_and(|offset| offset < mapping.len)
        };
        let Some(mapping) = self.0.iter().rev().find(holds) else {
            if address >= CHOSEN_BY_KERNEL {
                bail!("The recorded run uses the address {address:#x}, and no call had mapped it.");
            }
            return Ok(Argument::Plain(address));
        };
        let (call, power) = (mapping.call, address.trailing_zeros());
        // Room for such an address is three times as large as its alignment; all of that room is another matter.
        let odd =
            power > PAGE && 3_u64.checked_shl(power) == Some(mapping.len) && len < mapping.len;
        Ok(match odd {
            true => Argument::Odd { call, power },
            false => Argument::Mapped { call, offset: address - mapping.answer },
        })
    }
}

/// The system call for one of a recording, as `probe/src/kernel/linux.rs` makes it; none where that needs none.
fn call(asked: &Asked, mappings: &Mappings) -> Result<Option<SystemCall>> {
    use Argument::{Input, Output, Plain};
    let [a, b, c, d, e] = asked.args.map(Plain);
    let cwd = || Plain(libc::AT_FDCWD as u64);
    // A path or name, with its zero.
    let text = || Input(asked.input.iter().copied().chain([0]).collect());
    let room = |bytes: u64| Plain(bytes.clamp(1, ROOM as u64));
    let first = mappings.locate(asked.args[0], asked.args[1]);
    let second = || mappings.locate(asked.args[1], asked.args[2]);
    let (number, arguments) = match asked.op {
        Op::Mmap => (libc::SYS_mmap, vec![first?, b, c, d, e, Plain(0)]),
        Op::Munmap => (libc::SYS_munmap, vec![first?, b]),
        Op::Mincore => (libc::SYS_mincore, vec![first?, b, Output]),
        Op::Madvise => (libc::SYS_madvise, vec![first?, b, Plain(advice(asked.args[2])?)]),
        Op::MsyncInvalidate => {
            (libc::SYS_msync, vec![first?, b, Plain(libc::MS_INVALIDATE as u64)])
        }
        Op::MemfdCreate => (libc::SYS_memfd_create, vec![text(), Plain(libc::MFD_CLOEXEC.into())]),
        Op::Pipe => {
            (libc::SYS_pipe2, vec![Output, Plain((libc::O_CLOEXEC | libc::O_NONBLOCK) as u64)])
        }
        Op::Close => (libc::SYS_close, vec![a]),
        Op::Read => (libc::SYS_read, vec![a, Output, room(asked.answer.unwrap_or(1))]),
        Op::Pread => (libc::SYS_pread64, vec![a, Output, room(asked.answer.unwrap_or(1)), b]),
        Op::Write => {
            // The zeros at its end are not in the recording.
            let len = asked.answer.map_or(asked.input.len(), |written| written as usize);
            let mut bytes = asked.input.clone();
            bytes.resize(len, 0);
            (libc::SYS_write, vec![a, Input(bytes), Plain(len as u64)])
        }
        Op::Store => (libc::SYS_read, vec![a, second()?, c]),
        Op::Load => (libc::SYS_write, vec![a, second()?, c]),
        Op::Open => {
            let (flags, mode) = how(asked.args[0])?;
            (libc::SYS_openat, vec![cwd(), text(), Plain(flags), Plain(mode)])
        }
        Op::Unlink => (libc::SYS_unlinkat, vec![cwd(), text(), Plain(0)]),
        Op::Memory => (libc::SYS_sysinfo, vec![Output]),
        Op::PageSize | Op::Euid => return Ok(None),
        Op::Pid => (libc::SYS_getpid, vec![]),
        Op::Time => (libc::SYS_clock_gettime, vec![Plain(libc::CLOCK_REALTIME as u64), Output]),
        Op::Uname => (libc::SYS_uname, vec![Output]),
        op => bail!("The recorded run asked for {op:?}, which no probing needs."),
    };
    Ok(Some(SystemCall { number, arguments }))
}

/// The kernel's number for one of [`Advice`].
fn advice(number: u64) -> Result<u64> {
    let known = [
        (Advice::DontNeed, libc::MADV_DONTNEED),
        (Advice::KeepOnFork, libc::MADV_KEEPONFORK),
        // `include/uapi/asm-generic/mman-common.h`
        (Advice::Collapse, 25),
    ];
    match known.into_iter().find(|&(advice, _)| advice as u64 == number) {
        Some((_, number)) => Ok(number as u64),
        None => bail!("The recorded run gave an advice that is not known: {number}."),
    }
}

/// The flags and the mode for one of [`How`].
fn how(number: u64) -> Result<(u64, u64)> {
    let known = [
        (How::Read, libc::O_RDONLY, 0o600),
        (How::ReadWrite, libc::O_RDWR, 0o600),
        (How::Nameless, libc::O_RDWR | libc::O_TMPFILE, 0o600),
        (How::New, libc::O_RDWR | libc::O_CREAT | libc::O_EXCL, 0o600),
        (How::Create, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC, 0o644),
    ];
    // A run never opens the other one, `How::Device`.
    let always = libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    match known.into_iter().find(|&(how, ..)| how as u64 == number) {
        Some((_, flags, mode)) => Ok(((flags | always) as u64, mode)),
        None => bail!("The recorded run opened a file in a way that is not known: {number}."),
    }
}

// What `uname(2)` fills is the largest structure of all.
const _: () = assert!(6 * UTS_FIELD <= ROOM);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::parse;

    fn arguments(lines: &str) -> Vec<Vec<Argument>> {
        let recording =
            parse(&format!("mapprobe recording 1\narch x86_64\n{lines}"), "x86_64").unwrap();
        of(&recording).unwrap().into_iter().map(|call| call.arguments).collect()
    }

    #[test]
    fn addresses_are_relative_to_the_newest_mapping_around_them() {
        let calls = arguments(
            "page_size = 1000\nmmap 0 4000 0 4022 ffffffffffffffff = 7f0000001000\nmmap 7f0000002000 1000 1 32 ffffffffffffffff = \
             7f0000002000\nmunmap 7f0000002000 1000 = 0\nload 4 7f0000003009 1 = 1\n",
        );
        let mapped = |call, offset| Argument::Mapped { call, offset };
        assert_eq!(calls[0][0], Argument::Plain(0));
        assert_eq!(calls[1][0], mapped(0, 0x1000));
        assert_eq!(calls[2][0], mapped(1, 0));
        assert_eq!(calls[3], [Argument::Plain(4), mapped(0, 0x2009), Argument::Plain(1)]);
    }

    #[test]
    fn an_address_that_was_aligned_is_aligned_again() {
        let calls = arguments(
            "mmap 0 c0000000 0 4022 ffffffffffffffff = 7fb4a9600000\n\
             mmap 7fb4c0000000 1000 1 4032 ffffffffffffffff = -22\n\
             munmap 7fb4a9600000 c0000000 = 0\n\
             mmap 0 600000 0 4022 ffffffffffffffff = 7fb4a9600000\n\
             mmap 7fb4a9600000 1000 1 4032 ffffffffffffffff = -22\n\
             munmap 7fb4a9600000 600000 = 0\n",
        );
        let of = |call: usize| (calls[call + 1][0].clone(), calls[call + 2][0].clone());
        assert_eq!(
            of(0),
            (Argument::Odd { call: 0, power: 30 }, Argument::Mapped { call: 0, offset: 0 })
        );
        assert_eq!(
            of(3),
            (Argument::Odd { call: 3, power: 21 }, Argument::Mapped { call: 3, offset: 0 })
        );
    }

    #[test]
    fn buffers_have_the_length_that_was_used() {
        let calls = arguments("write 5 < m = 3\nread 4 = 2 > s\nopen < /p = -2\n");
        assert_eq!(
            calls[0],
            [Argument::Plain(5), Argument::Input(b"m\0\0".to_vec()), Argument::Plain(3)]
        );
        assert_eq!(calls[1], [Argument::Plain(4), Argument::Output, Argument::Plain(2)]);
        assert_eq!(calls[2][1], Argument::Input(b"/p\0".to_vec()));
    }

    #[test]
    fn an_address_from_nowhere_is_refused() {
        let recording =
            parse("mapprobe recording 1\narch x86_64\nmunmap 7f0000001000 1000 = 0\n", "x86_64")
                .unwrap();
        assert!(of(&recording).unwrap_err().to_string().contains("0x7f0000001000"));
    }
}
