//! The map types, and `MAP_ANONYMOUS`: what a store into the mapping does to the file.

use super::bench::{Bench, CONTENT, CONTROL};
use super::recognition::is_recognized;
use crate::errno::Errno;
use crate::evidence::{Backing, Evidence, Outcome, Recognition, Trial};
use crate::flags::{self, MAP_PRIVATE, MAP_SHARED};
use crate::kernel::PROT_READ;

/// What the experiments store: another byte than the file holds.
const STORED: u8 = b's';
/// The file's byte, untouched.
const KEPT: Outcome = Outcome::Number(CONTENT as u64);
/// The file's byte, when a store reached it.
const REACHED: Outcome = Outcome::Number(STORED as u64);

const IN_FILE: &str = "byte in the file after a store through the mapping";
const IN_SECOND: &str = "byte in a second mapping of the file after a store through the first";

/// `MAP_SHARED`: a store reaches the file. `MAP_PRIVATE` is the control.
pub fn shares_stores(bench: &mut Bench, bits: u64) -> Evidence {
    stores(bench, bits, REACHED, MAP_PRIVATE)
}

/// `MAP_PRIVATE`: a store stays out of the file. `MAP_SHARED` is the control.
pub fn keeps_stores(bench: &mut Bench, bits: u64) -> Evidence {
    stores(bench, bits, KEPT, MAP_SHARED)
}

fn stores(bench: &mut Bench, bits: u64, promised: Outcome, control: u64) -> Evidence {
    let mut evidence = Evidence::default();
    ask_as_type(bench, bits);
    let (flagged, plain) = (after_store(bench, bits), after_store(bench, control));
    for (at, question) in [IN_FILE, IN_SECOND].into_iter().enumerate() {
        let trial = Trial { question, promised, flagged: flagged[at], plain: plain[at], unknown: Outcome::NotRun };
        evidence.trials.push(trial);
    }
    evidence.steps = bench.take_steps();
    evidence
}

/// `MAP_SHARED_VALIDATE`: shares stores like `MAP_SHARED`, and refuses flags it does not know with `EOPNOTSUPP`. The same
/// flag under `MAP_SHARED` is the control.
pub fn refuses_unknown_flags(bench: &mut Bench, bits: u64) -> Evidence {
    let mut evidence = Evidence::default();
    ask_as_type(bench, bits);
    let known = bench.try_map(MAP_SHARED, PROT_READ, Backing::Memfd);
    let flagged = bench.try_map(bits, PROT_READ, Backing::Memfd);
    match unknown_type(bench, Backing::Memfd) {
        Some(unknown) => {
            evidence.recognitions.push(Recognition { by: "the type field", base: known, flagged, unknown });
        }
        None => evidence.failed_controls.push("values of the type field that name nothing are not answered alike"),
    }
    if flagged.succeeded() && after_store(bench, bits)[0] != REACHED {
        evidence.failed_controls.push("a store through the mapping does not reach the file");
    }
    let refused = Outcome::Failed(Errno::EOPNOTSUPP);
    evidence.trials.push(Trial {
        question: "a memfd with a flag that no kernel knows",
        promised: refused,
        flagged: bench.try_map(bits | CONTROL, PROT_READ, Backing::Memfd),
        plain: bench.try_map(MAP_SHARED | CONTROL, PROT_READ, Backing::Memfd),
        unknown: Outcome::NotRun,
    });
    evidence.trials.push(Trial {
        question: "a pipe with a flag that no kernel knows",
        promised: refused,
        flagged: bench.try_map(bits | CONTROL, PROT_READ, Backing::Pipe),
        plain: bench.try_map(MAP_SHARED | CONTROL, PROT_READ, Backing::Pipe),
        unknown: Outcome::NotRun,
    });
    evidence.steps = bench.take_steps();
    evidence
}

/// A type that is answered in another way than values that name nothing is known; `ENOTSUPP` (524) and `EOPNOTSUPP` are how
/// kernels say that they have no room for `MAP_DROPPABLE`.
pub fn differs_from_unknown_types(bench: &mut Bench, bits: u64) -> Evidence {
    let mut evidence = Evidence { knowing: &[Errno::ENOTSUPP, Errno::EOPNOTSUPP], ..Evidence::default() };
    ask_as_type(bench, bits);
    let base = bench.try_map(MAP_PRIVATE, PROT_READ, Backing::Anonymous);
    let flagged = bench.try_map(bits, PROT_READ, Backing::Anonymous);
    match unknown_type(bench, Backing::Anonymous) {
        Some(unknown) => evidence.recognitions.push(Recognition { by: "the type field", base, flagged, unknown }),
        None => evidence.failed_controls.push("values of the type field that name nothing are not answered alike"),
    }
    evidence.steps = bench.take_steps();
    evidence
}

/// `MAP_ANONYMOUS`: the mapping is fresh memory, although a file was given.
pub fn maps_no_file(bench: &mut Bench, bits: u64) -> Evidence {
    let mut evidence = is_recognized(bench, bits);
    let [plain, unknown, flagged] = [0, CONTROL, bits].map(|bits| first_byte(bench, MAP_PRIVATE | bits));
    evidence.trials.push(Trial {
        question: "first byte of a mapping that was given a file",
        promised: Outcome::Number(0),
        flagged,
        plain,
        unknown,
    });
    let [plain, unknown, flagged] = [0, CONTROL, bits].map(|bits| after_store(bench, MAP_SHARED | bits)[0]);
    evidence.trials.push(Trial { question: IN_FILE, promised: KEPT, flagged, plain, unknown });
    evidence.steps.append(&mut bench.take_steps());
    evidence
}

/// Asks for a type in every backing.
fn ask_as_type(bench: &mut Bench, map_type: u64) {
    for backing in [Backing::Anonymous, Backing::Memfd, Backing::Pipe] {
        bench.ask((map_type, backing), 0);
    }
}

/// How values of the type field that name nothing are answered, when they agree. Which values those are depends on where the
/// architecture's flags lie: 5 and 9, or 9 and 0x21 on parisc, where 4 is `MAP_FIXED`.
pub fn unknown_type(bench: &mut Bench, backing: Backing) -> Option<Outcome> {
    let flags = flags::flag_bits(bench.arch());
    let mut agreed = None;
    for map_type in [0x05, 0x09, 0x21] {
        if map_type & flags != 0 {
            continue;
        }
        let answer = bench.try_map(map_type, PROT_READ, backing);
        if agreed.is_some_and(|before: Outcome| !before.same_as(answer)) {
            return None;
        }
        agreed = Some(answer);
    }
    agreed
}

/// The first byte of a mapping of the memfd.
fn first_byte(bench: &mut Bench, flags: u64) -> Outcome {
    let (addr, mapped) = bench.map(flags, PROT_READ, 1, Backing::Memfd);
    if !mapped.succeeded() {
        return mapped;
    }
    let byte = bench.load_byte(addr);
    bench.note("its first byte", byte);
    bench.unmap(addr, 1, mapped);
    byte
}

/// Stores a byte through a mapping of the memfd and reads it from the file and from a second mapping. Leaves the file as it
/// was.
fn after_store(bench: &mut Bench, flags: u64) -> [Outcome; 2] {
    let (addr, mapped) = bench.map(flags, Bench::READ_WRITE, 1, Backing::Memfd);
    if !mapped.succeeded() {
        return [mapped; 2];
    }
    let stored = bench.store_byte(addr, STORED);
    let stored = if stored.succeeded() { bench.load_byte(addr) } else { stored };
    bench.note("a store, read back", stored);
    let found = if stored == REACHED {
        let mut byte = [0];
        let in_file = match bench.kernel.pread(bench.memfd(), &mut byte, 0) {
            Ok(_) => Outcome::Number(u64::from(byte[0])),
            Err(errno) => Outcome::Failed(errno),
        };
        bench.note("pread, the file's byte", in_file);
        [in_file, first_byte(bench, MAP_SHARED)]
    } else {
        [stored; 2]
    };
    bench.store_byte(addr, CONTENT);
    bench.unmap(addr, 1, mapped);
    found
}
