//! The sweep: every bit of the flags argument under every map type and backing, and every value of the type field. What is
//! guaranteed to fail here is what a new flag could be detected by.

use crate::errno::Errno;
use crate::evidence::{Backing, Outcome};
use crate::experiment::Bench;
use crate::experiment::bench::Context;
use crate::flags::{self, MAP_SHARED_VALIDATE};
use crate::kernel::Word;

/// Every answer.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Every map type and backing, and after them every value of the type field and backing.
    pub contexts: Vec<Context>,
    /// How many of them were asked with every bit.
    pub named: usize,
    /// The answers: for the first contexts without any bit and then with each, in the order of their numbers; for the others without.
    pub answers: Vec<Outcome>,
    /// How many bits there are.
    pub bits: usize,
}

/// The low bits that select a map type on some architecture: `MAP_TYPE` of `include/uapi/asm-generic/mman-common.h`, and of
/// `arch/parisc/include/uapi/asm/mman.h`.
const TYPE_FIELDS: Word = 0x0f | 0x2b;

/// Asks everything.
#[cold]
#[inline(never)]
pub fn sweep(bench: &mut Bench) -> Sweep {
    let bits = bench.arch().flag_bits();
    let mut found = Sweep { bits: bits as usize, ..Sweep::default() };
    found.answers.reserve(2048);
    for backing in (0..3 + bench.paths()).map(Backing) {
        for map_type in flags::types(bench.arch()) {
            let context = (map_type, backing);
            found.contexts.push(context);
            found.answers.push(answer(bench, context, 0));
            for bit in 0..bits {
                found.answers.push(answer(bench, context, 1 << bit));
            }
        }
    }
    found.named = found.contexts.len();
    let field = TYPE_FIELDS & !bench.own.all;
    for value in (0..=field).filter(|value| value & !field == 0) {
        for backing in (0..3 + bench.paths()).map(Backing) {
            found.contexts.push((value, backing));
            found.answers.push(answer(bench, (value, backing), 0));
        }
    }
    found
}

/// The answer to some bits where the page asked for is free, so that landing elsewhere means something. Huge pages are asked for at
/// an address that is aligned for them: a multiple of 4 MiB on the bench's own ground.
fn answer(bench: &mut Bench, context: Context, bits: Word) -> Outcome {
    if context.1 == Backing::ANONYMOUS && bits == bench.own.hugetlb {
        return bench.answer_aligned(context, bits);
    }
    bench.free_page();
    let outcome = bench.answer(context, bits);
    bench.take_spot();
    outcome
}

/// What may hold of a bit in a context.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// It is refused as unknown flags are.
    Refused,
    /// It fails, and not because the call fails without it.
    Failing,
    /// It makes no difference.
    Passed,
}

impl Sweep {
    /// A context, the answer without any bit, and those to every bit if it was asked with them.
    #[inline(never)]
    pub fn of(&self, at: usize) -> Option<(Context, Outcome, &[Outcome])> {
        let context = *self.contexts.get(at)?;
        let (place, bits) = if at < self.named {
            (at + at * self.bits, self.bits)
        } else {
            (at + self.named * self.bits, 0)
        };
        let (base, answers) = self.answers.get(place..)?.split_first()?;
        Some((context, *base, answers.get(..bits)?))
    }

    /// The bits of the contexts that validate flags, or of all, for which something holds in every one of at least two that take the
    /// call without them; as a mask.
    #[cold]
    #[inline(never)]
    fn mask(&self, what: Holds) -> Word {
        let (mut mask, mut asked, mut at) = (!0, 0, 0);
        while let Some((context, base, answers)) = self.of(at)
            && at < self.named
        {
            at += 1;
            let takes = base.succeeded() || base == Outcome::failed(Errno::ENODEV);
            if !takes || context.0 != MAP_SHARED_VALIDATE && what != Holds::Failing {
                continue;
            }
            asked += 1;
            let mut held = 0;
            for &answer in answers.iter().rev() {
                let holds = match what {
                    Holds::Refused => answer == Outcome::failed(Errno::EOPNOTSUPP),
                    Holds::Failing => answer.is_failure() && answer != base,
                    Holds::Passed => answer.same_as(base),
                };
                held = held << 1 | Word::from(holds);
            }
            mask &= held;
        }
        if asked > 1 { mask } else { 0 }
    }

    /// The bits that are guaranteed to fail with `MAP_SHARED_VALIDATE`, whatever is mapped: refused as unknown flags are.
    pub fn refused(&self) -> Word {
        self.mask(Holds::Refused)
    }

    /// The bits that are guaranteed to fail with any map type.
    pub fn failing(&self) -> Word {
        self.mask(Holds::Failing)
    }

    /// The bits that `MAP_SHARED_VALIDATE` passes, whatever is mapped.
    pub fn passed(&self) -> Word {
        self.mask(Holds::Passed)
    }
}
