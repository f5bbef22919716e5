//! What lies between this program and a kernel, or in the kernel's way, and makes answers say something else than they seem to: named
//! by what it does, with what gave it away. The experiments have controls that fail there by themselves; nothing is decided here.

use super::bench::{Bench, CONTROL};
use super::{accounting, procfs, residency};
use crate::errno::Errno;
use crate::evidence::{Backing, Outcome};
use crate::flags::MAP_PRIVATE;
use crate::kernel::{How, PROT_READ};

/// Something that answers in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lie {
    /// What it is called.
    pub name: &'static str,
    /// What gave it away.
    pub evidence: &'static str,
}

/// What no kernel of its own does, beside what the fail-on-unknown-flag test found out.
const EMULATOR: Lie = Lie {
    name: "system call emulator",
    evidence: "MAP_SHARED_VALIDATE is refused, yet taken with MAP_FIXED and a flag that no kernel knows",
};
const STRICT: Lie = Lie {
    name: "not Linux",
    evidence: "a flag that no kernel knows is refused with EOPNOTSUPP under MAP_PRIVATE, where Linux never looks at flags",
};
const FILTER: Lie = Lie {
    name: "system call filter",
    evidence: "mmap with a flag that no kernel knows, mincore, or memfd_create is answered EPERM or ENOSYS",
};
const LOCKED: Lie = Lie {
    name: "mlockall(MCL_FUTURE)",
    evidence: "fresh memory that nobody locked refuses madvise(MADV_DONTNEED)",
};
const BLIND: Lie = Lie {
    name: "mincore without knowledge",
    evidence: "every page of fresh memory counts as resident before anyone touched it",
};
const ALWAYS: Lie = Lie {
    name: "vm.overcommit_memory=1",
    evidence: "more memory than there is was given without MAP_NORESERVE",
};
const NEVER: Lie = Lie {
    name: "vm.overcommit_memory=2",
    evidence: "more memory than there is was refused even with MAP_NORESERVE, but given without access",
};
const NO_PROC: Lie = Lie { name: "no /proc", evidence: "/proc/self/smaps cannot be opened" };
const NO_MEMFD: Lie = Lie { name: "no memfd", evidence: "memfd_create failed" };
const NO_MMU: Lie =
    Lie { name: "no MMU", evidence: "MAP_FIXED on the program's own ground is refused with EINVAL, and mincore is missing" };

/// Everything that was noticed.
pub fn lies(bench: &mut Bench) -> Vec<Lie> {
    let mut found = Vec::with_capacity(10);
    let mut note = |lie: Lie, given_away: bool| {
        if given_away {
            found.push(lie);
        }
    };
    note(EMULATOR, bench.emulated);

    let filtered = |outcome| matches!(outcome, Outcome::Failed(errno) | Outcome::Refused(errno) if errno == Errno::EPERM || errno == Errno::ENOSYS);
    let control = bench.try_map(MAP_PRIVATE | CONTROL, PROT_READ, Backing::Anonymous);
    let fixed = MAP_PRIVATE | bench.bits("MAP_FIXED");
    let placed = bench.try_map(fixed, PROT_READ, Backing::Anonymous);
    let discarded = residency::discard(bench, 0);
    let resident = residency::resident(bench, 0);
    let no_mmu = placed == Outcome::Failed(Errno::EINVAL);
    note(STRICT, control == Outcome::Failed(Errno::EOPNOTSUPP));
    note(NO_MMU, no_mmu);
    note(NO_MEMFD, bench.memfd().is_err());
    let no_memfd = bench.memfd() == Err(Errno::EPERM);
    note(FILTER, filtered(control) || no_memfd || filtered(resident) && !no_mmu);
    note(LOCKED, discarded == Outcome::Refused(Errno::EINVAL));
    note(BLIND, resident == Outcome::Number(super::bench::PAGES) && discarded.succeeded());
    match accounting::overcommit(bench) {
        [plain, ..] if plain.succeeded() => note(ALWAYS, true),
        [_, flagged, reserved] => note(NEVER, flagged == Outcome::Failed(Errno::ENOMEM) && reserved.succeeded()),
    }
    match bench.kernel.open(procfs::SMAPS, How::Read).result() {
        Ok(file) => {
            bench.kernel.close(file as i32);
        }
        Err(_) => note(NO_PROC, true),
    }
    found
}
