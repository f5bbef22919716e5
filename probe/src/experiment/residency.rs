//! Flags that decide whether pages are in memory when `mmap` returns, and whether they stay there.

use super::bench::{Bench, PAGES};
use super::recognition::is_recognized;
use crate::errno::Errno;
use crate::evidence::{Backing, Evidence, Outcome};
use crate::flags::{MAP_PRIVATE, MAP_SHARED};
use crate::kernel::{Advice, Answer};

/// `MAP_POPULATE`: pages of fresh memory are resident before anyone touched them, `mincore(2)`.
pub fn populates(bench: &mut Bench, bits: u64) -> Evidence {
    let mut evidence = is_recognized(bench, bits);
    let all = Outcome::Number(PAGES as u8);
    bench.compare(&mut evidence, "pages of 32 resident before anyone touched them", all, bits, |bench, bits| {
        resident(bench, MAP_PRIVATE | bench.bits("MAP_FIXED") | bits)
    });
    bench.compare(&mut evidence, "shared pages of 32 resident before anyone touched them", all, bits, |bench, bits| {
        resident(bench, MAP_SHARED | bits)
    });
    evidence
}

/// How many of [`PAGES`] pages of fresh memory are resident. Private ones lie on reserved ground, so that they do not become part of
/// a neighbour that is large enough for a huge page.
fn resident(bench: &mut Bench, flags: u64) -> Outcome {
    let (addr, mapped) = bench.map(flags, Bench::READ_WRITE, PAGES, Backing::Anonymous);
    if !mapped.succeeded() {
        return mapped;
    }
    let mut pages = [0; PAGES as usize];
    let len = bench.bytes(PAGES);
    let counted = match bench.kernel.mincore(addr, len, &mut pages).result() {
        Ok(_) => Outcome::Number(pages.iter().map(|page| page & 1).sum()),
        Err(errno) => Outcome::Failed(errno),
    };
    bench.note("mincore, resident pages", counted);
    bench.unmap(addr, PAGES, mapped);
    counted
}

/// `MAP_LOCKED`: locked memory refuses `madvise(MADV_DONTNEED)` with `EINVAL` and `msync(MS_INVALIDATE)` with `EBUSY`.
pub fn locks(bench: &mut Bench, bits: u64) -> Evidence {
    let mut evidence = is_recognized(bench, bits);
    evidence.knowing = &[Errno::EPERM, Errno::EAGAIN];
    bench.compare(&mut evidence, DISCARD, Outcome::Failed(Errno::EINVAL), bits, discard);
    bench.compare(&mut evidence, INVALIDATE, Outcome::Failed(Errno::EBUSY), bits, invalidate);
    evidence
}

const DISCARD: &str = "madvise(MADV_DONTNEED)";
const INVALIDATE: &str = "msync(MS_INVALIDATE)";

/// What `madvise(MADV_DONTNEED)` says to a page of fresh memory.
fn discard(bench: &mut Bench, bits: u64) -> Outcome {
    about_page(bench, bits, DISCARD, |bench, addr, len| bench.kernel.madvise(addr, len, Advice::DontNeed))
}

/// What `msync(MS_INVALIDATE)` says to a page of fresh memory.
fn invalidate(bench: &mut Bench, bits: u64) -> Outcome {
    about_page(bench, bits, INVALIDATE, |bench, addr, len| bench.kernel.msync_invalidate(addr, len))
}

fn about_page(bench: &mut Bench, bits: u64, call: &'static str, make: fn(&mut Bench, u64, u64) -> Answer) -> Outcome {
    let (addr, mapped) = bench.map(MAP_PRIVATE | bits, Bench::READ_WRITE, 1, Backing::Anonymous);
    if !mapped.succeeded() {
        return mapped;
    }
    let len = bench.bytes(1);
    let answered = Outcome::of(make(bench, addr, len));
    bench.note(call, answered);
    bench.unmap(addr, 1, mapped);
    answered
}
