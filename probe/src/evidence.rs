//! What was called and what came back, in order: plain data, without opinion. [`crate::verdict`] decides from it.

use crate::errno::Errno;
use crate::experiment::Bench;
use crate::kernel::{Answer, MAX_ERRNO, Word};
use crate::text::Text;

/// What is mapped. A small number, since it is compared and passed on a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backing(pub u8);

impl Backing {
    /// `MAP_ANONYMOUS`, no file.
    pub const ANONYMOUS: Backing = Backing(0);
    /// A file of `memfd_create(2)`.
    pub const MEMFD: Backing = Backing(1);
    /// A pipe: it can never be mapped, but the kernel looks at the flags before it finds out.
    pub const PIPE: Backing = Backing(2);

    /// A path that the user named, by its place among them.
    pub const fn path(place: u8) -> Backing {
        Backing(3 + place)
    }

    /// The place of a path among those the user named.
    pub const fn place(self) -> Option<usize> {
        if self.0 < 3 { None } else { Some(self.0 as usize - 3) }
    }
}

/// What came back: one number, since it is compared and passed on more than anything else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Outcome(u16);

/// The kinds of [`Outcome`] that hold a value, above its bits: no error is larger than [`MAX_ERRNO`].
const NUMBER: u16 = 1 << 12;
const FAILED: u16 = 2 << 12;
const REFUSED: u16 = 3 << 12;

const _: () = assert!(MAX_ERRNO < NUMBER);

impl Outcome {
    /// Mapped at the address that was asked for.
    pub const THERE: Outcome = Outcome(0);
    /// Mapped somewhere else.
    pub const ELSEWHERE: Outcome = Outcome(1);
    /// Never called, because something before it failed.
    pub const NOT_RUN: Outcome = Outcome(4 << 12);

    /// A count, or a byte that was read; 0 for a call that just succeeded.
    pub const fn number(number: u8) -> Outcome {
        Outcome(NUMBER | number as u16)
    }

    /// `mmap` failed.
    pub const fn failed(errno: Errno) -> Outcome {
        Outcome(FAILED | errno.0)
    }

    /// Mapped, and then a call about the mapping failed.
    pub const fn refused(errno: Errno) -> Outcome {
        Outcome(REFUSED | errno.0)
    }

    /// 1 for what is true.
    pub const fn truth(truth: bool) -> Outcome {
        Outcome::number(truth as u8)
    }

    /// The answer of a call about a mapping whose value does not matter.
    pub fn of(answer: Answer) -> Outcome {
        match answer.result() {
            Ok(_) => Outcome::number(0),
            Err(errno) => Outcome::refused(errno),
        }
    }

    /// Whether the call did what it is called for, wherever it landed.
    pub const fn succeeded(self) -> bool {
        self.0 < FAILED
    }

    /// Whether `mmap` failed.
    pub const fn is_failure(self) -> bool {
        self.0 & REFUSED == FAILED
    }

    /// Whether two answers say the same: equal, or both did what was asked.
    pub fn same_as(self, other: Outcome) -> bool {
        self == other || (self.succeeded() && other.succeeded())
    }

    /// The count or byte.
    pub const fn value(self) -> Option<u8> {
        if self.0 & REFUSED == NUMBER { Some(self.0 as u8) } else { None }
    }

    /// What the call failed with, whichever it was.
    pub const fn errno(self) -> Option<Errno> {
        if self.0 & FAILED != 0 { Some(Errno(self.0 & MAX_ERRNO)) } else { None }
    }
}

impl core::fmt::Debug for Outcome {
    fn fmt(&self, to: &mut core::fmt::Formatter) -> core::fmt::Result {
        let mut words = String::new();
        crate::report::sentence::outcome(&mut words, *self);
        to.write_str(&words)
    }
}

macro_rules! acts {
    ($($(#[$doc:meta])* $act:ident $words:literal,)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "they are the constants' names")]
        enum At { $($act),* }

        impl Act {
            /// As they read in the report.
            pub(crate) const WORDS: &[&str] = &[$($words),*];

            $($(#[$doc])* pub const $act: Act = Act(Text::ACTS.nth(At::$act as usize));)*
        }
    };
}

/// A call that is no `mmap`, or what is done with its answer: as it reads in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act(pub Text);

acts! {
    /// Taking the page that is asked for next out of the reserved ground.
    FREE "munmap(the page asked for)",
    /// Undoing failed.
    UNDO "unmapping it",
    /// How many pages are in memory.
    RESIDENT "mincore, resident pages",
    /// Dropping a page's content.
    DISCARD "madvise(MADV_DONTNEED)",
    /// Asking for the page to be read again.
    INVALIDATE "msync(MS_INVALIDATE)",
    /// Asking for memory that survives a fork.
    KEEP_ON_FORK "madvise(MADV_KEEPONFORK)",
    /// Asking for a huge page.
    COLLAPSE "madvise(MADV_COLLAPSE)",
    /// The mapping's first byte.
    FIRST_BYTE "its first byte",
    /// A byte stored into the mapping, as the mapping shows it.
    STORED "a store, read back",
    /// The same byte of the file.
    FILE_BYTE "pread, the file's byte",
    /// A write to the file while it is mapped.
    WRITE_FILE "write to the file",
    /// A touch of memory below the mapping.
    TOUCH_BELOW "a touch below it",
    /// A touch of memory above the mapping.
    TOUCH_ABOVE "a touch above it",
    /// Unmapping one base page of a mapping.
    UNMAP_PAGE "munmap of one page of it",
    /// Whether the mapping lies below 2 GiB.
    LOW "it lies below 2 GiB",
    /// Whether the mapping lies below 4 GiB.
    BELOW_4G "it lies below 4 GiB",
    /// Pages whose first byte is not zero.
    DIRTY "pages that are not zero",
    /// Whether `/proc/self/smaps` shows what the kernel noted about the flag.
    RECORDED "its VmFlags show the flag",
    /// The default size of huge pages, as the power of two.
    HUGE_SIZE "power of two of its size",
}

/// A call that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `mmap(2)`. The hint, or with `MAP_FIXED` the address, is ground the experiment reserved.
    Mmap {
        /// Type and flags, as given.
        flags: u32,
        /// What was mapped.
        backing: Backing,
        /// Pages; 0 for a size that is no small number of them.
        pages: u8,
    },
    /// The same, as the flag's answer in one context (map type x backing): one page.
    Context {
        /// Type and flags, as given.
        flags: u32,
        /// What was mapped.
        backing: Backing,
    },
    /// Any other call.
    Other(Act),
}

/// A call and its answer. There are about a thousand of these in a run, so it is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Of an `mmap`; otherwise the place of the words.
    flags: u32,
    backing: Backing,
    /// Pages, or one of the kinds below.
    kind: u8,
    /// What came back.
    pub outcome: Outcome,
}

/// The kinds of [`Step`] that have no number of pages.
const CONTEXT: u8 = 255;
const OTHER: u8 = 254;

const _: () = assert!(size_of::<Step>() == 8);

impl Step {
    /// Notes a call.
    pub fn new(call: Call, outcome: Outcome) -> Step {
        let (flags, backing, kind) = match call {
            Call::Mmap { flags, backing, pages } => (flags, backing, pages),
            Call::Context { flags, backing } => (flags, backing, CONTEXT),
            Call::Other(Act(words)) => (words.place().into(), Backing::ANONYMOUS, OTHER),
        };
        Step { flags, backing, kind, outcome }
    }

    /// What was called.
    pub fn call(&self) -> Call {
        let Step { flags, backing, kind, .. } = *self;
        match kind {
            CONTEXT => Call::Context { flags, backing },
            OTHER => Call::Other(Act(Text::at(flags as u16))),
            pages => Call::Mmap { flags, backing, pages },
        }
    }
}

/// What the answers to a measurement can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The flag's effect: what it promises, which the plain call must not show.
    Effect,
    /// A sign, other than the effect, that only a kernel that knows the flag gives.
    Sign,
    /// Knowledge: whoever validates flags answers to what names nothing in another way than to the plain call.
    Validator,
    /// That this machine offers a size, in the same way.
    Offer,
}

/// A measurement, as an experiment lists it.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    /// What is measured, as it reads in the reason.
    pub question: Text,
    /// What its answers can show.
    pub role: Role,
    /// What a kernel that honors the flag, or gives the sign, shows.
    pub promised: Outcome,
    /// What the flags hold beside the flag: see [`crate::experiment::bench::base`].
    pub base: u8,
    /// What is mapped.
    pub backing: Backing,
    /// Measures, with these flags.
    pub look: fn(&mut Bench, Word, Backing) -> Outcome,
}

/// A measurement with the flag, without it, and with a bit, type or size that names nothing instead.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// What was measured.
    pub test: &'static Test,
    /// With the flag.
    pub flagged: Outcome,
    /// Without it.
    pub plain: Outcome,
    /// With a control instead, where that says something.
    pub unknown: Outcome,
}

/// What a kernel is to be called that shows that it knows a flag, but not its effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// No test can decide here.
    #[default]
    Accepted,
    /// It cannot give the effect here.
    Unavailable,
}

/// A set of errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals(u8);

impl Refusals {
    /// Those there are.
    const ALL: [Errno; 5] =
        [Errno::EPERM, Errno::EAGAIN, Errno::EINVAL, Errno::ENOTSUPP, Errno::EOPNOTSUPP];
    /// None of them.
    pub const NONE: Refusals = Refusals(0);

    /// A set of some.
    pub const fn of(errnos: &[Errno]) -> Refusals {
        let (mut set, mut at) = (0, 0);
        while at < errnos.len() {
            let mut bit = 0;
            while Refusals::ALL[bit].0 != errnos[at].0 {
                bit += 1;
            }
            set |= 1 << bit;
            at += 1;
        }
        Refusals(set)
    }

    /// Whether it is one of them.
    pub fn has(self, errno: Errno) -> bool {
        Refusals::ALL.iter().enumerate().any(|(bit, one)| *one == errno && self.0 >> bit & 1 == 1)
    }
}

/// What an experiment found, beside the calls themselves, which the bench notes.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What had to hold and did not: a sentence.
    pub failed_control: Option<Text>,
    /// What was measured. A yes and a no each need two of a role that agree.
    pub trials: Vec<Trial>,
    /// What a sign means where the effect was not seen.
    pub known: Known,
    /// Errors that only a kernel that knows the flag gives, where the plain call succeeds.
    pub knowing: Refusals,
    /// Something to add to the reason of a yes.
    pub but: Option<Text>,
}

impl Evidence {
    /// Forgets everything, and keeps the room it took.
    pub fn clear(&mut self) {
        self.trials.clear();
        let trials = core::mem::take(&mut self.trials);
        *self = Evidence { trials, ..Evidence::default() };
    }

    /// The trials of a role.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(move |trial| trial.test.role == role)
    }
}
