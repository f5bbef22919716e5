//! Huge pages: `MAP_HUGETLB` and the huge page sizes. One page is reserved for a moment, and touched
//! if it is not larger than 2 MiB.
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
//! - Can this process have a page now ([`page`])? Only where such mappings are seen.

mod page;

use crate::availability::Availability;
use crate::experiment::{Answers, Evidence, Experiment, IfOnlyRecognized, Variants};
use crate::fixture::{Fixture, Validator};
use crate::flags::{
    Flag, MAP_FIXED, MAP_HUGETLB as HUGETLB, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED_VALIDATE,
    MapFlags, UNASSIGNED_SIZE,
};
use crate::outcome::{Backing, Outcome, Size};
use crate::request::RecordingVersion;
use kernel::{Errno, PROT_NONE, PROT_READ};

/// The base-2 logarithm of the default size where none is found, and of the largest size of which a
/// page is touched.
const USUAL_SIZE: u32 = 21;
/// `munmap` of one base page fails: the mapping consists of huge pages.
const IS_HUGE: Outcome = Outcome::Value(1);

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
                evidence.availability = page::availability(fixture, flags, log2);
            }
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
        // One wrong result makes a larger size of it, of which no page would be touched.
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
        evidence.availability = page::availability(fixture, flag, log2).or(evidence.availability);
    }
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

/// Whether a mapping consists of huge pages (1 or 0).
fn geometry(fixture: &mut Fixture, flags: MapFlags, log2: u32) -> Outcome {
    // Where all memory is locked, mmap would touch a page that is accessible.
    let prot = if fixture.conditions.locked_memory { PROT_NONE } else { PROT_READ };
    about_page(fixture, flags, prot, log2, &mut is_huge)
}

/// Whether the huge mapping at an address consists of huge pages (1 or 0).
fn is_huge(fixture: &mut Fixture, addr: usize) -> Outcome {
    let unmapped = Outcome::of(fixture.kernel.munmap(addr, fixture.page_size()));
    fixture.log("munmap of one page of it", unmapped);
    Outcome::Value((unmapped == Outcome::Failed(Errno::EINVAL)).into())
}

/// Maps a huge page, measures something about it, and unmaps it. The address is aligned to
/// 2^`log2` bytes and to no larger power of two. [`Outcome::NotRun`] if there is no room for three
/// pages of that size.
fn about_page(
    fixture: &mut Fixture,
    flags: MapFlags,
    prot: u32,
    log2: u32,
    measure: &mut dyn FnMut(&mut Fixture, usize) -> Outcome,
) -> Outcome {
    if log2 + 2 > fixture.arch().flag_bits() {
        return Outcome::NotRun;
    }
    let (size, page) = (1_usize << log2, fixture.page_size());
    let flags = flags | MAP_FIXED;
    let reserve = MAP_PRIVATE | MAP_NORESERVE;
    let room = fixture.mmap(0, 3 * size, PROT_NONE, reserve, Backing::Anonymous);
    if !room.outcome.succeeded() {
        return Outcome::NotRun;
    }
    let aligned = (room.addr + size - 1) & !(size - 1);
    let addr = aligned + (!aligned & size);
    let mapped = fixture.mmap(addr, page, prot, flags, Backing::Anonymous).outcome;
    fixture.log_mmap(flags, Backing::Anonymous, Size::Large, mapped);
    let measured = if mapped.succeeded() { measure(fixture, addr) } else { mapped };
    fixture.kernel.munmap(room.addr, room.len);
    measured
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
    for bit in MapFlags::OTHER_UNASSIGNED {
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
