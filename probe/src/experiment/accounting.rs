//! `MAP_NORESERVE`: more memory than there is. Nothing of it is ever touched.

use super::recognition::is_recognized;
use super::{Bench, procfs, residency};
use crate::evidence::{Backing, Outcome};
use crate::flags::MAP_PRIVATE;
use crate::kernel::PROT_NONE;

/// How much more than memory and swap together is asked for: bytes.
const MORE: [u64; 2] = [64 << 20, 128 << 20];

/// `MAP_NORESERVE`: with the default of `vm.overcommit_memory` (0), private writable memory beyond memory and swap together is
/// refused without it and given with it (`__vm_enough_memory` in `mm/util.c`).
pub fn is_not_accounted(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    for &(question, more) in &[
        ("64 MiB more than memory and swap together", MORE[0]),
        ("128 MiB more than memory and swap together", MORE[1]),
    ] {
        bench.compare(question, Outcome::Elsewhere, bits, &|bench, bits| {
            beyond_memory(bench, bits, Bench::READ_WRITE, more)
        });
    }
    procfs::look_for_sign(bench, bits, b"nr");
}

/// What asking for more memory than there is answers. Not asked where everything is locked: that would bring all of it in.
fn beyond_memory(bench: &mut Bench, bits: u64, prot: u32, more: u64) -> Outcome {
    let Ok(memory) = bench.kernel.memory().result() else { return Outcome::NotRun };
    if !residency::discard(bench, 0).succeeded() {
        return Outcome::NotRun;
    }
    let (len, flags) = (memory + more, MAP_PRIVATE | bits);
    let (addr, outcome) = bench.place(0, len, prot, flags, Backing::Anonymous);
    bench.noted_map(flags, Backing::Anonymous, 0, outcome);
    if outcome.succeeded() {
        bench.kernel.munmap(addr, len);
    }
    outcome
}

/// How memory beyond what there is is answered: without the flag, with it, and without access, which is never accounted.
pub fn overcommit(bench: &mut Bench) -> [Outcome; 3] {
    let noreserve = bench.bits("MAP_NORESERVE");
    [(0, Bench::READ_WRITE), (noreserve, Bench::READ_WRITE), (0, PROT_NONE)]
        .map(|(bits, prot)| beyond_memory(bench, bits, prot, MORE[0]))
}
