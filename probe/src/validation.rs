//! The validation of flags: does the kernel have `MAP_SHARED_VALIDATE`, does it reject what it does
//! not recognize, which bits does it accept, and which low bits select a map type?

use crate::fixture::{FILE_VALIDATOR, Fixture, PIPE_VALIDATOR, PRIVATE, SHARED, Validator};
use crate::flags::{MAP_FIXED, MAP_SHARED_VALIDATE, MapFlags, flag_bits};
use crate::outcome::{Backing, Context, Outcome};
use kernel::{Errno, PROT_READ};

const REJECTED: Outcome = Outcome::MmapFailed(Errno::EOPNOTSUPP);
const NOT_MAPPABLE: Outcome = Outcome::MmapFailed(Errno::ENODEV);
const UNKNOWN_TYPE: Outcome = Outcome::MmapFailed(Errno::EINVAL);

/// How the kernel validates flags. The calls about single bits have no trace entries; the masks
/// summarize them.
#[derive(Clone, Debug)]
pub struct Validation {
    /// Whether the kernel has the map type: the file of the fixture (where there is one) can be
    /// mapped, and a pipe is rejected with `ENODEV`. `None` when they disagree.
    pub present: Option<bool>,
    /// Whether it rejects the unassigned bits with `EOPNOTSUPP` on both. `None` without the map
    /// type.
    pub validating: Option<bool>,
    /// The bits that select a map type, among the lowest eight; `None` when not even `MAP_SHARED`
    /// and `MAP_PRIVATE` could be mapped.
    pub type_mask: Option<usize>,
    /// The bits outside the type field that it accepts on a file or a pipe, and does not reject on
    /// the other. 0 where it does not validate.
    pub accepted: usize,
    /// The bits that it rejects on both as it rejects the unassigned bits.
    pub rejected: usize,
    /// The bits with another result, because another check comes first.
    pub other: Vec<OtherBit>,
    /// The outcome of each context without any flag.
    pub contexts: Vec<(Context, Outcome)>,
}

/// A bit that is neither accepted nor rejected as unassigned bits are.
#[derive(Clone, Copy, Debug)]
pub struct OtherBit {
    pub bit: u32,
    pub file: Outcome,
    pub pipe: Outcome,
}

pub fn measure(fixture: &mut Fixture) -> Validation {
    let [file, pipe] = fixture.validators();
    let no_file = file.base == Outcome::NotRun;
    let present = if pipe.base == NOT_MAPPABLE && (file.base.succeeded() || no_file) {
        Some(true)
    } else if pipe.base == UNKNOWN_TYPE && (file.base == UNKNOWN_TYPE || no_file) {
        Some(false)
    } else {
        None
    };
    let rejects = |validator: Validator| validator.unassigned == REJECTED;
    let validating = (present == Some(true)).then_some(rejects(pipe) && (no_file || rejects(file)));
    let type_mask = type_mask(fixture);
    let mut contexts = Vec::new();
    for context in fixture.contexts() {
        contexts.push((context, fixture.probe_context(context, 0)));
    }
    let mut validation = Validation {
        present,
        validating,
        type_mask,
        accepted: 0,
        rejected: 0,
        other: Vec::new(),
        contexts,
    };
    if let (Some(true), Some(type_mask)) = (validating, type_mask) {
        for bit in 0..fixture.arch().flag_bits() {
            if type_mask & 1 << bit == 0 {
                validation.add_bit(fixture, bit, no_file);
            }
        }
    }
    fixture.conditions.type_mask = type_mask;
    fixture.conditions.syscall_emulator =
        present == Some(false) && accepts_fixed_and_unassigned(fixture);
    validation
}

impl Validation {
    fn add_bit(&mut self, fixture: &mut Fixture, bit: u32, no_file: bool) {
        let mask = 1 << bit;
        let file = fixture.probe(FILE_VALIDATOR, mask);
        let pipe = fixture.probe(PIPE_VALIDATOR, mask);
        let accepts = |outcome: Outcome| outcome.succeeded() || outcome == NOT_MAPPABLE;
        if pipe == REJECTED && (file == REJECTED || no_file) {
            self.rejected |= mask;
        } else if accepts(file) && pipe != REJECTED || accepts(pipe) && file != REJECTED {
            self.accepted |= mask;
        } else {
            self.other.push(OtherBit { bit, file, pipe });
        }
    }
}

/// Whether the map type is accepted with `MAP_FIXED`, even with an unassigned bit: QEMU's user mode
/// does that although it rejects the map type alone (`target_mmap` in `linux-user/mmap.c`).
fn accepts_fixed_and_unassigned(fixture: &mut Fixture) -> bool {
    let fixed = MAP_SHARED_VALIDATE | MAP_FIXED;
    [fixed, fixed | MapFlags::UNASSIGNED]
        .into_iter()
        .all(|flags| fixture.try_map(flags, PROT_READ, Backing::File).succeeded())
}

/// The bits that select a map type: `MAP_SHARED` or `MAP_PRIVATE` with such a bit changed is
/// rejected. Bits that are flags are not tried.
fn type_mask(fixture: &mut Fixture) -> Option<usize> {
    let flags = flag_bits(fixture.arch());
    let mut map = |value| fixture.try_map_number(value, PROT_READ, Backing::Anonymous);
    if !map(SHARED).succeeded() || !map(PRIVATE).succeeded() {
        return None;
    }
    let mut mask = 0;
    for bit in (0..8).map(|bit| 1 << bit).filter(|bit| flags & bit == 0) {
        let known = if bit == PRIVATE { PRIVATE } else { SHARED };
        if map(known ^ bit) == UNKNOWN_TYPE {
            mask |= bit;
        }
    }
    Some(mask)
}
