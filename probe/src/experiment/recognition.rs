//! Does the kernel know the bit? The fail-on-unknown-flag test: `MAP_SHARED_VALIDATE` refuses with `EOPNOTSUPP` what it does
//! not know (`do_mmap` in `mm/mmap.c`, `LEGACY_MAP_MASK` in `include/linux/mman.h`), so a flag that is not refused as the
//! control bits are is known. Whether it does anything is another question.

use super::bench::{Bench, Control, MEMFD_VALIDATOR, PIPE_VALIDATOR};
use super::measure::lands;
use crate::evidence::{Backing, Outcome, Role, Test, Trial};
use crate::kernel::Word;

static BY_MEMFD: Test = validator("MAP_SHARED_VALIDATE of a memfd", Role::Validator);
static BY_PIPE: Test = validator("MAP_SHARED_VALIDATE of a pipe", Role::Validator);

/// A measurement whose answers are compared with those to nothing and to what names nothing.
pub const fn validator(question: &'static str, role: Role) -> Test {
    Test { question, role, promised: Outcome::NOT_RUN, base: 0, backing: Backing::MEMFD, look: lands }
}

/// Asks in every context, and compares the validators' answers with those to the control bits. Without a memfd the pipe is asked
/// twice.
pub fn is_recognized(bench: &mut Bench, bits: Word) {
    let [memfd, pipe] = bench.validators();
    let mut at = 0;
    while let Some(context) = bench.context(at) {
        at += 1;
        let mut flagged = bench.ask(context, bits);
        if context == MEMFD_VALIDATOR && flagged != Outcome::NOT_RUN {
            compare(bench, &BY_MEMFD, flagged, memfd);
        } else if context == MEMFD_VALIDATOR || context == PIPE_VALIDATOR {
            if flagged == Outcome::NOT_RUN {
                flagged = bench.ask(PIPE_VALIDATOR, bits);
            }
            compare(bench, &BY_PIPE, flagged, pipe);
        }
    }
}

fn compare(bench: &mut Bench, test: &'static Test, flagged: Outcome, control: Control) {
    if control.unknown == Outcome::NOT_RUN {
        bench.evidence.failed_control = Some("bits that no kernel knows are not answered alike");
    } else {
        bench.evidence.trials.push(Trial { test, flagged, plain: control.base, unknown: control.unknown });
    }
}

/// Asks in every context, and leaves it at that; where the page asked for is free, or taken.
pub fn is_taken(bench: &mut Bench, bits: Word, free: bool) {
    let mut at = 0;
    while let Some(context) = bench.context(at) {
        if free {
            bench.free_page();
        }
        bench.ask(context, bits);
        bench.take_spot();
        at += 1;
    }
}
