//! Flags that decide where a mapping lands and what happens to what is there.

use super::Bench;
use super::recognition::{is_recognized, is_taken};
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Outcome};
use crate::flags::{MAP_PRIVATE, MAP_SHARED};
use crate::kernel::PROT_READ;

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
    is_taken(bench, bits);
}

/// `MAP_32BIT`: an address below 2 GiB, where the kernel would choose a higher one.
pub fn stays_low(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    let low = Outcome::Number(1);
    bench.compare("whether a page lies below 2 GiB", low, bits, &|bench, bits| {
        is_below(bench, 31, MAP_PRIVATE | bits, Backing::Anonymous)
    });
    bench.compare("whether a shared page lies below 2 GiB", low, bits, &|bench, bits| {
        is_below(bench, 31, MAP_SHARED | bits, Backing::Anonymous)
    });
}

/// Whether a page whose address the kernel chooses lies below a power of two.
fn is_below(bench: &mut Bench, power: u32, flags: u64, backing: Backing) -> Outcome {
    let len = bench.bytes(1);
    let (addr, mapped) = bench.place(0, len, PROT_READ, flags, backing);
    bench.noted_map(flags, backing, 1, mapped);
    if !mapped.succeeded() {
        return mapped;
    }
    bench.unmap(addr, 1, mapped);
    bench.note(Act::Low, Outcome::Number((addr >> power == 0).into()))
}
