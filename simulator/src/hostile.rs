//! Hostile environments: emulators, seccomp filters, and settings that change what the same calls
//! return.

use crate::flag_numbers::{FIXED_NOREPLACE, FlagNumbers};
use crate::rules::{Hugetlb, Machine, Overcommit, Personality, Proc, Rules, SeccompRule, Stack};
use kernel::{Errno, Op};

/// `VmFlags` with every mnemonic that is evidence for a flag.
const EVERY_VM_FLAG: &str = "rd wr sh mr mw me ms gd lo ac nr ht sf ar wf dd sd nh dp ";
/// `VmFlags` without any mnemonic that is evidence for a flag.
const NO_VM_FLAG: &str = "rd wr mr mw me ";
/// `VmFlags` of the memory that QEMU maps for its guest.
const QEMU_VM_FLAGS: &str = "rd wr mr mw me nr sd ";

/// Where a file could be created instead of a memfd.
const NO_SCRATCH: &[&str] = &["/dev/shm", "/tmp"];
/// Every file that could take the place of a memfd.
const NO_FILES: &[&str] = &["/dev/shm", "/tmp", "/proc/self/exe"];

impl Rules {
    /// Emulators, filters and settings that make probing difficult, by name.
    pub fn hostile() -> Vec<(String, Rules)> {
        let new = || Rules::new(Machine::X86, (6, 12));
        // Without MAP_SHARED_VALIDATE.
        let old = || Rules::new(Machine::X86, (4, 10));
        let seccomp = |op, any_flag_of, errno| Rules {
            seccomp: vec![SeccompRule { op, any_flag_of, errno }],
            ..new()
        };
        let fails = |op, errno| seccomp(op, None, errno);
        let flags_fail = |flags, errno| seccomp(Op::Mmap, Some(flags), errno);
        let free = Hugetlb { other_pools: 4, ..Hugetlb::default() };
        let hugetlb = |hugetlb| Rules { pool: 4, hugetlb, ..new() };
        let made = Hugetlb { overcommit: 1, ..Hugetlb::default() };
        let no_advice = [Op::Madvise, Op::MsyncInvalidate]
            .map(|op| SeccompRule { op, any_flag_of: None, errno: Errno::ENOSYS })
            .into();
        let no_children =
            || vec![SeccompRule { op: Op::Touch, any_flag_of: None, errno: Errno::EAGAIN }];
        let x86 = FlagNumbers::X86;
        let unassigned = !x86.assigned();
        let environments = [
            ("qemu-user, arm64", Rules::qemu_user(Machine::Arm64)),
            ("qemu-user, hppa", Rules::qemu_user(Machine::Parisc)),
            ("qemu-user 10, arm64", Rules::qemu_user_10(Machine::Arm64)),
            ("qemu-user 10, hppa", Rules::qemu_user_10(Machine::Parisc)),
            (
                "qemu-user, arm64, no children",
                Rules { seccomp: no_children(), ..Rules::qemu_user(Machine::Arm64) },
            ),
            ("gVisor", Rules::gvisor()),
            ("WSL1", Rules::wsl1()),
            ("nommu", Rules::nommu()),
            ("nommu, uninitialized", Rules { uninitialized: true, ..Rules::nommu() }),
            ("filter: LOCKED is EPERM", flags_fail(x86.locked, Errno::EPERM)),
            ("filter: HUGETLB is ENOSYS", flags_fail(x86.hugetlb, Errno::ENOSYS)),
            ("filter: SYNC is EPERM", flags_fail(x86.sync, Errno::EPERM)),
            ("filter: FIXED_NOREPLACE is EPERM", flags_fail(FIXED_NOREPLACE, Errno::EPERM)),
            ("filter: unknown bits are EPERM", flags_fail(unassigned, Errno::EPERM)),
            ("filter: unknown bits are ENOSYS", flags_fail(unassigned, Errno::ENOSYS)),
            ("filter: unknown bits are EINVAL", flags_fail(unassigned, Errno::EINVAL)),
            ("filter: FIXED is EINVAL", flags_fail(x86.fixed, Errno::EINVAL)),
            ("filter: mmap is EPERM", fails(Op::Mmap, Errno::EPERM)),
            ("filter: mincore is EPERM", fails(Op::Mincore, Errno::EPERM)),
            ("filter: mincore is ENOSYS", fails(Op::Mincore, Errno::ENOSYS)),
            ("filter: madvise is EPERM", fails(Op::Madvise, Errno::EPERM)),
            ("filter: madvise is ENOSYS", fails(Op::Madvise, Errno::ENOSYS)),
            (
                "filter: madvise is EPERM, everything is locked",
                Rules { locks_everything: true, ..fails(Op::Madvise, Errno::EPERM) },
            ),
            (
                "filter: madvise is EPERM, everything is locked, no /proc",
                Rules {
                    locks_everything: true,
                    proc: Proc::Missing,
                    ..fails(Op::Madvise, Errno::EPERM)
                },
            ),
            (
                "filter: madvise is EPERM, no /proc",
                Rules { proc: Proc::Missing, ..fails(Op::Madvise, Errno::EPERM) },
            ),
            ("filter: msync is EPERM", fails(Op::MsyncInvalidate, Errno::EPERM)),
            ("filter: madvise and msync are ENOSYS", Rules { seccomp: no_advice, ..new() }),
            ("filter: memfd_create is EPERM", fails(Op::MemfdCreate, Errno::EPERM)),
            ("filter: memfd_create is ENOSYS", fails(Op::MemfdCreate, Errno::ENOSYS)),
            ("filter: pipe is EPERM", fails(Op::Pipe, Errno::EPERM)),
            ("no children", Rules { seccomp: no_children(), ..new() }),
            ("no memfd", Rules { no_memfd: true, ..new() }),
            ("no memfd, before 4.15", Rules { no_memfd: true, ..old() }),
            ("no memfd, no /dev/shm", Rules { no_memfd: true, missing: &["/dev/shm"], ..new() }),
            ("no file to write", Rules { no_memfd: true, missing: NO_SCRATCH, ..new() }),
            ("no file", Rules { no_memfd: true, missing: NO_FILES, ..new() }),
            ("no file, before 4.15", Rules { no_memfd: true, missing: NO_FILES, ..old() }),
            ("no bytes in a file", Rules { file_size_limit: 0, ..new() }),
            (
                "no bytes in a file, no other file",
                Rules { file_size_limit: 0, missing: NO_FILES, ..new() },
            ),
            ("no /proc", Rules { proc: Proc::Missing, ..new() }),
            ("smaps is EMFILE", Rules { proc: Proc::NoSmaps(Errno::EMFILE), ..new() }),
            ("smaps is ENOENT", Rules { proc: Proc::NoSmaps(Errno::ENOENT), ..new() }),
            (
                "no /proc, filter: mincore is EPERM",
                Rules { proc: Proc::Missing, ..fails(Op::Mincore, Errno::EPERM) },
            ),
            ("smaps of another process", Rules { proc: Proc::OtherProcess, ..new() }),
            ("smaps of a host: everything set", Rules { proc: Proc::Host(EVERY_VM_FLAG), ..new() }),
            ("smaps of a host: nothing set", Rules { proc: Proc::Host(NO_VM_FLAG), ..new() }),
            ("everything is locked", Rules { locks_everything: true, ..new() }),
            ("everything is locked, before 4.15", Rules { locks_everything: true, ..old() }),
            ("overcommit always", Rules { overcommit: Overcommit::Always, ..new() }),
            ("overcommit never", Rules { overcommit: Overcommit::Never, ..new() }),
            (
                "overcommit never, no /proc",
                Rules { overcommit: Overcommit::Never, proc: Proc::Missing, ..new() },
            ),
            (
                "everything is locked, no /proc",
                Rules { locks_everything: true, proc: Proc::Missing, ..new() },
            ),
            ("unprivileged", Rules { root: false, ..new() }),
            ("no right to lock", Rules { lock_error: Some(Errno::EPERM), root: false, ..new() }),
            ("too much locked", Rules { lock_error: Some(Errno::EAGAIN), root: false, ..new() }),
            ("one page of stack", Rules { stack_limit: 4096, ..new() }),
            ("no huge pages configured", Rules { huge_sizes: Vec::new(), ..new() }),
            ("no transparent huge pages", Rules { collapse: None, ..new() }),
            ("a pool of huge pages", Rules { pool: 4, ..new() }),
            ("hugetlb cgroup, max 0", hugetlb(Hugetlb { max: Some(0), ..free })),
            ("hugetlb cgroup, rsvd.max 0", hugetlb(Hugetlb { rsvd_max: Some(0), ..free })),
            ("a pool that others reserved", hugetlb(Hugetlb { reserved_elsewhere: 4, ..free })),
            ("huge pages that are made", Rules { hugetlb: made, ..new() }),
            ("a pool, no /sys", hugetlb(Hugetlb { no_sys: true, rsvd_max: Some(0), ..free })),
            ("a pool, all is locked", Rules { locks_everything: true, ..hugetlb(free) }),
            ("DENYWRITE is honored", Rules { denies_writing: true, ..new() }),
            ("DROPPABLE is EOPNOTSUPP", Rules { droppable: Some(Err(Errno::EOPNOTSUPP)), ..new() }),
        ];
        environments.map(|(name, rules)| (name.to_string(), rules)).into()
    }

    /// A program of another architecture under QEMU on a host with Linux 6.12. `/proc` shows the
    /// mappings of QEMU.
    pub fn qemu_user(machine: Machine) -> Rules {
        let mut rules = Rules {
            personality: Personality::QemuUser,
            proc: Proc::Host(QEMU_VM_FLAGS),
            stack: Stack::NoHuge,
            // The host is x86_64.
            huge_sizes: vec![21, 30],
            ..Rules::new(machine, (6, 12))
        };
        // The host has no cache colours.
        rules.space.colour = 1;
        // QEMU rejects an address that the guest has not mapped before the host can grow a mapping.
        rules.space.grows_down = false;
        rules
    }

    /// The same under a newer QEMU. The host has huge pages, whatever the guest has.
    pub fn qemu_user_10(machine: Machine) -> Rules {
        Rules {
            personality: Personality::QemuUser10,
            huge_sizes: vec![21],
            crashes_on_huge: false,
            ..Rules::qemu_user(machine)
        }
    }

    /// gVisor, a kernel in user space.
    pub fn gvisor() -> Rules {
        Rules {
            personality: Personality::Gvisor,
            overcommit: Overcommit::Always,
            checks_stack_pointer: false,
            ..Rules::new(Machine::X86, (4, 12))
        }
    }

    /// The first Windows Subsystem for Linux, which claims to be Linux 4.4.
    pub fn wsl1() -> Rules {
        Rules { personality: Personality::Wsl1, ..Rules::new(Machine::X86, (4, 10)) }
    }

    /// Linux without an MMU, with the generic flag numbers.
    pub fn nommu() -> Rules {
        Rules {
            personality: Personality::Nommu,
            collapse: None,
            huge_sizes: Vec::new(),
            ..Rules::new(Machine::Arm64, (6, 12))
        }
    }
}
