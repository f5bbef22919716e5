//! `MAP_NORESERVE`: more memory than there is. Nothing of it is ever touched.

use super::bench::{Bench, CONTROL, base};
use super::measure::NONE;
use super::{ASK, Experiment, procfs};
use crate::evidence::{Backing, Outcome, Role, Test, Trial};
use crate::kernel::Word;
use crate::text::Text;

/// `MAP_NORESERVE`: with the default of `vm.overcommit_memory` (0), private writable memory beyond memory and swap together is
/// refused without it and given with it (`__vm_enough_memory` in `mm/util.c`).
pub static IS_NOT_ACCOUNTED: Experiment = Experiment {
    first: Some(|bench, bits| {
        bench.run_tests(&BEYOND, &[0, CONTROL, bits]);
        // Where everything is given, or nothing of that size, the tests cannot decide, but what the kernel noted can.
        let decided =
            |trial: &Trial| trial.flagged == Outcome::ELSEWHERE && trial.plain.is_failure();
        if !bench.evidence.of(Role::Effect).all(decided) {
            bench.trial(&NOTED, Backing::ANONYMOUS, &[0, NONE, bits]);
        }
        false
    }),
    ..ASK
};

static BEYOND: [Test; 2] = [
    beyond(Text::MORE_BY_64_MIB, |bench, flags, _| {
        beyond_memory(bench, flags, Bench::READ_WRITE, 64 << 20)
    }),
    beyond(Text::MORE_BY_128_MIB, |bench, flags, _| {
        beyond_memory(bench, flags, Bench::READ_WRITE, 128 << 20)
    }),
];

static NOTED: Test = procfs::sign(|bench, flags, _| procfs::recorded(bench, flags, b"nr"));

const fn beyond(question: Text, look: fn(&mut Bench, Word, Backing) -> Outcome) -> Test {
    Test {
        question,
        role: Role::Effect,
        promised: Outcome::ELSEWHERE,
        base: base::PRIVATE,
        backing: Backing::ANONYMOUS,
        look,
    }
}

/// What asking for so much more than memory and swap answers. Not asked where everything is locked: that would bring all of it in.
pub fn beyond_memory(bench: &mut Bench, flags: Word, prot: u32, more: Word) -> Outcome {
    let Ok(memory) = bench.kernel.memory().result() else { return Outcome::NOT_RUN };
    if bench.locked {
        return Outcome::NOT_RUN;
    }
    let len = memory + more;
    let (addr, outcome) = bench.place(0, len, prot, flags, Backing::ANONYMOUS);
    bench.noted_map(flags, Backing::ANONYMOUS, 0, outcome);
    if outcome.succeeded() {
        bench.kernel.munmap(addr, len);
    }
    outcome
}

/// Whether memory beyond what there is is given: without the flag, with it, and without access, which is never accounted.
pub fn overcommits(bench: &mut Bench, noreserve: bool, prot: u32) -> bool {
    let flags = bench.base(base::PRIVATE) | if noreserve { bench.own.noreserve } else { 0 };
    beyond_memory(bench, flags, prot, 64 << 20).succeeded()
}
