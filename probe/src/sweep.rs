//! The sweep: every bit of the flags argument under every map type and backing, and every value of
//! the type field. Programs can detect a future flag if it takes a bit that fails today.

use crate::arch::Arch;
use crate::fixture::{Fixture, VALIDATE};
use crate::flags::{MAP_HUGETLB, flag_bits, map_types};
use crate::outcome::{Backing, Context, Outcome};
use kernel::Errno;

/// The outcomes in one context.
#[derive(Clone, Debug)]
pub struct ContextOutcomes {
    pub context: Context,
    /// Without any bit.
    pub base: Outcome,
    /// With each bit, from bit 0.
    pub bits: Vec<Outcome>,
}

#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Every named map type with every backing.
    pub contexts: Vec<ContextOutcomes>,
    /// Every value of the type field with every backing, in the order of the values.
    pub types: Vec<(Context, Outcome)>,
}

/// The low bits that select a map type on some architecture ([`Arch::type_mask`]).
const TYPE_FIELDS: usize = Arch::X86_64.type_mask() | Arch::Hppa.type_mask();

pub fn measure(fixture: &mut Fixture) -> Sweep {
    let mut sweep = Sweep::default();
    let backings = backings(fixture);
    for &backing in &backings {
        for map_type in map_types(fixture.arch()) {
            let context = Context { map_type, backing };
            let base = outcome_of(fixture, context, 0);
            let mut bits = Vec::new();
            for bit in 0..fixture.arch().flag_bits() {
                bits.push(outcome_of(fixture, context, 1 << bit));
            }
            sweep.contexts.push(ContextOutcomes { context, base, bits });
        }
    }
    let field = TYPE_FIELDS & !flag_bits(fixture.arch());
    for map_type in 0..=field {
        if map_type & !field != 0 {
            continue;
        }
        for &backing in &backings {
            let context = Context { map_type, backing };
            let outcome = outcome_of(fixture, context, 0);
            sweep.types.push((context, outcome));
        }
    }
    sweep
}

fn backings(fixture: &Fixture) -> Vec<Backing> {
    let mut backings = vec![Backing::Anonymous, Backing::File, Backing::Pipe];
    backings.extend(fixture.paths());
    backings
}

/// The outcome of a bit in a context. The probe address is free, so a mapping elsewhere is an
/// effect of the bit. `MAP_HUGETLB` is probed at an aligned address.
fn outcome_of(fixture: &mut Fixture, context: Context, bits: usize) -> Outcome {
    if context.backing == Backing::Anonymous && bits == MAP_HUGETLB.encode(fixture.arch()) {
        return fixture.probe_aligned(context, bits);
    }
    fixture.free_first_page();
    let outcome = fixture.probe(context, bits);
    fixture.occupy_pages();
    outcome
}

impl Sweep {
    /// The bits that `MAP_SHARED_VALIDATE` is guaranteed to reject, whatever is mapped.
    pub fn rejected(&self) -> usize {
        self.bits_where(
            |context| context.map_type == VALIDATE,
            |_, outcome| outcome == Outcome::MmapFailed(Errno::EOPNOTSUPP),
        )
    }

    /// The bits that fail with every map type, although the kernel accepts the call without them.
    pub fn failing(&self) -> usize {
        self.bits_where(
            |_| true,
            |base, outcome| {
                outcome.is_mmap_failure() && outcome != base && !outcome.may_be_filtered()
            },
        )
    }

    /// The bits that `MAP_SHARED_VALIDATE` accepts, whatever is mapped.
    pub fn accepted(&self) -> usize {
        self.bits_where(
            |context| context.map_type == VALIDATE,
            |base, outcome| outcome.agrees_with(base),
        )
    }

    /// The bits for which `holds` is true in every context that counts, as a mask. A context counts
    /// when the kernel accepts the call without bits there. 0 when fewer than two contexts count.
    fn bits_where(
        &self,
        counts: fn(Context) -> bool,
        holds: fn(Outcome, Outcome) -> bool,
    ) -> usize {
        let (mut mask, mut contexts) = (!0, 0);
        for ContextOutcomes { context, base, bits } in &self.contexts {
            if !counts(*context) || !is_accepted(*base) {
                continue;
            }
            contexts += 1;
            let mut held = 0;
            for (bit, &outcome) in bits.iter().enumerate() {
                held |= usize::from(holds(*base, outcome)) << bit;
            }
            mask &= held;
        }
        if contexts > 1 { mask } else { 0 }
    }

    /// The values of the type field that fail with every backing, whatever is mapped.
    pub fn failing_types(&self) -> Vec<usize> {
        let mut failing = Vec::new();
        for outcomes in self.types.chunk_by(|(one, _), (other, _)| one.map_type == other.map_type) {
            if let Some((context, _)) = outcomes.first()
                && !outcomes
                    .iter()
                    .any(|&(_, outcome)| is_accepted(outcome) || outcome.may_be_filtered())
            {
                failing.push(context.map_type);
            }
        }
        failing
    }
}

/// Whether the kernel accepted the flags: a pipe fails with `ENODEV` then.
fn is_accepted(outcome: Outcome) -> bool {
    outcome.succeeded() || outcome == Outcome::MmapFailed(Errno::ENODEV)
}
