//! Huge pages: `MAP_HUGETLB` and the huge page sizes. No huge page is touched, and one is reserved
//! for a moment only.
//!
//! The experiments measure two things:
//!
//! - Is a size offered? `MAP_SHARED_VALIDATE | MAP_HUGETLB` of anonymous memory with an unassigned
//!   bit can only fail, and the error tells sizes apart (`ksys_mmap_pgoff` and `do_mmap` in
//!   `mm/mmap.c`): `EINVAL` for a size that the machine lacks, before the flags are validated;
//!   `EOPNOTSUPP` for the unassigned bit otherwise.
//! - Does a mapping consist of huge pages? With `MAP_NORESERVE` it succeeds with an empty pool, and
//!   `munmap(2)` of one base page of it fails with `EINVAL`. It is always placed with `MAP_FIXED`
//!   at an aligned address of a range reserved for it: a huge mapping at an address that the kernel
//!   chose crashed a parisc64 kernel (6.1, `__unmap_hugepage_range` in `mm/hugetlb.c`).

use crate::experiment::{Answers, Evidence, Experiment, IfOnlyRecognized, Variants};
use crate::fixture::{Fixture, Validator};
use crate::flags::{
    Flag, MAP_FIXED, MAP_HUGETLB as HUGETLB, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED_VALIDATE,
    MapFlags, UNASSIGNED_SIZE,
};
use crate::outcome::{Backing, Outcome, Size};
use kernel::{Errno, PROT_NONE, PROT_READ};

/// The base-2 logarithm of the largest size of which a page is reserved for a moment, to see
/// whether the pool is empty.
const LARGEST_RESERVED: u32 = 21;
/// `munmap` of one base page fails: the mapping consists of huge pages.
const IS_HUGE: Outcome = Outcome::Value(1);

pub static MAP_HUGETLB: Experiment = Experiment {
    promise: "Memory in huge pages.",
    proof: "munmap of one base page fails with EINVAL. No page is touched, so the pool may be \
            empty.",
    pitfalls: "With an empty pool (vm.nr_hugepages) ENOMEM, or with MAP_NORESERVE SIGBUS. EINVAL \
               for most files.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[Errno::EINVAL],
    run: has_huge_pages,
};

pub static HUGE_SIZE: Experiment = Experiment {
    promise: "With MAP_HUGETLB: huge pages of that size.",
    proof: "munmap of one base page fails with EINVAL. With 2^13 bytes, a size that no machine \
            has, the mapping fails.",
    pitfalls: "It is dropped without MAP_HUGETLB.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[Errno::EINVAL],
    run: |fixture, size, evidence| {
        let flags = HUGETLB | size;
        if is_offered(fixture, flags, evidence) {
            // The control is a size, because a system call emulator may accept any size.
            let control = Some(HUGETLB | MapFlags::huge_size(UNASSIGNED_SIZE));
            let variants = Variants { without: MapFlags::NONE, control, with: flags };
            compare_geometry(fixture, variants, size.huge_size_log2(), evidence);
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
    let log2 = default_size(fixture, flag);
    fixture.log("power of two of its size", Outcome::Value(log2 as u8));
    if log2 <= LARGEST_RESERVED
        && geometry(fixture, MAP_PRIVATE | flag, log2) == Outcome::MmapFailed(Errno::ENOMEM)
    {
        evidence.remark = Some("the pool of huge pages is empty");
    }
    compare_geometry(fixture, Variants::of(flag), log2, evidence);
}

/// Compares twice whether mappings consist of huge pages of a size. The mappings are private: on
/// parisc a shared one must have the cache colour of its file, and this file is hidden.
fn compare_geometry(fixture: &mut Fixture, variants: Variants, log2: u32, evidence: &mut Evidence) {
    for _ in 0..2 {
        let answers = fixture.compare_variants(variants, &mut |fixture, flags| {
            geometry(fixture, MAP_PRIVATE | MAP_NORESERVE | flags, log2)
        });
        evidence.effect("whether one base page of it cannot be unmapped", IS_HUGE, answers);
    }
}

/// The base-2 logarithm of the default size: the smallest alignment at which a mapping of huge
/// pages succeeds.
fn default_size(fixture: &mut Fixture, flag: MapFlags) -> u32 {
    let flags = MAP_PRIVATE | MAP_NORESERVE | flag;
    let mut sizes = Flag::ALL.iter().filter_map(|flag| flag.huge_size_log2());
    sizes.find(|&log2| geometry(fixture, flags, log2) == IS_HUGE).unwrap_or(LARGEST_RESERVED)
}

/// Whether a mapping consists of huge pages (1 or 0). The address is aligned to 2^`log2` bytes and
/// to no larger power of two. [`Outcome::NotRun`] if there is no room for three pages of that size.
fn geometry(fixture: &mut Fixture, flags: MapFlags, log2: u32) -> Outcome {
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
    let mapped = fixture.mmap(addr, page, PROT_READ, flags, Backing::Anonymous).outcome;
    fixture.log_mmap(flags, Backing::Anonymous, Size::Large, mapped);
    let mut geometry = mapped;
    if mapped.succeeded() {
        let unmapped = Outcome::of(fixture.kernel.munmap(addr, page));
        geometry = match unmapped {
            Outcome::Failed(Errno::EINVAL) => IS_HUGE,
            Outcome::Ok => Outcome::Value(0),
            failed => failed,
        };
        fixture.log("munmap of one page of it", unmapped);
    }
    fixture.kernel.munmap(room.addr, room.len);
    geometry
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
