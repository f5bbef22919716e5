//! Does the kernel know the bit? The fail-on-unknown-flag test: `MAP_SHARED_VALIDATE` refuses with `EOPNOTSUPP` what it does
//! not know (`do_mmap` in `mm/mmap.c`, `LEGACY_MAP_MASK` in `include/linux/mman.h`), so a flag that is not refused as the
//! control bits are is known. Whether it does anything is another question.

use super::bench::{Bench, MEMFD_VALIDATOR, PIPE_VALIDATOR};
use super::measure::lands;
use crate::evidence::{Backing, Outcome, Role, Test, Trial};
use crate::flags::CONTROL_BITS;
use crate::kernel::Word;
use crate::text::Text;

/// What a validator says to nothing unknown, and to each bit that names nothing.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// The answer without any flag.
    pub base: Outcome,
    /// The answer to the control bits, when they agree; otherwise [`Outcome::NOT_RUN`].
    pub unknown: Outcome,
}

impl Control {
    /// How it refuses what it does not know, if it does.
    pub fn validates(&self) -> Option<Outcome> {
        Some(self.unknown).filter(|unknown| unknown.is_failure() && *unknown != self.base)
    }
}

impl Bench<'_> {
    /// The two validators' answers to nothing unknown and to the control bits: memfd, pipe. Asked once; the calls are noted
    /// for whoever asks first.
    pub fn validators(&mut self) -> [Control; 2] {
        if let Some(known) = self.controls.get() {
            return *known;
        }
        let measured = [MEMFD_VALIDATOR, PIPE_VALIDATOR].map(|context| {
            let base = self.ask(context, 0);
            let mut unknown = self.ask(context, 1 << CONTROL_BITS[0]);
            for &bit in &CONTROL_BITS[1..] {
                if !self.ask(context, 1 << bit).same_as(unknown) {
                    unknown = Outcome::NOT_RUN;
                }
            }
            // Everything about a flag is compared with these, so none of them may be one wrong answer.
            if self.ask(context, 0) != base {
                unknown = Outcome::NOT_RUN;
            }
            Control { base, unknown }
        });
        *self.controls.get_or_init(|| measured)
    }
}

static BY_MEMFD: Test = validator(Text::VALIDATE_OF_MEMFD, Role::Validator);
static BY_PIPE: Test = validator(Text::VALIDATE_OF_PIPE, Role::Validator);

/// A measurement whose answers are compared with those to nothing and to what names nothing.
pub const fn validator(question: Text, role: Role) -> Test {
    Test {
        question,
        role,
        promised: Outcome::NOT_RUN,
        base: 0,
        backing: Backing::MEMFD,
        look: lands,
    }
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
        bench.evidence.failed_control = Some(Text::UNKNOWN_BITS_DIFFER);
    } else {
        bench.evidence.trials.push(Trial {
            test,
            flagged,
            plain: control.base,
            unknown: control.unknown,
        });
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
