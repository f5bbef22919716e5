//! Flags that decide where a mapping lands and what happens to what is there.

use super::bench::Bench;
use super::recognition::{is_recognized, is_taken};
use crate::errno::Errno;
use crate::evidence::{Backing, Evidence, Outcome};
use crate::flags::MAP_PRIVATE;
use crate::kernel::PROT_READ;

/// `MAP_FIXED`: the address that was asked for, although it is taken.
pub fn honors_address(bench: &mut Bench, bits: u64) -> Evidence {
    let mut evidence = is_recognized(bench, bits);
    ask_for_taken(bench, bits, Outcome::There, &mut evidence);
    evidence
}

/// `MAP_FIXED_NOREPLACE`: `EEXIST` where something is mapped, the exact address where nothing is. Not asked of the
/// validators: they refuse it on every kernel.
pub fn keeps_what_is_there(bench: &mut Bench, bits: u64) -> Evidence {
    let mut evidence = is_taken(bench, bits);
    ask_for_taken(bench, bits, Outcome::Failed(Errno::EEXIST), &mut evidence);
    bench.free_spot();
    let free = fresh(bench, bits);
    bench.take_spot();
    if free != Outcome::There {
        evidence.failed_control = Some("the free page that was asked for was not given");
    }
    evidence
}

/// Asks for a taken address twice, so that two calls agree.
fn ask_for_taken(bench: &mut Bench, bits: u64, promised: Outcome, evidence: &mut Evidence) {
    bench.compare(evidence, "a page at an address that is taken", promised, bits, fresh);
    bench.compare(evidence, "a writable page at an address that is taken", promised, bits, |bench, bits| {
        bench.try_map(MAP_PRIVATE | bits, Bench::READ_WRITE, Backing::Anonymous)
    });
}

/// Where a page of fresh memory lands.
fn fresh(bench: &mut Bench, bits: u64) -> Outcome {
    bench.try_map(MAP_PRIVATE | bits, PROT_READ, Backing::Anonymous)
}
