//! The fail-on-unknown-flag test: does the kernel recognize the flag?
//!
//! `MAP_SHARED_VALIDATE` rejects what it does not recognize with `EOPNOTSUPP` (`do_mmap` in
//! `mm/mmap.c`, `LEGACY_MAP_MASK` in `include/linux/mman.h`). So a kernel recognizes a flag that is
//! not rejected as the unassigned bits are. Whether the flag has an effect is another question.

use crate::experiment::{Answers, Evidence};
use crate::fixture::{Fixture, MEMFD_VALIDATOR, PIPE_VALIDATOR, Validator};
use crate::flags::{MAP_SHARED, MapFlags, flag_bits};
use crate::outcome::{Backing, Context, Outcome};

const BY_MEMFD: &str = "MAP_SHARED_VALIDATE of a memfd";
const BY_PIPE: &str = "MAP_SHARED_VALIDATE of a pipe";
const BY_TYPE_FIELD: &str = "the type field";

/// Probes a flag in every context, and compares the validators' answers with those to the
/// unassigned bits. Without a memfd the pipe is asked twice.
pub fn probe_as_flag(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    let [memfd, pipe] = fixture.validators();
    let bits = flag.encode(fixture.arch());
    for context in fixture.contexts() {
        let mut with = fixture.probe_context(context, bits);
        if context == MEMFD_VALIDATOR && with != Outcome::NotRun {
            compare_with_unassigned(evidence, BY_MEMFD, with, memfd);
        } else if context == MEMFD_VALIDATOR || context == PIPE_VALIDATOR {
            if with == Outcome::NotRun {
                with = fixture.probe_context(PIPE_VALIDATOR, bits);
            }
            compare_with_unassigned(evidence, BY_PIPE, with, pipe);
        }
    }
}

fn compare_with_unassigned(
    evidence: &mut Evidence,
    question: &'static str,
    with: Outcome,
    validator: Validator,
) {
    if validator.unassigned == Outcome::NotRun {
        evidence.failed_control = Some("the unassigned bits are not answered alike");
    } else {
        let answers = Answers { without: validator.base, control: validator.unassigned, with };
        evidence.validator(question, answers);
    }
}

/// Probes a flag in every context for the report only. This is for flags that the validators reject
/// on every kernel: `MAP_SYNC` is not in `LEGACY_MAP_MASK`.
pub fn probe_contexts(fixture: &mut Fixture, flag: MapFlags) {
    let bits = flag.encode(fixture.arch());
    for context in fixture.contexts() {
        fixture.probe_context(context, bits);
        fixture.occupy_pages();
    }
}

/// As [`probe_contexts`], with the address left unmapped: `MAP_FIXED_NOREPLACE` fails on an
/// occupied one.
pub fn probe_contexts_at_free_page(fixture: &mut Fixture, flag: MapFlags) {
    let bits = flag.encode(fixture.arch());
    for context in fixture.contexts() {
        fixture.free_first_page();
        fixture.probe_context(context, bits);
        fixture.occupy_pages();
    }
}

/// Probes a map type with every backing.
pub fn probe_as_type(fixture: &mut Fixture, map_type: MapFlags) {
    let map_type = map_type.encode(fixture.arch());
    let shared = MAP_SHARED.encode(fixture.arch());
    for context in fixture.contexts() {
        // Each backing once: the pipe has one context only.
        if context.map_type == shared || context.backing == Backing::Pipe {
            fixture.probe_context(Context { map_type, ..context }, 0);
        }
    }
}

/// Compares the answers to a known type, to `map_type`, and to unassigned values of the type field.
///
/// Which values are unassigned depends on the architecture: 0 always, 5 and 9, or on parisc, where
/// 4 is `MAP_FIXED`, 9 and 0x21. On parisc before 4.15 these two are `MAP_SHARED` with unassigned
/// bits.
pub fn compare_types(
    fixture: &mut Fixture,
    backing: Backing,
    prot: u32,
    known: MapFlags,
    map_type: MapFlags,
    evidence: &mut Evidence,
) {
    let without = fixture.try_map(known, prot, backing);
    let with = fixture.try_map(map_type, prot, backing);
    let flags = flag_bits(fixture.arch());
    let type_mask = fixture.conditions.type_mask.unwrap_or(!0);
    let mut control = Outcome::NotRun;
    for value in [0x00, 0x05, 0x09, 0x21] {
        if value & flags == 0 && value & type_mask == value {
            let outcome = fixture.try_map_number(value, prot, backing);
            if control != Outcome::NotRun && !control.agrees_with(outcome) {
                evidence.failed_control = Some("unassigned map types are not answered alike");
            }
            control = outcome;
        }
    }
    if fixture.conditions.syscall_emulator {
        evidence.failed_control =
            Some("a system call emulator reads the type field in its own way");
    }
    evidence.validator(BY_TYPE_FIELD, Answers { without, control, with });
}
