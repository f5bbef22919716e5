//! The map types, and `MAP_ANONYMOUS`: whether a store into the mapping reaches the file.

use super::recognition;
use crate::experiment::{Evidence, Experiment, IfOnlyRecognized, Variants};
use crate::fixture::{Fixture, Mapping, READ_WRITE};
use crate::flags::{
    MAP_PRIVATE as PRIVATE, MAP_SHARED as SHARED, MAP_SHARED_VALIDATE as VALIDATE, MapFlags,
};
use crate::outcome::{Backing, Outcome};
use crate::request::RecordingVersion;
use kernel::{Ended, Errno, PROT_READ};

/// The byte that the experiments store.
const STORED: u8 = b's';
/// The byte of the file when a store reached it.
const REACHED: Outcome = Outcome::Value(STORED);
/// The byte that a child process stores ([`kernel::Op::Touch`]).
const STORED_BY_CHILD: Outcome = Outcome::Value(0);

pub static MAP_SHARED: Experiment = Experiment {
    promise: "Stores reach the file.",
    proof: "A byte that is stored appears in the file and in a second mapping. With MAP_PRIVATE \
            it does not. Without a file: a child's store appears in its parent.",
    pitfalls: "Flags that the kernel does not recognize are dropped in silence.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: |fixture, map_type, evidence| {
        recognition::probe_as_type(fixture, map_type);
        let variants = Variants::of_types(PRIVATE, map_type);
        compare_stores(fixture, variants, REACHED, evidence);
        compare_stores_of_child(fixture, variants, STORED_BY_CHILD, evidence);
    },
};

pub static MAP_PRIVATE: Experiment = Experiment {
    promise: "Stores stay in the mapping.",
    proof: "A byte that is stored appears neither in the file nor in a second mapping. With \
            MAP_SHARED it does. Without a file: a child's store does not appear in its parent.",
    pitfalls: "Flags that the kernel does not recognize are dropped in silence.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: |fixture, map_type, evidence| {
        recognition::probe_as_type(fixture, map_type);
        let promised = untouched(fixture);
        let variants = Variants::of_types(SHARED, map_type);
        compare_stores(fixture, variants, promised, evidence);
        compare_stores_of_child(fixture, variants, REACHED, evidence);
    },
};

fn compare_stores(
    fixture: &mut Fixture,
    variants: Variants,
    promised: Outcome,
    evidence: &mut Evidence,
) {
    let answers = fixture.compare_variants(variants, &mut byte_in_file);
    evidence.effect("byte in the file after a store through the mapping", promised, answers);
    let answers = fixture.compare_variants(variants, &mut byte_in_second_mapping);
    let question = "byte in a second mapping after a store through the first";
    evidence.effect(question, promised, answers);
}

/// Without a file that can be written, compares whether a store of a child process reaches its
/// parent: anonymous memory is shared with children too (`mmap(2)`).
fn compare_stores_of_child(
    fixture: &mut Fixture,
    variants: Variants,
    promised: Outcome,
    evidence: &mut Evidence,
) {
    if lacks_writable_file(fixture) {
        for _ in 0..2 {
            let answers = fixture.compare_variants(variants, &mut byte_after_store_of_child);
            evidence.effect("byte in anonymous memory after a child's store", promised, answers);
        }
    }
}

/// Whether other memory than a file's must decide.
fn lacks_writable_file(fixture: &Fixture) -> bool {
    fixture.writable_file().is_none() && fixture.recording_version >= RecordingVersion::Two
}

pub static MAP_SHARED_VALIDATE: Experiment = Experiment {
    promise: "As MAP_SHARED, but flags that the kernel does not recognize fail with EOPNOTSUPP.",
    proof: "Bit 24 fails with EOPNOTSUPP, of a file and of a pipe. With MAP_SHARED it does not.",
    pitfalls: "EINVAL for anonymous memory, except with MAP_HUGETLB. Bits 26 to 30 are accepted: \
               they are the huge page size field.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: rejects_unknown_flags,
};

fn rejects_unknown_flags(fixture: &mut Fixture, map_type: MapFlags, evidence: &mut Evidence) {
    recognition::probe_as_type(fixture, map_type);
    // Without a file the pipe is probed twice, because two measurements must agree.
    let file = if fixture.file().is_some() { Backing::File } else { Backing::Pipe };
    for &backing in &[file, Backing::Pipe] {
        recognition::compare_types(fixture, backing, PROT_READ, SHARED, map_type, evidence);
    }
    let accepted = evidence.validators().any(|trial| trial.answers.with.succeeded());
    let is_writable = fixture.writable_file().is_some();
    if accepted && is_writable && byte_in_file(fixture, VALIDATE) != REACHED {
        evidence.failed_control = Some("a store through the mapping does not reach the file");
    }
    for &(question, backing) in &[
        ("a file, with an unassigned bit", Backing::File),
        ("a pipe, with an unassigned bit", Backing::Pipe),
        ("a pipe, with an unassigned bit", Backing::Pipe),
    ] {
        let variants = Variants::of_types(SHARED, map_type);
        let answers = fixture.compare_variants(variants, &mut |fixture, map_type| {
            fixture.try_map(map_type | MapFlags::UNASSIGNED, PROT_READ, backing)
        });
        evidence.effect(question, Outcome::MmapFailed(Errno::EOPNOTSUPP), answers);
    }
}

pub static MAP_ANONYMOUS: Experiment = Experiment {
    promise: "Fresh memory, even if a file is given.",
    proof: "The first byte of a mapping of a file is zero, and a store does not reach the file.",
    pitfalls: "EINVAL with MAP_SHARED_VALIDATE, except with MAP_HUGETLB.",
    if_only_recognized: IfOnlyRecognized::Accepted,
    errors_that_prove_recognition: &[],
    run: maps_no_file,
};

const FIRST_BYTE: &str = "first byte of a mapping that was given a file";
const FIRST_BYTE_OF_PIPE: &str = "first byte of a mapping that was given a pipe";

fn maps_no_file(fixture: &mut Fixture, flag: MapFlags, evidence: &mut Evidence) {
    recognition::probe_as_flag(fixture, flag, evidence);
    compare_first_byte(fixture, flag, PRIVATE, Backing::File, evidence);
    if fixture.writable_file().is_some() {
        let untouched = untouched(fixture);
        let answers =
            fixture.compare(flag, &mut |fixture, flag| byte_in_file(fixture, SHARED | flag));
        evidence.effect("byte in the file after a store through the mapping", untouched, answers);
    } else {
        compare_first_byte(fixture, flag, SHARED, Backing::File, evidence);
    }
    // A pipe cannot be mapped, so fresh memory is the effect of the flag.
    if lacks_writable_file(fixture) {
        for map_type in [PRIVATE, SHARED] {
            compare_first_byte(fixture, flag, map_type, Backing::Pipe, evidence);
        }
    }
}

fn compare_first_byte(
    fixture: &mut Fixture,
    flag: MapFlags,
    map_type: MapFlags,
    backing: Backing,
    evidence: &mut Evidence,
) {
    let answers =
        fixture.compare(flag, &mut |fixture, flag| first_byte(fixture, map_type | flag, backing));
    let question = if backing == Backing::Pipe { FIRST_BYTE_OF_PIPE } else { FIRST_BYTE };
    evidence.effect(question, Outcome::Value(0), answers);
}

/// The byte of the file when no store reached it.
fn untouched(fixture: &Fixture) -> Outcome {
    match fixture.file() {
        Some(file) => Outcome::Value(file.content),
        None => Outcome::NotRun,
    }
}

/// The first byte of a mapping.
fn first_byte(fixture: &mut Fixture, flags: MapFlags, backing: Backing) -> Outcome {
    let mapping = fixture.map(flags, PROT_READ, 1, backing);
    if !mapping.outcome.succeeded() {
        return mapping.outcome;
    }
    let byte = fixture.load_byte(mapping.addr);
    fixture.log("its first byte", byte);
    fixture.unmap(mapping);
    byte
}

/// The byte in the file after a store through a mapping with these flags.
fn byte_in_file(fixture: &mut Fixture, flags: MapFlags) -> Outcome {
    after_store(fixture, flags, |fixture| {
        let Some(file) = fixture.writable_file() else { return Outcome::NotRun };
        let mut byte = [0];
        let found = match fixture.kernel.pread(file.fd, &mut byte, 0).result() {
            Ok(_) => Outcome::Value(byte[0]),
            Err(errno) => Outcome::Failed(errno),
        };
        fixture.log("pread, the file's byte", found)
    })
}

/// The byte in a second, shared mapping after a store through a mapping with these flags.
fn byte_in_second_mapping(fixture: &mut Fixture, flags: MapFlags) -> Outcome {
    after_store(fixture, flags, |fixture| first_byte(fixture, SHARED, Backing::File))
}

/// Stores a byte through a mapping of the file, looks for it, and restores the file.
fn after_store(
    fixture: &mut Fixture,
    flags: MapFlags,
    look: fn(&mut Fixture) -> Outcome,
) -> Outcome {
    let Some(file) = fixture.writable_file() else { return Outcome::NotRun };
    let mapping = fixture.map(flags, READ_WRITE, 1, Backing::File);
    let Mapping { addr, outcome, .. } = mapping;
    if !outcome.succeeded() {
        return outcome;
    }
    fixture.drain_pipe();
    fixture.store_byte(addr, STORED);
    let read_back = fixture.load_byte(addr);
    fixture.log("a store, read back", read_back);
    // If nothing was stored, nothing can be found.
    let found = if read_back == REACHED { look(fixture) } else { Outcome::NotRun };
    fixture.store_byte(addr, file.content);
    fixture.unmap(mapping);
    found
}

/// The byte in anonymous memory after a store, and another one by a child process.
fn byte_after_store_of_child(fixture: &mut Fixture, flags: MapFlags) -> Outcome {
    let mapping = fixture.map(flags, READ_WRITE, 1, Backing::Anonymous);
    if !mapping.outcome.succeeded() {
        return mapping.outcome;
    }
    fixture.drain_pipe();
    fixture.store_byte(mapping.addr, STORED);
    let is_stored = fixture.load_byte(mapping.addr) == REACHED;
    let found = if is_stored && fixture.kernel.touch(mapping.addr) == Ok(Ended::Exited(0)) {
        fixture.load_byte(mapping.addr)
    } else {
        Outcome::NotRun
    };
    fixture.log("a child's store, read in the parent", found);
    fixture.unmap(mapping);
    found
}
