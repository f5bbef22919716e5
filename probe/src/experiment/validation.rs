//! The fail-on-unknown-flag test itself: is there a `MAP_SHARED_VALIDATE`, does it validate, which bits does it let pass, and
//! which low bits select a map type.

use super::Bench;
use super::bench::{CONTROL, Context, Control, MEMFD_VALIDATOR, PIPE_VALIDATOR};
use crate::errno::Errno;
use crate::evidence::{Backing, Outcome};
use crate::flags::{MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE};
use crate::kernel::PROT_READ;

/// A bit and how `MAP_SHARED_VALIDATE` answers to it, on a memfd and on a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bit {
    /// 0 to 63.
    pub bit: u8,
    /// On a memfd.
    pub memfd: Outcome,
    /// On a pipe.
    pub pipe: Outcome,
}

/// What the fail-on-unknown-flag test found. The bench notes the calls, those about single bits excepted: `bits` says all there is
/// to say about them.
#[derive(Clone, Debug)]
pub struct Validation {
    /// Whether the kernel takes the type: a memfd (where there is one) can be mapped, and a pipe is refused with `ENODEV`. `None`
    /// when they disagree.
    pub present: Option<bool>,
    /// Whether it refuses the control bits with `EOPNOTSUPP`, all of them, on both. `None` when it is not there.
    pub validating: Option<bool>,
    /// The bits that select a map type, among the lowest eight; `None` when not even a known type could be mapped.
    pub type_mask: Option<u64>,
    /// Every bit outside the type field, when it validates.
    pub bits: Vec<Bit>,
    /// How each context answers without any flag, in the order of [`Bench::context`].
    pub contexts: Vec<(Context, Outcome)>,
}

/// How a bit is answered, from both validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// One of them passes it, and the other does not refuse it as unknown.
    Accepted,
    /// Both refuse it as they refuse unknown flags.
    Refused,
    /// Another rule answers before the validation.
    Other,
}

impl Bit {
    /// The two answers as one.
    pub fn answered(&self) -> Answered {
        let refused = Outcome::Failed(Errno::EOPNOTSUPP);
        let passes = |outcome: Outcome| outcome.succeeded() || outcome == Outcome::Failed(Errno::ENODEV);
        let Bit { memfd, pipe, .. } = *self;
        if pipe == refused && (memfd == refused || memfd == Outcome::NotRun) {
            Answered::Refused
        } else if passes(memfd) && pipe != refused || passes(pipe) && memfd != refused {
            Answered::Accepted
        } else {
            Answered::Other
        }
    }
}

impl Validation {
    /// The bits that are answered in a way, as a mask.
    pub fn answering(&self, wanted: Answered) -> u64 {
        self.bits.iter().fold(0, |mask, bit| mask | u64::from(bit.answered() == wanted) << bit.bit)
    }
}

/// Runs the test.
pub fn validates(bench: &mut Bench) -> Validation {
    let refused = Outcome::Failed(Errno::EOPNOTSUPP);
    let [memfd, pipe] = bench.validators();
    let without_memfd = memfd.base == Outcome::NotRun;
    let present = match (memfd.base, pipe.base) {
        (memfd, Outcome::Failed(Errno::ENODEV)) if memfd.succeeded() || without_memfd => Some(true),
        (Outcome::Failed(Errno::EINVAL) | Outcome::NotRun, Outcome::Failed(Errno::EINVAL)) => Some(false),
        _ => None,
    };
    let refuses = |control: Control| control.unknown == Some(refused);
    let validating = (present == Some(true)).then_some(refuses(pipe) && (without_memfd || refuses(memfd)));
    let type_mask = type_mask(bench);
    bench.type_mask = type_mask;
    let mut contexts = Vec::with_capacity(7 + 3 * usize::from(bench.paths()));
    while let Some(context) = bench.context(contexts.len()) {
        contexts.push((context, bench.ask(context, 0)));
    }
    let mut bits = Vec::new();
    if let (Some(true), Some(types)) = (validating, type_mask) {
        bits.reserve(64);
        for bit in (0..bench.arch().flag_bits() as u8).filter(|bit| types >> bit & 1 == 0) {
            let [memfd, pipe] = [MEMFD_VALIDATOR, PIPE_VALIDATOR].map(|context| bench.answer(context, 1 << bit));
            bits.push(Bit { bit, memfd, pipe });
        }
    }
    bench.emulated = present == Some(false) && {
        let fixed = MAP_SHARED_VALIDATE | bench.own.fixed;
        let [known, unknown] = [0, CONTROL].map(|bit| bench.try_map(fixed | bit, PROT_READ, Backing::Memfd));
        known.succeeded() && unknown.succeeded()
    };
    Validation { present, validating, type_mask, bits, contexts }
}

/// A bit selects a type when changing it in `MAP_SHARED` or `MAP_PRIVATE` gives a type that is refused. Bits that are flags of
/// their own are not tried.
fn type_mask(bench: &mut Bench) -> Option<u64> {
    let flags = bench.own.all;
    let mut answer = |map_type| bench.try_map(map_type, PROT_READ, Backing::Anonymous);
    if !answer(MAP_SHARED).succeeded() || !answer(MAP_PRIVATE).succeeded() {
        return None;
    }
    let mut mask = 0;
    for bit in (0..8).map(|bit| 1 << bit).filter(|bit| flags & bit == 0) {
        let base = if bit == MAP_PRIVATE { MAP_PRIVATE } else { MAP_SHARED };
        if answer(base ^ bit) == Outcome::Failed(Errno::EINVAL) {
            mask |= bit;
        }
    }
    Some(mask)
}
