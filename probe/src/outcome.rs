//! Calls and their outcomes.

use core::fmt;
use kernel::{Errno, SysResult};

/// What a call maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// `MAP_ANONYMOUS`, no file.
    Anonymous,
    /// The file of the fixture: a memfd where there is one.
    File,
    /// A pipe. It can never be mapped (`ENODEV`), but the kernel checks the flags first.
    Pipe,
    /// A file that the user named: its index among the paths. It was opened for reading and
    /// writing if that is allowed.
    Path(usize),
    /// The same file, opened for reading only, where it is answered differently then.
    ReadOnlyPath(usize),
}

/// A map type and a backing that a flag is combined with. Reports list the outcome in each context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The value of the type field.
    pub map_type: usize,
    pub backing: Backing,
}

/// The outcome of a call, or of a measurement that takes several calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Mapped at the address in the call.
    MappedThere,
    /// Mapped at another address.
    MappedElsewhere,
    /// A call about the mapping succeeded.
    Ok,
    /// A count, a byte that was read, or 1 for true and 0 for false.
    Value(u8),
    /// `mmap` failed.
    MmapFailed(Errno),
    /// `mmap` succeeded, and a call about the mapping failed.
    Failed(Errno),
    /// A touch of the mapping ended a child process with this signal.
    Killed(u8),
    /// Not called, because a call before it failed or because it would prove nothing.
    NotRun,
}

impl Outcome {
    /// The outcome of a call about a mapping.
    pub fn of(result: SysResult) -> Outcome {
        match result.result() {
            Ok(_) => Outcome::Ok,
            Err(errno) => Outcome::Failed(errno),
        }
    }

    /// The outcome of `mmap` with this address.
    pub fn of_mmap(result: SysResult, addr: usize) -> Outcome {
        match result.result() {
            Ok(given) if given == addr => Outcome::MappedThere,
            Ok(_) => Outcome::MappedElsewhere,
            Err(errno) => Outcome::MmapFailed(errno),
        }
    }

    /// Whether the call succeeded, wherever a mapping landed.
    pub const fn succeeded(self) -> bool {
        use Outcome::{MappedElsewhere, MappedThere, Ok, Value};
        matches!(self, MappedThere | MappedElsewhere | Ok | Value(_))
    }

    /// Whether `mmap` failed.
    pub const fn is_mmap_failure(self) -> bool {
        matches!(self, Outcome::MmapFailed(_))
    }

    /// The error, of `mmap` or of a call about the mapping.
    pub const fn errno(self) -> Option<Errno> {
        match self {
            Outcome::MmapFailed(errno) | Outcome::Failed(errno) => Some(errno),
            _ => None,
        }
    }

    /// Whether a system call filter may be the cause: it rejects calls with `EPERM` or `ENOSYS`,
    /// and a call that kills is not made but fails with `ENOSYS`.
    pub const fn may_be_filtered(self) -> bool {
        matches!(self.errno(), Some(Errno::EPERM | Errno::ENOSYS))
    }

    /// Whether two calls had the same outcome, whatever the address and value.
    pub fn agrees_with(self, other: Outcome) -> bool {
        self == other || (self.succeeded() && other.succeeded())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Outcome::MappedThere => f.write_str("mapped there"),
            Outcome::MappedElsewhere => f.write_str("mapped elsewhere"),
            Outcome::Ok => f.write_str("0"),
            Outcome::Value(value) => write!(f, "{value}"),
            Outcome::MmapFailed(errno) | Outcome::Failed(errno) => write!(f, "{errno}"),
            Outcome::Killed(signal) => write!(f, "signal {signal}"),
            Outcome::NotRun => f.write_str("not asked"),
        }
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The length of a mapping in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Pages(usize),
    /// A number of bytes that depends on the machine, or a huge page.
    Large,
}

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `mmap(2)` as part of an experiment. `flags` is the number that the kernel got.
    Mmap { flags: usize, backing: Backing, size: Size },
    /// `mmap(2)` of one page in one context: reports list its outcome among the contexts of the
    /// flag.
    Context { flags: usize, backing: Backing },
    /// Any other call, as it reads in the report.
    Other(&'static str),
}

/// A trace entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub call: Call,
    pub outcome: Outcome,
}
