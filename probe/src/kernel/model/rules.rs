//! What makes one kernel different from another: architecture, era, and what is in force around the process.

use super::Errno;
use super::liars::{Manner, Refusal};
use super::numbers::{ARM64, Layout, PARISC, X86};

/// Mebibytes.
pub const MIB: u64 = 1 << 20;

/// Where mappings go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// `TASK_SIZE`: the first address that is no program's.
    pub top: u64,
    /// `mmap_base`: without a hint the highest room below it is taken.
    pub base: u64,
    /// `TASK_UNMAPPED_BASE`: from here upwards when there is no room below `base`.
    pub fallback: u64,
    /// The legacy layout: always upwards from `fallback`.
    pub upwards: bool,
    /// `SHM_COLOUR`: shared mappings of a file agree modulo this; 1 where caches do not mind.
    pub colour: u64,
    /// A touch below a `MAP_GROWSDOWN` mapping is looked for above it (`find_vma`); parisc looks below, for stacks that grow up.
    pub grows_down: bool,
    /// Start and end of the program itself, and of its stack: mapped, but not by its calls.
    pub own: [(u64, u64); 2],
}

const X86_SPACE: Space = Space {
    top: 0x7fff_ffff_f000,
    base: 0x7f2b_f1bd_3000,
    fallback: 0x2aaa_aaaa_a000,
    upwards: false,
    colour: 1,
    grows_down: true,
    own: [(0x40_0000, 0x42_0000), (0x7ffc_1000_0000, 0x7ffc_1002_0000)],
};

const ARM64_SPACE: Space = Space {
    top: 0x1_0000_0000_0000,
    base: 0xffff_8a40_0000,
    fallback: 0x4000_0000_0000,
    own: [(0x40_0000, 0x42_0000), (0xffff_d000_0000, 0xffff_d002_0000)],
    ..X86_SPACE
};

/// `arch/parisc/include/asm/processor.h`: `DEFAULT_TASK_SIZE32`, `DEFAULT_MAP_BASE32`; `arch/parisc/include/asm/shmparam.h`.
const PARISC_SPACE: Space = Space {
    top: 0xfff0_0000,
    base: 0xf8f0_1000,
    fallback: 0x4000_0000,
    upwards: false,
    colour: 4 * MIB,
    grows_down: false,
    own: [(0x1_0000, 0x3_0000), (0xf900_0000, 0xf902_0000)],
};

/// What a kernel is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// x86_64.
    X86,
    /// arm64 with pages of 4 KiB.
    Arm64,
    /// arm64 with pages of 16 KiB.
    Arm64Large,
    /// parisc, 32 bit.
    Parisc,
    /// parisc, 64 bit, with a program of 32 bit.
    Parisc64,
}

/// Every kind of machine, and its name.
pub const MACHINES: [(Machine, &str); 5] = [
    (Machine::X86, "x86_64"),
    (Machine::Arm64, "arm64"),
    (Machine::Arm64Large, "arm64 with 16K pages"),
    (Machine::Parisc, "parisc"),
    (Machine::Parisc64, "32-bit program on parisc64"),
];

/// Versions between which something changed, and recent ones.
pub const ERAS: [(u8, u8); 11] =
    [(4, 10), (4, 12), (4, 15), (4, 17), (5, 10), (6, 1), (6, 6), (6, 8), (6, 11), (6, 12), (7, 2)];

/// What `MAP_STACK` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// Nothing.
    NoOp,
    /// 6.8: rules out huge pages (`nh`).
    NoHuge,
    /// parisc from 6.12: the mapping grows upwards (`ar`).
    GrowsUp,
}

/// What keeps a `MAP_GROWSDOWN` mapping away from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Before 4.12: the lowest page of the mapping itself; touching it moves the start down.
    Page,
    /// Since 4.12: `stack_guard_gap`, 256 pages that must be free of accessible neighbours.
    Gap,
}

/// What `/proc/self/smaps` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proc {
    /// The mappings of the process.
    Own,
    /// No such file.
    Missing,
    /// Another process's file: one mapping, which is nowhere near any of this one.
    Elsewhere,
    /// Another process's file: one mapping around all of this one's, with these `VmFlags`.
    Around(&'static str),
}

/// What makes one kernel different from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What it is built for.
    pub machine: Machine,
    /// The numbers of its architecture.
    pub layout: Layout,
    /// Where mappings go.
    pub space: Space,
    /// Bytes of a page.
    pub page_size: u64,
    /// Linux, or something that looks like it.
    pub manner: Manner,

    /// 4.15: `MAP_SHARED_VALIDATE` exists, `MAP_SYNC` is recorded, and `MAP_TYPE` is as wide as `layout` says.
    pub validate: bool,
    /// 4.17: `MAP_FIXED_NOREPLACE`.
    pub noreplace: bool,
    /// 6.6, x86: `MAP_ABOVE4G`.
    pub above4g: bool,
    /// 6.11: what `MAP_DROPPABLE` answers; `None` before.
    pub droppable: Option<Result<(), Errno>>,
    /// What `MAP_STACK` does.
    pub stack: Stack,
    /// 4.12: a gap instead of a guard page.
    pub guard: Guard,
    /// 4.14: `MADV_KEEPONFORK`.
    pub keep_on_fork: bool,
    /// 5.2: `mincore` says nothing about files the process could not write.
    pub mincore_is_discreet: bool,
    /// 6.1 with transparent huge pages: `MADV_COLLAPSE` makes one of so many bytes.
    pub collapse: Option<u64>,
    /// Before 6.12: what `MAP_FIXED` replaces is gone even when the memory is then refused.
    pub unmaps_first: bool,

    /// Huge page sizes by their logarithm, the default first; none when hugetlb is not configured.
    pub huge_sizes: Vec<u64>,
    /// Pages of the default huge size.
    pub pool: u64,
    /// parisc64: a huge mapping at an address the kernel chose ends in a bug of the kernel.
    pub crashes_on_huge: bool,
    /// `/proc/sys/vm/overcommit_memory`.
    pub overcommit: u8,
    /// Bytes of memory and swap.
    pub memory: u64,
    /// `/proc/sys/vm/mmap_min_addr`.
    pub min_address: u64,

    /// The process may do everything.
    pub root: bool,
    /// What `MAP_LOCKED` is refused with, if it is.
    pub lock_refusal: Option<Errno>,
    /// `mlockall(MCL_FUTURE)` is in force.
    pub locks_everything: bool,
    /// `RLIMIT_STACK` in bytes.
    pub stack_limit: u64,
    /// What `/proc/self/smaps` shows.
    pub proc: Proc,
    /// `memfd_create` is missing.
    pub no_memfd: bool,
    /// What a seccomp filter refuses.
    pub refusals: Vec<Refusal>,

    /// Flags the kernel takes and forgets, where another would act on them.
    pub drops: u64,
    /// `MAP_DENYWRITE` does what it once did: `ETXTBSY` for a file that is open for writing.
    pub denies_writing: bool,
    /// Shared memory without a file has a cache colour too, the first: parisc, somewhere between 5.10 and 6.1
    /// (`arch/parisc/kernel/sys_parisc.c`).
    pub colours_memory: bool,
    /// Without an MMU and with `CONFIG_MMAP_ALLOW_UNINITIALIZED`: `MAP_UNINITIALIZED` memory shows what was there.
    pub uninitialized: bool,
}

impl Rules {
    /// A kernel as it comes, root's process, 512 MiB of memory.
    pub fn new(machine: Machine, (major, minor): (u8, u8)) -> Rules {
        use Machine::{Arm64, Arm64Large, Parisc, Parisc64, X86 as X86_64};
        let since = |version: (u8, u8)| (major, minor) >= version;
        let parisc = matches!(machine, Parisc | Parisc64);
        let (layout, space) = match machine {
            X86_64 => (X86, X86_SPACE),
            Arm64 | Arm64Large => (ARM64, ARM64_SPACE),
            Parisc => (PARISC, PARISC_SPACE),
            Parisc64 => (PARISC, Space { upwards: true, ..PARISC_SPACE }),
        };
        let droppable = match machine {
            // VM_DROPPABLE needs the 41st bit of a word.
            Parisc => Err(if since((7, 2)) { Errno::EOPNOTSUPP } else { Errno::ENOTSUPP }),
            _ => Ok(()),
        };
        Rules {
            machine,
            layout,
            space,
            page_size: if machine == Arm64Large { 16384 } else { 4096 },
            manner: Manner::Linux,
            validate: since((4, 15)),
            noreplace: since((4, 17)),
            above4g: machine == X86_64 && since((6, 6)),
            droppable: since((6, 11)).then_some(droppable),
            stack: match parisc {
                true if since((6, 12)) => Stack::GrowsUp,
                _ if since((6, 8)) => Stack::NoHuge,
                _ => Stack::NoOp,
            },
            guard: if since((4, 12)) { Guard::Gap } else { Guard::Page },
            keep_on_fork: since((4, 14)),
            mincore_is_discreet: since((5, 2)),
            collapse: match machine {
                X86_64 | Arm64 if since((6, 1)) => Some(2 * MIB),
                Arm64Large if since((6, 1)) => Some(32 * MIB),
                _ => None,
            },
            unmaps_first: !since((6, 12)),
            huge_sizes: match machine {
                X86_64 => vec![21, 30],
                Arm64 => vec![21, 16, 25, 30],
                Arm64Large => vec![25, 21, 30],
                Parisc => Vec::new(),
                Parisc64 => vec![21],
            },
            pool: 0,
            crashes_on_huge: machine == Parisc64,
            overcommit: 0,
            memory: 512 * MIB,
            min_address: match machine {
                X86_64 | Parisc | Parisc64 => 65536,
                Arm64 | Arm64Large => 32768,
            },
            root: true,
            lock_refusal: None,
            locks_everything: false,
            stack_limit: 8 * MIB,
            proc: Proc::Own,
            no_memfd: false,
            refusals: Vec::new(),
            drops: 0,
            denies_writing: false,
            uninitialized: false,
            colours_memory: parisc && since((6, 1)),
        }
    }

    /// Linux 6.1 on x86_64 with huge pages of 2 MiB and 1 GiB.
    pub fn x86_6_1() -> Rules {
        Rules::new(Machine::X86, (6, 1))
    }

    /// Linux 6.1 on parisc, 32 bit, without hugetlb.
    pub fn parisc_6_1() -> Rules {
        Rules::new(Machine::Parisc, (6, 1))
    }

    /// Every machine in every era.
    pub fn all() -> Vec<(String, Rules)> {
        let named = |(machine, name): (Machine, &str)| {
            ERAS.map(|era| (format!("{name} {}.{}", era.0, era.1), Rules::new(machine, era)))
        };
        MACHINES.into_iter().flat_map(named).collect()
    }

    /// `MAP_TYPE` as this kernel has it.
    pub fn type_mask(&self) -> u64 {
        if self.validate { self.layout.type_mask } else { self.layout.old_type_mask }
    }

    /// Bytes that a `MAP_GROWSDOWN` mapping wants to have free below it.
    pub fn gap(&self) -> u64 {
        if self.guard == Guard::Gap { 256 * self.page_size } else { 0 }
    }
}
