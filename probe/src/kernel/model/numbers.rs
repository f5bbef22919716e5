//! The numbers of the flags argument, written down from the kernel's headers a second time: the flag table is not asked.

/// `MAP_SHARED`, `include/uapi/linux/mman.h`.
pub const SHARED: u64 = 1;
/// `MAP_PRIVATE`, same file.
pub const PRIVATE: u64 = 2;
/// `MAP_SHARED_VALIDATE`, same file.
pub const SHARED_VALIDATE: u64 = 3;
/// `MAP_DROPPABLE`, same file.
pub const DROPPABLE: u64 = 8;
/// `MAP_FIXED_NOREPLACE`, `include/uapi/asm-generic/mman-common.h` and `arch/parisc/include/uapi/asm/mman.h`.
pub const FIXED_NOREPLACE: u64 = 0x10_0000;
/// `MAP_HUGE_SHIFT`, `include/uapi/asm-generic/hugetlb_encode.h`.
pub const HUGE_SHIFT: u32 = 26;
/// `MAP_HUGE_MASK`, same file.
pub const HUGE_MASK: u64 = 0x3f;

/// The flags argument as an architecture divides it. A name the architecture lacks is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// `MAP_TYPE` since 4.15.
    pub type_mask: u64,
    /// `MAP_TYPE` before.
    pub old_type_mask: u64,
    /// `MAP_FIXED`.
    pub fixed: u64,
    /// `MAP_ANONYMOUS`.
    pub anonymous: u64,
    /// `MAP_32BIT`.
    pub low: u64,
    /// `MAP_ABOVE4G`.
    pub above4g: u64,
    /// `MAP_GROWSDOWN`.
    pub growsdown: u64,
    /// `MAP_DENYWRITE`.
    pub denywrite: u64,
    /// `MAP_EXECUTABLE`.
    pub executable: u64,
    /// `MAP_LOCKED`.
    pub locked: u64,
    /// `MAP_NORESERVE`.
    pub noreserve: u64,
    /// `MAP_POPULATE`.
    pub populate: u64,
    /// `MAP_NONBLOCK`.
    pub nonblock: u64,
    /// `MAP_STACK`.
    pub stack: u64,
    /// `MAP_HUGETLB`.
    pub hugetlb: u64,
    /// `MAP_SYNC`.
    pub sync: u64,
    /// `MAP_UNINITIALIZED`.
    pub uninitialized: u64,
}

/// `include/uapi/asm-generic/mman-common.h` and `include/uapi/asm-generic/mman.h`.
pub const ARM64: Layout = Layout {
    type_mask: 0x0f,
    old_type_mask: 0x0f,
    fixed: 0x10,
    anonymous: 0x20,
    low: 0,
    above4g: 0,
    growsdown: 0x100,
    denywrite: 0x800,
    executable: 0x1000,
    locked: 0x2000,
    noreserve: 0x4000,
    populate: 0x8000,
    nonblock: 0x10000,
    stack: 0x20000,
    hugetlb: 0x40000,
    sync: 0x80000,
    uninitialized: 0x400_0000,
};

/// The generic numbers, and `arch/x86/include/uapi/asm/mman.h`.
pub const X86: Layout = Layout { low: 0x40, above4g: 0x80, ..ARM64 };

/// `arch/parisc/include/uapi/asm/mman.h`; `MAP_TYPE` was widened with `MAP_SHARED_VALIDATE`.
pub const PARISC: Layout = Layout {
    type_mask: 0x2b,
    old_type_mask: 0x03,
    fixed: 0x04,
    anonymous: 0x10,
    low: 0,
    above4g: 0,
    growsdown: 0x8000,
    denywrite: 0x800,
    executable: 0x1000,
    locked: 0x2000,
    noreserve: 0x4000,
    populate: 0x10000,
    nonblock: 0x20000,
    stack: 0x40000,
    hugetlb: 0x80000,
    sync: 0,
    uninitialized: 0,
};

impl Layout {
    /// `LEGACY_MAP_MASK`, `include/linux/mman.h`, without `MAP_ABOVE4G`.
    pub fn legacy(&self) -> u64 {
        let sizes = 21 << HUGE_SHIFT | 30 << HUGE_SHIFT;
        SHARED
            | PRIVATE
            | self.fixed
            | self.anonymous
            | self.denywrite
            | self.executable
            | self.uninitialized
            | self.growsdown
            | self.locked
            | self.noreserve
            | self.populate
            | self.nonblock
            | self.stack
            | self.hugetlb
            | self.low
            | sizes
    }

    /// Every bit that some kernel gives a meaning to.
    pub fn known(&self) -> u64 {
        self.legacy()
            | self.type_mask
            | self.above4g
            | self.sync
            | FIXED_NOREPLACE
            | HUGE_MASK << HUGE_SHIFT
    }
}
