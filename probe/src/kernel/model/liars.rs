//! What is not what it seems: emulators, filters, and circumstances that change what the same calls show.

use super::numbers::{
    FIXED_NOREPLACE, HUGE_MASK, HUGE_SHIFT, PRIVATE, SHARED, SHARED_VALIDATE, X86,
};
use super::rules::{Machine, Proc, Rules};
use super::{Errno, Mmap, Op};

/// Linux, or something that looks like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Linux.
    Linux,
    /// Linux without an MMU, `mm/nommu.c`.
    Nommu,
    /// The user-mode emulation of QEMU 7.2 on a recent kernel.
    Qemu,
    /// gVisor before August 2026.
    Gvisor,
    /// The first Windows Subsystem for Linux.
    Wsl1,
}

/// What a seccomp filter refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The call,
    pub op: Op,
    /// if one of these flags is set; 0: always.
    pub any_of: u64,
    /// What it answers then.
    pub errno: Errno,
}

impl Rules {
    /// What a filter answers in place of the kernel.
    pub fn refusal(&self, op: Op, args: &[u64]) -> Option<Errno> {
        let hit = |refusal: &&Refusal| {
            refusal.op == op && (refusal.any_of == 0 || args[3] & refusal.any_of != 0)
        };
        self.refusals.iter().find(hit).map(|refusal| refusal.errno)
    }

    /// The call as it reaches the kernel behind the one that looks like it, or the refusal.
    pub(super) fn admit(&self, call: &Mmap) -> Result<Mmap, Errno> {
        let Rules { layout, .. } = self;
        let mut flags = call.flags;
        let has = |bits: u64| call.flags & bits != 0;
        match self.manner {
            Manner::Linux => {}
            Manner::Nommu => {
                // validate_mmap_request: two types, and addresses are not for the program to choose.
                if has(layout.fixed) || ![SHARED, PRIVATE].contains(&(flags & layout.type_mask)) {
                    return Err(Errno::EINVAL);
                }
            }
            Manner::Qemu => {
                if has(layout.hugetlb) {
                    return Err(Errno::EINVAL);
                }
                // The host is asked for anonymous memory of the same type first, unless the address is fixed.
                let map_type = flags & 3;
                if map_type == SHARED_VALIDATE && !has(layout.fixed) {
                    return Err(Errno::EINVAL);
                }
                let passed = layout.fixed
                    | layout.anonymous
                    | layout.locked
                    | layout.noreserve
                    | layout.growsdown;
                flags = map_type | flags & passed;
            }
            Manner::Gvisor => {
                if has(SHARED) == has(PRIVATE) {
                    return Err(Errno::EINVAL);
                }
                let forgotten = layout.hugetlb
                    | layout.sync
                    | layout.stack
                    | layout.noreserve
                    | FIXED_NOREPLACE;
                flags &= !(layout.type_mask | forgotten | HUGE_MASK << HUGE_SHIFT);
                flags |= call.flags & (SHARED | PRIVATE);
            }
            Manner::Wsl1 => {
                let done = layout.fixed
                    | layout.anonymous
                    | layout.denywrite
                    | layout.executable
                    | layout.noreserve;
                let done = done | layout.populate | layout.nonblock | layout.stack | layout.low;
                if flags & !(done | layout.type_mask) != 0 {
                    return Err(Errno::EOPNOTSUPP);
                }
            }
        }
        Ok(Mmap { flags, ..*call })
    }

    /// Kernels, emulators and circumstances that make a prober's life hard.
    pub fn liars() -> Vec<(String, Rules)> {
        let new = || Rules::new(Machine::X86, (6, 12));
        let refusing = |op: Op, any_of: u64, errno: Errno| Rules {
            refusals: vec![Refusal { op, any_of, errno }],
            ..new()
        };
        let (old, unknown) = ((4, 10), !X86.known());
        let liars = [
            ("qemu-user, arm64", Rules::qemu_user(Machine::Arm64)),
            ("qemu-user, hppa", Rules::qemu_user(Machine::Parisc)),
            ("gVisor", Rules::gvisor()),
            ("WSL1", Rules::wsl1()),
            ("nommu", Rules::nommu()),
            ("nommu, uninitialized", Rules { uninitialized: true, ..Rules::nommu() }),
            ("filter: LOCKED is EPERM", refusing(Op::Mmap, X86.locked, Errno::EPERM)),
            ("filter: HUGETLB is ENOSYS", refusing(Op::Mmap, X86.hugetlb, Errno::ENOSYS)),
            ("filter: SYNC is EPERM", refusing(Op::Mmap, X86.sync, Errno::EPERM)),
            ("filter: FIXED_NOREPLACE is EPERM", refusing(Op::Mmap, FIXED_NOREPLACE, Errno::EPERM)),
            ("filter: unknown bits are EPERM", refusing(Op::Mmap, unknown, Errno::EPERM)),
            ("filter: unknown bits are ENOSYS", refusing(Op::Mmap, unknown, Errno::ENOSYS)),
            ("filter: unknown bits are EINVAL", refusing(Op::Mmap, unknown, Errno::EINVAL)),
            ("filter: mmap is EPERM", refusing(Op::Mmap, 0, Errno::EPERM)),
            ("filter: mincore is EPERM", refusing(Op::Mincore, 0, Errno::EPERM)),
            ("filter: mincore is ENOSYS", refusing(Op::Mincore, 0, Errno::ENOSYS)),
            ("filter: madvise is EPERM", refusing(Op::Madvise, 0, Errno::EPERM)),
            ("filter: madvise is ENOSYS", refusing(Op::Madvise, 0, Errno::ENOSYS)),
            ("filter: memfd_create is EPERM", refusing(Op::MemfdCreate, 0, Errno::EPERM)),
            ("filter: memfd_create is ENOSYS", refusing(Op::MemfdCreate, 0, Errno::ENOSYS)),
            ("filter: pipe is EPERM", refusing(Op::Pipe, 0, Errno::EPERM)),
            ("no memfd", Rules { no_memfd: true, ..new() }),
            ("no memfd, before 4.15", Rules { no_memfd: true, ..Rules::new(Machine::X86, old) }),
            ("no /proc", Rules { proc: Proc::Missing, ..new() }),
            ("smaps of a stranger", Rules { proc: Proc::Elsewhere, ..new() }),
            ("smaps of a host: everything set", Rules { proc: Proc::Around(EVERYTHING), ..new() }),
            (
                "smaps of a host: nothing set",
                Rules { proc: Proc::Around("rd wr mr mw me "), ..new() },
            ),
            ("everything is locked", Rules { locks_everything: true, ..new() }),
            (
                "everything is locked, before 4.15",
                Rules { locks_everything: true, ..Rules::new(Machine::X86, old) },
            ),
            ("overcommit always", Rules { overcommit: 1, ..new() }),
            ("overcommit never", Rules { overcommit: 2, ..new() }),
            ("unprivileged", Rules { root: false, ..new() }),
            ("no right to lock", Rules { lock_refusal: Some(Errno::EPERM), root: false, ..new() }),
            ("too much locked", Rules { lock_refusal: Some(Errno::EAGAIN), root: false, ..new() }),
            ("one page of stack", Rules { stack_limit: 4096, ..new() }),
            ("no huge pages configured", Rules { huge_sizes: Vec::new(), ..new() }),
            ("no transparent huge pages", Rules { collapse: None, ..new() }),
            ("a pool of huge pages", Rules { pool: 4, ..new() }),
            ("DENYWRITE is honored", Rules { denies_writing: true, ..new() }),
            ("DROPPABLE is EOPNOTSUPP", Rules { droppable: Some(Err(Errno::EOPNOTSUPP)), ..new() }),
        ];
        liars.map(|(name, rules)| (name.to_string(), rules)).into()
    }

    /// A program of another architecture under QEMU: /proc shows the host's side of it.
    pub fn qemu_user(machine: Machine) -> Rules {
        let mut rules = Rules {
            manner: Manner::Qemu,
            proc: Proc::Around(HOST),
            ..Rules::new(machine, (6, 12))
        };
        rules.space.colour = 1;
        // QEMU refuses what the guest has not mapped before the host could let anything grow.
        rules.space.grows_down = false;
        rules.stack = Rules::new(Machine::Arm64, (6, 12)).stack;
        rules
    }

    /// A kernel in user space.
    pub fn gvisor() -> Rules {
        Rules { manner: Manner::Gvisor, overcommit: 1, ..Rules::new(Machine::X86, (4, 12)) }
    }

    /// Says it is Linux 4.4.
    pub fn wsl1() -> Rules {
        Rules { manner: Manner::Wsl1, ..Rules::new(Machine::X86, (4, 10)) }
    }

    /// No MMU; the numbers are the generic ones.
    pub fn nommu() -> Rules {
        let rules = Rules::new(Machine::Arm64, (6, 12));
        Rules { manner: Manner::Nommu, collapse: None, huge_sizes: Vec::new(), ..rules }
    }
}

/// Every mnemonic that is proof of something.
const EVERYTHING: &str = "rd wr sh mr mw me ms gd lo ac nr ht sf ar wf dd sd nh dp ";
/// Memory that QEMU keeps for its guest.
const HOST: &str = "rd wr mr mw me nr sd ";
