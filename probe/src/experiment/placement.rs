//! Flags that decide where a mapping lands and what happens to what is there.

use super::bench::{Bench, base};
use super::measure::lands;
use super::{ASK, Asks, Experiment};
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Outcome, Role, Test};
use crate::kernel::{PROT_NONE, PROT_READ, Word};
use crate::text::Text;

const fn at_taken(promised: Outcome, base: u8, backing: Backing) -> Test {
    Test { question: Text::PAGE_AT_TAKEN, role: Role::Effect, promised, base, backing, look: lands }
}

/// `MAP_FIXED`: the address that was asked for, although it is taken.
pub static HONORS_ADDRESS: Experiment = Experiment {
    tests: &[
        at_taken(Outcome::THERE, base::PRIVATE, Backing::ANONYMOUS),
        at_taken(Outcome::THERE, base::SHARED, Backing::ANONYMOUS),
    ],
    ..ASK
};

const EXISTS: Outcome = Outcome::failed(Errno::EEXIST);

/// `MAP_FIXED_NOREPLACE`: `EEXIST` where something is mapped, be it in a part of the range only; the exact address where nothing
/// is. Not asked of the validators: they refuse it on every kernel, and the contexts show it, where the page asked for is free.
pub static KEEPS_WHAT_IS_THERE: Experiment = Experiment {
    asks: Asks::Free,
    tests: &[
        at_taken(EXISTS, base::PRIVATE, Backing::ANONYMOUS),
        at_taken(EXISTS, base::SHARED, Backing::ANONYMOUS),
        at_taken(EXISTS, base::PRIVATE, Backing::MEMFD),
        at_taken(EXISTS, base::SHARED, Backing::MEMFD),
        part_taken(Text::SECOND_TAKEN, |bench, flags, _| lands_beside(bench, flags, 0)),
        part_taken(Text::FIRST_TAKEN, |bench, flags, _| lands_beside(bench, flags, 1)),
    ],
    first: Some(is_given_a_free_page),
    ..ASK
};

const fn part_taken(question: Text, look: fn(&mut Bench, Word, Backing) -> Outcome) -> Test {
    Test {
        question,
        role: Role::Effect,
        promised: EXISTS,
        base: base::PRIVATE,
        backing: Backing::ANONYMOUS,
        look,
    }
}

/// Where two pages land of which one is free.
fn lands_beside(bench: &mut Bench, flags: Word, free: u8) -> Outcome {
    bench.free_spot(free);
    let (addr, outcome) = bench.map(flags, PROT_READ, 2, Backing::ANONYMOUS);
    bench.unmap(addr, 2, outcome);
    bench.take_spot();
    outcome
}

fn is_given_a_free_page(bench: &mut Bench, bits: Word) -> bool {
    bench.free_spot(0);
    let free = lands(bench, bench.base(base::PRIVATE) | bits, Backing::ANONYMOUS);
    bench.take_spot();
    if free != Outcome::THERE {
        bench.evidence.failed_control = Some(Text::FREE_PAGE_NOT_GIVEN);
    }
    true
}

/// `MAP_32BIT`: an address below 2 GiB, where the kernel would choose a higher one.
pub static STAYS_LOW: Experiment =
    Experiment { tests: &[below_2g(base::PRIVATE), below_2g(base::SHARED)], ..ASK };

const fn below_2g(base: u8) -> Test {
    below(Text::BELOW_2G, Outcome::number(1), base, |bench, flags, _| {
        is_below(bench, flags, 31, Act::LOW)
    })
}

const fn below(
    question: Text,
    promised: Outcome,
    base: u8,
    look: fn(&mut Bench, Word, Backing) -> Outcome,
) -> Test {
    Test { question, role: Role::Effect, promised, base, backing: Backing::ANONYMOUS, look }
}

/// `MAP_ABOVE4G`: an address above 4 GiB, even where the kernel would choose a lower one. It does so only when nothing is left above;
/// filling that is thorough, and too much for an emulator, which would keep a record of every page.
pub static STAYS_HIGH: Experiment = Experiment { first: Some(stays_high), ..ASK };

static BELOW_4G: [Test; 2] = [below_4g(base::PRIVATE), below_4g(base::SHARED)];

const fn below_4g(base: u8) -> Test {
    below(Text::BELOW_4G, Outcome::number(0), base, |bench, flags, _| {
        is_below(bench, flags, 32, Act::BELOW_4G)
    })
}

/// Whether a page whose address the kernel chooses lies below a power of two.
fn is_below(bench: &mut Bench, flags: Word, power: u32, act: Act) -> Outcome {
    let len = bench.bytes(1);
    let (addr, mapped) = bench.place(0, len, PROT_READ, flags, Backing::ANONYMOUS);
    bench.noted_map(flags, Backing::ANONYMOUS, 1, mapped);
    if !mapped.succeeded() {
        return mapped;
    }
    bench.unmap(addr, 1, mapped);
    bench.note(act, Outcome::number((addr.checked_shr(power).unwrap_or(0) == 0).into()))
}

/// Mappings at most that fill the space; about thirty do.
const FILLERS: usize = 128;

fn stays_high(bench: &mut Bench, bits: Word) -> bool {
    if !bench.thorough || bench.emulated {
        return false;
    }
    let mut filled = Vec::with_capacity(FILLERS);
    if fill_above_4g(bench, &mut filled) {
        bench.run_tests(&BELOW_4G, &[0, super::bench::CONTROL, bits]);
    }
    for &(addr, len) in &filled {
        bench.kernel.munmap(addr, len);
    }
    false
}

/// Reserves everything above 4 GiB that the kernel would choose from, the largest pieces first. Notes address and length of each.
fn fill_above_4g(bench: &mut Bench, filled: &mut Vec<(Word, Word)>) -> bool {
    let (mut len, page) = (1 << (Word::BITS - 18), bench.bytes(1));
    let flags = bench.base(base::PRIVATE) | bench.own.noreserve;
    while len >= page {
        let (addr, outcome) = bench.place(0, len, PROT_NONE, flags, Backing::ANONYMOUS);
        if outcome.succeeded() && addr > Word::from(u32::MAX) && filled.len() < FILLERS {
            filled.push((addr, len));
            continue;
        }
        if outcome.succeeded() {
            bench.kernel.munmap(addr, len);
        }
        len >>= 1;
    }
    filled.len() < FILLERS
}
