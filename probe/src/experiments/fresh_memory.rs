//! Flags that decide what fresh memory holds and how long it lasts: `MAP_UNINITIALIZED`,
//! `MAP_DROPPABLE`.

use super::{recognition, residency};
use crate::experiment::{Evidence, Experiment, IfOnlyRecognized, Variants};
use crate::fixture::{Fixture, READ_WRITE};
use crate::flags::{MAP_PRIVATE, MapFlags};
use crate::outcome::{Backing, Outcome};
use kernel::{Advice, Errno, PROT_READ};

/// The number of pages that are unmapped and mapped again.
const PAGES: usize = 4;
/// The byte that the pages hold before they are unmapped.
const OLD_CONTENT: u8 = b'l';

/// Only kernels without an MMU map memory with old content, if they were configured to
/// (`do_mmap` in `mm/nommu.c`, `CONFIG_MMAP_ALLOW_UNINITIALIZED`).
pub static MAP_UNINITIALIZED: Experiment = Experiment {
    promise: "Fresh pages hold old content.",
    proof: "Pages are filled, given back and mapped again.",
    pitfalls: "On machines without an MMU only. With MAP_HUGETLB the bit is part of the huge page \
               size.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: |fixture, flag, evidence| {
        recognition::probe_as_flag(fixture, flag, evidence);
        for _ in 0..2 {
            let answers = fixture.compare(flag, &mut holds_old_content);
            let question = "whether fresh memory holds old content";
            evidence.effect(question, Outcome::Value(1), answers);
        }
    },
};

fn holds_old_content(fixture: &mut Fixture, flag: MapFlags) -> Outcome {
    any_page(fixture, MAP_PRIVATE, |fixture, addr| {
        fixture.store_byte(addr, OLD_CONTENT) != Outcome::Ok
    });
    let found = any_page(fixture, MAP_PRIVATE | flag, |fixture, addr| {
        fixture.load_byte(addr) == Outcome::Value(OLD_CONTENT)
    });
    fixture.log("pages that are not zero", found)
}

/// Maps fresh pages and calls `holds` with the address of each. The outcome is 1 if it was true for
/// at least one page, otherwise 0.
fn any_page(
    fixture: &mut Fixture,
    flags: MapFlags,
    holds: fn(&mut Fixture, usize) -> bool,
) -> Outcome {
    let mapping = fixture.map(flags, READ_WRITE, PAGES, Backing::Anonymous);
    if !mapping.outcome.succeeded() {
        return mapping.outcome;
    }
    let mut any = false;
    for page in 0..PAGES {
        any |= holds(fixture, mapping.addr + page * fixture.page_size());
    }
    fixture.unmap(mapping);
    Outcome::Value(any.into())
}

pub static MAP_DROPPABLE: Experiment = Experiment {
    promise: "Pages may be dropped when memory is short, and are zero then.",
    proof: "madvise(MADV_KEEPONFORK) fails with EINVAL. For private memory it succeeds.",
    pitfalls: "Anonymous memory only. A child of fork finds zeros. 32-bit kernels cannot give it.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    // The errors of 32-bit kernels, whose `vm_flags` have no bit for it (`do_mmap` in `mm/mmap.c`).
    errors_that_prove_recognition: &[Errno::ENOTSUPP, Errno::EOPNOTSUPP],
    run: is_droppable,
};

/// Droppable memory never survives a fork, so `MADV_KEEPONFORK` is rejected (`madvise_vma_behavior`
/// in `mm/madvise.c`).
fn is_droppable(fixture: &mut Fixture, map_type: MapFlags, evidence: &mut Evidence) {
    recognition::probe_as_type(fixture, map_type);
    for &prot in &[PROT_READ, READ_WRITE] {
        let (known, backing) = (MAP_PRIVATE, Backing::Anonymous);
        recognition::compare_types(fixture, backing, prot, known, map_type, evidence);
    }
    if !evidence.validators().all(|trial| trial.answers.with.succeeded()) {
        return;
    }
    for _ in 0..2 {
        let variants = Variants::of_types(MAP_PRIVATE, map_type);
        let answers = fixture.compare_variants(variants, &mut |fixture, map_type| {
            let name = "madvise(MADV_KEEPONFORK)";
            residency::call_about_page(fixture, map_type, name, |fixture, addr, len| {
                fixture.kernel.madvise(addr, len, Advice::KeepOnFork)
            })
        });
        evidence.effect("madvise(MADV_KEEPONFORK)", Outcome::Failed(Errno::EINVAL), answers);
    }
}
