//! `MAP_NORESERVE`: no memory is set aside for the mapping.
//!
//! With `vm.overcommit_memory=0`, the default, a private writable mapping that is larger than
//! memory and swap together fails without the flag and succeeds with it (`__vm_enough_memory` in
//! `mm/util.c`). The mappings are never touched.

use super::{recognition, smaps};
use crate::experiment::{Evidence, Experiment, IfOnlyRecognized, Trial, WhyIgnored};
use crate::fixture::{Fixture, READ_WRITE};
use crate::flags::{MAP_PRIVATE, MapFlags};
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

/// The sizes that are mapped, in bytes more than memory and swap together.
const BEYOND: [(&str, usize); 2] = [
    ("64 MiB more than memory and swap together", 64 << 20),
    ("128 MiB more than memory and swap together", 128 << 20),
];

fn is_not_accounted(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    recognition::probe_as_flag(fixture, flag, evidence);
    for &(question, beyond) in &BEYOND {
        let answers = fixture.compare(flag, &mut |fixture, flag| {
            map_beyond_memory(fixture, MAP_PRIVATE | flag, READ_WRITE, beyond)
        });
        evidence.effect(question, Outcome::MappedElsewhere, answers);
    }
    // If the kernel allows all mappings of that size or none, its record of the flag decides.
    if !evidence.effects().all(decides)
        && smaps::recorded_sign(fixture, flag, b"nr", evidence) == smaps::ACCOUNTED
    {
        fixture.log("its VmFlags show that it is accounted", smaps::ACCOUNTED);
        for trial in evidence.trials.clone() {
            if trial.is_effect() && trial.answers.with.is_mmap_failure() {
                evidence.ignored(WhyIgnored::Accounted, trial.question, trial.answers);
            }
        }
    }
}

fn decides(trial: &Trial) -> bool {
    let answers = trial.answers;
    answers.with == Outcome::MappedElsewhere && answers.without.is_mmap_failure()
}

/// Maps `beyond` bytes more than memory and swap together. Not run if all memory is locked, because
/// `mmap` would then fill the memory.
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

/// Whether the kernel gives more memory than there is.
pub fn overcommits(fixture: &mut Fixture, flags: MapFlags, prot: u32) -> bool {
    let [(_, beyond), _] = BEYOND;
    map_beyond_memory(fixture, flags, prot, beyond).succeeded()
}
