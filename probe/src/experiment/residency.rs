//! Flags that decide whether pages are in memory when `mmap` returns, and whether they stay there. Asked of fresh memory only:
//! of a file, `mincore` shows the page cache.

use super::bench::{Bench, PAGES};
use super::recognition::is_recognized;
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Outcome};
use crate::flags::{MAP_PRIVATE, MAP_SHARED};
use crate::kernel::Advice;

/// Every page of a test.
const ALL: Outcome = Outcome::Number(PAGES);

/// `MAP_POPULATE`: pages of fresh memory are resident before anyone touched them, `mincore(2)`.
pub fn populates(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    bench.compare("pages of 32 resident before anyone touched them", ALL, bits, &resident);
    bench.compare("shared pages of 32 resident before anyone touched them", ALL, bits, &resident_shared);
}

/// `MAP_NONBLOCK`: cancels `MAP_POPULATE` (since 2.6.23), whose effect must therefore be there without it.
pub fn cancels_populate(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    let populate = bench.bits("MAP_POPULATE");
    let none = Outcome::Number(0);
    bench.compare("pages of 32 resident with MAP_POPULATE", none, bits, &|bench, bits| {
        resident(bench, populate | bits)
    });
    bench.compare("shared pages of 32 resident with MAP_POPULATE", none, bits, &|bench, bits| {
        resident_shared(bench, populate | bits)
    });
}

/// How many of [`PAGES`] private pages are resident. They lie on reserved ground, so that they do not become part of a neighbour
/// that is large enough for a huge page.
pub fn resident(bench: &mut Bench, bits: u64) -> Outcome {
    let fixed = bench.bits("MAP_FIXED");
    count(bench, MAP_PRIVATE | fixed | bits)
}

/// How many of [`PAGES`] shared pages are resident.
fn resident_shared(bench: &mut Bench, bits: u64) -> Outcome {
    count(bench, MAP_SHARED | bits)
}

fn count(bench: &mut Bench, flags: u64) -> Outcome {
    let (addr, mapped) = bench.map(flags, Bench::READ_WRITE, PAGES, Backing::Anonymous);
    if !mapped.succeeded() {
        return mapped;
    }
    let mut pages = [0; PAGES as usize];
    let len = bench.bytes(PAGES);
    let counted = match bench.kernel.mincore(addr, len, &mut pages).result() {
        Ok(_) => Outcome::Number(pages.iter().map(|page| page & 1).sum()),
        Err(errno) => Outcome::Refused(errno),
    };
    bench.note(Act::Resident, counted);
    bench.unmap(addr, PAGES, mapped);
    counted
}

/// `MAP_LOCKED`: locked memory refuses `madvise(MADV_DONTNEED)` with `EINVAL` and `msync(MS_INVALIDATE)` with `EBUSY`.
pub fn locks(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    bench.evidence.knowing = &[Errno::EPERM, Errno::EAGAIN];
    bench.compare("madvise(MADV_DONTNEED)", Outcome::Refused(Errno::EINVAL), bits, &discard);
    bench.compare("msync(MS_INVALIDATE)", Outcome::Refused(Errno::EBUSY), bits, &|bench, bits| {
        bench.about_page(MAP_PRIVATE | bits, Act::Invalidate, |bench, addr, len| bench.kernel.msync_invalidate(addr, len))
    });
}

/// What `madvise(MADV_DONTNEED)` says to a page of fresh memory.
pub fn discard(bench: &mut Bench, bits: u64) -> Outcome {
    bench.about_page(MAP_PRIVATE | bits, Act::Discard, |bench, addr, len| bench.kernel.madvise(addr, len, Advice::DontNeed))
}
