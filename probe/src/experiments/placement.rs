//! Flags that decide where a mapping lands, and what happens to an occupied address.

use super::recognition;
use crate::experiment::{Evidence, Experiment, IfOnlyRecognized};
use crate::fixture::{Fixture, Mapping};
use crate::flags::{MAP_NORESERVE, MAP_PRIVATE as PRIVATE, MAP_SHARED as SHARED, MapFlags};
use crate::outcome::{Backing, Outcome, Size};
use kernel::{Errno, PROT_NONE, PROT_READ};

const AT_OCCUPIED: &str = "a page at an occupied address";

pub static MAP_FIXED: Experiment = Experiment {
    promise: "The mapping is placed at the requested address.",
    proof: "A page lands on an occupied address. Without the flag it lands elsewhere.",
    pitfalls: "It replaces what is mapped there. hppa: EINVAL at an address of another cache \
               colour than the shared file.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: |fixture, flag, evidence| {
        recognition::probe_as_flag(fixture, flag, evidence);
        for &map_type in &[PRIVATE, SHARED] {
            let answers = fixture.compare(flag, &mut |fixture, flag| {
                fixture.try_map(map_type | flag, PROT_READ, Backing::Anonymous)
            });
            evidence.effect(AT_OCCUPIED, Outcome::MappedThere, answers);
        }
    },
};

pub static MAP_FIXED_NOREPLACE: Experiment = Experiment {
    promise: "As MAP_FIXED, but EEXIST if something is mapped there.",
    proof: "EEXIST where the range is occupied, in whole or in part; the exact address where it is \
            free.",
    pitfalls: "Kernels before 4.17 drop it: compare the address. MAP_SHARED_VALIDATE rejects it on \
               every kernel.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: keeps_what_is_mapped,
};

fn keeps_what_is_mapped(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    let exists = Outcome::MmapFailed(Errno::EEXIST);
    recognition::probe_contexts_at_free_page(fixture, flag);
    fixture.free_page(0);
    let at_free_page = fixture.try_map(PRIVATE | flag, PROT_READ, Backing::Anonymous);
    fixture.occupy_pages();
    if at_free_page != Outcome::MappedThere {
        evidence.failed_control = Some("the requested address was free and was not given");
    }
    for &(map_type, backing) in &[
        (PRIVATE, Backing::Anonymous),
        (SHARED, Backing::Anonymous),
        (PRIVATE, Backing::File),
        (SHARED, Backing::File),
    ] {
        let answers = fixture.compare(flag, &mut |fixture, flag| {
            fixture.try_map(map_type | flag, PROT_READ, backing)
        });
        evidence.effect(AT_OCCUPIED, exists, answers);
    }
    for (question, free) in
        [("two pages, the second occupied", 0), ("two pages, the first occupied", 1)]
    {
        let answers =
            fixture.compare(flag, &mut |fixture, flag| two_pages(fixture, PRIVATE | flag, free));
        evidence.effect(question, exists, answers);
    }
}

/// Where two pages land, of which one is free: the first (0) or the second (1).
fn two_pages(fixture: &mut Fixture, flags: MapFlags, free: usize) -> Outcome {
    fixture.free_page(free);
    let mapping = fixture.map(flags, PROT_READ, 2, Backing::Anonymous);
    fixture.unmap(mapping);
    fixture.occupy_pages();
    mapping.outcome
}

pub static MAP_32BIT: Experiment = Experiment {
    promise: "The mapping is placed below 2 GiB.",
    proof: "The kernel places a page below 2 GiB. Without the flag it places it above.",
    pitfalls: "The range has 1 GiB: ENOMEM comes soon. A free hint address takes precedence.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: |fixture, flag, evidence| {
        recognition::probe_as_flag(fixture, flag, evidence);
        for &map_type in &[PRIVATE, SHARED] {
            let answers = fixture.compare(flag, &mut |fixture, flag| {
                is_below(fixture, map_type | flag, 31, "it lies below 2 GiB")
            });
            evidence.effect("a page below 2 GiB", Outcome::Value(1), answers);
        }
    },
};

pub static MAP_ABOVE4G: Experiment = Experiment {
    promise: "The mapping is not placed below 4 GiB.",
    proof: "--thorough reserves everything above 4 GiB: only a page without the flag lands below. \
            Otherwise only MAP_SHARED_VALIDATE tells.",
    pitfalls: "A hint address below 4 GiB takes precedence.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: |fixture, flag, evidence| {
        stays_above_4g(fixture, flag, evidence);
        // The flag came after MAP_SHARED_VALIDATE, and is in LEGACY_MAP_MASK of every kernel that
        // has it (`include/linux/mman.h`).
        recognition::compare_without_validation(fixture, flag, evidence);
    },
};

/// The kernel places a page below 4 GiB only when nothing is left above, so everything above is
/// reserved. Not under a system call emulator, which would keep a record of every page.
fn stays_above_4g(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    recognition::probe_as_flag(fixture, flag, evidence);
    if !fixture.thorough || fixture.conditions.syscall_emulator {
        return;
    }
    let mut fillers: Vec<Mapping> = Vec::with_capacity(FILLERS_MAX);
    if fill_above_4g(fixture, &mut fillers) {
        for &map_type in &[PRIVATE, SHARED] {
            let answers = fixture.compare(flag, &mut |fixture, flag| {
                is_below(fixture, map_type | flag, 32, "it lies below 4 GiB")
            });
            let question = "a page below 4 GiB when nothing is left above";
            evidence.effect(question, Outcome::Value(0), answers);
        }
    }
    for filler in &fillers {
        fixture.kernel.munmap(filler.addr, filler.len);
    }
}

/// Whether a page that the kernel places lies below a power of two.
fn is_below(
    fixture: &mut Fixture,
    flags: MapFlags,
    power_of_two: u32,
    call: &'static str,
) -> Outcome {
    let page = fixture.page_size();
    let mapping = fixture.mmap(0, page, PROT_READ, flags, Backing::Anonymous);
    fixture.log_mmap(flags, Backing::Anonymous, Size::Pages(1), mapping.outcome);
    if !mapping.outcome.succeeded() {
        return mapping.outcome;
    }
    fixture.unmap(mapping);
    let is_below = mapping.addr.checked_shr(power_of_two).unwrap_or(0) == 0;
    fixture.log(call, Outcome::Value(is_below.into()))
}

/// The most mappings that fill the address space; about thirty are enough.
const FILLERS_MAX: usize = 128;
/// Bytes of the largest filler: a part of the address space that is free in every layout.
const LARGEST_FILLER: usize = 1 << (usize::BITS - 18);

/// Reserves all addresses above 4 GiB that the kernel would choose, in pieces, the largest first.
/// Returns whether [`FILLERS_MAX`] pieces were enough.
fn fill_above_4g(fixture: &mut Fixture, fillers: &mut Vec<Mapping>) -> bool {
    let mut len = LARGEST_FILLER;
    while len >= fixture.page_size() {
        let flags = PRIVATE | MAP_NORESERVE;
        let filler = fixture.mmap(0, len, PROT_NONE, flags, Backing::Anonymous);
        let is_above = filler.addr > u32::MAX as usize;
        if filler.outcome.succeeded() && is_above && fillers.len() < FILLERS_MAX {
            fillers.push(filler);
            continue;
        }
        if filler.outcome.succeeded() {
            fixture.kernel.munmap(filler.addr, len);
        }
        len >>= 1;
    }
    fillers.len() < FILLERS_MAX
}
