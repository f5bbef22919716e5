//! Flags about the file behind a mapping: `MAP_SYNC`, `MAP_DENYWRITE`, `MAP_EXECUTABLE`.

use super::{recognition, smaps};
use crate::experiment::{Evidence, Experiment, IfOnlyRecognized, Variants};
use crate::fixture::Fixture;
use crate::flags::{MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE, MapFlags};
use crate::outcome::{Backing, Outcome};
use kernel::{Errno, PROT_READ};

/// No kernel since 2.6 denies writing: `ksys_mmap_pgoff` in `mm/mmap.c` cleared the flag before
/// 5.15, and nothing reads it since.
pub static MAP_DENYWRITE: Experiment = Experiment {
    promise: "Writing to the mapped file fails with ETXTBSY.",
    proof: "A write to a file while it is mapped.",
    pitfalls: "It has no effect since 2.6, although MAP_SHARED_VALIDATE accepts it.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: denies_writing,
};

/// Like `MAP_DENYWRITE` it was meant for program loaders and is cleared in the same place.
pub static MAP_EXECUTABLE: Experiment = Experiment { run: denies_writing, ..MAP_DENYWRITE };

fn denies_writing(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    recognition::probe_as_flag(fixture, flag, evidence);
    for &map_type in &[MAP_PRIVATE, MAP_SHARED] {
        let answers = fixture
            .compare(flag, &mut |fixture, flag| write_while_mapped(fixture, map_type | flag));
        evidence.effect("writing to a mapped file", WRITE_DENIED, answers);
    }
}

const WRITE_DENIED: Outcome = Outcome::Failed(Errno::ETXTBSY);

/// The outcome of a write to the file while it is mapped.
fn write_while_mapped(fixture: &mut Fixture, flags: MapFlags) -> Outcome {
    let Some(file) = fixture.writable_file() else { return Outcome::NotRun };
    let mapping = fixture.map(flags, PROT_READ, 1, Backing::File);
    if !mapping.outcome.succeeded() {
        // A file that is open for writing cannot be mapped.
        return match mapping.outcome {
            Outcome::MmapFailed(Errno::ETXTBSY) => WRITE_DENIED,
            failed => failed,
        };
    }
    let written = Outcome::of(fixture.kernel.write(file.fd, &[0]));
    fixture.log("write to the file", written);
    fixture.unmap(mapping);
    written
}

/// The effect shows only when power is lost. A file honors the flag if `MAP_SHARED_VALIDATE`
/// accepts it there and rejects unassigned bits; no memfd does, a file on DAX may.
pub static MAP_SYNC: Experiment = Experiment {
    promise: "A page is writable once the file's metadata is stored: data that was flushed \
              survives a loss of power.",
    proof: "MAP_SHARED_VALIDATE accepts it on your path (--path), and rejects bits 22 and 24.",
    pitfalls: "Files on DAX only. Without MAP_SHARED_VALIDATE it may be dropped.",
    if_only_recognized: IfOnlyRecognized::Unavailable,
    errors_that_prove_recognition: &[],
    run: syncs_faults,
};

fn syncs_faults(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    recognition::probe_contexts(fixture, flag);
    // A kernel that recognizes the flag records it for any memory.
    smaps::recorded_sign(fixture, flag, b"sf", evidence);
    // File systems give it under MAP_SHARED_VALIDATE, with which it came (`mmap(2)`).
    recognition::compare_without_validation(fixture, flag, evidence);
    for path in fixture.paths() {
        // File systems that support it reject it for a file that is not on DAX, under MAP_PRIVATE
        // too (`ext4_file_mmap` in `fs/ext4/file.c`, `xfs_file_mmap` in `fs/xfs/xfs_file.c`).
        let rejected = Outcome::MmapFailed(Errno::EOPNOTSUPP);
        let answers = fixture.compare(flag, &mut |fixture, flag| {
            fixture.try_map(MAP_PRIVATE | flag, PROT_READ, path)
        });
        evidence.sign("a private mapping of a path", rejected, answers);
        let question = "MAP_SHARED_VALIDATE of a path";
        let accepted = fixture.try_map(MAP_SHARED_VALIDATE | flag, PROT_READ, path);
        if accepted.may_be_filtered() {
            evidence.filtered_effect(question, Outcome::MappedElsewhere, accepted);
        }
        if !accepted.succeeded() {
            continue;
        }
        // The call without flags succeeds too, so an unassigned bit takes its place.
        let [other, _] = MapFlags::OTHER_UNASSIGNED;
        let without = MapFlags::UNASSIGNED;
        let variants = Variants { without, control: Some(other), with: flag };
        for _ in 0..2 {
            let answers = fixture.compare_variants(variants, &mut |fixture, flag| {
                fixture.try_map(MAP_SHARED_VALIDATE | flag, PROT_READ, path)
            });
            evidence.effect(question, accepted, answers);
        }
    }
}
