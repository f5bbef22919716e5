//! Flags that decide whether pages are in memory when `mmap` returns, and whether they stay there.

use super::bench::{Bench, CONTROL, PAGES};
use super::recognition::is_recognized;
use crate::errno::Errno;
use crate::evidence::{Backing, Evidence, Outcome, Trial};
use crate::flags::MAP_PRIVATE;
use crate::kernel::Advice;

/// `MAP_POPULATE`: pages of fresh memory are resident before anyone touched them, `mincore(2)`.
pub fn populates(bench: &mut Bench, bits: u64) -> Evidence {
    let mut evidence = is_recognized(bench, bits);
    let [plain, unknown, flagged] = [0, CONTROL, bits].map(|bits| resident(bench, bits));
    evidence.trials.push(Trial {
        question: "pages of 32 resident before anyone touched them",
        promised: Outcome::Number(u64::from(PAGES)),
        flagged,
        plain,
        unknown,
    });
    evidence.steps.append(&mut bench.take_steps());
    evidence
}

/// How many of [`PAGES`] pages of fresh memory are resident.
fn resident(bench: &mut Bench, bits: u64) -> Outcome {
    let flags = MAP_PRIVATE | bench.bits("MAP_FIXED") | bits;
    let (addr, mapped) = bench.map(flags, Bench::READ_WRITE, PAGES, Backing::Anonymous);
    if !mapped.succeeded() {
        return mapped;
    }
    let mut pages = [0; PAGES as usize];
    let len = bench.bytes(PAGES);
    let counted = match bench.kernel.mincore(addr, len, &mut pages) {
        Ok(_) => Outcome::Number(pages.iter().map(|page| u64::from(page & 1)).sum()),
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
    let [plain, unknown, flagged] = [0, CONTROL, bits].map(|bits| discard(bench, bits));
    let trial = |question, promised, at: fn([Outcome; 2]) -> Outcome| Trial {
        question,
        promised: Outcome::Failed(promised),
        flagged: at(flagged),
        plain: at(plain),
        unknown: at(unknown),
    };
    evidence.trials.push(trial("madvise(MADV_DONTNEED)", Errno::EINVAL, |[advised, _]| advised));
    evidence.trials.push(trial("msync(MS_INVALIDATE)", Errno::EBUSY, |[_, synced]| synced));
    evidence.steps.append(&mut bench.take_steps());
    evidence
}

/// What `madvise(MADV_DONTNEED)` and `msync(MS_INVALIDATE)` say to a page of fresh memory.
fn discard(bench: &mut Bench, bits: u64) -> [Outcome; 2] {
    let (addr, mapped) = bench.map(MAP_PRIVATE | bits, Bench::READ_WRITE, 1, Backing::Anonymous);
    if !mapped.succeeded() {
        return [mapped; 2];
    }
    let page = bench.bytes(1);
    let advised = bench.kernel.madvise(addr, page, Advice::DontNeed).map_or_else(Outcome::Failed, Outcome::Number);
    bench.note("madvise(MADV_DONTNEED)", advised);
    let synced = bench.kernel.msync_invalidate(addr, page).map_or_else(Outcome::Failed, Outcome::Number);
    bench.note("msync(MS_INVALIDATE)", synced);
    bench.unmap(addr, 1, mapped);
    [advised, synced]
}
