//! The judge, by a table: evidence on the left, the word on the right.

use mapprobe::errno::Errno;
use mapprobe::evidence::{
    Backing, Call, Evidence, Known, Outcome, Refusals, Role, Step, Test, Trial,
};
use mapprobe::text::Text;
use mapprobe::verdict::{Verdict, judge};

const YES: Outcome = Outcome::number(32);
const NO: Outcome = Outcome::number(0);
const REFUSED: Outcome = Outcome::failed(Errno::EOPNOTSUPP);

const fn test(role: Role, promised: Outcome) -> Test {
    Test {
        question: Text::RESIDENT_UNTOUCHED,
        role,
        promised,
        base: 0,
        backing: Backing::ANONYMOUS,
        look: |_, _, _| Outcome::NOT_RUN,
    }
}

static EFFECT: Test = test(Role::Effect, YES);
static REFUSAL: Test = test(Role::Effect, Outcome::refused(Errno::EINVAL));
static SIGN: Test = test(Role::Sign, Outcome::failed(Errno::EINVAL));
static VALIDATOR: Test = test(Role::Validator, Outcome::NOT_RUN);
static OFFER: Test = test(Role::Offer, Outcome::NOT_RUN);

fn trial(flagged: Outcome, plain: Outcome, unknown: Outcome) -> Trial {
    Trial { test: &EFFECT, flagged, plain, unknown }
}

fn recognition(plain: Outcome, flagged: Outcome, unknown: Outcome) -> Trial {
    Trial { test: &VALIDATOR, flagged, plain, unknown }
}

fn known() -> Trial {
    recognition(Outcome::ELSEWHERE, Outcome::THERE, REFUSED)
}

fn not_known() -> Trial {
    recognition(Outcome::ELSEWHERE, REFUSED, REFUSED)
}

fn context(outcome: Outcome) -> Step {
    Step::new(Call::Context { flags: 2, backing: Backing::ANONYMOUS }, outcome)
}

fn with(trials: &[Trial], recognitions: &[Trial]) -> Evidence {
    Evidence { trials: [trials, recognitions].concat(), ..Evidence::default() }
}

#[track_caller]
fn expect(evidence: &Evidence, steps: &[Step], verdict: Verdict, code: &str) {
    let (got, reason) = judge(evidence, steps);
    assert_eq!((got, reason.cause.code().plain()), (verdict, code), "{evidence:?}");
}

#[test]
fn an_effect_counts_only_when_the_control_does_not_show_it() {
    let taken = [context(Outcome::ELSEWHERE)];
    expect(&with(&[trial(YES, NO, NO); 2], &[]), &taken, Verdict::Honored, "effect_seen");
    expect(
        &with(&[trial(YES, YES, NO)], &[]),
        &taken,
        Verdict::Inconclusive,
        "control_shows_effect",
    );
    expect(
        &with(&[trial(YES, NO, YES)], &[]),
        &taken,
        Verdict::Inconclusive,
        "control_shows_effect",
    );
    expect(
        &with(&[trial(NO, YES, YES)], &[known()]),
        &taken,
        Verdict::Inconclusive,
        "control_shows_effect",
    );
}

#[test]
fn effects_must_agree() {
    let (seen, absent) = (trial(YES, NO, NO), trial(NO, NO, NO));
    let open = trial(Outcome::failed(Errno::ENOMEM), NO, NO);
    expect(&with(&[seen, seen], &[]), &[], Verdict::Honored, "effect_seen");
    let not_run = trial(Outcome::NOT_RUN, Outcome::NOT_RUN, Outcome::NOT_RUN);
    expect(&with(&[seen, not_run], &[]), &[], Verdict::Inconclusive, "not_run");
    expect(&with(&[absent, not_run], &[]), &[], Verdict::Inconclusive, "not_run");
    expect(&with(&[seen, absent], &[]), &[], Verdict::Inconclusive, "contradictory");
    expect(&with(&[seen, open], &[]), &[], Verdict::Inconclusive, "undecided");
}

#[test]
fn what_was_taken_without_effect_is_ignored_unless_the_validator_refuses_it() {
    let taken = [context(Outcome::ELSEWHERE)];
    let absent = trial(NO, NO, NO);
    expect(&with(&[absent, absent], &[]), &taken, Verdict::Ignored, "effect_absent");
    expect(&with(&[absent, absent], &[known()]), &taken, Verdict::Ignored, "effect_absent");
    expect(
        &with(&[absent, absent], &[not_known(), not_known()]),
        &taken,
        Verdict::Unknown,
        "refused_as_unknown",
    );
}

#[test]
fn an_effect_is_absent_only_where_the_plain_call_succeeds() {
    let both_fail = trial(Outcome::failed(Errno::ENOMEM), Outcome::failed(Errno::ENOMEM), NO);
    expect(&with(&[both_fail], &[]), &[], Verdict::Inconclusive, "undecided");
    expect(
        &with(&[both_fail; 2], &[known(); 2]),
        &[context(Outcome::THERE)],
        Verdict::Inconclusive,
        "undecided",
    );
    // A touch that is refused was measured; any other refusal of a call about the mapping was not.
    for (errno, verdict, code) in [
        (Errno::EFAULT, Verdict::Ignored, "effect_absent"),
        (Errno::ENOSYS, Verdict::Inconclusive, "undecided"),
    ] {
        let refused = Outcome::refused(errno);
        expect(&with(&[trial(refused, refused, refused); 2], &[]), &[], verdict, code);
    }
}

#[test]
fn a_failed_mapping_is_not_a_refusal_that_was_promised() {
    let promised = REFUSAL.promised;
    let of = |flagged| Trial { test: &REFUSAL, flagged, plain: NO, unknown: NO };
    expect(&with(&[of(promised); 2], &[]), &[], Verdict::Honored, "effect_seen");
    expect(
        &with(&[of(Outcome::failed(Errno::EINVAL)); 2], &[]),
        &[],
        Verdict::Inconclusive,
        "undecided",
    );
}

#[test]
fn a_sign_shows_knowledge_where_the_effect_is_not_seen() {
    let einval = Outcome::failed(Errno::EINVAL);
    let sign = |flagged, plain| Trial { test: &SIGN, flagged, plain, unknown: plain };
    let seen = sign(einval, Outcome::ELSEWHERE);
    let evidence = |sign, known, trials: &[Trial]| Evidence { known, ..with(trials, &[sign]) };
    let absent = [trial(NO, NO, NO); 2];
    let shown = [trial(YES, YES, YES); 2];
    expect(&evidence(seen, Known::Unavailable, &absent), &[], Verdict::Unavailable, "sign_seen");
    expect(&evidence(seen, Known::Unavailable, &[]), &[], Verdict::Unavailable, "sign_seen");
    expect(&evidence(seen, Known::Accepted, &shown), &[], Verdict::Accepted, "sign_seen");
    expect(&evidence(seen, Known::Accepted, &absent), &[], Verdict::Inconclusive, "contradictory");
    expect(
        &evidence(seen, Known::Unavailable, &[trial(YES, NO, NO); 2]),
        &[],
        Verdict::Honored,
        "effect_seen",
    );
    // Where the control shows it too, it is no sign.
    expect(
        &evidence(sign(einval, einval), Known::Unavailable, &absent),
        &[],
        Verdict::Ignored,
        "effect_absent",
    );
    expect(
        &evidence(sign(einval, einval), Known::Unavailable, &[]),
        &[],
        Verdict::Inconclusive,
        "no_evidence",
    );
}

#[test]
fn an_error_that_only_knowledge_explains_is_unavailable() {
    let refused = |errno| trial(Outcome::failed(errno), NO, NO);
    let evidence = |errno| Evidence {
        knowing: Refusals::of(&[Errno::EPERM, Errno::EAGAIN]),
        ..with(&[refused(errno)], &[])
    };
    expect(&evidence(Errno::EPERM), &[], Verdict::Unavailable, "not_permitted");
    expect(&evidence(Errno::EAGAIN), &[], Verdict::Unavailable, "over_limit");
    // Memory may just be short: never a no.
    expect(&evidence(Errno::ENOMEM), &[], Verdict::Inconclusive, "undecided");
    // Without a plain call that succeeds, the same error says nothing.
    let plain_fails = trial(Outcome::failed(Errno::EPERM), Outcome::failed(Errno::EPERM), NO);
    let evidence = Evidence { knowing: Refusals::of(&[Errno::EPERM]), ..with(&[plain_fails], &[]) };
    expect(&evidence, &[], Verdict::Inconclusive, "undecided");
}

#[test]
fn a_type_without_room_is_unavailable_and_one_like_no_type_unknown() {
    let einval = Outcome::failed(Errno::EINVAL);
    for (answer, verdict, code) in [
        (Outcome::failed(Errno::ENOTSUPP), Verdict::Unavailable, "no_room"),
        (Outcome::failed(Errno::EOPNOTSUPP), Verdict::Unavailable, "no_room"),
        (einval, Verdict::Unknown, "refused_as_unknown"),
        (Outcome::failed(Errno::ENOMEM), Verdict::Inconclusive, "no_evidence"),
    ] {
        let evidence = Evidence {
            knowing: Refusals::of(&[Errno::ENOTSUPP, Errno::EOPNOTSUPP]),
            ..with(&[], &[recognition(Outcome::ELSEWHERE, answer, einval); 2])
        };
        expect(&evidence, &[context(answer)], verdict, code);
    }
}

#[test]
fn knowledge_counts_only_from_who_validates() {
    let taken = [context(Outcome::ELSEWHERE)];
    expect(&with(&[], &[known()]), &taken, Verdict::Accepted, "validated");
    expect(&with(&[], &[known()]), &[context(REFUSED)], Verdict::Inconclusive, "no_evidence");
    // Who takes everything, or refuses everything alike, does not validate.
    let takes_all = recognition(Outcome::ELSEWHERE, Outcome::ELSEWHERE, Outcome::THERE);
    let einval = Outcome::failed(Errno::EINVAL);
    let refuses_all = recognition(einval, einval, einval);
    expect(&with(&[], &[takes_all]), &taken, Verdict::Inconclusive, "no_evidence");
    expect(&with(&[], &[refuses_all]), &taken, Verdict::Inconclusive, "no_evidence");
    expect(&with(&[], &[known(), not_known()]), &taken, Verdict::Inconclusive, "contradictory");
}

#[test]
fn a_size_is_offered_or_not() {
    let einval = Outcome::failed(Errno::EINVAL);
    let offer = |flagged, unknown| {
        with(&[Trial { test: &OFFER, flagged, plain: REFUSED, unknown }; 2], &[])
    };
    expect(&offer(REFUSED, einval), &[], Verdict::Accepted, "offered");
    expect(&offer(einval, einval), &[], Verdict::Unavailable, "not_offered");
    expect(
        &offer(Outcome::failed(Errno::ENOMEM), einval),
        &[],
        Verdict::Inconclusive,
        "no_evidence",
    );
    // A size nobody has that is answered like any other: the field is not looked at.
    expect(&offer(REFUSED, REFUSED), &[], Verdict::Inconclusive, "no_evidence");
}

#[test]
fn a_no_needs_two_that_agree() {
    let open = recognition(Outcome::ELSEWHERE, Outcome::failed(Errno::EINVAL), REFUSED);
    expect(&with(&[], &[not_known()]), &[], Verdict::Inconclusive, "no_evidence");
    expect(&with(&[], &[not_known(), open]), &[], Verdict::Inconclusive, "no_evidence");
    expect(&with(&[], &[not_known(), not_known()]), &[], Verdict::Unknown, "refused_as_unknown");
    let einval = Outcome::failed(Errno::EINVAL);
    let offer = |flagged| Trial { test: &OFFER, flagged, plain: REFUSED, unknown: einval };
    expect(&with(&[offer(REFUSED), offer(einval)], &[]), &[], Verdict::Inconclusive, "no_evidence");
}

#[test]
fn a_failed_control_comes_before_everything_else() {
    let evidence =
        Evidence { failed_control: Some(Text::NO_PIPE), ..with(&[trial(YES, NO, NO)], &[known()]) };
    expect(&evidence, &[context(Outcome::THERE)], Verdict::Inconclusive, "control_failed");
}
