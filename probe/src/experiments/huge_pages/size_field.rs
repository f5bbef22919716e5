//! Does the kernel read the size field of `MAP_HUGETLB`? Before 3.8 `do_mmap_pgoff` in `mm/mmap.c`
//! did not, and QEMU's user mode passes `MAP_HUGETLB` on without it. There every size gives the
//! default size, at addresses aligned to the default size, and fails elsewhere. So a size that
//! fails as the size fails that no machine has proves something only where the default size is
//! given.

use super::{HUGETLB, IS_HUGE, compare_geometry, default_size, geometry};
use crate::experiment::{Answers, Evidence, Variants, WhyIgnored};
use crate::fixture::{Fixture, Hugetlb};
use crate::flags::{MAP_NORESERVE, MAP_PRIVATE, MapFlags, UNASSIGNED_SIZE};
use crate::outcome::Outcome;
use crate::request::RecordingVersion;
use kernel::Errno;

const QUESTION: &str = "huge pages where MAP_HUGETLB alone gives them";
/// What `MAP_HUGETLB` gets on a kernel without huge pages.
const REJECTED: Answers = Answers {
    without: Outcome::Value(0),
    control: Outcome::Value(0),
    with: Outcome::MmapFailed(Errno::EINVAL),
};

/// Remembers what the effect trials of `MAP_HUGETLB` show.
pub fn remember(fixture: &mut Fixture, log2: u32, evidence: &Evidence) {
    let is_given = |answers: Answers| {
        answers.with == IS_HUGE && answers.without != IS_HUGE && answers.control != IS_HUGE
    };
    if evidence.effects().all(|trial| trial.answers == REJECTED) {
        fixture.conditions.hugetlb = Hugetlb::Rejected;
    } else if evidence.effects().all(|trial| is_given(trial.answers)) {
        fixture.conditions.hugetlb = Hugetlb::DefaultSize(log2);
    }
}

/// Compares a size with `MAP_HUGETLB` alone, if the size and its control got the same result.
pub fn compare(fixture: &mut Fixture, size: MapFlags, evidence: &mut Evidence) {
    if evidence.effects().any(|trial| !trial.answers.with.agrees_with(trial.answers.control)) {
        return;
    }
    match hugetlb(fixture) {
        Hugetlb::Unknown => {}
        Hugetlb::Rejected => {
            let question = "MAP_HUGETLB without a size";
            fixture.log(question, REJECTED.with);
            evidence.effect(question, IS_HUGE, REJECTED);
        }
        Hugetlb::DefaultSize(default) => compare_with_default(fixture, size, default, evidence),
    }
}

/// What `MAP_HUGETLB` alone gives. A recording of version 1 tells only if it holds the row of
/// `MAP_HUGETLB`.
fn hugetlb(fixture: &mut Fixture) -> Hugetlb {
    let is_known = fixture.conditions.hugetlb != Hugetlb::Unknown;
    if !is_known && fixture.recording_version >= RecordingVersion::Two {
        let log2 = default_size(fixture, HUGETLB);
        let mut evidence = Evidence::default();
        compare_geometry(fixture, Variants::of(HUGETLB), log2, &mut evidence);
        remember(fixture, log2, &evidence);
    }
    fixture.conditions.hugetlb
}

/// Adds a trial at an address where both the default size and this size can be mapped.
fn compare_with_default(
    fixture: &mut Fixture,
    size: MapFlags,
    default: u32,
    evidence: &mut Evidence,
) {
    let effects: Vec<Answers> = evidence.effects().map(|trial| trial.answers).collect();
    for mut answers in effects {
        if size.huge_size_log2() >= default {
            // The address of the effect trial is aligned to both sizes.
            answers.without = IS_HUGE;
        } else if fixture.recording_version >= RecordingVersion::Two {
            answers = compare_at(fixture, size, default);
        } else {
            return;
        }
        if answers.control == IS_HUGE && answers.with == IS_HUGE {
            evidence.ignored(WhyIgnored::SizeUnread, QUESTION, answers);
        } else if answers.with != Outcome::NotRun {
            evidence.offer(QUESTION, answers);
        }
    }
}

/// The outcomes of `MAP_HUGETLB` alone, with a size that no machine has, and with a size.
fn compare_at(fixture: &mut Fixture, size: MapFlags, log2: u32) -> Answers {
    let control = Some(HUGETLB | MapFlags::huge_size(UNASSIGNED_SIZE));
    let variants = Variants { without: HUGETLB, control, with: HUGETLB | size };
    fixture.compare_variants(variants, &mut |fixture, flags| {
        geometry(fixture, MAP_PRIVATE | MAP_NORESERVE | flags, log2)
    })
}
