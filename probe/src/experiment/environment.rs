//! What lies between this program and a kernel, or in the kernel's way, and makes answers say something else than they seem to: named
//! by what it does, with what gave it away. The experiments have controls that fail there by themselves; nothing is decided here.

use super::bench::{Bench, CONTROL, PAGES, base};
use super::measure::lands;
use super::{accounting, procfs, residency};
use crate::errno::Errno;
use crate::evidence::{Backing, Outcome};
use crate::kernel::{How, PROT_NONE};

/// What is looked for, in the order of the bits of [`lies`]: what it is called, and what gives it away.
pub(crate) const LIES: [[&str; 2]; 10] = [
    [
        "system call emulator",
        "MAP_SHARED_VALIDATE is refused, yet taken with MAP_FIXED and a flag that no kernel knows",
    ],
    [
        "not Linux",
        "a flag that no kernel knows is refused under MAP_PRIVATE, where Linux never looks",
    ],
    [
        "system call filter",
        "a flag that no kernel knows, mincore, madvise or memfd_create is answered EPERM or ENOSYS",
    ],
    ["mlockall(MCL_FUTURE)", "fresh memory that nobody locked refuses madvise(MADV_DONTNEED)"],
    ["blind mincore", "every page of fresh memory counts as resident before anyone touched it"],
    ["vm.overcommit_memory=1", "more memory than there is was given without MAP_NORESERVE"],
    ["vm.overcommit_memory=2", "more memory than there is was given only without access"],
    ["no /proc", "/proc/self/smaps cannot be opened"],
    ["no memfd", "memfd_create failed"],
    ["no MMU", "MAP_FIXED on the program's own ground is refused with EINVAL"],
];

/// A bit for each of [`LIES`] that was noticed.
#[inline(never)]
pub fn lies(bench: &mut Bench) -> u16 {
    let private = bench.base(base::PRIVATE);
    let unknown = lands(bench, private | CONTROL, Backing::ANONYMOUS);
    let fixed = lands(bench, private | bench.own.fixed, Backing::ANONYMOUS);
    let discarded = residency::discard(bench, private, Backing::ANONYMOUS);
    // Twice: what fills memory must not depend on one wrong answer.
    bench.locked = !discarded.succeeded()
        || !residency::discard(bench, private, Backing::ANONYMOUS).succeeded();
    let resident = residency::resident(bench, private, Backing::ANONYMOUS);
    let no_mmu = fixed == Outcome::failed(Errno::EINVAL);
    let plain = accounting::overcommits(bench, false, Bench::READ_WRITE);
    let flagged = accounting::overcommits(bench, true, Bench::READ_WRITE);
    let reserved = accounting::overcommits(bench, false, PROT_NONE);
    let smaps = bench.kernel.open(procfs::SMAPS, How::Read).result();
    if let Ok(file) = smaps {
        bench.kernel.close(file as i32);
    }
    let noticed = [
        bench.emulated,
        unknown.is_failure() && !filtered(unknown),
        filtered(unknown)
            || bench.filtered
            || (filtered(resident) || filtered(discarded)) && !no_mmu,
        discarded == Outcome::refused(Errno::EINVAL),
        resident == Outcome::number(PAGES) && discarded.succeeded(),
        plain,
        !flagged && reserved,
        smaps.is_err(),
        bench.memfd().is_none(),
        no_mmu,
    ];
    noticed.iter().rev().fold(0, |bits, &noticed| bits << 1 | u16::from(noticed))
}

/// Whether an answer is that of a filter of system calls rather than of the call.
fn filtered(outcome: Outcome) -> bool {
    matches!(outcome.errno(), Some(Errno::EPERM | Errno::ENOSYS))
}
