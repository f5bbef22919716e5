//! What distinguishes one simulated kernel from another: architecture, version, configuration, and
//! the privileges and limits of the process.

use crate::flag_numbers::FlagNumbers;
use kernel::{Errno, Op};

/// Bytes of a mebibyte.
pub const MIB: usize = 1 << 20;

/// The layout of the address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressSpace {
    /// `TASK_SIZE`: the first address that a program cannot map.
    pub top: usize,
    /// `mmap_base`: without a hint the highest unmapped range below it is taken.
    pub base: usize,
    /// `TASK_UNMAPPED_BASE`: the search goes up from here if there is no room below `base`.
    pub fallback: usize,
    /// Whether the layout is the legacy one (`arch_pick_mmap_layout`): every search goes up from
    /// `fallback`.
    pub bottom_up: bool,
    /// `SHM_COLOUR`: the addresses of shared mappings of one file agree modulo this number. 1 where
    /// the cache has no aliases.
    pub colour: usize,
    /// Whether a page fault looks for a `MAP_GROWSDOWN` mapping above the address (`find_vma`). On
    /// parisc, where stacks grow up, it looks below.
    pub grows_down: bool,
    /// Start and end of the program's image and of its stack.
    pub preexisting: [(usize, usize); 2],
}

impl AddressSpace {
    const X86: AddressSpace = AddressSpace {
        top: 0x7fff_ffff_f000,
        base: 0x7f2b_f1bd_3000,
        fallback: 0x2aaa_aaaa_a000,
        bottom_up: false,
        colour: 1,
        grows_down: true,
        preexisting: [(0x40_0000, 0x42_0000), (0x7ffc_1000_0000, 0x7ffc_1002_0000)],
    };

    const ARM64: AddressSpace = AddressSpace {
        top: 0x1_0000_0000_0000,
        base: 0xffff_8a40_0000,
        fallback: 0x4000_0000_0000,
        preexisting: [(0x40_0000, 0x42_0000), (0xffff_d000_0000, 0xffff_d002_0000)],
        ..AddressSpace::X86
    };

    /// `DEFAULT_TASK_SIZE32` and `DEFAULT_MAP_BASE32` of `arch/parisc/include/asm/processor.h`,
    /// `SHM_COLOUR` of `arch/parisc/include/asm/shmparam.h`.
    const PARISC: AddressSpace = AddressSpace {
        top: 0xfff0_0000,
        base: 0xf8f0_1000,
        fallback: 0x4000_0000,
        bottom_up: false,
        colour: 4 * MIB,
        grows_down: false,
        preexisting: [(0x1_0000, 0x3_0000), (0xf900_0000, 0xf902_0000)],
    };

    const PARISC64: AddressSpace = AddressSpace { bottom_up: true, ..AddressSpace::PARISC };
}

/// The machine that a kernel is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// x86_64.
    X86,
    /// arm64 with pages of 4 KiB.
    Arm64,
    /// arm64 with pages of 16 KiB.
    Arm64Large,
    /// 32-bit parisc.
    Parisc,
    /// 64-bit parisc with a 32-bit program.
    Parisc64,
}

impl Machine {
    pub const ALL: [Machine; 5] =
        [Machine::X86, Machine::Arm64, Machine::Arm64Large, Machine::Parisc, Machine::Parisc64];

    pub const fn name(self) -> &'static str {
        match self {
            Machine::X86 => "x86_64",
            Machine::Arm64 => "arm64",
            Machine::Arm64Large => "arm64 with 16K pages",
            Machine::Parisc => "parisc",
            Machine::Parisc64 => "32-bit program on parisc64",
        }
    }

    fn is_parisc(self) -> bool {
        matches!(self, Machine::Parisc | Machine::Parisc64)
    }
}

/// Major and minor version of Linux. (2, 6) is 2.6.32 with the changes of its stable series, such
/// as the guard page of growing mappings.
pub type Version = (u8, u8);

/// Versions that differ in a rule, and recent ones.
pub const VERSIONS: [Version; 13] = [
    (2, 6),
    (4, 10),
    (4, 12),
    (4, 14),
    (4, 15),
    (4, 17),
    (5, 10),
    (6, 1),
    (6, 6),
    (6, 8),
    (6, 11),
    (6, 12),
    (7, 2),
];

/// Which kernel handles a call, and what an emulator changes about the flags before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personality {
    /// Linux.
    Linux,
    /// Linux without an MMU, `mm/nommu.c`.
    Nommu,
    /// The user-mode emulation of QEMU 7.2 on a recent kernel.
    QemuUser,
    /// The user-mode emulation of QEMU 8.1 to 10 on a recent kernel.
    QemuUser10,
    /// gVisor before August 2026.
    Gvisor,
    /// The first Windows Subsystem for Linux.
    Wsl1,
}

/// A rule of a seccomp filter, `seccomp(2)`: calls that fail without reaching the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeccompRule {
    pub op: Op,
    /// The rule applies to calls of `mmap` with one of these flags; `None`: to every call.
    pub any_flag_of: Option<usize>,
    /// The error of these calls.
    pub errno: Errno,
}

/// What `MAP_STACK` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    NoOp,
    /// 6.8, `calc_vm_flag_bits` in `include/linux/mman.h`: sets `VM_NOHUGEPAGE` (`nh`).
    NoHuge,
    /// parisc from 6.12, `arch/parisc/include/asm/mman.h`: sets `VM_GROWSUP` (`ar`).
    GrowsUp,
}

/// What keeps a `MAP_GROWSDOWN` mapping away from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Before 4.12, `check_stack_guard_page` in `mm/memory.c`: a touch of the lowest page of the
    /// mapping moves its start down.
    Page,
    /// Since 4.12, `stack_guard_gap` in `mm/mmap.c`: no accessible mapping within 256 pages.
    Gap,
}

/// `/proc/sys/vm/overcommit_memory`, `__vm_enough_memory` in `mm/util.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overcommit {
    /// 0, `OVERCOMMIT_GUESS`: a single mapping cannot exceed all memory.
    Guess,
    /// 1, `OVERCOMMIT_ALWAYS`.
    Always,
    /// 2, `OVERCOMMIT_NEVER`: `MAP_NORESERVE` has no effect.
    Never,
}

/// The content of `/proc/self/smaps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proc {
    /// The mappings of the process.
    Own,
    /// There is no such file, nor another one in `/proc`.
    Missing,
    /// Opening this file alone fails: with `ENOENT` without `CONFIG_PROC_PAGE_MONITOR`.
    NoSmaps(Errno),
    /// The file of another process: one mapping, far away from those of this process.
    OtherProcess,
    /// The file of a process on the host: one mapping around all of this process, with these
    /// `VmFlags`.
    Host(&'static str),
}

/// What limits the huge pages of the process, beside the pool of the default size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hugetlb {
    /// Pages in the pool of every size but the default one.
    pub other_pools: usize,
    /// Pages of every size that other processes reserved.
    pub reserved_elsewhere: usize,
    /// `nr_overcommit_hugepages` of every size: pages that are made when the pool has none.
    pub overcommit: usize,
    /// `hugetlb.*.max` in pages: how many the process may touch.
    pub max: Option<usize>,
    /// `hugetlb.*.rsvd.max` in pages: how many the process may reserve.
    pub rsvd_max: Option<usize>,
    /// Whether sysfs is not mounted.
    pub no_sys: bool,
}

/// What distinguishes one kernel from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub machine: Machine,
    pub numbers: FlagNumbers,
    pub space: AddressSpace,
    /// Bytes.
    pub page_size: usize,
    pub personality: Personality,

    /// 3.8: `MAP_HUGETLB` reads the size in the flags (`ksys_mmap_pgoff`, `mm/mmap.c`).
    pub size_field: bool,
    /// 3.8: `/proc/self/smaps` has lines `VmFlags` (`show_smap_vma_flags`, `fs/proc/task_mmu.c`).
    pub vm_flags: bool,
    /// 3.11: `O_TMPFILE`. Before, the kernel sees `O_DIRECTORY` and `O_RDWR` of it.
    pub tmp_file: bool,
    /// 2.6.32 accepts `MAP_GROWSDOWN` for shared anonymous memory; 4.4 rejects it (`do_mmap`,
    /// `mm/mmap.c`).
    pub shared_may_grow: bool,
    /// 4.15: `MAP_SHARED_VALIDATE` exists, and `MAP_SYNC` sets `VM_SYNC`.
    pub validate: bool,
    /// Whether `MAP_TYPE` is [`FlagNumbers::type_mask`]: on parisc not up to 4.15, and on 5.10 and
    /// later (4.19 by its header).
    pub wide_map_type: bool,
    /// 4.17: `MAP_FIXED_NOREPLACE`.
    pub noreplace: bool,
    /// 6.6, x86: `MAP_ABOVE4G`.
    pub above4g: bool,
    /// 6.11: the result of `MAP_DROPPABLE`; `None` before.
    pub droppable: Option<Result<(), Errno>>,
    pub stack: Stack,
    pub guard: Guard,
    /// x86 before 5.0, `__do_page_fault` in `arch/x86/mm/fault.c`: a program is killed when it
    /// touches memory more than 64 KiB below its stack pointer that a mapping would grow into.
    pub checks_stack_pointer: bool,
    /// 4.14: `MADV_KEEPONFORK`.
    pub keep_on_fork: bool,
    /// 5.2, `can_do_mincore` in `mm/mincore.c`: pages of a file that the process could not write
    /// count as resident.
    pub mincore_hides_read_only_files: bool,
    /// 6.1 with transparent huge pages: bytes of a huge page that `MADV_COLLAPSE` makes.
    pub collapse: Option<usize>,
    /// Before 6.12, `mmap_region` in `mm/mmap.c`: `MAP_FIXED` unmaps the range even if the memory
    /// is then refused.
    pub unmaps_first: bool,

    /// Base-2 logarithms of the huge page sizes, the default first; empty without hugetlb.
    pub huge_sizes: Vec<u32>,
    /// Huge pages of the default size in the pool.
    pub pool: usize,
    /// The pools of the other sizes, and the limits of the process.
    pub hugetlb: Hugetlb,
    /// Whether a huge mapping at an address that the kernel chooses crashes it, as on parisc64.
    pub crashes_on_huge: bool,
    pub overcommit: Overcommit,
    /// Bytes of memory and swap.
    pub memory: usize,
    /// `/proc/sys/vm/mmap_min_addr`.
    pub min_address: usize,

    /// Whether the process has every capability.
    pub root: bool,
    /// The error of `MAP_LOCKED`, if it fails (`can_do_mlock`, `mm/mlock.c`).
    pub lock_error: Option<Errno>,
    /// Whether `mlockall(MCL_FUTURE)` is in force.
    pub locks_everything: bool,
    /// `RLIMIT_STACK` in bytes.
    pub stack_limit: usize,
    pub proc: Proc,
    /// Whether `memfd_create` is missing.
    pub no_memfd: bool,
    /// Files and directories that do not exist, with everything in them.
    pub missing: &'static [&'static str],
    /// `RLIMIT_FSIZE` in bytes.
    pub file_size_limit: usize,
    /// `RLIMIT_NOFILE`.
    pub descriptor_limit: usize,
    pub seccomp: Vec<SeccompRule>,

    /// Flags that this kernel accepts and ignores although its version has them.
    pub ignored_flags: usize,
    /// Whether `MAP_DENYWRITE` works: `ETXTBSY` for a file that is open for writing.
    pub denies_writing: bool,
    /// Whether shared anonymous memory has cache colour 0: `arch/parisc/kernel/sys_parisc.c`,
    /// changed between 5.10 and 6.1.
    pub colours_anonymous: bool,
    /// Whether `MAP_UNINITIALIZED` memory keeps its old content: without an MMU, with
    /// `CONFIG_MMAP_ALLOW_UNINITIALIZED`.
    pub uninitialized: bool,
}

impl Rules {
    /// A kernel in its default configuration, a process of root, 512 MiB of memory.
    pub fn new(machine: Machine, version: Version) -> Rules {
        let since = |introduced: Version| version >= introduced;
        let (numbers, space) = match machine {
            Machine::X86 => (FlagNumbers::X86, AddressSpace::X86),
            Machine::Arm64 | Machine::Arm64Large => (FlagNumbers::ARM64, AddressSpace::ARM64),
            Machine::Parisc => (FlagNumbers::PARISC, AddressSpace::PARISC),
            Machine::Parisc64 => (FlagNumbers::PARISC, AddressSpace::PARISC64),
        };
        let droppable = match machine {
            // VM_DROPPABLE is bit 40 of vm_flags, which a 32-bit kernel does not have.
            Machine::Parisc if since((7, 2)) => Err(Errno::EOPNOTSUPP),
            Machine::Parisc => Err(Errno::ENOTSUPP),
            _ => Ok(()),
        };
        Rules {
            machine,
            numbers,
            space,
            page_size: match machine {
                Machine::Arm64Large => 16384,
                _ => 4096,
            },
            personality: Personality::Linux,
            size_field: since((3, 8)),
            vm_flags: since((3, 8)),
            tmp_file: since((3, 11)),
            shared_may_grow: !since((4, 4)),
            validate: since((4, 15)),
            wide_map_type: since((4, 17)),
            noreplace: since((4, 17)),
            above4g: machine == Machine::X86 && since((6, 6)),
            droppable: since((6, 11)).then_some(droppable),
            stack: match machine {
                Machine::Parisc | Machine::Parisc64 if since((6, 12)) => Stack::GrowsUp,
                _ if since((6, 8)) => Stack::NoHuge,
                _ => Stack::NoOp,
            },
            guard: if since((4, 12)) { Guard::Gap } else { Guard::Page },
            checks_stack_pointer: machine == Machine::X86 && !since((5, 0)),
            keep_on_fork: since((4, 14)),
            mincore_hides_read_only_files: since((5, 2)),
            collapse: match machine {
                Machine::X86 | Machine::Arm64 if since((6, 1)) => Some(2 * MIB),
                Machine::Arm64Large if since((6, 1)) => Some(32 * MIB),
                _ => None,
            },
            unmaps_first: !since((6, 12)),
            huge_sizes: match machine {
                Machine::X86 => vec![21, 30],
                Machine::Arm64 => vec![21, 16, 25, 30],
                Machine::Arm64Large => vec![25, 21, 30],
                Machine::Parisc => Vec::new(),
                Machine::Parisc64 => vec![21],
            },
            pool: 0,
            hugetlb: Hugetlb::default(),
            crashes_on_huge: machine == Machine::Parisc64,
            overcommit: Overcommit::Guess,
            memory: 512 * MIB,
            min_address: match machine {
                Machine::X86 | Machine::Parisc | Machine::Parisc64 => 65536,
                Machine::Arm64 | Machine::Arm64Large => 32768,
            },
            root: true,
            lock_error: None,
            locks_everything: false,
            stack_limit: 8 * MIB,
            proc: Proc::Own,
            no_memfd: !since((3, 17)),
            missing: &[],
            file_size_limit: usize::MAX,
            descriptor_limit: 1024,
            seccomp: Vec::new(),
            ignored_flags: 0,
            denies_writing: false,
            colours_anonymous: machine.is_parisc() && since((6, 1)),
            uninitialized: false,
        }
    }

    /// Linux 6.1 on x86_64 with huge pages of 2 MiB and 1 GiB.
    pub fn x86_6_1() -> Rules {
        Rules::new(Machine::X86, (6, 1))
    }

    /// Linux 6.1 on 32-bit parisc, without hugetlb.
    pub fn parisc_6_1() -> Rules {
        Rules::new(Machine::Parisc, (6, 1))
    }

    /// Every machine with every version.
    pub fn all() -> Vec<(String, Rules)> {
        let with_versions = |machine: Machine| {
            VERSIONS.map(|version| {
                let (major, minor) = version;
                (format!("{} {major}.{minor}", machine.name()), Rules::new(machine, version))
            })
        };
        Machine::ALL.into_iter().flat_map(with_versions).collect()
    }

    /// `MAP_TYPE` of this kernel.
    pub fn type_mask(&self) -> usize {
        if self.wide_map_type { self.numbers.type_mask } else { self.numbers.old_type_mask }
    }

    /// The content of `/proc/sys/vm/overcommit_memory`. gVisor always has 0 there
    /// (`pkg/sentry/fsimpl/proc/tasks_sys.go`).
    pub fn overcommit_memory(&self) -> usize {
        match self.overcommit {
            _ if self.personality == Personality::Gvisor => 0,
            Overcommit::Guess => 0,
            Overcommit::Always => 1,
            Overcommit::Never => 2,
        }
    }

    /// Bytes below a `MAP_GROWSDOWN` mapping that must be unmapped.
    pub fn stack_guard_gap(&self) -> usize {
        match self.guard {
            Guard::Page => 0,
            Guard::Gap => 256 * self.page_size,
        }
    }

    /// Whether `VmFlags` show `sd`: `CONFIG_MEM_SOFT_DIRTY`, which distributions set on x86.
    pub fn soft_dirty(&self) -> bool {
        self.machine == Machine::X86 && self.validate
    }

    /// The error of a call that the seccomp filter rejects.
    pub fn filtered(&self, op: Op, args: &[usize]) -> Option<Errno> {
        // The flags are the fourth argument of mmap.
        let applies = |rule: &&SeccompRule| {
            rule.op == op && rule.any_flag_of.is_none_or(|flags| args[3] & flags != 0)
        };
        self.seccomp.iter().find(applies).map(|rule| rule.errno)
    }
}
