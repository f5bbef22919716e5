//! Flags that decide whether pages are in memory when `mmap` returns, and whether they stay there. Asked of fresh memory only:
//! of a file, `mincore` shows the page cache.

use super::bench::{Bench, PAGES, base};
use super::{ASK, Experiment};
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Outcome, Refusals, Role, Test};
use crate::kernel::{Advice, Word};
use crate::text::Text;

const fn in_memory(question: Text, promised: u8, base: u8) -> Test {
    Test {
        question,
        role: Role::Effect,
        promised: Outcome::number(promised),
        base,
        backing: Backing::ANONYMOUS,
        look: resident,
    }
}

/// Private pages lie on reserved ground, so that they do not become part of a neighbour that is large enough for a huge page.
const PRIVATE: u8 = base::PRIVATE | base::FIXED;

/// `MAP_POPULATE`: pages of fresh memory are resident before anyone touched them, `mincore(2)`.
pub static POPULATES: Experiment = Experiment {
    tests: &[
        in_memory(Text::RESIDENT_UNTOUCHED, PAGES, PRIVATE),
        in_memory(Text::RESIDENT_UNTOUCHED, PAGES, base::SHARED),
    ],
    ..ASK
};

/// `MAP_NONBLOCK`: cancels `MAP_POPULATE` (since 2.6.23), whose effect must therefore be there without it.
pub static CANCELS_POPULATE: Experiment = Experiment {
    tests: &[
        in_memory(Text::RESIDENT_POPULATED, 0, PRIVATE | base::POPULATE),
        in_memory(Text::RESIDENT_POPULATED, 0, base::SHARED | base::POPULATE),
    ],
    first: Some(|bench, _| {
        for &base in &[PRIVATE, base::SHARED] {
            if resident(bench, bench.base(base), Backing::ANONYMOUS) != Outcome::number(0) {
                bench.evidence.failed_control = Some(Text::UNTOUCHED_ARE_RESIDENT);
            }
        }
        true
    }),
    ..ASK
};

/// How many of [`PAGES`] pages of fresh memory are resident.
pub fn resident(bench: &mut Bench, flags: Word, backing: Backing) -> Outcome {
    let (addr, mapped) = bench.map(flags, Bench::READ_WRITE, PAGES, backing);
    if !mapped.succeeded() {
        return mapped;
    }
    let mut pages = [0; PAGES as usize];
    let len = bench.bytes(PAGES);
    let counted = match bench.kernel.mincore(addr, len, &mut pages).result() {
        Ok(_) => Outcome::number(pages.iter().map(|page| page & 1).sum()),
        Err(errno) => Outcome::refused(errno),
    };
    bench.note(Act::RESIDENT, counted);
    bench.unmap(addr, PAGES, mapped);
    counted
}

/// `MAP_LOCKED`: locked memory refuses `madvise(MADV_DONTNEED)` with `EINVAL` and `msync(MS_INVALIDATE)` with `EBUSY`.
pub static LOCKS: Experiment = Experiment {
    tests: &[
        Test {
            question: Text::DONT_NEED,
            role: Role::Effect,
            promised: Outcome::refused(Errno::EINVAL),
            base: base::PRIVATE,
            backing: Backing::ANONYMOUS,
            look: discard,
        },
        Test {
            question: Text::INVALIDATE,
            role: Role::Effect,
            promised: Outcome::refused(Errno::EBUSY),
            base: base::PRIVATE,
            backing: Backing::ANONYMOUS,
            look: |bench, flags, _| {
                let invalidate =
                    |bench: &mut Bench, addr, len| bench.kernel.msync_invalidate(addr, len);
                bench.about_page(flags, Act::INVALIDATE, invalidate)
            },
        },
    ],
    knowing: Refusals::of(&[Errno::EPERM, Errno::EAGAIN]),
    ..ASK
};

/// What `madvise(MADV_DONTNEED)` says to a page of fresh memory.
pub fn discard(bench: &mut Bench, flags: Word, _: Backing) -> Outcome {
    bench.about_page(flags, Act::DISCARD, |bench, addr, len| {
        bench.kernel.madvise(addr, len, Advice::DontNeed)
    })
}
