//! What an experiment is, and the evidence that it gathers.

use crate::availability::Availability;
use crate::fixture::Fixture;
use crate::flags::MapFlags;
use crate::outcome::Outcome;
use kernel::Errno;

/// How a flag is probed.
///
/// An experiment neither prints nor judges, and never looks at the kernel's version. It measures at
/// least twice, because [`crate::verdict::judge`] demands two results that agree.
#[derive(Debug)]
pub struct Experiment {
    /// What the kernel promises.
    pub promise: &'static str,
    /// How the promise is proved.
    pub proof: &'static str,
    /// What a program that uses the flag must consider.
    pub pitfalls: &'static str,
    pub if_only_recognized: IfOnlyRecognized,
    /// Errors that only a kernel that recognizes the flag returns, where the call succeeds without
    /// it.
    pub errors_that_prove_recognition: &'static [Errno],
    /// Makes the calls and gathers the evidence.
    pub run: fn(&mut Fixture, MapFlags, &mut Evidence),
}

/// The verdict if the kernel recognizes a flag and its effect was not observed.
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
    /// The effect of the flag: this outcome, and another one without the flag.
    Effect(Outcome),
    /// That the kernel recognizes the flag, by something other than the effect: this outcome, and
    /// another one without the flag.
    Sign(Outcome),
    /// That the kernel recognizes the flag: it answers the flag as it answers the plain call, and
    /// an unassigned bit differently.
    Validator,
    /// That the machine offers a huge page size: judged as [`TrialKind::Validator`].
    Offer,
    /// That the kernel ignores the flag, for a reason that the same result with the flag, with the
    /// control and without the flag does not give alone.
    Ignored(WhyIgnored),
}

/// Why the same result with the flag and with the control means that the kernel ignores the flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyIgnored {
    /// Every size, also one that no machine has, gives huge pages of the default size.
    SizeUnread,
    /// The kernel has no `MAP_SHARED_VALIDATE`, and no such kernel has the effect.
    NoSharedValidate,
    /// The memory is accounted as without the flag.
    Accounted,
}

/// A measurement without the flag, with a control, and with the flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    pub kind: TrialKind,
    /// What is measured, in the words of the reason.
    pub question: &'static str,
    pub answers: Answers,
}

impl Trial {
    pub fn is_effect(&self) -> bool {
        matches!(self.kind, TrialKind::Effect(_))
    }

    pub fn is_sign(&self) -> bool {
        matches!(self.kind, TrialKind::Sign(_))
    }

    pub fn is_validator(&self) -> bool {
        self.kind == TrialKind::Validator
    }

    pub fn is_offer(&self) -> bool {
        self.kind == TrialKind::Offer
    }

    pub fn is_ignored(&self) -> bool {
        matches!(self.kind, TrialKind::Ignored(_))
    }
}

/// The outcomes of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    pub without: Outcome,
    /// With an unassigned bit, type or size; [`Outcome::NotRun`] if a control would prove nothing.
    pub control: Outcome,
    pub with: Outcome,
}

/// The evidence about a flag. The trace entries are in [`Fixture::steps`].
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The control that failed, if one did.
    pub failed_control: Option<&'static str>,
    pub trials: Vec<Trial>,
    /// An addition to the reason.
    pub remark: Option<&'static str>,
    /// Why a program may not get the effect that the trials show; `None` if nothing limits it.
    pub limit: Option<&'static str>,
    /// Whether one huge page can be had now; `None` if it was not measured.
    pub availability: Option<Availability>,
}

impl Evidence {
    pub fn clear(&mut self) {
        self.failed_control = None;
        self.trials.clear();
        self.remark = None;
        self.limit = None;
        self.availability = None;
    }

    fn add(&mut self, kind: TrialKind, question: &'static str, answers: Answers) {
        self.trials.push(Trial { kind, question, answers });
    }

    pub fn effect(&mut self, question: &'static str, promised: Outcome, answers: Answers) {
        self.add(TrialKind::Effect(promised), question, answers);
    }

    /// An effect that could not be measured, because a system call filter may be in the way.
    pub fn filtered_effect(&mut self, question: &'static str, promised: Outcome, with: Outcome) {
        let answers = Answers { without: with, control: Outcome::NotRun, with };
        self.effect(question, promised, answers);
    }

    pub fn sign(&mut self, question: &'static str, promised: Outcome, answers: Answers) {
        self.add(TrialKind::Sign(promised), question, answers);
    }

    pub fn validator(&mut self, question: &'static str, answers: Answers) {
        self.add(TrialKind::Validator, question, answers);
    }

    pub fn offer(&mut self, question: &'static str, answers: Answers) {
        self.add(TrialKind::Offer, question, answers);
    }

    pub fn ignored(&mut self, why: WhyIgnored, question: &'static str, answers: Answers) {
        self.add(TrialKind::Ignored(why), question, answers);
    }

    pub fn effects(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.is_effect())
    }

    pub fn signs(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.is_sign())
    }

    pub fn validators(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.is_validator())
    }
}

/// The flags of the three calls that a measurement compares.
#[derive(Clone, Copy, Debug)]
pub struct Variants {
    pub without: MapFlags,
    /// `None` if a control would prove nothing.
    pub control: Option<MapFlags>,
    pub with: MapFlags,
}

impl Variants {
    /// No flag, an unassigned bit, and the flag.
    pub fn of(flag: MapFlags) -> Variants {
        let control = Some(MapFlags::UNASSIGNED);
        Variants { without: MapFlags::NONE, control, with: flag }
    }

    /// No flag, and the flag.
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
        measure: &mut dyn FnMut(&mut Fixture, MapFlags) -> Outcome,
    ) -> Answers {
        self.compare_variants(Variants::of(flag), measure)
    }

    /// Measures each variant: without, control, with.
    pub fn compare_variants(
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
