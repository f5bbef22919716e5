//! One word per flag, decided from the evidence alone: no I/O, no architecture, no version.

use crate::errno::Errno;
use crate::evidence::{Call, Evidence, Known, Outcome, Role, Step, Trial};
use crate::text::Text;

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

    /// The words of the report, in the order of [`Verdict::ALL`].
    pub(crate) const WORDS: &[&str] =
        &["honored", "accepted", "ignored", "unknown", "unavailable", "absent", "inconclusive"];

    /// Whether the flag is known not to be there for a program that sets it.
    pub const fn is_no(self) -> bool {
        !matches!(self, Verdict::Honored | Verdict::Accepted | Verdict::Inconclusive)
    }

    /// The word of the report.
    pub const fn word(self) -> Text {
        Text::VERDICTS.nth(self as usize)
    }
}

macro_rules! causes {
    ($($(#[$doc:meta])* $cause:ident $code:literal $words:literal,)*) => {
        /// Why.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Cause { $($(#[$doc])* $cause,)* }

        impl Cause {
            /// The documented list of words of the report.
            pub(crate) const CODES: &[&str] = &[$($code),*];
            /// The same for people.
            pub(crate) const WORDS: &[&str] = &[$($words),*];

            /// The word of the report, for programs.
            pub const fn code(self) -> Text {
                Text::CODES.nth(self as usize)
            }

            /// In a few words, for people.
            pub const fn words(self) -> Text {
                Text::CAUSES.nth(self as usize)
            }
        }
    };
}

causes! {
    /// The table has no value for this architecture.
    NotDefined "not_defined" "no such flag on this architecture",
    /// Something that had to hold did not.
    ControlFailed "control_failed" "a control failed",
    /// The control shows what the flag promises, so the effect proves nothing.
    ControlShowsEffect "control_shows_effect" "the control shows the effect too",
    /// Effect tests, or validators, disagree.
    Contradictory "contradictory" "the answers contradict each other",
    /// The effect was seen.
    EffectSeen "effect_seen" "its effect was seen",
    /// Shows that it knows the flag, in another way than by its effect.
    SignSeen "sign_seen" "known; no effect was seen",
    /// Knows it and may not give it to this process.
    NotPermitted "not_permitted" "not permitted",
    /// Knows it and a limit is in the way.
    OverLimit "over_limit" "over a limit",
    /// Knows it and has no room for it.
    NoRoom "no_room" "the kernel has no room",
    /// Knows it and refuses it here.
    RefusedHere "refused_here" "known, and refused here",
    /// This machine has no huge pages of that size, or none at all.
    NotOffered "not_offered" "not offered by this machine",
    /// This machine has huge pages of that size.
    Offered "offered" "offered by this machine",
    /// The effect test ran and showed nothing.
    EffectAbsent "effect_absent" "taken, and nothing happened",
    /// The validator passes it.
    Validated "validated" "known; no effect was seen",
    /// The validator refuses it like what names nothing.
    RefusedAsUnknown "refused_as_unknown" "refused like unknown flags",
    /// The effect test could not be run.
    NotRun "not_run" "its test could not be run",
    /// The effect test was run, and neither shows the effect nor its absence.
    Undecided "undecided" "its test decides nothing",
    /// Nothing was seen that decides.
    NoEvidence "no_evidence" "nothing was seen that decides",
}

/// Why, and the part of the evidence that decided.
#[derive(Clone, Copy, Debug)]
pub struct Reason {
    /// Why.
    pub cause: Cause,
    /// The measurement that decided, if one did.
    pub trial: Option<Trial>,
    /// The control that failed, or something to add.
    pub remark: Option<Text>,
}

/// What was found out about a flag.
pub type Finding = (Verdict, Reason);

/// A finding that rests on no measurement.
pub const fn without_trial(verdict: Verdict, cause: Cause, remark: Option<Text>) -> Finding {
    (verdict, Reason { cause, trial: None, remark })
}

/// What a trial shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The effect, the sign, or knowledge.
    Yes,
    /// Its absence.
    No,
    /// Neither; or another rule answered.
    Open,
    /// The control shows it too.
    ControlToo,
    NotRun,
}

fn shown(trial: &Trial) -> Shown {
    let Trial { test, flagged, plain, unknown } = *trial;
    if let Role::Validator | Role::Offer = test.role {
        return if plain.same_as(unknown) || unknown.succeeded() {
            Shown::Open
        } else if flagged.same_as(plain) {
            Shown::Yes
        } else if flagged.same_as(unknown) {
            Shown::No
        } else {
            Shown::Open
        };
    }
    let promised = test.promised;
    if flagged == Outcome::NOT_RUN {
        Shown::NotRun
    } else if plain == promised || unknown == promised {
        Shown::ControlToo
    } else if flagged == promised {
        Shown::Yes
    } else if measured(plain) && flagged.same_as(plain) {
        Shown::No
    } else {
        Shown::Open
    }
}

/// Whether a measurement came to an end. A touch that is refused is one; any other refusal is a failure of the measurement.
fn measured(outcome: Outcome) -> bool {
    outcome.succeeded() || outcome == Outcome::refused(Errno::EFAULT)
}

/// The first trial of a role that shows it, if there is one.
fn any(evidence: &Evidence, role: Role, wanted: Shown) -> Option<&Trial> {
    evidence.of(role).find(|trial| shown(trial) == wanted)
}

/// The first trial of a role that shows it, if all that were run do, and at least two: a yes or a no must not rest on one call.
fn agreed(evidence: &Evidence, role: Role, wanted: Shown) -> Option<&Trial> {
    let (mut ran, mut other) = (0, false);
    for trial in evidence.of(role) {
        let shown = shown(trial);
        ran += usize::from(shown == wanted);
        other |= shown != wanted && shown != Shown::NotRun;
    }
    any(evidence, role, wanted).filter(|_| ran > 1 && !other)
}

/// The first rule that holds decides. A flag the architecture does not define never gets here.
#[inline(never)]
pub fn judge(evidence: &Evidence, steps: &[Step]) -> Finding {
    if evidence.failed_control.is_some() {
        return without_trial(Verdict::Inconclusive, Cause::ControlFailed, evidence.failed_control);
    }
    let effect = |wanted| any(evidence, Role::Effect, wanted);
    let (verdict, cause, trial) = if let seen @ Some(_) = agreed(evidence, Role::Effect, Shown::Yes)
    {
        (Verdict::Honored, Cause::EffectSeen, seen)
    } else if effect(Shown::Yes).is_some() {
        (Verdict::Inconclusive, Cause::Contradictory, None)
    } else if let Some((cause, trial)) = refusal(evidence) {
        (Verdict::Unavailable, cause, Some(trial))
    } else if let sign @ Some(_) = any(evidence, Role::Sign, Shown::Yes) {
        match evidence.known {
            Known::Unavailable => (Verdict::Unavailable, Cause::SignSeen, sign),
            Known::Accepted if effect(Shown::No).is_some() => {
                (Verdict::Inconclusive, Cause::Contradictory, None)
            }
            Known::Accepted => (Verdict::Accepted, Cause::SignSeen, sign),
        }
    } else if effect(Shown::ControlToo).is_some() {
        (Verdict::Inconclusive, Cause::NoEvidence, None)
    } else if let offer @ Some(_) = agreed(evidence, Role::Offer, Shown::Yes) {
        (Verdict::Accepted, Cause::Offered, offer)
    } else if let offer @ Some(_) = agreed(evidence, Role::Offer, Shown::No) {
        (Verdict::Unavailable, Cause::NotOffered, offer)
    } else {
        by_knowledge(evidence, steps)
    };
    let unclear = || {
        let causes = [
            (Shown::ControlToo, Cause::ControlShowsEffect),
            (Shown::NotRun, Cause::NotRun),
            (Shown::Open, Cause::Undecided),
        ];
        causes.iter().find_map(|&(shown, cause)| effect(shown).map(|trial| (cause, trial)))
    };
    match (verdict, unclear()) {
        (Verdict::Inconclusive, Some((cause, trial))) => {
            (verdict, Reason { cause, trial: Some(*trial), remark: None })
        }
        _ => (verdict, Reason { cause, trial: trial.copied(), remark: evidence.but }),
    }
}

/// What remains where neither effect nor sign was seen, and nothing was offered: what the validators know.
fn by_knowledge<'e>(evidence: &'e Evidence, steps: &[Step]) -> (Verdict, Cause, Option<&'e Trial>) {
    let known = any(evidence, Role::Validator, Shown::Yes);
    let absent = agreed(evidence, Role::Effect, Shown::No);
    if any(evidence, Role::Validator, Shown::No).is_none() {
        if absent.is_some() {
            return (Verdict::Ignored, Cause::EffectAbsent, absent);
        }
        if known.is_some()
            && any(evidence, Role::Effect, Shown::Open).is_none()
            && steps.iter().any(taken)
        {
            return (Verdict::Accepted, Cause::Validated, known);
        }
    } else if known.is_some() {
        return (Verdict::Inconclusive, Cause::Contradictory, None);
    }
    match agreed(evidence, Role::Validator, Shown::No) {
        unknown @ Some(_) => (Verdict::Unknown, Cause::RefusedAsUnknown, unknown),
        None => (Verdict::Inconclusive, Cause::NoEvidence, None),
    }
}

/// Whether the flag was taken in a context.
fn taken(step: &Step) -> bool {
    matches!(step.call(), Call::Context { .. }) && step.outcome.succeeded()
}

/// An error that only a kernel that knows the flag gives, in a place where the plain call succeeds.
fn refusal(evidence: &Evidence) -> Option<(Cause, &Trial)> {
    for trial in evidence.trials.iter().filter(|trial| trial.plain.succeeded()) {
        let Some(errno) = trial.flagged.errno().filter(|_| trial.flagged.is_failure()) else {
            continue;
        };
        if evidence.knowing.has(errno) {
            let cause = match errno {
                Errno::EPERM => Cause::NotPermitted,
                Errno::EAGAIN => Cause::OverLimit,
                Errno::EINVAL => Cause::RefusedHere,
                _ => Cause::NoRoom,
            };
            return Some((cause, trial));
        }
    }
    None
}
