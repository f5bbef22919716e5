//! Huge pages. Asked for in two ways, neither of which ever touches or reserves one.
//!
//! Whether a size is offered: `MAP_SHARED_VALIDATE | MAP_HUGETLB` of anonymous memory together with a control bit can only fail, and
//! how it fails tells the sizes apart (`ksys_mmap_pgoff` and `do_mmap` in `mm/mmap.c`): a size the machine does not have is
//! `EINVAL` before the flags are looked at, one it has gets as far as the control bit, `EOPNOTSUPP`.
//!
//! Whether a mapping has huge geometry: with `MAP_NORESERVE` it succeeds with an empty pool, and `munmap(2)` of one base page of it is
//! `EINVAL`. It is always placed with `MAP_FIXED` on ground of its own, at an address aligned to its size: one at an address that the
//! kernel chose crashed a parisc64 kernel (6.1, `mm/hugetlb.c`, `__unmap_hugepage_range`).

use super::bench::{Bench, base};
use super::measure::lands;
use super::recognition::{Control, validator};
use super::{ASK, Asks, Experiment};
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Outcome, Refusals, Role, Test, Trial};
use crate::flags::{
    CONTROL_BITS, CONTROL_SIZE, Kind, MAP_HUGE_MASK, MAP_HUGE_SHIFT, MAP_SHARED_VALIDATE, TABLE,
};
use crate::kernel::{PROT_NONE, PROT_READ, Word};
use crate::text::Text;

/// The largest size, as a power of two, of which one page may be reserved for a moment to see whether the pool is empty.
const SMALL: u8 = 21;

/// Unmapping one base page is refused.
const HUGE: Outcome = Outcome::number(1);

const ONE_PAGE: Test = Test {
    question: Text::ONE_BASE_PAGE,
    role: Role::Effect,
    promised: HUGE,
    base: base::PRIVATE,
    backing: Backing::ANONYMOUS,
    look: |bench, flags, _| geometry(bench, flags | bench.own.noreserve, bench.huge),
};

/// `MAP_HUGETLB`: memory of the default huge page size. `EINVAL` on files of other kinds shows in the contexts.
pub static HAS_HUGE_GEOMETRY: Experiment =
    Experiment { first: Some(find_default_size), ..OFFERS_SIZE_OF };

/// A huge page size.
pub static OFFERS_SIZE: Experiment = OFFERS_SIZE_OF;

const OFFERS_SIZE_OF: Experiment = Experiment {
    asks: Asks::Itself,
    // Private ones: on parisc a shared mapping must have its file's cache colour, and this file is hidden.
    tests: &[ONE_PAGE; 2],
    knowing: Refusals::of(&[Errno::EINVAL]),
    first: Some(|bench, bits| {
        bench.huge = (bits >> MAP_HUGE_SHIFT) as u8;
        let huge = bench.own.hugetlb | bits;
        if offers(bench, huge) {
            // The control is a size that no machine has: an emulator (qemu-user) forgets the size, and takes any.
            bench.run_tests(OFFERS_SIZE.tests, &[0, nobodys(huge), huge]);
        }
        false
    }),
    ..ASK
};

fn find_default_size(bench: &mut Bench, bits: Word) -> bool {
    let mut at = 0;
    while let Some(context) = bench.context(at) {
        // What anonymous memory answers shows where it is asked at an aligned address.
        if context.1 != Backing::ANONYMOUS {
            bench.ask(context, bits);
        }
        at += 1;
    }
    if !offers(bench, bits) {
        return false;
    }
    let flags = bench.base(base::PRIVATE) | bits;
    bench.huge = default_size(bench, flags | bench.own.noreserve);
    bench.note(Act::HUGE_SIZE, Outcome::number(bench.huge));
    if bench.huge <= SMALL && geometry(bench, flags, bench.huge) == Outcome::failed(Errno::ENOMEM) {
        bench.evidence.but = Some(Text::POOL_IS_EMPTY);
    }
    true
}

/// The default size is the smallest at which a mapping succeeds that is aligned to that size and to no larger one.
fn default_size(bench: &mut Bench, flags: Word) -> u8 {
    for flag in TABLE {
        if let (Kind::HugeSize, Some(size)) = (flag.kind, flag.value(bench.arch())) {
            let log2 = (size >> MAP_HUGE_SHIFT) as u8;
            if geometry(bench, flags, log2) == HUGE {
                return log2;
            }
        }
    }
    SMALL
}

/// Whether a mapping with these flags, at an address aligned to a power of two and no larger one, has huge geometry. Not asked when
/// there is no room for three of the size.
fn geometry(bench: &mut Bench, flags: Word, log2: u8) -> Outcome {
    if u32::from(log2) + 2 > bench.arch().flag_bits() {
        return Outcome::NOT_RUN;
    }
    let (size, page) = ((1 as Word) << log2, bench.bytes(1));
    let flags = flags | bench.own.fixed;
    let (room, reserve) = (3 * size, bench.base(base::PRIVATE) | bench.own.noreserve);
    let (ground, reserved) = bench.place(0, room, PROT_NONE, reserve, Backing::ANONYMOUS);
    if !reserved.succeeded() {
        return Outcome::NOT_RUN;
    }
    let aligned = (ground + size - 1) & !(size - 1);
    let at = aligned + (!aligned & size);
    let (_, mapped) = bench.place(at, page, PROT_READ, flags, Backing::ANONYMOUS);
    bench.noted_map(flags, Backing::ANONYMOUS, 0, mapped);
    let mut huge = mapped;
    if mapped.succeeded() {
        let unmapped = Outcome::of(bench.kernel.munmap(at, page));
        huge = Outcome::number((unmapped == Outcome::refused(Errno::EINVAL)).into());
        bench.note(Act::UNMAP_PAGE, unmapped);
    }
    bench.kernel.munmap(ground, room);
    huge
}

static BY_CONTROL_BIT: Test = validator(Text::HUGE_WITH_UNKNOWN_FLAG, Role::Offer);

/// The question and its two controls, with two control bits; not asked when nothing validates flags, because then the call could
/// map something. Whether it may be offered: a 64-bit parisc kernel (6.12) answers `ENOMEM`, which is no answer to that.
fn offers(bench: &mut Bench, huge: Word) -> bool {
    let plain = Outcome::failed(Errno::EOPNOTSUPP);
    if bench.validators().iter().find_map(Control::validates) != Some(plain) {
        return true;
    }
    let mut offered = false;
    for &bit in &CONTROL_BITS[..2] {
        let flags = MAP_SHARED_VALIDATE | 1 << bit;
        let flagged = lands(bench, flags | huge, Backing::ANONYMOUS);
        let unknown = lands(bench, flags | nobodys(huge), Backing::ANONYMOUS);
        // A filter of system calls answers both alike, and says nothing.
        if unknown != Outcome::failed(Errno::EINVAL) {
            return true;
        }
        offered |= flagged != unknown;
        bench.evidence.trials.push(Trial { test: &BY_CONTROL_BIT, flagged, plain, unknown });
    }
    offered
}

/// The same with a size that no machine has.
fn nobodys(huge: Word) -> Word {
    huge & !(MAP_HUGE_MASK << MAP_HUGE_SHIFT) | CONTROL_SIZE
}
