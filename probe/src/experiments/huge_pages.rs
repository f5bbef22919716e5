//! Huge pages: `MAP_HUGETLB` and the huge page sizes. One page is reserved for a moment, and
//! touched if it is not larger than 2 MiB.
//!
//! The experiments measure three things:
//!
//! - Is a size offered? `MAP_SHARED_VALIDATE | MAP_HUGETLB` of anonymous memory with an unassigned
//!   bit can only fail, and the error tells sizes apart (`ksys_mmap_pgoff` and `do_mmap` in
//!   `mm/mmap.c`): `EINVAL` for a size that the machine lacks, before the flags are validated;
//!   `EOPNOTSUPP` for the unassigned bit otherwise.
//! - Does a mapping consist of huge pages? With `MAP_NORESERVE` it succeeds with an empty pool, and
//!   `munmap(2)` of one base page of it fails with `EINVAL`. It is always placed with `MAP_FIXED`
//!   at an aligned address of a range reserved for it: a huge mapping at an address that the kernel
//!   chose crashed a parisc64 kernel (6.1, `__unmap_hugepage_range` in `mm/hugetlb.c`).
//! - Can this process have a page now ([`availability`])? Only where such mappings are seen.

use super::huge_availability::availability;
use super::huge_mapping::{IS_HUGE, USUAL_SIZE, geometry};
use crate::availability::Availability;
use crate::experiment::{
    Answers, Evidence, Experiment, IfOnlyRecognized, Trial, TrialKind, Variants, WhyIgnored,
};
use crate::fixture::{Fixture, Hugetlb, Validator};
use crate::flags::{
    Flag, MAP_HUGETLB as HUGETLB, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED_VALIDATE, MapFlags,
    UNASSIGNED_SIZE,
};
use crate::outcome::{Backing, Outcome};
use crate::request::RecordingVersion;
use kernel::{Errno, PROT_READ};

pub static MAP_HUGETLB: Experiment = Experiment {
    promise: "Memory in huge pages.",
    proof: "munmap of one base page fails with EINVAL. Whether a page can be had now is a separate \
            answer: one is reserved, and touched up to 2 MiB.",
    pitfalls: "With an empty pool (vm.nr_hugepages) ENOMEM, or with MAP_NORESERVE SIGBUS. A \
               hugetlb cgroup may limit reservations (ENOMEM) or touches (SIGBUS). EINVAL for most \
               files.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[Errno::EINVAL],
    run: has_huge_pages,
};

pub static HUGE_SIZE: Experiment = Experiment {
    promise: "With MAP_HUGETLB: huge pages of that size.",
    proof: "munmap of one base page fails with EINVAL. With 2^13 bytes, a size that no machine \
            has, the mapping fails.",
    pitfalls: "It is dropped without MAP_HUGETLB. Each size has its own pool, in \
               /sys/kernel/mm/hugepages, and its own limits in a hugetlb cgroup.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[Errno::EINVAL],
    run: |fixture, size, evidence| {
        let flags = HUGETLB | size;
        if is_offered(fixture, flags, evidence) {
            // The control is a size, because a system call emulator may accept any size.
            let control = Some(HUGETLB | MapFlags::huge_size(UNASSIGNED_SIZE));
            let variants = Variants { without: MapFlags::NONE, control, with: flags };
            let log2 = size.huge_size_log2();
            if compare_geometry(fixture, variants, log2, evidence) {
                evidence.availability = availability(fixture, flags, log2);
            }
            compare_size(fixture, size, evidence);
        }
    },
};

fn has_huge_pages(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    let bits = flag.encode(fixture.arch());
    for context in fixture.contexts() {
        // Anonymous memory is probed at an aligned address, below.
        if context.backing != Backing::Anonymous {
            fixture.probe_context(context, bits);
        }
    }
    if !is_offered(fixture, flag, evidence) {
        return;
    }
    let mut log2 = default_size(fixture, flag);
    if fixture.recording_version >= RecordingVersion::Two {
        // One wrong result gives a larger size, of which no page would be touched.
        log2 = log2.min(default_size(fixture, flag));
    }
    fixture.log("power of two of its size", Outcome::Value(log2 as u8));
    if fixture.recording_version < RecordingVersion::Two
        && log2 <= USUAL_SIZE
        && geometry(fixture, MAP_PRIVATE | flag, log2) == Outcome::MmapFailed(Errno::ENOMEM)
    {
        evidence.availability = Some(Availability::Refused(Errno::ENOMEM, None));
    }
    if compare_geometry(fixture, Variants::of(flag), log2, evidence) {
        evidence.availability = availability(fixture, flag, log2).or(evidence.availability);
    }
    remember(fixture, log2, evidence);
}

/// Compares twice whether mappings consist of huge pages of a size, and returns whether those with
/// the flag do. The mappings are private: on parisc a shared one must have the cache colour of its
/// file, and this file is hidden.
fn compare_geometry(
    fixture: &mut Fixture,
    variants: Variants,
    log2: u32,
    evidence: &mut Evidence,
) -> bool {
    let mut is_seen = true;
    for _ in 0..2 {
        let answers = fixture.compare_variants(variants, &mut |fixture, flags| {
            geometry(fixture, MAP_PRIVATE | MAP_NORESERVE | flags, log2)
        });
        is_seen &= answers.with == IS_HUGE;
        evidence.effect("whether one base page of it cannot be unmapped", IS_HUGE, answers);
    }
    is_seen
}

/// The base-2 logarithm of the default size: the smallest alignment at which a mapping of huge
/// pages succeeds.
fn default_size(fixture: &mut Fixture, flag: MapFlags) -> u32 {
    let flags = MAP_PRIVATE | MAP_NORESERVE | flag;
    let mut sizes = Flag::ALL.iter().filter_map(|flag| flag.huge_size_log2());
    sizes.find(|&log2| geometry(fixture, flags, log2) == IS_HUGE).unwrap_or(USUAL_SIZE)
}

/// Whether the machine may offer a size. The size is combined with two unassigned bits, one after
/// the other, and so is a size that no machine has. A kernel that validates nothing is not probed,
/// since the call could map something. A 64-bit parisc kernel (6.12) returns `ENOMEM`, which does
/// not rule the size out.
fn is_offered(fixture: &mut Fixture, flags: MapFlags, evidence: &mut Evidence) -> bool {
    let rejected_bit = Outcome::MmapFailed(Errno::EOPNOTSUPP);
    let rejected_size = Outcome::MmapFailed(Errno::EINVAL);
    if fixture.validators().iter().find_map(Validator::rejection) != Some(rejected_bit) {
        return true;
    }
    let mut offered = false;
    for &bit in &MapFlags::OTHER_UNASSIGNED {
        let mut try_size = |flags: MapFlags| {
            let flags = MAP_SHARED_VALIDATE | bit | flags;
            fixture.try_map(flags, PROT_READ, Backing::Anonymous)
        };
        let with = try_size(flags);
        let control = try_size(HUGETLB | MapFlags::huge_size(UNASSIGNED_SIZE));
        // A system call filter answers both sizes alike, which proves nothing.
        if control != rejected_size {
            return true;
        }
        offered |= with != control;
        let question = "anonymous huge memory with an unassigned bit";
        evidence.offer(question, Answers { without: rejected_bit, control, with });
    }
    offered
}

const WHERE_DEFAULT_IS_GIVEN: &str = "huge pages where MAP_HUGETLB alone gives them";
/// What `MAP_HUGETLB` gets on a kernel without huge pages.
const HUGETLB_REJECTED: Answers = Answers {
    without: Outcome::Value(0),
    control: Outcome::Value(0),
    with: Outcome::MmapFailed(Errno::EINVAL),
};

/// Remembers what the effect trials of `MAP_HUGETLB` show.
fn remember(fixture: &mut Fixture, log2: u32, evidence: &Evidence) {
    let is_given = |answers: Answers| {
        answers.with == IS_HUGE && answers.without != IS_HUGE && answers.control != IS_HUGE
    };
    if evidence.effects().all(|trial| trial.answers == HUGETLB_REJECTED) {
        fixture.conditions.hugetlb = Hugetlb::Rejected;
    } else if evidence.effects().all(|trial| is_given(trial.answers)) {
        fixture.conditions.hugetlb = Hugetlb::DefaultSize(log2);
    }
}

/// Compares a size with `MAP_HUGETLB` alone, if the size and its control got the same result.
///
/// Before 3.8 `do_mmap_pgoff` in `mm/mmap.c` did not read the size, and QEMU's user mode drops it.
/// There every size gives the default size at an address that is aligned to the default size, and
/// fails elsewhere. So an error of a size, and of its control, proves something only at an address
/// where the default size can be mapped.
fn compare_size(fixture: &mut Fixture, size: MapFlags, evidence: &mut Evidence) {
    if evidence.effects().any(|trial| !trial.answers.with.agrees_with(trial.answers.control)) {
        return;
    }
    match hugetlb(fixture) {
        Hugetlb::Unknown => {}
        Hugetlb::Rejected => {
            let question = "MAP_HUGETLB without a size";
            fixture.log(question, HUGETLB_REJECTED.with);
            evidence.effect(question, IS_HUGE, HUGETLB_REJECTED);
        }
        Hugetlb::DefaultSize(default) => {
            compare_size_with_default(fixture, size, default, evidence)
        }
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
fn compare_size_with_default(
    fixture: &mut Fixture,
    size: MapFlags,
    default: u32,
    evidence: &mut Evidence,
) {
    for Trial { kind, mut answers, .. } in evidence.trials.clone() {
        if !matches!(kind, TrialKind::Effect(_)) {
            continue;
        }
        if size.huge_size_log2() >= default {
            // The address of the effect trial is aligned to both sizes.
            answers.without = IS_HUGE;
        } else if fixture.recording_version >= RecordingVersion::Two {
            answers = compare_size_at(fixture, size, default);
        } else {
            return;
        }
        if answers.control == IS_HUGE && answers.with == IS_HUGE {
            evidence.ignored(WhyIgnored::SizeUnread, WHERE_DEFAULT_IS_GIVEN, answers);
        } else if answers.with != Outcome::NotRun {
            evidence.offer(WHERE_DEFAULT_IS_GIVEN, answers);
        }
    }
}

/// The outcomes of `MAP_HUGETLB` alone, with a size that no machine has, and with a size.
fn compare_size_at(fixture: &mut Fixture, size: MapFlags, log2: u32) -> Answers {
    let control = Some(HUGETLB | MapFlags::huge_size(UNASSIGNED_SIZE));
    let variants = Variants { without: HUGETLB, control, with: HUGETLB | size };
    fixture.compare_variants(variants, &mut |fixture, flags| {
        geometry(fixture, MAP_PRIVATE | MAP_NORESERVE | flags, log2)
    })
}
