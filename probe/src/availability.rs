//! Whether this process can have one huge page now. The verdict is about the kernel; the pool of
//! huge pages and the limits of the process decide beside it.

use core::fmt;
use kernel::Errno;

/// Whether a page can be had, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// A page was reserved, and a byte of it was written.
    Touched,
    /// A page was reserved. It is too large to be touched.
    Reserved,
    /// A page was reserved, and a touch fails: the hugetlb controller of cgroups counts pages that
    /// are touched (`alloc_hugetlb_folio`, `mm/hugetlb.c`).
    TouchFails,
    /// `mmap` fails. The pool is read where `ENOMEM` leaves the cause open.
    Refused(Errno, Option<Pool>),
    /// The verdict is a no.
    NoSupport,
    /// Not asked, or no answer, and why.
    Unknown(&'static str),
}

/// The pages of a size, `/sys/kernel/mm/hugepages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Pages that nobody uses.
    pub free: usize,
    /// Pages among them that are reserved for mappings.
    pub reserved: usize,
}

impl Pool {
    /// Pages that a program can still reserve.
    pub const fn unreserved(self) -> usize {
        self.free.saturating_sub(self.reserved)
    }
}

/// Whether a page can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    Unknown,
}

impl Answer {
    /// The answer in a report.
    pub const fn word(self) -> &'static str {
        match self {
            Answer::Yes => "yes",
            Answer::No => "no",
            Answer::Unknown => "unknown",
        }
    }
}

impl Availability {
    pub const fn answer(self) -> Answer {
        match self {
            Availability::Touched | Availability::Reserved => Answer::Yes,
            Availability::TouchFails | Availability::Refused(..) | Availability::NoSupport => {
                Answer::No
            }
            Availability::Unknown(_) => Answer::Unknown,
        }
    }
}

/// Displays why.
impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match *self {
            Availability::Touched => "reserved and touched",
            Availability::Reserved => "reserved, not touched",
            Availability::TouchFails => "reserved, but a touch fails: a program gets SIGBUS",
            Availability::Refused(errno, None) => return write!(f, "mmap fails with {errno}"),
            Availability::Refused(_, Some(Pool { free: 0, .. })) => "the pool has no free page",
            Availability::Refused(errno, Some(pool)) => match pool.unreserved() {
                0 => "every free page of the pool is reserved",
                pages => {
                    return write!(
                        f,
                        "{pages} pages are free, yet mmap fails with {errno}: a limit such as a \
                         cgroup's"
                    );
                }
            },
            Availability::NoSupport => "the verdict is a no",
            Availability::Unknown(why) => why,
        })
    }
}
