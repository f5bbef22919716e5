//! Flags that decide what fresh memory holds, and what becomes of it: `MAP_UNINITIALIZED`, `MAP_DROPPABLE`.

use super::bench::{Bench, base};
use super::types::compare_types;
use super::{ASK, Asks, Experiment};
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Outcome, Refusals, Role, Test};
use crate::flags::MAP_PRIVATE;
use crate::kernel::{Advice, PROT_READ, Word};
use crate::text::Text;

/// Pages that are given back and asked for again.
const PAGES: u8 = 4;
/// What pages are filled with before they are given back.
const LEFT: u8 = b'l';

/// `MAP_UNINITIALIZED`: fresh memory holds what was there before. Only kernels without an MMU that were configured for it do that
/// (`mm/nommu.c`).
pub static HOLDS_OLD_CONTENT: Experiment = Experiment {
    tests: &[Test {
        question: Text::HOLDS_OLD_CONTENT,
        role: Role::Effect,
        promised: Outcome::number(1),
        base: base::PRIVATE,
        backing: Backing::ANONYMOUS,
        look: holds_old_content,
    }; 2],
    ..ASK
};

fn holds_old_content(bench: &mut Bench, flags: Word, _: Backing) -> Outcome {
    each_page(bench, MAP_PRIVATE, |bench, addr| bench.store_byte(addr, LEFT) != Outcome::number(0));
    let dirty =
        each_page(bench, flags, |bench, addr| bench.load_byte(addr) == Outcome::number(LEFT));
    bench.note(Act::DIRTY, dirty)
}

/// Maps fresh pages and asks something about each: 1 when it holds for one of them.
fn each_page(bench: &mut Bench, flags: Word, holds: fn(&mut Bench, Word) -> bool) -> Outcome {
    let (addr, mapped) = bench.map(flags, Bench::READ_WRITE, PAGES, Backing::ANONYMOUS);
    if !mapped.succeeded() {
        return mapped;
    }
    let mut any = false;
    for page in 0..PAGES {
        any |= holds(bench, addr + bench.bytes(page));
    }
    bench.unmap(addr, PAGES, mapped);
    Outcome::number(any.into())
}

/// `MAP_DROPPABLE`: a type that is answered in another way than values that name nothing is known; `ENOTSUPP` (524) and
/// `EOPNOTSUPP` are how kernels say that they have no room for it. Such memory never survives a fork, so `MADV_KEEPONFORK` is
/// refused (`madvise_vma_behavior` in `mm/madvise.c`).
pub static IS_DROPPABLE: Experiment = Experiment {
    asks: Asks::Type(base::PRIVATE),
    tests: &[Test {
        question: Text::KEEP_ON_FORK,
        role: Role::Effect,
        promised: Outcome::refused(Errno::EINVAL),
        base: 0,
        backing: Backing::ANONYMOUS,
        look: |bench, flags, _| {
            let keep =
                |bench: &mut Bench, addr, len| bench.kernel.madvise(addr, len, Advice::KeepOnFork);
            bench.about_page(flags, Act::KEEP_ON_FORK, keep)
        },
    }; 2],
    knowing: Refusals::of(&[Errno::ENOTSUPP, Errno::EOPNOTSUPP]),
    first: Some(|bench, bits| {
        for &prot in &[PROT_READ, Bench::READ_WRITE] {
            compare_types(bench, Backing::ANONYMOUS, prot, &[MAP_PRIVATE, bits]);
        }
        bench.evidence.of(Role::Validator).all(|by| by.flagged.succeeded())
    }),
    ..ASK
};
