//! Flags of mappings that grow when memory beside them is touched: `MAP_GROWSDOWN`, and `MAP_STACK` where stacks grow upwards.
//! Everything is placed in the far end of the bench's ground, with a hole on the side to grow to. Reserved ground beyond the hole
//! does not stop growth: only accessible neighbours keep a gap (`mm/mmap.c`, `stack_guard_gap`).

use super::bench::{Bench, CONTROL, base};
use super::measure::lands;
use super::{ASK, Experiment};
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Known, Outcome, Role, Test};
use crate::kernel::{Advice, Word};
use crate::text::Text;

/// Pages of the hole.
const HOLE: u8 = 16;
/// Bytes of the huge page that is made: with pages of 4 KiB, and only then, it has this size on every architecture here.
const HUGE: Word = 2 << 20;

/// A private page on the bench's ground.
const PLACED: u8 = base::PRIVATE | base::FIXED;

const fn test(
    question: Text,
    role: Role,
    promised: Outcome,
    base: u8,
    look: fn(&mut Bench, Word, Backing) -> Outcome,
) -> Test {
    Test { question, role, promised, base, backing: Backing::ANONYMOUS, look }
}

/// Shared memory cannot grow: a kernel that knows the flag as one that makes a mapping grow says so, whether mappings grow or not.
static CANNOT_GROW: [Test; 2] =
    [test(Text::SHARED_MEMORY, Role::Sign, Outcome::failed(Errno::EINVAL), base::SHARED, lands); 2];

/// How memory answers that is there. It is touched further away than the one guard page of kernels before 4.12.
const TOUCHED: Outcome = Outcome::number(0);

/// `MAP_GROWSDOWN`: memory below the mapping becomes part of it when it is touched.
pub static GROWS_DOWN: Experiment = Experiment {
    tests: &[
        test(Text::TOUCH_8_BELOW, Role::Effect, TOUCHED, PLACED, |bench, flags, _| {
            touch(bench, flags, 8, true)
        }),
        test(Text::TOUCH_4_BELOW, Role::Effect, TOUCHED, PLACED, |bench, flags, _| {
            touch(bench, flags, 4, true)
        }),
    ],
    known: Known::Unavailable,
    first: Some(|bench, bits| {
        bench.run_tests(&CANNOT_GROW, &[0, CONTROL, bits]);
        true
    }),
    ..ASK
};

/// `MAP_STACK`: no huge pages, or where stacks grow upwards (parisc since 6.12) memory above the mapping becomes part of it
/// when it is touched; how shared memory answers tells which.
pub static SERVES_AS_STACK: Experiment = Experiment {
    tests: &[test(Text::COLLAPSE, Role::Effect, Outcome::refused(Errno::EINVAL), PLACED, collapse);
        2],
    known: Known::Unavailable,
    first: Some(serves_as_stack),
    ..ASK
};

static GROWS_UP: [Test; 2] = [
    test(Text::TOUCH_8_ABOVE, Role::Effect, TOUCHED, PLACED, |bench, flags, _| {
        touch(bench, flags, 8, false)
    }),
    test(Text::TOUCH_4_ABOVE, Role::Effect, TOUCHED, PLACED, |bench, flags, _| {
        touch(bench, flags, 4, false)
    }),
];

fn serves_as_stack(bench: &mut Bench, bits: Word) -> bool {
    bench.run_tests(&CANNOT_GROW, &[0, CONTROL, bits]);
    let einval = Outcome::failed(Errno::EINVAL);
    if bench.evidence.of(Role::Sign).any(|sign| sign.flagged == einval && sign.plain != einval) {
        bench.run_tests(&GROWS_UP, &[0, CONTROL, bits]);
        return false;
    }
    // Where it fails without the flag too (no huge pages in this kernel, or before 6.1), it says nothing.
    bench.bytes(1) == 4096 && collapse(bench, bench.base(PLACED), Backing::ANONYMOUS).succeeded()
}

/// Touches memory so many pages beyond a page that has a hole on that side. By storing: on a 64-bit parisc kernel (6.12) loading does not
/// make a mapping grow (`write(2)` from there is `EFAULT`), storing does.
fn touch(bench: &mut Bench, flags: Word, far: u8, below: bool) -> Outcome {
    let (at, page, hole, far) =
        (bench.far_end(), bench.bytes(1), bench.bytes(HOLE), bench.bytes(far));
    let (from, target, act) = if below {
        (at - hole, at - far, Act::TOUCH_BELOW)
    } else {
        (at + page, at + far, Act::TOUCH_ABOVE)
    };
    bench.kernel.munmap(from, hole);
    let (_, mapped) = bench.place(at, page, Bench::READ_WRITE, flags, Backing::ANONYMOUS);
    bench.noted_map(flags, Backing::ANONYMOUS, 1, mapped);
    let mut touched = mapped;
    if mapped.succeeded() {
        bench.store_byte(at, 0);
        touched = bench.store_byte(target, 0);
        bench.note(act, touched);
    }
    bench.reserve(at - hole, hole + page + hole);
    touched
}

/// What `madvise(MADV_COLLAPSE)` says to memory that could become one huge page.
fn collapse(bench: &mut Bench, flags: Word, backing: Backing) -> Outcome {
    let at = bench.far_end();
    let (_, mapped) = bench.place(at, HUGE, Bench::READ_WRITE, flags, backing);
    bench.noted_map(flags, backing, 0, mapped);
    let mut collapsed = mapped;
    if mapped.succeeded() {
        bench.store_byte(at, 0);
        collapsed = Outcome::of(bench.kernel.madvise(at, HUGE, Advice::Collapse));
        bench.note(Act::COLLAPSE, collapsed);
    }
    bench.reserve(at, HUGE);
    collapsed
}
