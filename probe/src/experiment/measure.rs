//! Effect tests: the same measurement with a flag, without it, and with a bit that no kernel knows; and signs, which are
//! compared in the same way.

use super::Bench;
use super::bench::CONTROL;
use crate::evidence::{Act, Backing, Outcome, Trial};
use crate::kernel::Answer;

/// Something that is measured with some bits added to the flags.
pub type Measure<'m> = &'m dyn Fn(&mut Bench, u64) -> Outcome;

impl Bench<'_> {
    /// One measurement with a flag, without it, and with the control bit.
    pub fn trial(&mut self, question: &'static str, promised: Outcome, bits: u64, measure: Measure) -> Trial {
        let [plain, unknown, flagged] = [0, CONTROL, bits].map(|bits| measure(self, bits));
        Trial { question, promised, flagged, plain, unknown }
    }

    /// An effect test.
    pub fn compare(&mut self, question: &'static str, promised: Outcome, bits: u64, measure: Measure) {
        let trial = self.trial(question, promised, bits, measure);
        self.evidence.trials.push(trial);
    }

    /// An effect test: one measurement with a map type, and with the one that is its control.
    pub fn contrast(&mut self, question: &'static str, promised: Outcome, types: [u64; 2], measure: Measure) {
        let [flagged, plain] = types.map(|map_type| measure(self, map_type));
        let unknown = Outcome::NotRun;
        self.evidence.trials.push(Trial { question, promised, flagged, plain, unknown });
    }

    /// Something else that only a kernel that knows the flag shows.
    pub fn look_for_sign(&mut self, question: &'static str, promised: Outcome, bits: u64, measure: Measure) {
        let trial = self.trial(question, promised, bits, measure);
        self.evidence.signs.push(trial);
    }

    /// Maps a page of fresh memory, does something about it, and unmaps it. The mapping's own failure is the answer where
    /// there was one.
    pub fn about_page(&mut self, flags: u64, act: Act, make: fn(&mut Bench, u64, u64) -> Answer) -> Outcome {
        let (addr, mapped) = self.map(flags, Bench::READ_WRITE, 1, Backing::Anonymous);
        if !mapped.succeeded() {
            return mapped;
        }
        let len = self.bytes(1);
        let answered = Outcome::of(make(self, addr, len));
        self.note(act, answered);
        self.unmap(addr, 1, mapped);
        answered
    }
}
