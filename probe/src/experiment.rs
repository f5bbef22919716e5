//! What an experiment is, and the evidence that it gathers.

use crate::fixture::Fixture;
use crate::flags::MapFlags;
use crate::outcome::Outcome;
use kernel::Errno;

/// How a flag is probed.
///
/// An experiment neither prints nor judges, and never looks at the kernel's version. A yes or a no
/// needs two measurements that agree, so it makes each at least twice.
#[derive(Debug)]
pub struct Experiment {
    /// What the kernel promises.
    pub promise: &'static str,
    /// How the promise is proved.
    pub proof: &'static str,
    /// What a program must beware of.
    pub pitfalls: &'static str,
    pub if_only_recognized: IfOnlyRecognized,
    /// Errors that only a kernel that recognizes the flag returns, where the call succeeds without
    /// it.
    pub errors_that_prove_recognition: &'static [Errno],
    /// Makes the calls and gathers the evidence.
    pub run: fn(&mut Fixture, MapFlags, &mut Evidence),
}

/// The verdict for a kernel that recognizes a flag, where its effect was not observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfOnlyRecognized {
    /// No test can decide.
    Accepted,
    /// The kernel cannot give the effect here.
    Unavailable,
}

/// What a measurement can prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialKind {
    /// The effect of the flag: this outcome, which must not come without the flag.
    Effect(Outcome),
    /// Recognition by another sign than the effect: this outcome.
    Sign(Outcome),
    /// Recognition by a validator: it answers an unassigned bit differently from the plain call.
    Validator,
    /// A huge page size that the machine offers, in the same way.
    Offer,
}

/// A measurement without the flag, with a control, and with the flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    pub kind: TrialKind,
    /// What is measured, as it reads in the reason.
    pub question: &'static str,
    pub answers: Answers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    pub without: Outcome,
    /// With an unassigned bit, type or size; [`Outcome::NotRun`] where a control proves nothing.
    pub control: Outcome,
    pub with: Outcome,
}

/// The evidence about a flag, beside the trace entries in [`Fixture::steps`].
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The control that failed.
    pub failed_control: Option<&'static str>,
    pub trials: Vec<Trial>,
    /// An addition to the reason.
    pub remark: Option<&'static str>,
}

impl Evidence {
    pub fn clear(&mut self) {
        self.failed_control = None;
        self.trials.clear();
        self.remark = None;
    }

    pub fn effect(&mut self, question: &'static str, promised: Outcome, answers: Answers) {
        self.trials.push(Trial { kind: TrialKind::Effect(promised), question, answers });
    }

    pub fn sign(&mut self, question: &'static str, promised: Outcome, answers: Answers) {
        self.trials.push(Trial { kind: TrialKind::Sign(promised), question, answers });
    }

    pub fn validator(&mut self, question: &'static str, answers: Answers) {
        self.trials.push(Trial { kind: TrialKind::Validator, question, answers });
    }

    pub fn offer(&mut self, question: &'static str, answers: Answers) {
        self.trials.push(Trial { kind: TrialKind::Offer, question, answers });
    }

    pub fn effects(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| matches!(trial.kind, TrialKind::Effect(_)))
    }

    pub fn signs(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| matches!(trial.kind, TrialKind::Sign(_)))
    }

    pub fn validators(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.kind == TrialKind::Validator)
    }

    pub fn offers(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.kind == TrialKind::Offer)
    }
}

/// The flags of the three calls that a measurement compares.
#[derive(Clone, Copy, Debug)]
pub struct Variants {
    pub without: MapFlags,
    /// `None` where a control would prove nothing.
    pub control: Option<MapFlags>,
    pub with: MapFlags,
}

impl Variants {
    /// Nothing, an unassigned bit, and the flag.
    pub fn of(flag: MapFlags) -> Variants {
        let control = Some(MapFlags::UNASSIGNED);
        Variants { without: MapFlags::NONE, control, with: flag }
    }

    /// Nothing, and the flag.
    pub fn without_control(flag: MapFlags) -> Variants {
        Variants { control: None, ..Variants::of(flag) }
    }

    /// Another map type, and the map type.
    pub fn of_types(other: MapFlags, map_type: MapFlags) -> Variants {
        Variants { without: other, control: None, with: map_type }
    }
}

impl Fixture<'_> {
    /// Measures without the flag, with an unassigned bit and with the flag, in this order.
    pub fn compare(
        &mut self,
        flag: MapFlags,
        mut measure: impl FnMut(&mut Fixture, MapFlags) -> Outcome,
    ) -> Answers {
        self.measure_flag(flag, &mut measure)
    }

    /// Measures the variants in their order.
    pub fn compare_variants(
        &mut self,
        variants: Variants,
        mut measure: impl FnMut(&mut Fixture, MapFlags) -> Outcome,
    ) -> Answers {
        self.measure_each(variants, &mut measure)
    }

    fn measure_flag(
        &mut self,
        flag: MapFlags,
        measure: &mut dyn FnMut(&mut Fixture, MapFlags) -> Outcome,
    ) -> Answers {
        self.measure_each(Variants::of(flag), measure)
    }

    fn measure_each(
        &mut self,
        variants: Variants,
        measure: &mut dyn FnMut(&mut Fixture, MapFlags) -> Outcome,
    ) -> Answers {
        let without = measure(self, variants.without);
        let control = match variants.control {
            Some(control) => measure(self, control),
            None => Outcome::NotRun,
        };
        Answers { without, control, with: measure(self, variants.with) }
    }
}
