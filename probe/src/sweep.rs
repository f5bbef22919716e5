//! The sweep: every bit of the flags argument under every map type and backing, and every value of the type field. What is
//! guaranteed to fail here is what a new flag could be detected by.

use crate::errno::Errno;
use crate::evidence::{Backing, Outcome};
use crate::experiment::Bench;
use crate::experiment::bench::{Context, MEMFD_VALIDATOR};
use crate::flags::{self, MAP_SHARED_VALIDATE};

/// The answers of one map type and backing.
#[derive(Clone, Debug)]
pub struct Cells {
    /// Map type and backing.
    pub context: Context,
    /// Without any bit.
    pub base: Outcome,
    /// With each bit, in the order of their numbers.
    pub bits: Vec<Outcome>,
}

/// The answers to one value of the type field.
#[derive(Clone, Debug)]
pub struct TypeCells {
    /// The value.
    pub value: u64,
    /// The answers, one per backing.
    pub answers: Vec<(Backing, Outcome)>,
}

/// Every answer.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Every map type and backing.
    pub cells: Vec<Cells>,
    /// Every value of the type field.
    pub types: Vec<TypeCells>,
}

/// The low bits that select a map type on some architecture: `MAP_TYPE` of `include/uapi/asm-generic/mman-common.h`, and of
/// `arch/parisc/include/uapi/asm/mman.h`.
const TYPE_FIELDS: u64 = 0x0f | 0x2b;

/// Asks everything.
pub fn sweep(bench: &mut Bench) -> Sweep {
    let mut found = Sweep::default();
    let backings = backings(bench);
    let named: Vec<u64> = flags::types(bench.arch()).collect();
    for &backing in &backings {
        for &map_type in &named {
            let context = (map_type, backing);
            let base = answer(bench, context, 0);
            let bits = (0..bench.arch().flag_bits()).map(|bit| answer(bench, context, 1 << bit)).collect();
            found.cells.push(Cells { context, base, bits });
        }
    }
    let field = TYPE_FIELDS & !bench.own.all;
    for value in (0..=field).filter(|value| value & !field == 0) {
        let answers = backings.iter().map(|&backing| (backing, answer(bench, (value, backing), 0))).collect();
        found.types.push(TypeCells { value, answers });
    }
    found
}

/// The answer to some bits where the page asked for is free, so that landing elsewhere means something. Huge pages are asked for at
/// an address that is aligned for them: a multiple of 4 MiB on the bench's own ground.
fn answer(bench: &mut Bench, context: Context, bits: u64) -> Outcome {
    if context.1 == Backing::Anonymous && bits == bench.own.hugetlb {
        return bench.answer_aligned(context, bits);
    }
    bench.free_page();
    let outcome = bench.answer(context, bits);
    bench.take_spot();
    outcome
}

/// Everything that can be mapped, or could be but for its kind.
fn backings(bench: &Bench) -> Vec<Backing> {
    let mut backings = vec![Backing::Anonymous, Backing::Memfd, Backing::Pipe];
    backings.extend((0..bench.paths()).map(Backing::Path));
    backings
}

impl Sweep {
    /// The bits that are guaranteed to fail, as a mask: every context that takes the call without them refuses them; among those that
    /// validate flags, or among all. Two contexts at least must say so.
    pub fn failing(&self, validated: bool) -> u64 {
        let (mut failing, mut asked) = (!0, 0);
        for cells in &self.cells {
            let validates = cells.context.0 == MAP_SHARED_VALIDATE;
            let takes = cells.base.succeeded() || cells.base == Outcome::Failed(Errno::ENODEV);
            if takes && (validates || !validated) {
                asked += 1;
                failing &= cells.mask(|answer| matches!(answer, Outcome::Failed(_)) && answer != cells.base);
                if validates {
                    failing &= cells.mask(|answer| answer == Outcome::Failed(Errno::EOPNOTSUPP));
                }
            }
        }
        if asked > 1 { failing } else { 0 }
    }

    /// The bits that are taken where unknown ones are refused, as a mask.
    pub fn validated(&self) -> u64 {
        let validator = self.cells.iter().find(|cells| cells.context == MEMFD_VALIDATOR && cells.base.succeeded());
        validator.map_or(0, |cells| cells.mask(Outcome::succeeded))
    }
}

impl Cells {
    /// The bits whose answers are of a kind, as a mask.
    fn mask(&self, wanted: impl Fn(Outcome) -> bool) -> u64 {
        self.bits.iter().rev().fold(0, |mask, &answer| mask << 1 | u64::from(wanted(answer)))
    }
}

impl TypeCells {
    /// Whether the value is guaranteed to fail: refused for everything, and not because of what is mapped.
    pub fn fails(&self) -> bool {
        let refused = |answer| matches!(answer, Outcome::Failed(errno) if errno != Errno::ENODEV);
        self.answers.iter().all(|&(_, answer)| refused(answer) || answer == Outcome::NotRun)
    }
}
