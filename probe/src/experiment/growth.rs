//! Flags of mappings that grow when memory beside them is touched: `MAP_GROWSDOWN`, and `MAP_STACK` where stacks grow upwards.
//! Everything is placed in the far end of the bench's ground, with a hole on the side to grow to. Reserved ground beyond the hole
//! does not stop growth: only accessible neighbours keep a gap (`mm/mmap.c`, `stack_guard_gap`).

use super::Bench;
use super::recognition::is_recognized;
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Known, Outcome};
use crate::flags::{MAP_PRIVATE, MAP_SHARED};
use crate::kernel::{Advice, PROT_READ};

/// Pages of the hole.
const HOLE: u8 = 16;
/// How far beyond the mapping is touched, in pages: further than the one guard page of kernels before 4.12.
const FAR: u8 = 8;
/// Bytes of the huge page that is made: with pages of 4 KiB, and only then, it has this size on every architecture here.
const HUGE: u64 = 2 << 20;

/// What a touch of memory that is there reads or answers.
const TOUCHED: Outcome = Outcome::Number(0);
/// How shared memory answers to a flag that makes it grow.
const CANNOT_GROW: Outcome = Outcome::Failed(Errno::EINVAL);

/// `MAP_GROWSDOWN`: memory below the mapping becomes part of it when it is touched. A kernel that knows the flag refuses it for
/// shared memory, whether its mappings grow or not.
pub fn grows_down(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    ask_shared(bench, bits);
    let fixed = bench.bits("MAP_FIXED") | MAP_PRIVATE;
    bench.compare("reading 8 pages below it", TOUCHED, bits, &|bench, bits| {
        touch(bench, fixed | bits, Act::TouchBelow, |bench, addr| bench.load_byte(addr))
    });
    bench.compare("writing 8 pages below it", TOUCHED, bits, &|bench, bits| {
        touch(bench, fixed | bits, Act::TouchBelow, |bench, addr| bench.store_byte(addr, 0))
    });
}

/// `MAP_STACK`: no huge pages, or where stacks grow upwards (parisc since 6.12) memory above the mapping becomes part of it
/// when it is touched; how shared memory answers tells which.
pub fn serves_as_stack(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    ask_shared(bench, bits);
    let fixed = bench.bits("MAP_FIXED") | MAP_PRIVATE;
    if bench.evidence.signs.iter().any(|sign| sign.flagged == CANNOT_GROW && sign.plain.succeeded()) {
        bench.compare("reading 8 pages above it", TOUCHED, bits, &|bench, bits| {
            touch(bench, fixed | bits, Act::TouchAbove, |bench, addr| bench.load_byte(addr))
        });
        bench.compare("writing 8 pages above it", TOUCHED, bits, &|bench, bits| {
            touch(bench, fixed | bits, Act::TouchAbove, |bench, addr| bench.store_byte(addr, 0))
        });
        return;
    }
    // Where it fails without the flag too (no huge pages in this kernel, or before 6.1), it says nothing.
    let can = bench.bytes(1) == 4096 && collapse(bench, fixed).succeeded();
    for &question in &["madvise(MADV_COLLAPSE)", "madvise(MADV_COLLAPSE), once more"] {
        if can {
            bench.compare(question, Outcome::Refused(Errno::EINVAL), bits, &|bench, bits| {
                collapse(bench, fixed | bits)
            });
        }
    }
}

/// Shared memory cannot grow: a kernel that knows the flag as one that makes a mapping grow says so.
fn ask_shared(bench: &mut Bench, bits: u64) {
    bench.evidence.known = Known::Unavailable;
    bench.look_for_sign("shared memory", CANNOT_GROW, bits, &|bench, bits| {
        bench.try_map(MAP_SHARED | bits, PROT_READ, Backing::Anonymous)
    });
}

/// Touches memory beyond a page that has a hole on that side.
fn touch(bench: &mut Bench, flags: u64, beyond: Act, make: fn(&mut Bench, u64) -> Outcome) -> Outcome {
    let (at, page, hole, far) = (bench.far_end(), bench.bytes(1), bench.bytes(HOLE), bench.bytes(FAR));
    let (from, target) = if beyond == Act::TouchBelow { (at - hole, at - far) } else { (at + page, at + far) };
    bench.kernel.munmap(from, hole);
    let (_, mapped) = bench.place(at, page, Bench::READ_WRITE, flags, Backing::Anonymous);
    bench.noted_map(flags, Backing::Anonymous, 1, mapped);
    let mut touched = mapped;
    if mapped.succeeded() {
        bench.store_byte(at, 0);
        touched = make(bench, target);
        bench.note(beyond, touched);
    }
    bench.reserve(at - hole, hole + page + hole);
    touched
}

/// What `madvise(MADV_COLLAPSE)` says to memory that could become one huge page.
fn collapse(bench: &mut Bench, flags: u64) -> Outcome {
    let at = bench.far_end();
    let (_, mapped) = bench.place(at, HUGE, Bench::READ_WRITE, flags, Backing::Anonymous);
    bench.noted_map(flags, Backing::Anonymous, 0, mapped);
    let mut collapsed = mapped;
    if mapped.succeeded() {
        bench.store_byte(at, 0);
        collapsed = Outcome::of(bench.kernel.madvise(at, HUGE, Advice::Collapse));
        bench.note(Act::Collapse, collapsed);
    }
    bench.reserve(at, HUGE);
    collapsed
}
