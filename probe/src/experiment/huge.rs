//! Huge pages. Asked for in two ways, neither of which ever touches or reserves one.
//!
//! Whether a size is offered: `MAP_SHARED_VALIDATE | MAP_HUGETLB` of anonymous memory together with a control bit can only fail, and
//! how it fails tells the sizes apart (`ksys_mmap_pgoff` and `do_mmap` in `mm/mmap.c`): a size the machine does not have is
//! `EINVAL` before the flags are looked at, one it has gets as far as the control bit, `EOPNOTSUPP`.
//!
//! Whether a mapping has huge geometry: with `MAP_NORESERVE` it succeeds with an empty pool, and `munmap(2)` of one base page of it is
//! `EINVAL`. It is always placed with `MAP_FIXED` on ground of its own, at an address aligned to its size: one at an address that the
//! kernel chose crashed a parisc64 kernel (6.1, `mm/hugetlb.c`, `__unmap_hugepage_range`).

use super::Bench;
use super::bench::Control;
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Outcome, Recognition};
use crate::flags::{CONTROL_BITS, CONTROL_SIZE, Kind, MAP_HUGE_SHIFT, MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE, TABLE};
use crate::kernel::{PROT_NONE, PROT_READ};

/// The largest size, as a power of two, of which one page may be reserved for a moment to see whether the pool is empty.
const SMALL: u32 = 21;

/// `MAP_HUGETLB`: memory of the default huge page size. `EINVAL` on files of other kinds shows in the contexts.
pub fn has_huge_geometry(bench: &mut Bench, bits: u64) {
    let mut at = 0;
    while let Some(context) = bench.context(at) {
        // What anonymous memory answers is noted where it is asked at an aligned address.
        if context.1 != Backing::Anonymous {
            bench.ask(context, bits);
        }
        at += 1;
    }
    if !offers(bench, bits) {
        return;
    }
    let log2 = default_size(bench, bits);
    bench.note(Act::HugeSize, Outcome::Number(log2 as u8));
    compare(bench, bits, log2);
    if log2 <= SMALL && geometry(bench, MAP_PRIVATE | bits, log2, false) == Outcome::Failed(Errno::ENOMEM) {
        bench.evidence.but = Some("the pool of such pages is empty");
    }
}

/// The default size is the smallest at which a mapping succeeds that is aligned to that size and to no larger one.
fn default_size(bench: &mut Bench, hugetlb: u64) -> u32 {
    for flag in TABLE {
        if let (Kind::HugeSize, Some(size)) = (flag.kind, flag.value(bench.arch())) {
            let log2 = (size >> MAP_HUGE_SHIFT) as u32;
            if geometry(bench, MAP_PRIVATE | hugetlb, log2, true) == HUGE {
                return log2;
            }
        }
    }
    SMALL
}

/// A huge page size.
pub fn offers_size(bench: &mut Bench, bits: u64) {
    let hugetlb = bench.bits("MAP_HUGETLB");
    if offers(bench, hugetlb | bits) {
        compare(bench, hugetlb | bits, (bits >> MAP_HUGE_SHIFT) as u32);
    }
}

/// The effect test.
fn compare(bench: &mut Bench, bits: u64, log2: u32) {
    bench.evidence.knowing = &[Errno::EINVAL];
    for &(question, map_type) in &[
        ("whether one base page of it cannot be unmapped", MAP_PRIVATE),
        ("whether one base page of it, shared, cannot be unmapped", MAP_SHARED),
    ] {
        bench.compare(question, HUGE, bits, &|bench, bits| geometry(bench, map_type | bits, log2, true));
    }
}

/// Unmapping one base page is refused.
const HUGE: Outcome = Outcome::Number(1);

/// Whether a mapping with these flags, at an address aligned to a power of two and no larger one, has huge geometry.
fn geometry(bench: &mut Bench, flags: u64, log2: u32, noreserve: bool) -> Outcome {
    let (size, page) = (1 << log2, bench.bytes(1));
    let mut flags = flags | bench.bits("MAP_FIXED");
    let reserve = MAP_PRIVATE | bench.bits("MAP_NORESERVE");
    if noreserve {
        flags |= bench.bits("MAP_NORESERVE");
    }
    let room = 3 * size;
    let (ground, reserved) = bench.place(0, room, PROT_NONE, reserve, Backing::Anonymous);
    if !reserved.succeeded() {
        return Outcome::NotRun;
    }
    let aligned = (ground + size - 1) & !(size - 1);
    let at = if aligned & size == 0 { aligned + size } else { aligned };
    let (_, mapped) = bench.place(at, page, PROT_READ, flags, Backing::Anonymous);
    bench.noted_map(flags, Backing::Anonymous, 0, mapped);
    let mut huge = mapped;
    if mapped.succeeded() {
        let unmapped = Outcome::of(bench.kernel.munmap(at, page));
        huge = Outcome::Number((unmapped == Outcome::Refused(Errno::EINVAL)).into());
        bench.note(Act::UnmapPage, unmapped);
    }
    bench.kernel.munmap(ground, room);
    huge
}

/// The question and its two controls, with two control bits; not asked when nothing validates flags, because then the call could
/// map something. Whether it may be offered.
fn offers(bench: &mut Bench, hugetlb: u64) -> bool {
    let Some(base) = bench.validators().iter().find_map(Control::validates) else { return true };
    for &bit in &CONTROL_BITS[..2] {
        let mut ask = |bits| {
            let flags = MAP_SHARED_VALIDATE | bits | 1 << bit;
            bench.try_map(flags, PROT_READ, Backing::Anonymous)
        };
        let (flagged, unknown) = (ask(hugetlb), ask(hugetlb & !SIZE | CONTROL_SIZE));
        let by = "anonymous huge memory with a flag that no kernel knows";
        bench.evidence.offers.push(Recognition { by, base, flagged, unknown });
    }
    bench.evidence.offers.iter().any(|by| by.flagged != by.unknown)
}

/// The huge page size field.
const SIZE: u64 = crate::flags::MAP_HUGE_MASK << MAP_HUGE_SHIFT;
