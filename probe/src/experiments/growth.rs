//! Mappings that grow when memory beside them is touched: `MAP_GROWSDOWN`, and `MAP_STACK` where
//! stacks grow upwards.
//!
//! A page fault beside such a mapping makes the kernel extend it (`expand_stack` in `mm/mmap.c`).
//! Two kernel details shape the tests:
//!
//! - Growth stops 256 pages short of the next mapping (`stack_guard_gap`), but only if that mapping
//!   is accessible. The reserved range is `PROT_NONE`, so a small hole in it is enough.
//! - Before 4.12 the lowest page of the mapping was its guard page, so a touch one page below
//!   proves nothing.

use super::recognition;
use crate::experiment::{Answers, Evidence, Experiment, IfOnlyRecognized, Trial};
use crate::fixture::{Fixture, READ_WRITE};
use crate::flags::{MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MapFlags};
use crate::outcome::{Backing, Outcome, Size};
use crate::procfs;
use crate::request::RecordingVersion;
use kernel::{Advice, Ended, Errno, PROT_READ};

pub static MAP_GROWSDOWN: Experiment = Experiment {
    promise: "Memory below the mapping becomes part of it when it is touched.",
    proof: "Stores 4 and 8 pages below it succeed, by system calls and by a child process. \
            Without the flag system calls fail with EFAULT.",
    pitfalls: "Private anonymous memory only. Growth stops at `ulimit -s`, and 256 pages from \
               another mapping. hppa: not since 4.12. x86 before 5.0: only system calls make it \
               grow far below the stack pointer.",
    // Mappings do not grow downwards on parisc since 4.12, nor with a tiny RLIMIT_STACK.
    if_only_recognized: IfOnlyRecognized::Unavailable,
    errors_that_prove_recognition: &[],
    run: |fixture, flag, evidence| {
        recognition::probe_as_flag(fixture, flag, evidence);
        rejected_by_shared_memory(fixture, flag, evidence);
        compare_touches(fixture, flag, BELOW, evidence);
    },
};

pub static MAP_STACK: Experiment = Experiment {
    promise: "No transparent huge pages. hppa: the mapping grows upwards since 6.12.",
    proof: "madvise(MADV_COLLAPSE) fails with EINVAL, or stores above the mapping succeed. Without \
            the flag neither happens.",
    pitfalls: "It has no effect before 6.7.6.",
    if_only_recognized: IfOnlyRecognized::Unavailable,
    errors_that_prove_recognition: &[],
    run: serves_as_stack,
};

fn serves_as_stack(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    recognition::probe_as_flag(fixture, flag, evidence);
    rejected_by_shared_memory(fixture, flag, evidence);
    let rejected = Outcome::MmapFailed(Errno::EINVAL);
    let is_rejected =
        |sign: &Trial| sign.answers.with == rejected && sign.answers.without != rejected;
    if evidence.signs().any(is_rejected) {
        compare_touches(fixture, flag, ABOVE, evidence);
        return;
    }
    // On a kernel without huge pages, and before 6.1, the collapse fails without the flag too.
    if fixture.page_size() == PAGE_SIZE_FOR_HUGE_PAGE {
        rejected_by_collapse(fixture, flag, evidence);
    }
    // Both effects came after MAP_SHARED_VALIDATE (`calc_vm_flag_bits` in `include/linux/mman.h`
    // since 6.7, `arch_calc_vm_flag_bits` in `arch/parisc/include/asm/mman.h` since 6.12).
    recognition::compare_without_validation(fixture, flag, evidence);
}

fn rejected_by_collapse(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    let (question, rejected) = ("madvise(MADV_COLLAPSE)", Outcome::Failed(Errno::EINVAL));
    let collapsed = collapse(fixture, MapFlags::NONE);
    if collapsed.may_be_filtered() {
        evidence.filtered_effect(question, rejected, collapsed);
    }
    if collapsed.succeeded() {
        for _ in 0..2 {
            let answers = fixture.compare(flag, &mut collapse);
            evidence.effect(question, rejected, answers);
        }
    }
}

/// Shared memory cannot grow. A kernel that recognizes a flag as one that makes a mapping grow
/// rejects it there, even where no mapping ever grows.
fn rejected_by_shared_memory(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    for _ in 0..2 {
        let answers = fixture.compare(flag, &mut |fixture, flag| {
            fixture.try_map(MAP_SHARED | flag, PROT_READ, Backing::Anonymous)
        });
        evidence.sign("shared memory", Outcome::MmapFailed(Errno::EINVAL), answers);
    }
}

/// The unmapped pages beside the mapping, into which it can grow.
const HOLE_PAGES: usize = 16;
/// The most pages of a mapping that grew: its own, and those up to the most distant touch.
const GROWN_PAGES: usize = 9;
/// The line of `ulimit -s` in `/proc/self/limits`.
const STACK_LIMIT: &str = "Max stack size";

/// The remark where a limit keeps the mapping from growing (`acct_stack_growth` in `mm/mmap.c`).
pub const SMALL_STACK_LIMIT: &str = "RLIMIT_STACK allows no such growth";
const NO_STORE_TRIED: &str = "a program's own store was not tried";
const STORE_REFUSED: &str = "a program's own store is killed, as on x86 before 5.0 far below the \
                             stack pointer";

/// A touch beside the mapping: by a system call, by a program's own store, and how many pages above
/// the mapping.
type Touch = (&'static str, &'static str, isize);

const BELOW: [Touch; 2] = [
    ("a touch 8 pages below it", "a program's own store 8 pages below it", -8),
    ("a touch 4 pages below it", "a program's own store 4 pages below it", -4),
];
const ABOVE: [Touch; 2] = [
    ("a touch 8 pages above it", "a program's own store 8 pages above it", 8),
    ("a touch 4 pages above it", "a program's own store 4 pages above it", 4),
];

/// Measures whether the mapping grows when system calls touch the memory beside it, and when a
/// program does. The two differ:
///
/// - Before 5.0, x86 killed a program that touches memory more than 64 KiB below its stack pointer
///   (`__do_page_fault` in `arch/x86/mm/fault.c`), but not a system call.
/// - QEMU's user mode rejects system calls about memory that it did not map itself (`lock_user` in
///   `linux-user/qemu.h`), while the host lets the mapping grow for a program's own stores.
fn compare_touches(
    fixture: &mut Fixture,
    flag: MapFlags,
    touches: [Touch; 2],
    evidence: &mut Evidence,
) {
    for (question, _, pages) in touches {
        let answers = fixture.compare(flag, &mut |fixture, flag| {
            touch_beside(fixture, flag, pages, &BY_SYSTEM_CALL)
        });
        if answers.without.is_mmap_failure() {
            evidence.failed_control = Some("no memory can be mapped beside the hole");
        }
        evidence.effect(question, Outcome::Ok, answers);
    }
    let grows = |trial: &Trial| trial.answers.with == Outcome::Ok;
    let grows_in_system_calls = evidence.effects().all(grows);
    if fixture.recording_version < RecordingVersion::Two {
        evidence.limit = Some(NO_STORE_TRIED);
        return;
    }
    // A store without the flag would be killed on every kernel, and leave a line in its log.
    let stored = touches.map(|(_, question, pages)| {
        let with = touch_beside(fixture, flag, pages, &BY_PROGRAM);
        (question, Answers { without: Outcome::NotRun, control: Outcome::NotRun, with })
    });
    let is_untried = stored.iter().any(|(_, answers)| answers.with == Outcome::NotRun);
    let are_killed = stored.iter().all(|(_, answers)| matches!(answers.with, Outcome::Killed(_)));
    if is_untried {
        evidence.limit = Some(NO_STORE_TRIED);
    } else if are_killed && grows_in_system_calls {
        evidence.limit = Some(STORE_REFUSED);
    }
    // Where system calls do not grow it, a program's own store that was not tried might.
    let decides = if is_untried { !grows_in_system_calls } else { !are_killed };
    if decides {
        for (question, answers) in stored {
            evidence.effect(question, Outcome::Ok, answers);
        }
    }
    let needed = GROWN_PAGES * fixture.page_size();
    if !evidence.effects().all(grows) && procfs::limit_is_below(fixture, STACK_LIMIT, needed as u64)
    {
        evidence.remark = Some(SMALL_STACK_LIMIT);
    }
}

/// Maps a page in the isolated range beside a hole, touches the hole, and reserves the range again.
fn touch_beside(fixture: &mut Fixture, flag: MapFlags, pages: isize, toucher: &Toucher) -> Outcome {
    let (addr, page) = (fixture.isolated_addr(), fixture.page_size());
    let hole = HOLE_PAGES * page;
    let hole_addr = if pages < 0 { addr - hole } else { addr + page };
    let freed = Outcome::of(fixture.kernel.munmap(hole_addr, hole));
    if !freed.succeeded() {
        return freed;
    }
    let flags = MAP_PRIVATE | MAP_FIXED | flag;
    let mapped = fixture.mmap(addr, page, READ_WRITE, flags, Backing::Anonymous).outcome;
    fixture.log_mmap(flags, Backing::Anonymous, Size::Pages(1), mapped);
    let mut touched = mapped;
    if mapped.succeeded() {
        fixture.store_byte(addr, 0);
        touched = (toucher.store)(fixture, addr.wrapping_add_signed(pages * page as isize));
        fixture.log(if pages < 0 { toucher.below } else { toucher.above }, touched);
    }
    fixture.reserve(addr - hole, hole + page + hole);
    touched
}

/// How a byte is stored, and its trace entry.
struct Toucher {
    store: fn(&mut Fixture, usize) -> Outcome,
    below: &'static str,
    above: &'static str,
}

/// A store, because a load does not make a mapping grow on a 64-bit parisc kernel (6.12).
static BY_SYSTEM_CALL: Toucher = Toucher {
    store: |fixture, target| fixture.store_byte(target, 0),
    below: "a touch below it",
    above: "a touch above it",
};

/// `SIGSEGV` on every architecture here: memory that is not mapped.
const SIGSEGV: u8 = 11;

/// A store by a child process; not run if there is no child, or if something else ends it.
static BY_PROGRAM: Toucher = Toucher {
    store: |fixture, target| match fixture.kernel.touch(target) {
        Ok(Ended::Exited(0)) => Outcome::Ok,
        Ok(Ended::BySignal(SIGSEGV)) => Outcome::Killed(SIGSEGV),
        _ => Outcome::NotRun,
    },
    below: "a program's own store below it",
    above: "a program's own store above it",
};

/// The page size with which a huge page has [`HUGE_PAGE`] bytes on every architecture here.
const PAGE_SIZE_FOR_HUGE_PAGE: usize = 4096;
/// Bytes of the huge page that `MADV_COLLAPSE` makes.
const HUGE_PAGE: usize = 2 << 20;

/// The outcome of `madvise(MADV_COLLAPSE)` for memory that could become one huge page.
fn collapse(fixture: &mut Fixture, flag: MapFlags) -> Outcome {
    let addr = fixture.isolated_addr();
    let flags = MAP_PRIVATE | MAP_FIXED | flag;
    let mapped = fixture.mmap(addr, HUGE_PAGE, READ_WRITE, flags, Backing::Anonymous).outcome;
    fixture.log_mmap(flags, Backing::Anonymous, Size::Large, mapped);
    let mut collapsed = mapped;
    if mapped.succeeded() {
        fixture.store_byte(addr, 0);
        collapsed = Outcome::of(fixture.kernel.madvise(addr, HUGE_PAGE, Advice::Collapse));
        fixture.log("madvise(MADV_COLLAPSE)", collapsed);
    }
    fixture.reserve(addr, HUGE_PAGE);
    collapsed
}
