//! Flags that decide whether pages are in memory when `mmap` returns, and whether they stay there.
//!
//! They are measured on anonymous memory only: for a file, `mincore(2)` shows the page cache.

use super::{recognition, smaps};
use crate::experiment::{Answers, Evidence, Experiment, IfOnlyRecognized};
use crate::fixture::{Fixture, PAGES, READ_WRITE};
use crate::flags::{MAP_FIXED, MAP_POPULATE as POPULATE, MAP_PRIVATE, MAP_SHARED, MapFlags};
use crate::outcome::{Backing, Outcome};
use crate::procfs;
use crate::request::RecordingVersion;
use kernel::{Advice, Errno, SysResult};

/// Every page is resident.
pub const ALL_RESIDENT: Outcome = Outcome::Value(PAGES as u8);
const NONE_RESIDENT: Outcome = Outcome::Value(0);

/// The two kinds of memory that are measured. The private pages lie in the reserved range, so that
/// they do not merge with a neighbour that is large enough for a huge page.
fn kinds() -> [MapFlags; 2] {
    [MAP_PRIVATE | MAP_FIXED, MAP_SHARED]
}

pub static MAP_POPULATE: Experiment = Experiment {
    promise: "Pages are in memory before they are touched.",
    proof: "mincore finds 16 of 16 pages. Without the flag it finds none.",
    pitfalls: "mmap succeeds even if pages could not be read in.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: |fixture, flag, evidence| {
        recognition::probe_as_flag(fixture, flag, evidence);
        for kind in kinds() {
            let answers =
                fixture.compare(flag, &mut |fixture, flag| resident_pages(fixture, kind | flag));
            evidence.effect("pages of 16 resident before a touch", ALL_RESIDENT, answers);
        }
    },
};

pub static MAP_NONBLOCK: Experiment = Experiment {
    promise: "It cancels MAP_POPULATE, since 2.6.23.",
    proof: "With both flags mincore finds none of 16 pages. With MAP_POPULATE alone it finds all.",
    pitfalls: "It has no effect alone.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: cancels_populate,
};

fn cancels_populate(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    recognition::probe_as_flag(fixture, flag, evidence);
    for kind in kinds() {
        let resident = resident_pages(fixture, kind);
        if resident != NONE_RESIDENT {
            evidence.failed_control = Some(match resident {
                Outcome::Value(_) => "pages are resident before a touch",
                _ => "whether pages are resident before a touch is not known",
            });
        }
    }
    for kind in kinds() {
        let answers = fixture
            .compare(flag, &mut |fixture, flag| resident_pages(fixture, kind | POPULATE | flag));
        evidence.effect("pages of 16 resident with MAP_POPULATE", NONE_RESIDENT, answers);
    }
}

/// The number of resident pages among [`PAGES`] fresh ones.
pub fn resident_pages(fixture: &mut Fixture, flags: MapFlags) -> Outcome {
    let mapping = fixture.map(flags, READ_WRITE, PAGES, Backing::Anonymous);
    if !mapping.outcome.succeeded() {
        return mapping.outcome;
    }
    let mut pages = [0; PAGES];
    let counted = match fixture.kernel.mincore(mapping.addr, mapping.len, &mut pages).result() {
        Ok(_) => Outcome::Value(pages.iter().map(|page| page & 1).sum()),
        Err(errno) => Outcome::Failed(errno),
    };
    fixture.log("mincore, resident pages", counted);
    fixture.unmap(mapping);
    counted
}

pub static MAP_LOCKED: Experiment = Experiment {
    promise: "Pages are in memory and stay there.",
    proof: "madvise(MADV_DONTNEED) fails with EINVAL and msync(MS_INVALIDATE) with EBUSY. Without \
            the flag they succeed.",
    pitfalls: "EPERM or EAGAIN: see `ulimit -l`. mmap succeeds even if pages could not be read in.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[Errno::EPERM, Errno::EAGAIN],
    run: stays_in_memory,
};

/// A measurement that shows locked pages: its question, what it promises, and how it is made.
type LockTest = (&'static str, Outcome, fn(&mut Fixture, MapFlags) -> Outcome);

const DISCARD: LockTest = ("madvise(MADV_DONTNEED)", Outcome::Failed(Errno::EINVAL), discard);
const INVALIDATE: LockTest = ("msync(MS_INVALIDATE)", Outcome::Failed(Errno::EBUSY), invalidate);

fn stays_in_memory(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    recognition::probe_as_flag(fixture, flag, evidence);
    let mut tests = [DISCARD, INVALIDATE];
    let mut measured = tests.map(|test| compare_locks(fixture, flag, test));
    if fixture.recording_version >= RecordingVersion::Two {
        let is_refused = |answers: Answers| {
            matches!(answers.without, Outcome::Failed(Errno::EPERM | Errno::ENOSYS))
        };
        // Where one of the calls is refused, the other one is made twice.
        match measured.map(is_refused) {
            [true, false] => {
                tests = [INVALIDATE; 2];
                measured[0] = compare_locks(fixture, flag, INVALIDATE);
            }
            [false, true] => {
                tests = [DISCARD; 2];
                measured[1] = compare_locks(fixture, flag, DISCARD);
            }
            [true, true] => {
                smaps::recorded_sign(fixture, flag, b"lo", evidence);
            }
            [false, false] => {}
        }
    }
    for ((question, promised, _), answers) in tests.into_iter().zip(measured) {
        evidence.effect(question, promised, answers);
    }
    let not_permitted = Outcome::MmapFailed(Errno::EPERM);
    let is_refused = evidence.effects().any(|trial| trial.answers.with == not_permitted);
    // can_do_mlock in mm/mlock.c: EPERM if the limit is 0.
    if is_refused && procfs::limit_is_at_least(fixture, "Max locked memory", 1) {
        evidence.remark = Some("RLIMIT_MEMLOCK is not 0");
    }
}

fn compare_locks(fixture: &mut Fixture, flag: MapFlags, (_, _, measure): LockTest) -> Answers {
    fixture.compare(flag, &mut |fixture, flag| measure(fixture, MAP_PRIVATE | flag))
}

/// Whether fresh memory is locked without `MAP_LOCKED`, or may be: measured twice, because one
/// wrong result must not lead to a mapping that fills the memory. `discarded` is the outcome of
/// [`discard`] for a private page.
pub fn may_be_locked(fixture: &mut Fixture, discarded: Outcome) -> bool {
    if discarded.succeeded() {
        return !discard(fixture, MAP_PRIVATE).succeeded();
    }
    // `EINVAL` is the answer for locked memory; where the call is refused, smaps tells.
    let is_told = fixture.recording_version >= RecordingVersion::Two && discarded.may_be_filtered();
    !is_told || (0..2).any(|_| smaps::locked(fixture) != Outcome::Value(0))
}

/// The outcome of `madvise(MADV_DONTNEED)` for a fresh page.
pub fn discard(fixture: &mut Fixture, flags: MapFlags) -> Outcome {
    call_about_page(fixture, flags, "madvise(MADV_DONTNEED)", |fixture, addr, len| {
        fixture.kernel.madvise(addr, len, Advice::DontNeed)
    })
}

/// The outcome of `msync(MS_INVALIDATE)` for a fresh page.
fn invalidate(fixture: &mut Fixture, flags: MapFlags) -> Outcome {
    call_about_page(fixture, flags, "msync(MS_INVALIDATE)", |fixture, addr, len| {
        fixture.kernel.msync_invalidate(addr, len)
    })
}

/// Maps a fresh page, makes a call about it, and unmaps it. The outcome is that of the first call
/// that failed.
pub fn call_about_page(
    fixture: &mut Fixture,
    flags: MapFlags,
    name: &'static str,
    call: fn(&mut Fixture, usize, usize) -> SysResult,
) -> Outcome {
    let mapping = fixture.map(flags, READ_WRITE, 1, Backing::Anonymous);
    if !mapping.outcome.succeeded() {
        return mapping.outcome;
    }
    let outcome = Outcome::of(call(fixture, mapping.addr, mapping.len));
    fixture.log(name, outcome);
    fixture.unmap(mapping);
    outcome
}
