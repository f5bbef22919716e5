//! The fail-on-unknown-flag test itself: is there a `MAP_SHARED_VALIDATE`, does it validate, which bits does it let pass, and
//! which low bits select a map type.

use super::Bench;
use super::bench::{CONTROL, Context, MEMFD_VALIDATOR, PIPE_VALIDATOR};
use super::measure::lands;
use super::recognition::Control;
use crate::errno::Errno;
use crate::evidence::{Backing, Outcome};
use crate::flags::{MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE};
use crate::kernel::{PROT_READ, Word};

/// What the fail-on-unknown-flag test found. The bench notes the calls, those about single bits excepted: the masks say all there is to say
/// about them.
#[derive(Clone, Debug)]
pub struct Validation {
    /// Whether the kernel takes the type: a memfd (where there is one) can be mapped, and a pipe is refused with `ENODEV`. `None`
    /// when they disagree.
    pub present: Option<bool>,
    /// Whether it refuses the control bits with `EOPNOTSUPP`, all of them, on both. `None` when it is not there.
    pub validating: Option<bool>,
    /// The bits that select a map type, among the lowest eight; `None` when not even a known type could be mapped.
    pub type_mask: Option<Word>,
    /// The bits outside the type field that it lets pass, as a mask: on a memfd or on a pipe, and the other does not refuse it as
    /// unknown. None where it does not validate.
    pub accepted: Word,
    /// Those that it refuses as it refuses unknown flags, on both.
    pub refused: Word,
    /// Those that another rule answers before the validation: the bit, the memfd's answer, the pipe's.
    pub other: Vec<(u8, Outcome, Outcome)>,
    /// How each context answers without any flag, in the order of [`Bench::context`].
    pub contexts: Vec<(Context, Outcome)>,
}

/// Runs the test.
#[inline(never)]
pub fn validates(bench: &mut Bench) -> Validation {
    let refused = Outcome::failed(Errno::EOPNOTSUPP);
    let [memfd, pipe] = bench.validators();
    let without_memfd = memfd.base == Outcome::NOT_RUN;
    let (cannot, unknown) = (Outcome::failed(Errno::ENODEV), Outcome::failed(Errno::EINVAL));
    let present = if pipe.base == cannot && (memfd.base.succeeded() || without_memfd) {
        Some(true)
    } else if pipe.base == unknown && (memfd.base == unknown || without_memfd) {
        Some(false)
    } else {
        None
    };
    let refuses = |control: Control| control.unknown == refused;
    let validating =
        (present == Some(true)).then_some(refuses(pipe) && (without_memfd || refuses(memfd)));
    let type_mask = type_mask(bench);
    bench.type_mask = type_mask;
    let mut contexts = Vec::new();
    while let Some(context) = bench.context(contexts.len()) {
        contexts.push((context, bench.ask(context, 0)));
    }
    let (mut accepted, mut refused_bits, mut other) = (0, 0, Vec::new());
    if let (Some(true), Some(types)) = (validating, type_mask) {
        let passes =
            |outcome: Outcome| outcome.succeeded() || outcome == Outcome::failed(Errno::ENODEV);
        for bit in 0..bench.arch().flag_bits() as u8 {
            let mask = 1 << bit;
            if types & mask != 0 {
                continue;
            }
            let (memfd, pipe) =
                (bench.answer(MEMFD_VALIDATOR, mask), bench.answer(PIPE_VALIDATOR, mask));
            if pipe == refused && (memfd == refused || without_memfd) {
                refused_bits |= mask;
            } else if passes(memfd) && pipe != refused || passes(pipe) && memfd != refused {
                accepted |= mask;
            } else {
                other.push((bit, memfd, pipe));
            }
        }
    }
    let fixed = MAP_SHARED_VALIDATE | bench.own.fixed;
    bench.emulated = present == Some(false)
        && lands(bench, fixed, Backing::MEMFD).succeeded()
        && lands(bench, fixed | CONTROL, Backing::MEMFD).succeeded();
    Validation { present, validating, type_mask, accepted, refused: refused_bits, other, contexts }
}

/// A bit selects a type when changing it in `MAP_SHARED` or `MAP_PRIVATE` gives a type that is refused. Bits that are flags of
/// their own are not tried.
fn type_mask(bench: &mut Bench) -> Option<Word> {
    let flags = bench.own.all;
    let mut answer = |map_type| bench.try_map(map_type, PROT_READ, Backing::ANONYMOUS);
    if !answer(MAP_SHARED).succeeded() || !answer(MAP_PRIVATE).succeeded() {
        return None;
    }
    let mut mask = 0;
    for bit in (0..8).map(|bit| 1 << bit).filter(|bit| flags & bit == 0) {
        let base = if bit == MAP_PRIVATE { MAP_PRIVATE } else { MAP_SHARED };
        if answer(base ^ bit) == Outcome::failed(Errno::EINVAL) {
            mask |= bit;
        }
    }
    Some(mask)
}
