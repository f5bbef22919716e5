//! Does the kernel know the bit? The fail-on-unknown-flag test: `MAP_SHARED_VALIDATE` refuses with `EOPNOTSUPP` what it does
//! not know (`do_mmap` in `mm/mmap.c`, `LEGACY_MAP_MASK` in `include/linux/mman.h`), so a flag that is not refused as the
//! control bits are is known. Whether it does anything is another question.

use super::Bench;
use super::bench::{CONTEXTS, Control, MEMFD_VALIDATOR, PIPE_VALIDATOR};
use crate::evidence::{Evidence, Outcome, Recognition};

/// Asks in every context, and compares the validators' answers with those to the control bits. Without a memfd the pipe is asked
/// twice.
pub fn is_recognized(bench: &mut Bench, bits: u64) -> Evidence {
    let mut evidence = Evidence::default();
    let [memfd, pipe] = bench.validators();
    for &context in &CONTEXTS {
        let flagged = bench.ask(context, bits);
        match context {
            MEMFD_VALIDATOR if flagged == Outcome::NotRun => {
                let flagged = bench.ask(PIPE_VALIDATOR, bits);
                compare(&mut evidence, "MAP_SHARED_VALIDATE of a pipe", flagged, pipe);
            }
            MEMFD_VALIDATOR => compare(&mut evidence, "MAP_SHARED_VALIDATE of a memfd", flagged, memfd),
            PIPE_VALIDATOR => compare(&mut evidence, "MAP_SHARED_VALIDATE of a pipe", flagged, pipe),
            _ => {}
        }
    }
    evidence
}

fn compare(evidence: &mut Evidence, by: &'static str, flagged: Outcome, control: Control) {
    match control.unknown {
        Some(unknown) => evidence.recognitions.push(Recognition { by, base: control.base, flagged, unknown }),
        None => evidence.failed_control = Some("bits that no kernel knows are not answered alike"),
    }
}

/// Asks in every context, for flags that the validators refuse on every kernel, so that their refusal says nothing:
/// `MAP_SYNC` and `MAP_FIXED_NOREPLACE` are not in `LEGACY_MAP_MASK`.
pub fn is_taken(bench: &mut Bench, bits: u64) -> Evidence {
    for &context in &CONTEXTS {
        bench.ask(context, bits);
    }
    Evidence::default()
}
