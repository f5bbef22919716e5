//! The fail-on-unknown-flag test: does the kernel recognize the flag?
//!
//! `MAP_SHARED_VALIDATE` rejects what it does not recognize with `EOPNOTSUPP` (`do_mmap` in
//! `mm/mmap.c`, `LEGACY_MAP_MASK` in `include/linux/mman.h`). So a kernel recognizes a flag that is
//! not rejected like the unassigned bits. Recognition does not prove that the flag has an effect.

use crate::experiment::{Answers, Evidence, WhyIgnored};
use crate::fixture::{FILE_VALIDATOR, Fixture, PIPE_VALIDATOR, Validator};
use crate::flags::{MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, MapFlags, flag_bits};
use crate::outcome::{Backing, Call, Context, Outcome};

const BY_FILE: &str = "MAP_SHARED_VALIDATE of a file";
const BY_PIPE: &str = "MAP_SHARED_VALIDATE of a pipe";
const BY_TYPE_FIELD: &str = "the type field";

/// Probes a flag in every context, and compares the results of the validators with those of the
/// unassigned bits. Without a file the pipe is probed twice.
pub fn probe_as_flag(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    let [file, pipe] = fixture.validators();
    let bits = flag.encode(fixture.arch());
    for context in fixture.contexts() {
        let mut with = fixture.probe_context(context, bits);
        if context == FILE_VALIDATOR && with != Outcome::NotRun {
            compare_with_unassigned(evidence, BY_FILE, with, file);
        } else if context == FILE_VALIDATOR || context == PIPE_VALIDATOR {
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

/// Probes a flag in every context, for the report only: the validators reject `MAP_SYNC` on every
/// kernel, because it is not in `LEGACY_MAP_MASK`.
pub fn probe_contexts(fixture: &mut Fixture, flag: MapFlags) {
    let bits = flag.encode(fixture.arch());
    for context in fixture.contexts() {
        fixture.probe_context(context, bits);
        fixture.occupy_pages();
    }
}

/// As [`probe_contexts`], at a free address: `MAP_FIXED_NOREPLACE` fails at an occupied one.
pub fn probe_contexts_at_free_page(fixture: &mut Fixture, flag: MapFlags) {
    let bits = flag.encode(fixture.arch());
    for context in fixture.contexts() {
        fixture.free_first_page();
        fixture.probe_context(context, bits);
        fixture.occupy_pages();
    }
}

/// Where the kernel has no `MAP_SHARED_VALIDATE`, compares a flag that was probed in the contexts
/// with an unassigned bit. Only for a flag whose effect no such kernel has. A measured effect
/// decides instead.
pub fn compare_without_validation(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    let conditions = fixture.conditions;
    let Some(control) = conditions.unassigned.filter(|outcome| outcome.succeeded()) else {
        return;
    };
    if !conditions.no_shared_validate || evidence.effects().next().is_some() {
        return;
    }
    for &map_type in &[MAP_PRIVATE, MAP_SHARED] {
        let flags = (map_type | MAP_ANONYMOUS | flag).encode(fixture.arch());
        let call = Call::Context { flags, backing: Backing::Anonymous };
        let step = fixture.steps.iter().rev().find(|step| step.call == call);
        let with = step.map_or(Outcome::NotRun, |step| step.outcome);
        let answers = Answers { without: Outcome::NotRun, control, with };
        evidence.ignored(WhyIgnored::NoSharedValidate, "anonymous memory", answers);
    }
}

/// Probes a map type with every backing.
pub fn probe_as_type(fixture: &mut Fixture, map_type: MapFlags) {
    let map_type = map_type.encode(fixture.arch());
    let shared = MAP_SHARED.encode(fixture.arch());
    for context in fixture.contexts() {
        // One context per backing: the pipe has no context with MAP_SHARED.
        if context.map_type == shared || context.backing == Backing::Pipe {
            fixture.probe_context(Context { map_type, ..context }, 0);
        }
    }
}

/// Compares the results of a known type, of `map_type`, and of unassigned values of the type field.
///
/// The unassigned values depend on the architecture: 0, 5 and 9 on x86 and arm64; 0, 9 and 0x21 on
/// parisc, where 4 is `MAP_FIXED`. Where `MAP_TYPE` of parisc is 0x03 (4.10, 4.14, 4.15), 9 and
/// 0x21 are `MAP_SHARED` with unassigned bits, so only 0 is left.
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
    for &value in &[0x00, 0x05, 0x09, 0x21] {
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
