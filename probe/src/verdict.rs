//! One word per flag, decided from the evidence alone: no I/O, no architecture, no version.

use crate::errno::Errno;
use crate::evidence::{Call, Evidence, Known, Outcome, Recognition, Step, Trial};

/// What the kernel does with a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does what the flag promises: the effect was seen, and the control did not show it.
    Honored,
    /// It knows the flag and took it; the effect cannot be observed here.
    Accepted,
    /// It took the bit and did nothing with it.
    Ignored,
    /// It refuses it as a flag it has never heard of.
    Unknown,
    /// It knows it and cannot give it here.
    Unavailable,
    /// The architecture defines no such flag, or defines it as 0.
    Absent,
    /// It could not be asked, or the answers contradict each other.
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

    /// The word of the report.
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
}

/// Why: the part of the evidence that decided. [`Reason::code`] is the documented list.
#[derive(Clone, Copy, Debug)]
pub enum Reason {
    /// The table has no value for this architecture.
    NotDefined,
    /// Something that had to hold did not.
    ControlFailed(&'static str),
    /// The control shows what the flag promises, so the effect proves nothing.
    ControlShowsEffect(Trial),
    /// Effect tests, or validators, disagree.
    Contradictory,
    /// The effect was seen; and perhaps a remark.
    EffectSeen(Trial, Option<&'static str>),
    /// Shows that it knows the flag, in another way than by its effect.
    SignSeen(Trial),
    /// Knows it and may not give it to this process.
    NotPermitted(Errno),
    /// Knows it and a limit is in the way.
    OverLimit(Errno),
    /// Knows it and has no room for it.
    NoRoom(Errno),
    /// Knows it and refuses it here.
    RefusedHere(Errno),
    /// This machine has no huge pages of that size, or none at all.
    NotOffered(Recognition),
    /// This machine has huge pages of that size.
    Offered(Recognition),
    /// The effect test ran and showed nothing.
    EffectAbsent(Trial),
    /// The validator passes it.
    Validated(Recognition),
    /// The validator refuses it like what names nothing.
    RefusedAsUnknown(Recognition),
    /// The effect test could not be run.
    NotRun(Trial),
    /// The effect test was run, and neither shows the effect nor its absence.
    Undecided(Trial),
    /// Nothing was seen that decides.
    NoEvidence,
}

impl Reason {
    /// The word of the report, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Reason::NotDefined => "not_defined",
            Reason::ControlFailed(_) => "control_failed",
            Reason::ControlShowsEffect(_) => "control_shows_effect",
            Reason::Contradictory => "contradictory",
            Reason::EffectSeen(..) => "effect_seen",
            Reason::SignSeen(_) => "sign_seen",
            Reason::NotPermitted(_) => "not_permitted",
            Reason::OverLimit(_) => "over_limit",
            Reason::NoRoom(_) => "no_room",
            Reason::RefusedHere(_) => "refused_here",
            Reason::NotOffered(_) => "not_offered",
            Reason::Offered(_) => "offered",
            Reason::EffectAbsent(_) => "effect_absent",
            Reason::Validated(_) => "validated",
            Reason::RefusedAsUnknown(_) => "refused_as_unknown",
            Reason::NotRun(_) => "not_run",
            Reason::Undecided(_) => "undecided",
            Reason::NoEvidence => "no_evidence",
        }
    }
}

/// What was found out about a flag.
pub type Finding = (Verdict, Reason);

/// The finding about a flag the architecture does not define.
pub const ABSENT: Finding = (Verdict::Absent, Reason::NotDefined);

/// What an effect test shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Seen,
    Absent,
    /// The flag was refused, or the answer is neither.
    Open,
    ControlShowsIt,
    NotRun,
}

fn effect(trial: &Trial) -> Effect {
    let shows = |outcome: Outcome| outcome == trial.test.promised;
    if trial.flagged == Outcome::NotRun {
        Effect::NotRun
    } else if shows(trial.plain) || shows(trial.unknown) {
        Effect::ControlShowsIt
    } else if shows(trial.flagged) {
        Effect::Seen
    } else if measured(trial.plain) && trial.flagged.same_as(trial.plain) {
        Effect::Absent
    } else {
        Effect::Open
    }
}

/// Whether a measurement came to an end. A touch that is refused is one; any other refusal is a failure of the measurement.
fn measured(outcome: Outcome) -> bool {
    outcome.succeeded() || outcome == Outcome::Refused(Errno::EFAULT)
}

/// The first effect test that shows it, if all that were run do, and at least two: a yes or a no must not rest on one call.
fn unanimous(trials: &[Trial], wanted: Effect) -> Option<&Trial> {
    let mut ran = 0;
    for trial in trials {
        match effect(trial) {
            Effect::NotRun => {}
            shown if shown == wanted => ran += 1,
            _ => return None,
        }
    }
    trials.iter().find(|trial| effect(trial) == wanted).filter(|_| ran > 1)
}

/// What a validator shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Knowledge {
    Known,
    NotKnown,
    /// It does not validate, or another rule answered.
    Open,
}

fn knowledge(recognition: &Recognition) -> Knowledge {
    let Recognition { base, flagged, unknown, .. } = *recognition;
    if base.same_as(unknown) || unknown.succeeded() {
        Knowledge::Open
    } else if flagged.same_as(base) {
        Knowledge::Known
    } else if flagged.same_as(unknown) {
        Knowledge::NotKnown
    } else {
        Knowledge::Open
    }
}

/// The first who says so, if all of at least two do.
fn agreed(recognitions: &[Recognition], wanted: Knowledge) -> Option<&Recognition> {
    let all = recognitions.len() > 1 && recognitions.iter().all(|by| knowledge(by) == wanted);
    recognitions.first().filter(|_| all)
}

/// The first rule that holds decides. A flag the architecture does not define never gets here.
pub fn judge(evidence: &Evidence, steps: &[Step]) -> Finding {
    let Evidence { failed_control, trials, recognitions, signs, known, offers, but, .. } = evidence;
    if let Some(control) = failed_control {
        return (Verdict::Inconclusive, Reason::ControlFailed(control));
    }
    let trial = |wanted: Effect| trials.iter().find(|trial| effect(trial) == wanted).copied();
    let recognized = |wanted: Knowledge| recognitions.iter().find(|by| knowledge(by) == wanted);
    if let Some(seen) = unanimous(trials, Effect::Seen) {
        return (Verdict::Honored, Reason::EffectSeen(*seen, *but));
    }
    let unclear = if let Some(trial) = trial(Effect::ControlShowsIt) {
        Reason::ControlShowsEffect(trial)
    } else if let Some(trial) = trial(Effect::NotRun) {
        Reason::NotRun(trial)
    } else if let Some(trial) = trial(Effect::Open) {
        Reason::Undecided(trial)
    } else {
        Reason::NoEvidence
    };
    if trial(Effect::Seen).is_some() {
        return (Verdict::Inconclusive, if let Reason::NoEvidence = unclear { Reason::Contradictory } else { unclear });
    }
    if let Some(reason) = refusal(evidence) {
        return (Verdict::Unavailable, reason);
    }
    if let Some(sign) = signs.iter().find(|sign| effect(sign) == Effect::Seen) {
        return match known {
            Known::Unavailable => (Verdict::Unavailable, Reason::SignSeen(*sign)),
            Known::Accepted if trial(Effect::Absent).is_some() => (Verdict::Inconclusive, Reason::Contradictory),
            Known::Accepted => (Verdict::Accepted, Reason::SignSeen(*sign)),
        };
    }
    if trial(Effect::ControlShowsIt).is_some() {
        return (Verdict::Inconclusive, unclear);
    }
    if let Some(offer) = agreed(offers, Knowledge::Known) {
        return (Verdict::Accepted, Reason::Offered(*offer));
    }
    if let Some(offer) = agreed(offers, Knowledge::NotKnown) {
        return (Verdict::Unavailable, Reason::NotOffered(*offer));
    }
    match (recognized(Knowledge::Known), recognized(Knowledge::NotKnown), unanimous(trials, Effect::Absent)) {
        (Some(_), Some(_), _) => (Verdict::Inconclusive, Reason::Contradictory),
        (_, None, Some(absent)) => (Verdict::Ignored, Reason::EffectAbsent(*absent)),
        (Some(known), None, None) if steps.iter().any(taken) && trial(Effect::Open).is_none() => {
            (Verdict::Accepted, Reason::Validated(*known))
        }
        _ => match agreed(recognitions, Knowledge::NotKnown) {
            Some(unknown) => (Verdict::Unknown, Reason::RefusedAsUnknown(*unknown)),
            None => (Verdict::Inconclusive, unclear),
        },
    }
}

/// Whether the flag was taken in a context.
fn taken(step: &Step) -> bool {
    matches!(step.call, Call::Context { .. }) && step.outcome.succeeded()
}

/// An error that only a kernel that knows the flag gives, in a place where the plain call succeeds.
fn refusal(evidence: &Evidence) -> Option<Reason> {
    let of_trials = evidence.trials.iter().map(|trial| (trial.plain, trial.flagged));
    let of_recognitions = evidence.recognitions.iter().map(|by| (by.base, by.flagged));
    of_trials.chain(of_recognitions).find_map(|(plain, flagged)| knowing(evidence, plain, flagged))
}

fn knowing(evidence: &Evidence, plain: Outcome, flagged: Outcome) -> Option<Reason> {
    match flagged {
        Outcome::Failed(errno) if plain.succeeded() && evidence.knowing.contains(&errno) => Some(match errno {
            Errno::EPERM => Reason::NotPermitted(errno),
            Errno::EAGAIN => Reason::OverLimit(errno),
            Errno::EINVAL => Reason::RefusedHere(errno),
            _ => Reason::NoRoom(errno),
        }),
        _ => None,
    }
}
