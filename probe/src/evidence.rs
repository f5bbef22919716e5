//! What was called and what came back, in order: plain data, without opinion. [`crate::verdict`] decides from it.

use crate::errno::Errno;
use crate::kernel::Answer;

/// What is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// `MAP_ANONYMOUS`, no file.
    Anonymous,
    /// A file of `memfd_create(2)`.
    Memfd,
    /// A pipe: it can never be mapped, but the kernel looks at the flags before it finds out.
    Pipe,
}

impl Backing {
    /// The word of the report.
    pub const fn name(self) -> &'static str {
        match self {
            Backing::Anonymous => "anonymous",
            Backing::Memfd => "memfd",
            Backing::Pipe => "pipe",
        }
    }
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Mapped at the address that was asked for.
    There,
    /// Mapped somewhere else.
    Elsewhere,
    /// A count, or a byte that was read; 0 for a call that just succeeded.
    Number(u8),
    /// Refused.
    Failed(Errno),
    /// Never called, because something before it failed.
    NotRun,
}

impl Outcome {
    /// The answer of a call whose value does not matter.
    pub fn of(answer: Answer) -> Outcome {
        match answer.result() {
            Ok(_) => Outcome::Number(0),
            Err(errno) => Outcome::Failed(errno),
        }
    }

    /// Whether the call did what it is called for, wherever it landed.
    pub const fn succeeded(self) -> bool {
        matches!(self, Outcome::There | Outcome::Elsewhere | Outcome::Number(_))
    }

    /// Whether two answers say the same: equal, or both did what was asked.
    pub fn same_as(self, other: Outcome) -> bool {
        self == other || (self.succeeded() && other.succeeded())
    }
}

/// A call that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `mmap(2)`. The hint, or with `MAP_FIXED` the address, is ground the experiment reserved.
    Mmap {
        /// Type and flags, as given.
        flags: u64,
        /// What was mapped.
        backing: Backing,
        /// Pages.
        pages: u16,
    },
    /// Any other call, as it reads in the report.
    Other(&'static str),
}

/// A call and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was called.
    pub call: Call,
    /// What came back.
    pub outcome: Outcome,
    /// Whether it is the flag's answer in one context (map type x backing).
    pub context: bool,
}

/// An effect test: one measurement with the flag, without it, and with a bit that no kernel knows instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// What is measured, as it reads in the reason.
    pub question: &'static str,
    /// What a kernel that honors the flag shows.
    pub promised: Outcome,
    /// With the flag.
    pub flagged: Outcome,
    /// Without it.
    pub plain: Outcome,
    /// With a control bit instead, where that says something.
    pub unknown: Outcome,
}

/// How a context that validates flags answers: to no flag, to this one, and to one that no kernel knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognition {
    /// Who validates, as it reads in the reason.
    pub by: &'static str,
    /// To nothing unknown.
    pub base: Outcome,
    /// To this flag, type or size.
    pub flagged: Outcome,
    /// To what names nothing; all controls must agree.
    pub unknown: Outcome,
}

/// What an experiment found, beside the calls themselves, which the bench notes.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What had to hold and did not: a sentence.
    pub failed_control: Option<&'static str>,
    /// Effect tests; all must agree.
    pub trials: Vec<Trial>,
    /// Whether the kernel knows the flag or type, by each validator that can tell; at least two, for a no must not rest on one call.
    pub recognitions: Vec<Recognition>,
    /// Whether this machine offers the huge page size, by the same means, asked more than once.
    pub offers: Vec<Recognition>,
    /// Errors that only a kernel that knows the flag gives, where the plain call succeeds.
    pub knowing: &'static [Errno],
}
