//! The validation of flags: does the kernel have `MAP_SHARED_VALIDATE`, does it reject what it does
//! not recognize, which bits does it accept, and which low bits select a map type?

use crate::arch::Arch;
use crate::fixture::{FILE_VALIDATOR, Fixture, PIPE_VALIDATOR, PRIVATE, SHARED, Validator};
use crate::flags::{MAP_FIXED, MAP_SHARED_VALIDATE, MapFlags, flag_bits};
use crate::outcome::{Backing, Context, Outcome};
use kernel::{Errno, PROT_READ};

const REJECTED: Outcome = Outcome::MmapFailed(Errno::EOPNOTSUPP);
const NOT_MAPPABLE: Outcome = Outcome::MmapFailed(Errno::ENODEV);
const UNKNOWN_TYPE: Outcome = Outcome::MmapFailed(Errno::EINVAL);
/// Bits of `MAP_TYPE` that no map type of Linux 2.6.32 to 6.10 uses.
const TYPE_BITS: usize = 0x0c;

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
    /// Whether `MAP_SHARED` can be mapped with bit 2 and with bit 3 set, which belong to the type
    /// field of Linux except on parisc.
    pub drops_type_bits: bool,
}

/// A bit that is neither accepted nor rejected as unassigned bits are.
#[derive(Clone, Copy, Debug)]
pub struct OtherBit {
    pub bit: u32,
    pub file: Outcome,
    pub pipe: Outcome,
}

pub fn measure(fixture: &mut Fixture) -> Box<Validation> {
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
    let (type_mask, drops_type_bits) = type_mask(fixture);
    let mut contexts = Vec::new();
    for context in fixture.contexts() {
        contexts.push((context, fixture.probe_context(context, 0)));
    }
    let mut validation = Box::new(Validation {
        present,
        validating,
        type_mask,
        accepted: 0,
        rejected: 0,
        other: Vec::new(),
        contexts,
        drops_type_bits,
    });
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
    let never_accepts = |validator: Validator| {
        validator.base == UNKNOWN_TYPE && validator.unassigned == UNKNOWN_TYPE
    };
    fixture.conditions.no_shared_validate = never_accepts(pipe)
        && (no_file || never_accepts(file))
        && !fixture.conditions.syscall_emulator;
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
    let mut is_accepted = |flags| fixture.try_map(flags, PROT_READ, Backing::File).succeeded();
    is_accepted(fixed) && is_accepted(fixed | MapFlags::UNASSIGNED)
}

/// The bits that select a map type: `MAP_SHARED` or `MAP_PRIVATE` with such a bit changed is
/// rejected. Bits that are flags are not tried. Also whether bits 2 and 3 are dropped.
fn type_mask(fixture: &mut Fixture) -> (Option<usize>, bool) {
    let flags = flag_bits(fixture.arch());
    let is_parisc = fixture.arch() == Arch::Hppa;
    let mut map = |value| fixture.try_map_number(value, PROT_READ, Backing::Anonymous);
    if !map(SHARED).succeeded() || !map(PRIVATE).succeeded() {
        return (None, false);
    }
    let (mut mask, mut dropped) = (0, 0);
    for index in 0..8 {
        let bit = 1 << index;
        if flags & bit != 0 {
            continue;
        }
        let known = if bit == PRIVATE { PRIVATE } else { SHARED };
        let outcome = map(known ^ bit);
        if outcome == UNKNOWN_TYPE {
            mask |= bit;
        } else if outcome.succeeded() {
            dropped |= bit;
        }
    }
    (Some(mask), !is_parisc && dropped & TYPE_BITS == TYPE_BITS)
}
