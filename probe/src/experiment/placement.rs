//! Flags that decide where a mapping lands and what happens to what is there.

use super::Bench;
use super::recognition::is_recognized;
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Outcome};
use crate::flags::{MAP_PRIVATE, MAP_SHARED};
use crate::kernel::{PROT_NONE, PROT_READ};

/// `MAP_FIXED`: the address that was asked for, although it is taken.
pub fn honors_address(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    bench.compare("a page at an address that is taken", Outcome::There, bits, &|bench, bits| {
        bench.try_map(MAP_PRIVATE | bits, PROT_READ, Backing::Anonymous)
    });
    bench.compare("a shared page at an address that is taken", Outcome::There, bits, &|bench, bits| {
        bench.try_map(MAP_SHARED | bits, PROT_READ, Backing::Anonymous)
    });
}

/// `MAP_FIXED_NOREPLACE`: `EEXIST` where something is mapped, be it in a part of the range only; the exact address where nothing
/// is. Not asked of the validators: they refuse it on every kernel, and the contexts show it, where the page asked for is free.
pub fn keeps_what_is_there(bench: &mut Bench, bits: u64) {
    let exists = Outcome::Failed(Errno::EEXIST);
    for &(question, map_type, backing) in &[
        ("a page at an address that is taken", MAP_PRIVATE, Backing::Anonymous),
        ("a shared page at an address that is taken", MAP_SHARED, Backing::Anonymous),
        ("a private page of a file at an address that is taken", MAP_PRIVATE, Backing::Memfd),
        ("a shared page of a file at an address that is taken", MAP_SHARED, Backing::Memfd),
    ] {
        if backing == Backing::Anonymous || bench.memfd().is_ok() {
            bench.compare(question, exists, bits, &|bench, bits| bench.try_map(map_type | bits, PROT_READ, backing));
        }
    }
    for &(question, page) in
        &[("two pages of which the second is taken", 0), ("two pages of which the first is taken", 1)]
    {
        bench.compare(question, exists, bits, &|bench, bits| {
            bench.free_spot(page);
            let (addr, outcome) = bench.map(MAP_PRIVATE | bits, PROT_READ, 2, Backing::Anonymous);
            if outcome == Outcome::Elsewhere {
                bench.unmap(addr, 2, outcome);
            }
            bench.take_spot();
            outcome
        });
    }
    bench.free_spot(0);
    let free = bench.try_map(MAP_PRIVATE | bits, PROT_READ, Backing::Anonymous);
    bench.take_spot();
    if free != Outcome::There {
        bench.evidence.failed_control = Some("the free page that was asked for was not given");
    }
    let mut at = 0;
    while let Some(context) = bench.context(at) {
        bench.free_page();
        bench.ask(context, bits);
        bench.take_spot();
        at += 1;
    }
}

/// `MAP_32BIT`: an address below 2 GiB, where the kernel would choose a higher one.
pub fn stays_low(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    ask_where(bench, bits, Outcome::Number(1), ["a page below 2 GiB", "a shared page below 2 GiB"], |bench, flags| {
        is_below(bench, 31, Act::Low, flags)
    });
}

/// `MAP_ABOVE4G`: an address above 4 GiB, even where the kernel would choose a lower one. It does so only when nothing is left above;
/// filling that is thorough, and too much for an emulator, which would keep a record of every page.
pub fn stays_high(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    if !bench.thorough || bench.emulated {
        return;
    }
    let mut filled = [(0, 0); FILLERS];
    let full = fill_above_4g(bench, &mut filled);
    if full {
        let questions = ["a page below 4 GiB when nothing is left above", "a shared page below 4 GiB then"];
        ask_where(bench, bits, Outcome::Number(0), questions, |bench, flags| is_below(bench, 32, Act::Below4G, flags));
    }
    for &(addr, len) in filled.iter().filter(|&&(_, len)| len != 0) {
        bench.kernel.munmap(addr, len);
    }
}

fn ask_where(
    bench: &mut Bench,
    bits: u64,
    promised: Outcome,
    questions: [&'static str; 2],
    measure: fn(&mut Bench, u64) -> Outcome,
) {
    for (question, map_type) in questions.into_iter().zip([MAP_PRIVATE, MAP_SHARED]) {
        bench.compare(question, promised, bits, &|bench, bits| measure(bench, map_type | bits));
    }
}

/// Whether a page whose address the kernel chooses lies below a power of two.
fn is_below(bench: &mut Bench, power: u32, act: Act, flags: u64) -> Outcome {
    let len = bench.bytes(1);
    let (addr, mapped) = bench.place(0, len, PROT_READ, flags, Backing::Anonymous);
    bench.noted_map(flags, Backing::Anonymous, 1, mapped);
    if !mapped.succeeded() {
        return mapped;
    }
    bench.unmap(addr, 1, mapped);
    bench.note(act, Outcome::Number((addr >> power == 0).into()))
}

/// Mappings at most that fill the space; about thirty do.
const FILLERS: usize = 128;

/// Reserves everything above 4 GiB that the kernel would choose from, the largest pieces first. Notes address and length of each.
fn fill_above_4g(bench: &mut Bench, filled: &mut [(u64, u64)]) -> bool {
    let mut places = filled.iter_mut();
    let (mut len, page) = (1 << 46, bench.bytes(1));
    let flags = MAP_PRIVATE | bench.bits("MAP_NORESERVE");
    while len >= page {
        let (addr, outcome) = bench.place(0, len, PROT_NONE, flags, Backing::Anonymous);
        if outcome.succeeded() && addr >> 32 != 0 {
            let Some(place) = places.next() else {
                bench.kernel.munmap(addr, len);
                return false;
            };
            *place = (addr, len);
            continue;
        }
        if outcome.succeeded() {
            bench.kernel.munmap(addr, len);
        }
        len >>= 1;
    }
    true
}
