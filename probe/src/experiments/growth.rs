//! Mappings that grow when memory beside them is touched: `MAP_GROWSDOWN`, and `MAP_STACK` where
//! stacks grow upwards.
//!
//! A page fault beside such a mapping makes the kernel extend it (`expand_stack` in `mm/mmap.c`).
//! Two kernel details shape the tests:
//!
//! - Growth stops 256 pages short of the next mapping (`stack_guard_gap`), but only if that mapping
//!   is accessible. The reserved range is `PROT_NONE`, so a small hole in it is enough.
//! - Before 4.12 the lowest page of the mapping was its guard page, so a touch one page below
//!   proves nothing.

use super::recognition;
use crate::experiment::{Evidence, Experiment, IfOnlyRecognized, Trial};
use crate::fixture::{Fixture, READ_WRITE};
use crate::flags::{MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MapFlags};
use crate::outcome::{Backing, Outcome, Size};
use kernel::{Advice, Errno, PROT_READ};

pub static MAP_GROWSDOWN: Experiment = Experiment {
    promise: "Memory below the mapping becomes part of it when it is touched.",
    proof: "Stores 4 and 8 pages below it succeed. Without the flag they fail with EFAULT.",
    pitfalls: "Private anonymous memory only. Growth stops at `ulimit -s`, and 256 pages from \
               another mapping. hppa: not since 4.12.",
    // Mappings do not grow downwards on parisc since 4.12, nor with a tiny RLIMIT_STACK.
    if_only_recognized: IfOnlyRecognized::Unavailable,
    errors_that_prove_recognition: &[],
    run: |fixture, flag, evidence| {
        recognition::probe_as_flag(fixture, flag, evidence);
        rejected_by_shared_memory(fixture, flag, evidence);
        for (question, pages) in [("a touch 8 pages below it", 8), ("a touch 4 pages below it", 4)]
        {
            let answers =
                fixture.compare(flag, &mut |fixture, flag| store_below(fixture, flag, pages));
            evidence.effect(question, Outcome::Ok, answers);
        }
    },
};

pub static MAP_STACK: Experiment = Experiment {
    promise: "No transparent huge pages. hppa: the mapping grows upwards since 6.12.",
    proof: "madvise(MADV_COLLAPSE) fails with EINVAL, or stores above the mapping succeed. Without \
            the flag neither happens.",
    pitfalls: "It has no effect before 6.7.6.",
    if_only_recognized: IfOnlyRecognized::Unavailable,
    errors_that_prove_recognition: &[],
    run: serves_as_stack,
};

fn serves_as_stack(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    recognition::probe_as_flag(fixture, flag, evidence);
    rejected_by_shared_memory(fixture, flag, evidence);
    let rejected = Outcome::MmapFailed(Errno::EINVAL);
    let is_rejected =
        |sign: &Trial| sign.answers.with == rejected && sign.answers.without != rejected;
    if evidence.signs().any(is_rejected) {
        for (question, pages) in [("a touch 8 pages above it", 8), ("a touch 4 pages above it", 4)]
        {
            let answers =
                fixture.compare(flag, &mut |fixture, flag| store_above(fixture, flag, pages));
            evidence.effect(question, Outcome::Ok, answers);
        }
        return;
    }
    // On a kernel without huge pages, and before 6.1, the collapse fails without the flag too.
    if fixture.page_size() != PAGE_SIZE_FOR_HUGE_PAGE {
        return;
    }
    let (question, rejected) = ("madvise(MADV_COLLAPSE)", Outcome::Failed(Errno::EINVAL));
    let collapsed = collapse(fixture, MapFlags::NONE);
    if collapsed.may_be_filtered() {
        evidence.filtered_effect(question, rejected, collapsed);
    }
    if collapsed.succeeded() {
        for _ in 0..2 {
            let answers = fixture.compare(flag, &mut collapse);
            evidence.effect(question, rejected, answers);
        }
    }
}

/// Shared memory cannot grow. A kernel that recognizes a flag as one that makes a mapping grow
/// rejects it there, even where no mapping ever grows.
fn rejected_by_shared_memory(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    for _ in 0..2 {
        let answers = fixture.compare(flag, &mut |fixture, flag| {
            fixture.try_map(MAP_SHARED | flag, PROT_READ, Backing::Anonymous)
        });
        evidence.sign("shared memory", Outcome::MmapFailed(Errno::EINVAL), answers);
    }
}

/// The unmapped pages beside the mapping, into which it can grow.
const HOLE_PAGES: usize = 16;

/// Maps a page above a hole and stores a byte `pages` pages below it.
fn store_below(fixture: &mut Fixture, flag: MapFlags, pages: usize) -> Outcome {
    let (addr, page) = (fixture.isolated_addr(), fixture.page_size());
    let hole = HOLE_PAGES * page;
    let freed = Outcome::of(fixture.kernel.munmap(addr - hole, hole));
    if !freed.succeeded() {
        return freed;
    }
    store_beside(fixture, flag, addr - pages * page, "a touch below it")
}

/// Maps a page below a hole and stores a byte `pages` pages above it.
fn store_above(fixture: &mut Fixture, flag: MapFlags, pages: usize) -> Outcome {
    let (addr, page) = (fixture.isolated_addr(), fixture.page_size());
    let freed = Outcome::of(fixture.kernel.munmap(addr + page, HOLE_PAGES * page));
    if !freed.succeeded() {
        return freed;
    }
    store_beside(fixture, flag, addr + pages * page, "a touch above it")
}

/// Maps a page in the isolated range, stores a byte beside it, and reserves the range again.
fn store_beside(
    fixture: &mut Fixture,
    flag: MapFlags,
    target: usize,
    call: &'static str,
) -> Outcome {
    let (addr, page) = (fixture.isolated_addr(), fixture.page_size());
    let flags = MAP_PRIVATE | MAP_FIXED | flag;
    let mapped = fixture.mmap(addr, page, READ_WRITE, flags, Backing::Anonymous).outcome;
    fixture.log_mmap(flags, Backing::Anonymous, Size::Pages(1), mapped);
    let mut stored = mapped;
    if mapped.succeeded() {
        fixture.store_byte(addr, 0);
        // A store, because a load does not make a mapping grow on a 64-bit parisc kernel (6.12).
        stored = fixture.store_byte(target, 0);
        fixture.log(call, stored);
    }
    let hole = HOLE_PAGES * page;
    fixture.reserve(addr - hole, hole + page + hole);
    stored
}

/// The page size with which a huge page has [`HUGE_PAGE`] bytes on every architecture here.
const PAGE_SIZE_FOR_HUGE_PAGE: usize = 4096;
/// Bytes of the huge page that `MADV_COLLAPSE` makes.
const HUGE_PAGE: usize = 2 << 20;

/// The outcome of `madvise(MADV_COLLAPSE)` for memory that could become one huge page.
fn collapse(fixture: &mut Fixture, flag: MapFlags) -> Outcome {
    let addr = fixture.isolated_addr();
    let flags = MAP_PRIVATE | MAP_FIXED | flag;
    let mapped = fixture.mmap(addr, HUGE_PAGE, READ_WRITE, flags, Backing::Anonymous).outcome;
    fixture.log_mmap(flags, Backing::Anonymous, Size::Large, mapped);
    let mut collapsed = mapped;
    if mapped.succeeded() {
        fixture.store_byte(addr, 0);
        collapsed = Outcome::of(fixture.kernel.madvise(addr, HUGE_PAGE, Advice::Collapse));
        fixture.log("madvise(MADV_COLLAPSE)", collapsed);
    }
    fixture.reserve(addr, HUGE_PAGE);
    collapsed
}
