//! The verdicts, case by case: evidence on the left, the verdict and its reason code on the right.

use kernel::Errno;
use mapprobe::experiment::{
    Answers, Evidence, Experiment, IfOnlyRecognized, Trial, TrialKind, WhyIgnored,
};
use mapprobe::outcome::{Backing, Call, Outcome, Step};
use mapprobe::verdict::{Verdict, judge};

const YES: Outcome = Outcome::Value(32);
const NO: Outcome = Outcome::Value(0);
/// `mmap` rejects an unassigned bit.
const REJECTED: Outcome = Outcome::MmapFailed(Errno::EOPNOTSUPP);
const EINVAL: Outcome = Outcome::MmapFailed(Errno::EINVAL);
const ENOMEM: Outcome = Outcome::MmapFailed(Errno::ENOMEM);
const ELSEWHERE: Outcome = Outcome::MappedElsewhere;
/// `mmap` succeeds, and a call about the mapping fails.
const CALL_FAILED: Outcome = Outcome::Failed(Errno::EINVAL);

const EXPERIMENT: Experiment = Experiment {
    promise: "",
    proof: "",
    pitfalls: "",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: |_, _, _| {},
};

const fn proven_by(errors: &'static [Errno]) -> Experiment {
    Experiment { errors_that_prove_recognition: errors, ..EXPERIMENT }
}

const fn if_only_recognized(if_only_recognized: IfOnlyRecognized) -> Experiment {
    Experiment { if_only_recognized, ..EXPERIMENT }
}

/// A trial: the answers with the flag, without it, and with an unassigned bit.
const fn trial(kind: TrialKind, with: Outcome, without: Outcome, control: Outcome) -> Trial {
    Trial { kind, question: "", answers: Answers { without, control, with } }
}

const fn effect(with: Outcome, without: Outcome, control: Outcome) -> Trial {
    trial(TrialKind::Effect(YES), with, without, control)
}

const fn validator(with: Outcome, without: Outcome, control: Outcome) -> Trial {
    trial(TrialKind::Validator, with, without, control)
}

const SEEN: Trial = effect(YES, NO, NO);
const ABSENT: Trial = effect(NO, NO, NO);
const RECOGNIZED: Trial = validator(Outcome::MappedThere, ELSEWHERE, REJECTED);
const UNKNOWN: Trial = validator(REJECTED, ELSEWHERE, REJECTED);

fn evidence(trials: &[Trial]) -> Evidence {
    Evidence { trials: trials.to_vec(), ..Evidence::default() }
}

/// A trace entry: the flag's outcome in a context.
const fn context(outcome: Outcome) -> Step {
    Step { call: Call::Context { flags: 2, backing: Backing::Anonymous }, outcome }
}

/// The flag was accepted in a context.
const ACCEPTED: &[Step] = &[context(ELSEWHERE)];

#[track_caller]
fn expect_of(
    experiment: &Experiment,
    evidence: &Evidence,
    steps: &[Step],
    verdict: Verdict,
    code: &str,
) {
    let finding = judge(experiment, evidence, steps);
    assert_eq!((finding.verdict, finding.reason.code.code()), (verdict, code), "{evidence:?}");
}

#[track_caller]
fn expect(trials: &[Trial], steps: &[Step], verdict: Verdict, code: &str) {
    expect_of(&EXPERIMENT, &evidence(trials), steps, verdict, code);
}

#[test]
fn an_effect_counts_only_if_the_control_does_not_show_it() {
    let shown_by_control = "control_shows_effect";
    expect(&[SEEN; 2], ACCEPTED, Verdict::Honored, "effect_seen");
    expect(&[effect(YES, YES, NO)], ACCEPTED, Verdict::Inconclusive, shown_by_control);
    expect(&[effect(YES, NO, YES)], ACCEPTED, Verdict::Inconclusive, shown_by_control);
    let trials = [effect(NO, YES, YES), RECOGNIZED];
    expect(&trials, ACCEPTED, Verdict::Inconclusive, shown_by_control);
}

/// Something may keep a program from an effect that system calls show.
#[test]
fn a_limited_effect_is_accepted() {
    let limited = |trials: &[Trial]| Evidence {
        limit: Some("why"),
        remark: Some("other"),
        ..evidence(trials)
    };
    let trials = limited(&[SEEN; 2]);
    expect_of(&EXPERIMENT, &trials, ACCEPTED, Verdict::Accepted, "sign_seen");
    assert_eq!(judge(&EXPERIMENT, &trials, ACCEPTED).reason.remark, Some("why"));
    // Without the effect there is nothing to limit.
    expect_of(&EXPERIMENT, &limited(&[ABSENT; 2]), ACCEPTED, Verdict::Ignored, "effect_absent");
    let once = limited(&[SEEN]);
    expect_of(&EXPERIMENT, &once, ACCEPTED, Verdict::Inconclusive, "contradictory");
}

/// A touch that is answered by a signal is an answer.
#[test]
fn a_signal_without_the_flag_is_the_absence_of_an_effect() {
    let killed = Outcome::Killed(11);
    let grown = trial(TrialKind::Effect(Outcome::Ok), Outcome::Ok, killed, killed);
    expect(&[grown; 2], ACCEPTED, Verdict::Honored, "effect_seen");
    let not_grown = trial(TrialKind::Effect(Outcome::Ok), killed, killed, killed);
    expect(&[not_grown; 2], ACCEPTED, Verdict::Ignored, "effect_absent");
    expect(&[grown, not_grown], ACCEPTED, Verdict::Inconclusive, "contradictory");
}

#[test]
fn effects_must_agree() {
    let undecided = effect(ENOMEM, NO, NO);
    let not_run = effect(Outcome::NotRun, Outcome::NotRun, Outcome::NotRun);
    expect(&[SEEN, SEEN], &[], Verdict::Honored, "effect_seen");
    expect(&[SEEN, not_run], &[], Verdict::Inconclusive, "not_run");
    expect(&[ABSENT, not_run], &[], Verdict::Inconclusive, "not_run");
    expect(&[SEEN, ABSENT], &[], Verdict::Inconclusive, "contradictory");
    expect(&[SEEN, undecided], &[], Verdict::Inconclusive, "undecided");
}

#[test]
fn a_flag_without_effect_is_ignored_unless_a_validator_rejects_it() {
    expect(&[ABSENT, ABSENT], ACCEPTED, Verdict::Ignored, "effect_absent");
    expect(&[ABSENT, ABSENT, RECOGNIZED], ACCEPTED, Verdict::Ignored, "effect_absent");
    let trials = [ABSENT, ABSENT, UNKNOWN, UNKNOWN];
    expect(&trials, ACCEPTED, Verdict::Unknown, "refused_as_unknown");
}

#[test]
fn an_effect_is_absent_only_if_the_call_without_the_flag_succeeds() {
    let both_fail = effect(ENOMEM, ENOMEM, NO);
    expect(&[both_fail], &[], Verdict::Inconclusive, "undecided");
    let trials = [both_fail, both_fail, RECOGNIZED, RECOGNIZED];
    let accepted = [context(Outcome::MappedThere)];
    expect(&trials, &accepted, Verdict::Inconclusive, "undecided");
    // EFAULT is the result of a touch; any other error means that the touch was not measured.
    for (errno, verdict, code) in [
        (Errno::EFAULT, Verdict::Ignored, "effect_absent"),
        (Errno::ENOSYS, Verdict::Inconclusive, "undecided"),
    ] {
        let failed = Outcome::Failed(errno);
        expect(&[effect(failed, failed, failed); 2], &[], verdict, code);
    }
}

#[test]
fn a_failed_mapping_is_not_the_promised_failure_of_a_later_call() {
    let promises_failure = |with| trial(TrialKind::Effect(CALL_FAILED), with, NO, NO);
    expect(&[promises_failure(CALL_FAILED); 2], &[], Verdict::Honored, "effect_seen");
    expect(&[promises_failure(EINVAL); 2], &[], Verdict::Inconclusive, "undecided");
}

#[test]
fn a_sign_proves_recognition_where_the_effect_is_not_seen() {
    let sign = |with, without| trial(TrialKind::Sign(EINVAL), with, without, without);
    let seen = sign(EINVAL, ELSEWHERE);
    let shown_by_control = sign(EINVAL, EINVAL);
    let shown_by_all = effect(YES, YES, YES);

    let accepted = if_only_recognized(IfOnlyRecognized::Accepted);
    let expect = |trials: &[Trial], verdict, code| {
        expect_of(&accepted, &evidence(trials), &[], verdict, code);
    };
    expect(&[shown_by_all, shown_by_all, seen], Verdict::Accepted, "sign_seen");
    expect(&[ABSENT, ABSENT, seen], Verdict::Inconclusive, "contradictory");

    let unavailable = if_only_recognized(IfOnlyRecognized::Unavailable);
    let expect = |trials: &[Trial], verdict, code| {
        expect_of(&unavailable, &evidence(trials), &[], verdict, code);
    };
    expect(&[ABSENT, ABSENT, seen], Verdict::Unavailable, "sign_seen");
    expect(&[seen], Verdict::Unavailable, "sign_seen");
    expect(&[SEEN, SEEN, seen], Verdict::Honored, "effect_seen");
    // If the control shows the sign too, it proves nothing.
    expect(&[ABSENT, ABSENT, shown_by_control], Verdict::Ignored, "effect_absent");
    expect(&[shown_by_control], Verdict::Inconclusive, "no_evidence");
}

#[test]
fn an_error_that_proves_recognition_means_unavailable() {
    let fails = |errno| evidence(&[effect(Outcome::MmapFailed(errno), NO, NO)]);
    let experiment = proven_by(&[Errno::EPERM, Errno::EAGAIN]);
    let unavailable = Verdict::Unavailable;
    expect_of(&experiment, &fails(Errno::EPERM), &[], unavailable, "not_permitted");
    expect_of(&experiment, &fails(Errno::EAGAIN), &[], unavailable, "over_limit");
    // Memory may just be short.
    expect_of(&experiment, &fails(Errno::ENOMEM), &[], Verdict::Inconclusive, "undecided");
    // If the call without the flag fails too, the error proves nothing.
    let eperm = Outcome::MmapFailed(Errno::EPERM);
    let both_fail = evidence(&[effect(eperm, eperm, NO)]);
    let experiment = proven_by(&[Errno::EPERM]);
    expect_of(&experiment, &both_fail, &[], Verdict::Inconclusive, "undecided");
    // Nor if the control gets the same error, or was not run.
    for control in [eperm, Outcome::NotRun] {
        let as_control = evidence(&[effect(eperm, NO, control)]);
        expect_of(&experiment, &as_control, &[], Verdict::Inconclusive, "undecided");
    }
}

/// The same result with the flag and with the control proves nothing alone; an experiment that
/// knows more says why it means that the flag is ignored.
#[test]
fn a_flag_is_ignored_that_gets_the_result_of_the_control_for_a_known_reason() {
    let ignored =
        |why, with, without, control| trial(TrialKind::Ignored(why), with, without, control);
    let without_validation =
        |with, control| ignored(WhyIgnored::NoSharedValidate, with, Outcome::NotRun, control);
    let taken = without_validation(ELSEWHERE, ELSEWHERE);
    expect(&[taken; 2], ACCEPTED, Verdict::Ignored, "effect_absent");
    expect(&[taken], ACCEPTED, Verdict::Inconclusive, "no_evidence");
    let rejected = without_validation(EINVAL, ELSEWHERE);
    expect(&[taken, rejected], ACCEPTED, Verdict::Inconclusive, "no_evidence");
    // The sign comes first: the kernel recognizes the flag.
    let sign = trial(TrialKind::Sign(YES), YES, NO, NO);
    let unavailable = if_only_recognized(IfOnlyRecognized::Unavailable);
    let recognized = evidence(&[sign, taken, taken]);
    expect_of(&unavailable, &recognized, ACCEPTED, Verdict::Unavailable, "sign_seen");

    // A size that no machine has gives huge pages as well: without the reason nothing is decided.
    let both_huge = effect(YES, NO, YES);
    let shown_by_control = "control_shows_effect";
    expect(&[both_huge; 2], ACCEPTED, Verdict::Inconclusive, shown_by_control);
    let unread = ignored(WhyIgnored::SizeUnread, YES, YES, YES);
    expect(&[both_huge, both_huge, unread, unread], ACCEPTED, Verdict::Ignored, "effect_absent");
}

/// A test that could not be run might have shown that a recognized flag has no effect.
#[test]
fn recognition_alone_is_not_enough_where_the_test_was_not_run() {
    let not_run = effect(Outcome::NotRun, Outcome::NotRun, Outcome::NotRun);
    expect(&[RECOGNIZED], ACCEPTED, Verdict::Accepted, "validated");
    let trials = [not_run, not_run, RECOGNIZED, RECOGNIZED];
    expect(&trials, ACCEPTED, Verdict::Inconclusive, "not_run");
}

#[test]
fn a_map_type_without_room_is_unavailable_and_one_that_fails_like_no_type_is_unknown() {
    let experiment = proven_by(&[Errno::ENOTSUPP, Errno::EOPNOTSUPP]);
    for (answer, verdict, code) in [
        (Outcome::MmapFailed(Errno::ENOTSUPP), Verdict::Unavailable, "no_room"),
        (Outcome::MmapFailed(Errno::EOPNOTSUPP), Verdict::Unavailable, "no_room"),
        (EINVAL, Verdict::Unknown, "refused_as_unknown"),
        (ENOMEM, Verdict::Inconclusive, "no_evidence"),
    ] {
        let evidence = evidence(&[validator(answer, ELSEWHERE, EINVAL); 2]);
        expect_of(&experiment, &evidence, &[context(answer)], verdict, code);
    }
}

#[test]
fn recognition_counts_only_from_a_kernel_that_validates() {
    expect(&[RECOGNIZED], ACCEPTED, Verdict::Accepted, "validated");
    expect(&[RECOGNIZED], &[context(REJECTED)], Verdict::Inconclusive, "no_evidence");
    // A kernel that accepts everything, or rejects everything alike, does not validate.
    let accepts_all = validator(ELSEWHERE, ELSEWHERE, Outcome::MappedThere);
    let rejects_all = validator(EINVAL, EINVAL, EINVAL);
    expect(&[accepts_all], ACCEPTED, Verdict::Inconclusive, "no_evidence");
    expect(&[rejects_all], ACCEPTED, Verdict::Inconclusive, "no_evidence");
    expect(&[RECOGNIZED, UNKNOWN], ACCEPTED, Verdict::Inconclusive, "contradictory");
}

/// The kernel rejects the unassigned bit for a size that it offers, and the size otherwise.
const fn offer(with: Outcome, control: Outcome) -> Trial {
    trial(TrialKind::Offer, with, REJECTED, control)
}

#[test]
fn a_size_is_offered_or_not() {
    expect(&[offer(REJECTED, EINVAL); 2], &[], Verdict::Accepted, "offered");
    expect(&[offer(EINVAL, EINVAL); 2], &[], Verdict::Unavailable, "not_offered");
    expect(&[offer(ENOMEM, EINVAL); 2], &[], Verdict::Inconclusive, "no_evidence");
    // The kernel answers the unassigned size like any other: it does not read the field.
    expect(&[offer(REJECTED, REJECTED); 2], &[], Verdict::Inconclusive, "no_evidence");
}

#[test]
fn a_no_needs_two_trials_that_agree() {
    let open = validator(EINVAL, ELSEWHERE, REJECTED);
    expect(&[UNKNOWN], &[], Verdict::Inconclusive, "no_evidence");
    expect(&[UNKNOWN, open], &[], Verdict::Inconclusive, "no_evidence");
    expect(&[UNKNOWN, UNKNOWN], &[], Verdict::Unknown, "refused_as_unknown");
    let offers = [offer(REJECTED, EINVAL), offer(EINVAL, EINVAL)];
    expect(&offers, &[], Verdict::Inconclusive, "no_evidence");
}

#[test]
fn a_failed_control_comes_before_everything_else() {
    let mut evidence = evidence(&[SEEN, RECOGNIZED]);
    evidence.failed_control = Some("no pipe");
    let accepted = [context(Outcome::MappedThere)];
    expect_of(&EXPERIMENT, &evidence, &accepted, Verdict::Inconclusive, "control_failed");
}
