//! Flags that decide where a mapping lands and what happens to what is there.

use super::bench::{Bench, CONTROL};
use super::recognition::{is_recognized, is_taken};
use crate::errno::Errno;
use crate::evidence::{Backing, Evidence, Outcome, Trial};
use crate::flags::MAP_PRIVATE;
use crate::kernel::PROT_READ;

/// `MAP_FIXED`: the address that was asked for, although it is taken. Anonymous and file, so that two calls agree.
pub fn honors_address(bench: &mut Bench, bits: u64) -> Evidence {
    let mut evidence = is_recognized(bench, bits);
    for (question, backing) in [
        ("fresh memory asked for at a taken address", Backing::Anonymous),
        ("a memfd asked for at a taken address", Backing::Memfd),
    ] {
        let [plain, unknown, flagged] = asked_for_taken(bench, bits, backing);
        evidence.trials.push(Trial { question, promised: Outcome::There, flagged, plain, unknown });
    }
    evidence.steps.append(&mut bench.take_steps());
    evidence
}

/// `MAP_FIXED_NOREPLACE`: `EEXIST` where something is mapped, the exact address where nothing is. Not asked of the
/// validators: they refuse it on every kernel.
pub fn keeps_what_is_there(bench: &mut Bench, bits: u64) -> Evidence {
    let mut evidence = is_taken(bench, bits);
    for (question, backing) in [
        ("fresh memory asked for at a taken address", Backing::Anonymous),
        ("a memfd asked for at a taken address", Backing::Memfd),
    ] {
        let [plain, unknown, flagged] = asked_for_taken(bench, bits, backing);
        evidence.trials.push(Trial { question, promised: Outcome::Failed(Errno::EEXIST), flagged, plain, unknown });
    }
    bench.free_spot();
    let free = bench.try_map(MAP_PRIVATE | bits, PROT_READ, Backing::Anonymous);
    bench.take_spot();
    if free != Outcome::There {
        evidence.failed_controls.push("the free page that was asked for was not given");
    }
    evidence.steps.append(&mut bench.take_steps());
    evidence
}

/// Where a page lands whose address is taken: without the flag, with a control bit, with the flag.
fn asked_for_taken(bench: &mut Bench, bits: u64, backing: Backing) -> [Outcome; 3] {
    [0, CONTROL, bits].map(|bits| bench.try_map(MAP_PRIVATE | bits, PROT_READ, backing))
}
