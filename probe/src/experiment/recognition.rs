//! Does the kernel know the bit? The fail-on-unknown-flag test: `MAP_SHARED_VALIDATE` refuses with `EOPNOTSUPP` what it does
//! not know (`do_mmap` in `mm/mmap.c`, `LEGACY_MAP_MASK` in `include/linux/mman.h`), so a flag that is not refused as the
//! control bits are is known. Whether it does anything is another question.

use super::Bench;
use super::bench::{Control, MEMFD_VALIDATOR, PIPE_VALIDATOR};
use crate::evidence::{Outcome, Recognition};

/// Asks in every context, and compares the validators' answers with those to the control bits. Without a memfd the pipe is asked
/// twice.
pub fn is_recognized(bench: &mut Bench, bits: u64) {
    let [memfd, pipe] = bench.validators();
    for at in 0.. {
        let Some(context) = bench.context(at) else { return };
        let flagged = bench.ask(context, bits);
        if context == PIPE_VALIDATOR || context == MEMFD_VALIDATOR && flagged == Outcome::NotRun {
            let flagged = if context == PIPE_VALIDATOR { flagged } else { bench.ask(PIPE_VALIDATOR, bits) };
            compare(bench, "MAP_SHARED_VALIDATE of a pipe", flagged, pipe);
        } else if context == MEMFD_VALIDATOR {
            compare(bench, "MAP_SHARED_VALIDATE of a memfd", flagged, memfd);
        }
    }
}

fn compare(bench: &mut Bench, by: &'static str, flagged: Outcome, control: Control) {
    match control.unknown {
        Some(unknown) => bench.evidence.recognitions.push(Recognition { by, base: control.base, flagged, unknown }),
        None => bench.evidence.failed_control = Some("bits that no kernel knows are not answered alike"),
    }
}

/// Asks in every context, and leaves it at that; where the page asked for is free, or taken.
pub fn is_taken(bench: &mut Bench, bits: u64, free: bool) {
    let mut at = 0;
    while let Some(context) = bench.context(at) {
        if free {
            bench.free_page();
        }
        bench.ask(context, bits);
        bench.take_spot();
        at += 1;
    }
}
