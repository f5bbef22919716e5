//! What makes one kernel different from another: the numbers of its architecture, and what came with which version.

use crate::errno::Errno;

/// The flags argument as an architecture divides it.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// `MAP_TYPE` since 4.15.
    pub type_mask: u64,
    /// `MAP_FIXED`.
    pub fixed: u64,
    /// `MAP_ANONYMOUS`.
    pub anonymous: u64,
    /// `MAP_GROWSDOWN`.
    pub growsdown: u64,
    /// `MAP_LOCKED`.
    pub locked: u64,
    /// `MAP_POPULATE`.
    pub populate: u64,
    /// `MAP_NONBLOCK`.
    pub nonblock: u64,
    /// `MAP_HUGETLB`.
    pub hugetlb: u64,
    /// `LEGACY_MAP_MASK` of `include/linux/mman.h` without the type bits, as of 6.1.
    pub legacy: u64,
}

/// `include/uapi/asm-generic/mman-common.h`, `arch/x86/include/uapi/asm/mman.h`.
pub const X86: Layout = Layout {
    type_mask: 0x0f,
    fixed: 0x10,
    anonymous: 0x20,
    growsdown: 0x100,
    locked: 0x2000,
    populate: 0x8000,
    nonblock: 0x10000,
    hugetlb: 0x40000,
    // FIXED ANONYMOUS 32BIT GROWSDOWN DENYWRITE EXECUTABLE LOCKED NORESERVE POPULATE NONBLOCK STACK HUGETLB, HUGE_2MB|HUGE_1GB.
    legacy: 0x7f970 | 0x7c00_0000,
};

/// `arch/parisc/include/uapi/asm/mman.h`.
pub const PARISC: Layout = Layout {
    type_mask: 0x2b,
    fixed: 0x04,
    anonymous: 0x10,
    growsdown: 0x8000,
    locked: 0x2000,
    populate: 0x10000,
    nonblock: 0x20000,
    hugetlb: 0x80000,
    legacy: 0xff814 | 0x7c00_0000,
};

/// What makes one kernel different from another.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The numbers of its architecture.
    pub layout: Layout,
    /// 4.15: `MAP_SHARED_VALIDATE` exists, and (on parisc) `MAP_TYPE` is as wide as `layout` says; before it is 0x03 there.
    pub validate: bool,
    /// 4.17: `MAP_FIXED_NOREPLACE`.
    pub noreplace: bool,
    /// 6.6, x86: further bits of `LEGACY_MAP_MASK`.
    pub newer_legacy: u64,
    /// 6.11: what `MAP_DROPPABLE` answers; `None` before.
    pub droppable: Option<Result<(), Errno>>,
    /// Huge page sizes by their logarithm, the default first; none when hugetlb is not configured.
    pub huge_sizes: Vec<u64>,
    /// What `MAP_LOCKED` is refused with, if it is.
    pub lock_refusal: Option<Errno>,
    /// `mlockall(MCL_FUTURE)` is in force.
    pub locks_everything: bool,
    /// Flags the kernel takes and forgets, where another would act on them.
    pub drops: u64,
    /// `memfd_create` is missing.
    pub no_memfd: bool,
    /// Bytes of a page.
    pub page_size: u64,
}

impl Rules {
    /// Linux 6.1 on x86_64 with huge pages of 2 MiB and 1 GiB.
    pub fn x86_6_1() -> Rules {
        Rules {
            layout: X86,
            validate: true,
            noreplace: true,
            newer_legacy: 0,
            droppable: None,
            huge_sizes: vec![21, 30],
            lock_refusal: None,
            locks_everything: false,
            drops: 0,
            no_memfd: false,
            page_size: 4096,
        }
    }

    /// Linux 6.1 on parisc, 32 bit, without hugetlb.
    pub fn parisc_6_1() -> Rules {
        Rules { layout: PARISC, huge_sizes: Vec::new(), ..Rules::x86_6_1() }
    }
}
