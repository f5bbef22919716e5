//! The verdict about a flag. It depends only on the evidence: no I/O, no architecture, no version.

use crate::experiment::{
    Answers, Evidence, Experiment, IfOnlyRecognized, Trial, TrialKind, WhyIgnored,
};
use crate::outcome::{Call, Outcome, Step};
use kernel::Errno;

/// What the kernel does with a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does what the flag promises: the effect was observed, and the control did not show it.
    Honored,
    /// It recognizes the flag and accepts it; its effect was not observed.
    Accepted,
    /// It accepts the bit and does nothing with it.
    Ignored,
    /// It rejects the flag as it rejects unassigned bits.
    Unknown,
    /// It recognizes the flag and cannot give the effect here.
    Unavailable,
    /// The architecture does not define the flag, or defines it as 0.
    Absent,
    /// It could not be probed, or the answers contradict each other.
    Inconclusive,
}

impl Verdict {
    /// Every verdict, the strongest yes first.
    pub const ALL: [Verdict; 7] = [
        Verdict::Honored,
        Verdict::Accepted,
        Verdict::Ignored,
        Verdict::Unknown,
        Verdict::Unavailable,
        Verdict::Absent,
        Verdict::Inconclusive,
    ];

    /// The word in a report.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Honored => "honored",
            Verdict::Accepted => "accepted",
            Verdict::Ignored => "ignored",
            Verdict::Unknown => "unknown",
            Verdict::Unavailable => "unavailable",
            Verdict::Absent => "absent",
            Verdict::Inconclusive => "inconclusive",
        }
    }

    /// Whether a program that sets the flag certainly does not get its effect.
    pub const fn is_no(self) -> bool {
        match self {
            Verdict::Honored | Verdict::Accepted | Verdict::Inconclusive => false,
            Verdict::Ignored | Verdict::Unknown | Verdict::Unavailable | Verdict::Absent => true,
        }
    }
}

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $reason:ident $code:literal $description:literal,)*) => {
        /// Why a verdict was given.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ReasonCode { $($(#[$doc])* $reason,)* }

        impl ReasonCode {
            pub const ALL: &[ReasonCode] = &[$(ReasonCode::$reason),*];

            /// The code in a report, for programs.
            pub const fn code(self) -> &'static str {
                match self { $(ReasonCode::$reason => $code),* }
            }

            /// A few words, for people.
            pub const fn description(self) -> &'static str {
                match self { $(ReasonCode::$reason => $description),* }
            }
        }
    };
}

reason_codes! {
    /// The table has no number for this architecture.
    NotDefined "not_defined" "no such flag on this architecture",
    /// A control did not show what it must show.
    ControlFailed "control_failed" "a control failed",
    /// The control shows what the flag promises, so the effect proves nothing.
    ControlShowsEffect "control_shows_effect" "the control shows the effect too",
    /// The effect trials disagree, or the validators do.
    Contradictory "contradictory" "the answers contradict each other",
    EffectSeen "effect_seen" "effect observed",
    /// A sign other than the effect proves recognition.
    SignSeen "sign_seen" "recognized; no effect observed",
    /// The effect trials show it, and something may keep it from a program. Like the special cases
    /// below it has the code of another reason.
    EffectPartial "sign_seen" "effect observed in system calls only",
    NotPermitted "not_permitted" "not permitted",
    OverLimit "over_limit" "a limit is exceeded",
    NoRoom "no_room" "the kernel has no room",
    RefusedHere "refused_here" "recognized, and rejected here",
    /// The machine has no huge pages of that size, or none at all.
    NotOffered "not_offered" "not offered by this machine",
    Offered "offered" "offered by this machine",
    EffectAbsent "effect_absent" "accepted, no effect",
    // Three special cases with the same code: `docs/schema.md` promises that no code is added.
    SizeUnread "effect_absent" "the size is ignored: every size gives the default size",
    NoSharedValidate "effect_absent"
        "taken like an unassigned bit; its effect needs a kernel with MAP_SHARED_VALIDATE",
    Accounted "effect_absent" "accepted, yet accounted",
    /// The validator accepts it.
    Validated "validated" "recognized; no effect observed",
    RefusedAsUnknown "refused_as_unknown" "rejected as unknown",
    NotRun "not_run" "its test could not be run",
    /// An effect trial shows neither the effect nor its absence.
    Undecided "undecided" "its test decides nothing",
    NoEvidence "no_evidence" "no evidence decides",
}

/// Why a verdict was given, and the part of the evidence that decided.
#[derive(Clone, Copy, Debug)]
pub struct Reason {
    pub code: ReasonCode,
    /// The measurement that decided.
    pub trial: Option<Trial>,
    /// The control that failed, or an addition.
    pub remark: Option<&'static str>,
}

/// A verdict and its reason.
#[derive(Clone, Copy, Debug)]
pub struct Finding {
    pub verdict: Verdict,
    pub reason: Reason,
}

/// A verdict, why it was given, and the measurement that decided.
struct Decision<'e> {
    verdict: Verdict,
    code: ReasonCode,
    trial: Option<&'e Trial>,
}

impl<'e> Decision<'e> {
    fn new(verdict: Verdict, code: ReasonCode, trial: Option<&'e Trial>) -> Decision<'e> {
        Decision { verdict, code, trial }
    }
}

impl Finding {
    fn of(decision: Decision, remark: Option<&'static str>) -> Finding {
        let Decision { verdict, code, trial } = decision;
        Finding { verdict, reason: Reason { code, trial: trial.copied(), remark } }
    }

    /// The finding about a flag that the architecture does not define.
    pub fn absent() -> Finding {
        Finding::of(Decision::new(Verdict::Absent, ReasonCode::NotDefined, None), None)
    }

    /// The finding about a flag that cannot be probed because a control failed.
    pub fn control_failed(control: &'static str) -> Finding {
        let decision = Decision::new(Verdict::Inconclusive, ReasonCode::ControlFailed, None);
        Finding::of(decision, Some(control))
    }
}

/// What a trial shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The effect, the sign, or recognition.
    Yes,
    /// Its absence.
    No,
    /// Neither.
    Undecided,
    /// The effect or the sign, and the control shows it too.
    ControlToo,
    NotRun,
}

fn shown(trial: &Trial) -> Shown {
    match trial.kind {
        TrialKind::Effect(promised) | TrialKind::Sign(promised) => shown_by_effect(trial, promised),
        TrialKind::Validator | TrialKind::Offer => shown_by_validator(trial),
        TrialKind::Ignored(_) => shown_by_same_result(trial),
    }
}

fn shown_by_effect(trial: &Trial, promised: Outcome) -> Shown {
    let answers = trial.answers;
    if answers.with == Outcome::NotRun {
        Shown::NotRun
    } else if answers.without == promised || answers.control == promised {
        Shown::ControlToo
    } else if answers.with == promised {
        Shown::Yes
    } else if is_completed(answers.without) && answers.with.agrees_with(answers.without) {
        Shown::No
    } else {
        Shown::Undecided
    }
}

fn shown_by_validator(trial: &Trial) -> Shown {
    let answers = trial.answers;
    if answers.without.agrees_with(answers.control)
        || answers.control.succeeded()
        || answers.without.may_be_filtered()
    {
        Shown::Undecided
    } else if answers.with.agrees_with(answers.without) {
        Shown::Yes
    } else if answers.with.agrees_with(answers.control) && !answers.control.may_be_filtered() {
        Shown::No
    } else {
        Shown::Undecided
    }
}

fn shown_by_same_result(trial: &Trial) -> Shown {
    let answers = trial.answers;
    let same = |outcome: Outcome| outcome.agrees_with(answers.with);
    if answers.with == Outcome::NotRun {
        Shown::NotRun
    } else if same(answers.control) && (answers.without == Outcome::NotRun || same(answers.without))
    {
        Shown::Yes
    } else {
        Shown::Undecided
    }
}

/// Whether a measurement was completed. `EFAULT` or a signal for a touch is a result; any other
/// error means that the measurement failed.
fn is_completed(outcome: Outcome) -> bool {
    let is_rejected_touch = matches!(outcome, Outcome::Failed(Errno::EFAULT) | Outcome::Killed(_));
    outcome.succeeded() || is_rejected_touch
}

/// The first trial of a kind that shows `wanted`.
fn any(evidence: &Evidence, is_kind: fn(&Trial) -> bool, wanted: Shown) -> Option<&Trial> {
    evidence.trials.iter().find(|trial| is_kind(trial) && shown(trial) == wanted)
}

/// The first trial of a kind that shows `wanted`, if every one that was run shows it, and at least
/// two were run: a yes or a no must not depend on one call.
fn agreed(evidence: &Evidence, is_kind: fn(&Trial) -> bool, wanted: Shown) -> Option<&Trial> {
    let (mut first, mut count) = (None, 0);
    for trial in &evidence.trials {
        if !is_kind(trial) {
            continue;
        }
        match shown(trial) {
            shown if shown == wanted => {
                first = first.or(Some(trial));
                count += 1;
            }
            Shown::NotRun => {}
            _ => return None,
        }
    }
    first.filter(|_| count > 1)
}

/// Decides about a flag that the architecture defines: the first rule that holds. `steps` are the
/// trace entries of the flag's experiment.
pub fn judge(experiment: &Experiment, evidence: &Evidence, steps: &[Step]) -> Finding {
    if let Some(control) = evidence.failed_control {
        return Finding::control_failed(control);
    }
    let decision = first_rule_that_holds(experiment, evidence, steps);
    if decision.verdict == Verdict::Honored && evidence.limit.is_some() {
        let trial = decision.trial;
        let limited = Decision::new(Verdict::Accepted, ReasonCode::EffectPartial, trial);
        return Finding::of(limited, evidence.limit);
    }
    match why_effect_is_unclear(evidence) {
        Some(unclear) if decision.verdict == Verdict::Inconclusive => Finding::of(unclear, None),
        _ => Finding::of(decision, evidence.remark),
    }
}

fn first_rule_that_holds<'e>(
    experiment: &Experiment,
    evidence: &'e Evidence,
    steps: &[Step],
) -> Decision<'e> {
    if let Some(trial) = agreed(evidence, Trial::is_effect, Shown::Yes) {
        return Decision::new(Verdict::Honored, ReasonCode::EffectSeen, Some(trial));
    }
    if any(evidence, Trial::is_effect, Shown::Yes).is_some() {
        return Decision::new(Verdict::Inconclusive, ReasonCode::Contradictory, None);
    }
    if let Some((code, trial)) = error_that_proves_recognition(experiment, evidence) {
        return Decision::new(Verdict::Unavailable, code, Some(trial));
    }
    if let Some(sign) = any(evidence, Trial::is_sign, Shown::Yes) {
        return match experiment.if_only_recognized {
            // The effect could not be measured, so it may be there.
            IfOnlyRecognized::Unavailable if is_effect_open(evidence) => {
                Decision::new(Verdict::Inconclusive, ReasonCode::NoEvidence, None)
            }
            IfOnlyRecognized::Unavailable => {
                Decision::new(Verdict::Unavailable, ReasonCode::SignSeen, Some(sign))
            }
            IfOnlyRecognized::Accepted if any(evidence, Trial::is_effect, Shown::No).is_some() => {
                Decision::new(Verdict::Inconclusive, ReasonCode::Contradictory, None)
            }
            IfOnlyRecognized::Accepted => {
                Decision::new(Verdict::Accepted, ReasonCode::SignSeen, Some(sign))
            }
        };
    }
    if let Some((code, trial)) = why_ignored(evidence) {
        return Decision::new(Verdict::Ignored, code, Some(trial));
    }
    if any(evidence, Trial::is_effect, Shown::ControlToo).is_some() {
        return Decision::new(Verdict::Inconclusive, ReasonCode::NoEvidence, None);
    }
    if let Some(offer) = agreed(evidence, Trial::is_offer, Shown::Yes) {
        return Decision::new(Verdict::Accepted, ReasonCode::Offered, Some(offer));
    }
    if let Some(offer) = agreed(evidence, Trial::is_offer, Shown::No) {
        return Decision::new(Verdict::Unavailable, ReasonCode::NotOffered, Some(offer));
    }
    by_recognition(evidence, steps)
}

/// Where neither effect nor sign was observed and nothing was offered, the validators decide.
fn by_recognition<'e>(evidence: &'e Evidence, steps: &[Step]) -> Decision<'e> {
    let recognized = any(evidence, Trial::is_validator, Shown::Yes);
    let rejected = any(evidence, Trial::is_validator, Shown::No);
    if rejected.is_some() && recognized.is_some() {
        return Decision::new(Verdict::Inconclusive, ReasonCode::Contradictory, None);
    }
    // A sign that could not be looked for may be there.
    let is_sign_filtered = evidence.signs().any(|sign| sign.answers.with.may_be_filtered());
    if rejected.is_none() && !is_sign_filtered {
        if let Some(effect) = agreed(evidence, Trial::is_effect, Shown::No) {
            return Decision::new(Verdict::Ignored, ReasonCode::EffectAbsent, Some(effect));
        }
        // A test that could not be run might have shown that the flag has no effect.
        let is_open = is_effect_open(evidence);
        if recognized.is_some() && !is_open && steps.iter().any(is_accepted_context) {
            return Decision::new(Verdict::Accepted, ReasonCode::Validated, recognized);
        }
    }
    match agreed(evidence, Trial::is_validator, Shown::No) {
        Some(trial) => Decision::new(Verdict::Unknown, ReasonCode::RefusedAsUnknown, Some(trial)),
        None => Decision::new(Verdict::Inconclusive, ReasonCode::NoEvidence, None),
    }
}

/// Whether a test of the effect decided nothing, or was not run.
fn is_effect_open(evidence: &Evidence) -> bool {
    any(evidence, Trial::is_effect, Shown::Undecided).is_some()
        || any(evidence, Trial::is_effect, Shown::NotRun).is_some()
}

/// Why the kernel ignores the flag, if it gives the same result with the flag and with a control.
fn why_ignored(evidence: &Evidence) -> Option<(ReasonCode, &Trial)> {
    let trial = agreed(evidence, Trial::is_ignored, Shown::Yes)?;
    let TrialKind::Ignored(why) = trial.kind else { return None };
    let code = match why {
        WhyIgnored::SizeUnread => ReasonCode::SizeUnread,
        WhyIgnored::NoSharedValidate => ReasonCode::NoSharedValidate,
        WhyIgnored::Accounted => ReasonCode::Accounted,
    };
    Some((code, trial))
}

/// Whether the flag was accepted in a context.
fn is_accepted_context(step: &Step) -> bool {
    matches!(step.call, Call::Context { .. }) && step.outcome.succeeded()
}

/// An error that only a kernel that recognizes the flag returns, where the call succeeds without
/// it, and the control does not get the same error.
fn error_that_proves_recognition<'e>(
    experiment: &Experiment,
    evidence: &'e Evidence,
) -> Option<(ReasonCode, &'e Trial)> {
    for trial in &evidence.trials {
        let Outcome::MmapFailed(errno) = trial.answers.with else { continue };
        let Answers { without, control, with } = trial.answers;
        let differs = control != Outcome::NotRun && !control.agrees_with(with);
        let proves = experiment.errors_that_prove_recognition.contains(&errno);
        if proves && differs && without.succeeded() {
            let code = match errno {
                Errno::EPERM => ReasonCode::NotPermitted,
                Errno::EAGAIN => ReasonCode::OverLimit,
                Errno::EINVAL => ReasonCode::RefusedHere,
                _ => ReasonCode::NoRoom,
            };
            return Some((code, trial));
        }
    }
    None
}

/// Why the effect trials decide nothing; `None` if there is no such reason.
fn why_effect_is_unclear(evidence: &Evidence) -> Option<Decision<'_>> {
    for &(shown, code) in &[
        (Shown::ControlToo, ReasonCode::ControlShowsEffect),
        (Shown::NotRun, ReasonCode::NotRun),
        (Shown::Undecided, ReasonCode::Undecided),
    ] {
        if let Some(trial) = any(evidence, Trial::is_effect, shown) {
            return Some(Decision::new(Verdict::Inconclusive, code, Some(trial)));
        }
    }
    None
}
