//! How an experiment is run: the same measurement with a flag, without it, and with a bit that no kernel knows.

use super::bench::{Bench, CONTROL};
use super::{Asks, Experiment, recognition, types};
use crate::evidence::{Act, Backing, Outcome, Test, Trial};
use crate::kernel::{Answer, PROT_READ, Word};

/// No measurement.
pub const NONE: Word = Word::MAX;

impl Bench<'_> {
    /// Runs an experiment about the flag with these bits; the evidence is [`Bench::evidence`].
    pub fn run(&mut self, experiment: &'static Experiment, bits: Word) {
        self.evidence.clear();
        self.evidence.known = experiment.known;
        self.evidence.knowing = experiment.knowing;
        let mut plain = 0;
        match experiment.asks {
            Asks::Flag => recognition::is_recognized(self, bits),
            Asks::Taken => recognition::is_taken(self, bits, false),
            Asks::Free => recognition::is_taken(self, bits, true),
            Asks::Type(control) => {
                types::ask_as_type(self, bits);
                plain = control.into();
            }
            Asks::Itself => {}
        }
        let unknown = if plain == 0 { CONTROL } else { NONE };
        if experiment.first.is_none_or(|first| first(self, bits)) {
            self.run_tests(experiment.tests, &[plain, unknown, bits]);
        }
    }

    /// Runs measurements.
    pub fn run_tests(&mut self, tests: &'static [Test], bits: &[Word; 3]) {
        for test in tests {
            self.trial(test, test.backing, bits);
        }
    }

    /// One measurement without a flag, with the control bit, and with the flag.
    pub fn trial(&mut self, test: &'static Test, backing: Backing, bits: &[Word; 3]) {
        let base = self.base(test.base);
        let mut outcomes = [Outcome::NOT_RUN; 3];
        for (outcome, &bits) in outcomes.iter_mut().zip(bits) {
            if bits != NONE {
                *outcome = (test.look)(self, base | bits, backing);
            }
        }
        let [plain, unknown, flagged] = outcomes;
        self.evidence.trials.push(Trial { test, flagged, plain, unknown });
    }

    /// Maps a page of fresh memory, does something about it, and unmaps it. The mapping's own failure is the answer where there
    /// was one.
    pub fn about_page(
        &mut self,
        flags: Word,
        act: Act,
        make: fn(&mut Bench, Word, Word) -> Answer,
    ) -> Outcome {
        let (addr, mapped) = self.map(flags, Bench::READ_WRITE, 1, Backing::ANONYMOUS);
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

/// Where a page lands.
pub fn lands(bench: &mut Bench, flags: Word, backing: Backing) -> Outcome {
    bench.try_map(flags, PROT_READ, backing)
}
