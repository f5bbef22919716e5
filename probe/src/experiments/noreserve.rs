//! `MAP_NORESERVE`: no memory is set aside for the mapping.
//!
//! With `vm.overcommit_memory=0`, the default, private writable memory beyond memory and swap
//! together is refused without the flag and given with it (`__vm_enough_memory` in `mm/util.c`).
//! The mappings are never touched.

use super::{recognition, smaps};
use crate::experiment::{Evidence, Experiment, IfOnlyRecognized, Trial};
use crate::fixture::{Fixture, READ_WRITE};
use crate::flags::{MAP_NORESERVE as NORESERVE, MAP_PRIVATE, MapFlags};
use crate::outcome::{Backing, Outcome, Size};

pub static MAP_NORESERVE: Experiment = Experiment {
    promise: "No memory or swap is set aside.",
    proof: "64 and 128 MiB more than memory and swap together are given. Without the flag they are \
            refused with ENOMEM.",
    pitfalls: "vm.overcommit_memory=1 gives that without the flag, 2 never does. A touch may get \
               the process killed.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: is_not_accounted,
};

/// Bytes beyond memory and swap.
const BEYOND: [(&str, usize); 2] = [
    ("64 MiB more than memory and swap together", 64 << 20),
    ("128 MiB more than memory and swap together", 128 << 20),
];

fn is_not_accounted(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    recognition::probe_as_flag(fixture, flag, evidence);
    for (question, beyond) in BEYOND {
        let answers = fixture.compare(flag, |fixture, flag| {
            map_beyond_memory(fixture, MAP_PRIVATE | flag, READ_WRITE, beyond)
        });
        evidence.effect(question, Outcome::MappedElsewhere, answers);
    }
    // Where everything or nothing of that size is given, what the kernel recorded decides.
    if !evidence.effects().all(decides) {
        smaps::recorded_sign(fixture, flag, b"nr", evidence);
    }
}

fn decides(trial: &Trial) -> bool {
    let answers = trial.answers;
    answers.with == Outcome::MappedElsewhere && answers.without.is_mmap_failure()
}

/// Maps `beyond` bytes more than memory and swap together. Not with locked memory, which would read
/// all of it in.
fn map_beyond_memory(fixture: &mut Fixture, flags: MapFlags, prot: u32, beyond: usize) -> Outcome {
    let Ok(memory) = fixture.kernel.memory() else { return Outcome::NotRun };
    if fixture.conditions.locked_memory {
        return Outcome::NotRun;
    }
    let mapping = fixture.mmap(0, memory + beyond, prot, flags, Backing::Anonymous);
    fixture.log_mmap(flags, Backing::Anonymous, Size::Large, mapping.outcome);
    if mapping.outcome.succeeded() {
        fixture.kernel.munmap(mapping.addr, mapping.len);
    }
    mapping.outcome
}

/// Whether the kernel gives more than there is without the flag.
pub fn overcommits(fixture: &mut Fixture) -> bool {
    let [(_, beyond), _] = BEYOND;
    map_beyond_memory(fixture, MAP_PRIVATE, READ_WRITE, beyond).succeeded()
}

/// Whether the kernel gives more than there is with the flag.
pub fn overcommits_with_noreserve(fixture: &mut Fixture) -> bool {
    let [(_, beyond), _] = BEYOND;
    map_beyond_memory(fixture, MAP_PRIVATE | NORESERVE, READ_WRITE, beyond).succeeded()
}

/// Whether the kernel gives more than there is without access, which is never accounted.
pub fn overcommits_without_access(fixture: &mut Fixture) -> bool {
    let [(_, beyond), _] = BEYOND;
    map_beyond_memory(fixture, MAP_PRIVATE, kernel::PROT_NONE, beyond).succeeded()
}
