//! The bits of the flags argument, by architecture, as in the kernel's headers.

/// `MAP_SHARED`, `include/uapi/linux/mman.h`.
pub const SHARED: usize = 1;
/// `MAP_PRIVATE`, same file.
pub const PRIVATE: usize = 2;
/// `MAP_SHARED_VALIDATE`, same file.
pub const SHARED_VALIDATE: usize = 3;
/// `MAP_DROPPABLE`, same file.
pub const DROPPABLE: usize = 8;
/// `MAP_FIXED_NOREPLACE`, `include/uapi/asm-generic/mman-common.h` and
/// `arch/parisc/include/uapi/asm/mman.h`.
pub const FIXED_NOREPLACE: usize = 0x10_0000;
/// `MAP_HUGE_SHIFT`, `include/uapi/asm-generic/hugetlb_encode.h`.
pub const HUGE_SHIFT: u32 = 26;
/// `MAP_HUGE_MASK`, same file.
pub const HUGE_MASK: usize = 0x3f;

/// The numbers of the flags that differ between architectures. A flag that an architecture lacks
/// has no bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagNumbers {
    /// `MAP_TYPE` on 5.10 and later.
    pub type_mask: usize,
    /// `MAP_TYPE` on 4.15 and before.
    pub old_type_mask: usize,
    /// `MAP_FIXED`.
    pub fixed: usize,
    /// `MAP_ANONYMOUS`.
    pub anonymous: usize,
    /// `MAP_32BIT`.
    pub map_32bit: usize,
    /// `MAP_ABOVE4G`.
    pub above4g: usize,
    /// `MAP_GROWSDOWN`.
    pub growsdown: usize,
    /// `MAP_DENYWRITE`.
    pub denywrite: usize,
    /// `MAP_EXECUTABLE`.
    pub executable: usize,
    /// `MAP_LOCKED`.
    pub locked: usize,
    /// `MAP_NORESERVE`.
    pub noreserve: usize,
    /// `MAP_POPULATE`.
    pub populate: usize,
    /// `MAP_NONBLOCK`.
    pub nonblock: usize,
    /// `MAP_STACK`.
    pub stack: usize,
    /// `MAP_HUGETLB`.
    pub hugetlb: usize,
    /// `MAP_SYNC`.
    pub sync: usize,
    /// `MAP_UNINITIALIZED`.
    pub uninitialized: usize,
}

impl FlagNumbers {
    /// `include/uapi/asm-generic/mman-common.h` and `include/uapi/asm-generic/mman.h`.
    pub const ARM64: FlagNumbers = FlagNumbers {
        type_mask: 0x0f,
        old_type_mask: 0x0f,
        fixed: 0x10,
        anonymous: 0x20,
        map_32bit: 0,
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

    /// The generic numbers and those of `arch/x86/include/uapi/asm/mman.h`.
    pub const X86: FlagNumbers =
        FlagNumbers { map_32bit: 0x40, above4g: 0x80, ..FlagNumbers::ARM64 };

    /// `arch/parisc/include/uapi/asm/mman.h`. `MAP_TYPE` was measured on 4.15 and on 5.10; the
    /// header of 4.19 has the wide one.
    pub const PARISC: FlagNumbers = FlagNumbers {
        type_mask: 0x2b,
        old_type_mask: 0x03,
        fixed: 0x04,
        anonymous: 0x10,
        map_32bit: 0,
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

    /// `LEGACY_MAP_MASK`, `include/linux/mman.h`, without `MAP_ABOVE4G`.
    pub fn legacy_mask(&self) -> usize {
        let huge_2mb_and_1gb = 21 << HUGE_SHIFT | 30 << HUGE_SHIFT;
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
            | self.map_32bit
            | huge_2mb_and_1gb
    }

    /// Every bit that some kernel version assigns.
    pub fn assigned(&self) -> usize {
        self.legacy_mask()
            | self.type_mask
            | self.above4g
            | self.sync
            | FIXED_NOREPLACE
            | HUGE_MASK << HUGE_SHIFT
    }
}
