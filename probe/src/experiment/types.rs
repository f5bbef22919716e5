//! The map types, and `MAP_ANONYMOUS`: what a store into the mapping does to the file.

use super::bench::{Bench, CONTENT, CONTROL};
use super::measure::Measure;
use super::recognition::is_recognized;
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Outcome, Recognition};
use crate::flags::{self, MAP_PRIVATE, MAP_SHARED};
use crate::kernel::PROT_READ;

/// What the experiments store: another byte than the file holds.
const STORED: u8 = b's';
/// The file's byte, untouched.
const KEPT: Outcome = Outcome::Number(CONTENT);
/// The file's byte, when a store reached it.
const REACHED: Outcome = Outcome::Number(STORED);

const IN_FILE: &str = "byte in the file after a store through the mapping";
const IN_MEMFD: &str = "a memfd, with a flag that no kernel knows";
const ON_PIPE: &str = "a pipe, with a flag that no kernel knows";
const IN_SECOND: &str = "byte in a second mapping after a store through the first";

/// `MAP_SHARED`: a store reaches the file. `MAP_PRIVATE` is the control.
pub fn shares_stores(bench: &mut Bench, bits: u64) {
    stores(bench, REACHED, [bits, MAP_PRIVATE]);
}

/// `MAP_PRIVATE`: a store stays out of the file. `MAP_SHARED` is the control.
pub fn keeps_stores(bench: &mut Bench, bits: u64) {
    stores(bench, KEPT, [bits, MAP_SHARED]);
}

fn stores(bench: &mut Bench, promised: Outcome, types: [u64; 2]) {
    ask_as_type(bench, types[0]);
    bench.contrast(IN_FILE, promised, types, &in_file);
    bench.contrast(IN_SECOND, promised, types, &in_second);
}

/// `MAP_SHARED_VALIDATE`: shares stores like `MAP_SHARED`, and refuses flags it does not know with `EOPNOTSUPP`. The same
/// flag under `MAP_SHARED` is the control.
pub fn refuses_unknown_flags(bench: &mut Bench, bits: u64) {
    ask_as_type(bench, bits);
    compare_types(bench, Backing::Memfd, PROT_READ, [MAP_SHARED, bits]);
    compare_types(bench, Backing::Pipe, PROT_READ, [MAP_SHARED, bits]);
    if bench.evidence.recognitions.iter().any(|by| by.flagged.succeeded()) && in_file(bench, bits) != REACHED {
        bench.evidence.failed_control = Some("a store through the mapping does not reach the file");
    }
    let refused = Outcome::Failed(Errno::EOPNOTSUPP);
    let types = [bits, MAP_SHARED];
    let memfd: Measure = &|bench, map_type| bench.try_map(map_type | CONTROL, PROT_READ, Backing::Memfd);
    let pipe: Measure = &|bench, map_type| bench.try_map(map_type | CONTROL, PROT_READ, Backing::Pipe);
    // The pipe twice: without a memfd, two calls agree all the same.
    for &(question, measure) in &[(IN_MEMFD, memfd), (ON_PIPE, pipe), (ON_PIPE, pipe)] {
        bench.contrast(question, refused, types, measure);
    }
}

/// `MAP_ANONYMOUS`: the mapping is fresh memory, although a file was given.
pub fn maps_no_file(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    let question = "first byte of a mapping that was given a file";
    bench.compare(question, Outcome::Number(0), bits, &|bench, bits| first_byte(bench, MAP_PRIVATE | bits));
    bench.compare(IN_FILE, KEPT, bits, &|bench, bits| in_file(bench, MAP_SHARED | bits));
}

/// Asks for a type in every backing.
pub fn ask_as_type(bench: &mut Bench, map_type: u64) {
    let mut at = 0;
    while let Some((another, backing)) = bench.context(at) {
        // Each backing once: the pipe is asked with one type only.
        if another == MAP_SHARED || backing == Backing::Pipe {
            bench.ask((map_type, backing), 0);
        }
        at += 1;
    }
}

/// Compares how a known type, this one, and values of the type field that name nothing are answered. Which values name nothing
/// depends on where the architecture's flags lie and on how wide the field is: 0 always, 5 and 9, or 9 and 0x21 on parisc, where 4 is
/// `MAP_FIXED`; on parisc before 4.15 the last two are `MAP_SHARED` with unknown flags.
pub fn compare_types(bench: &mut Bench, backing: Backing, prot: u32, types: [u64; 2]) {
    let [base, flagged] = types.map(|map_type| bench.try_map(map_type, prot, backing));
    let flags = flags::flag_bits(bench.arch());
    let field = bench.type_mask.unwrap_or(!0);
    let mut unknown = Outcome::NotRun;
    for &map_type in &[0x00, 0x05, 0x09, 0x21] {
        if map_type & flags == 0 && map_type & field == map_type {
            let answer = bench.try_map(map_type, prot, backing);
            if unknown != Outcome::NotRun && !unknown.same_as(answer) {
                bench.evidence.failed_control = Some("map types that name nothing are not answered alike");
            }
            unknown = answer;
        }
    }
    if bench.emulated {
        bench.evidence.failed_control = Some("a system call emulator divides the flags in its own way");
    }
    bench.evidence.recognitions.push(Recognition { by: "the type field", base, flagged, unknown });
}

/// The first byte of a mapping of the memfd.
fn first_byte(bench: &mut Bench, flags: u64) -> Outcome {
    let (addr, mapped) = bench.map(flags, PROT_READ, 1, Backing::Memfd);
    if !mapped.succeeded() {
        return mapped;
    }
    let byte = bench.load_byte(addr);
    bench.note(Act::FirstByte, byte);
    bench.unmap(addr, 1, mapped);
    byte
}

/// The byte in the file after a store through a mapping with these flags.
fn in_file(bench: &mut Bench, flags: u64) -> Outcome {
    after_store(bench, flags, |bench| {
        let Ok(memfd) = bench.memfd() else { return Outcome::NotRun };
        let mut byte = [0];
        let found = match bench.kernel.pread(memfd, &mut byte, 0).result() {
            Ok(_) => Outcome::Number(byte[0]),
            Err(errno) => Outcome::Refused(errno),
        };
        bench.note(Act::FileByte, found)
    })
}

/// The byte in a second, shared mapping after a store through a mapping with these flags.
fn in_second(bench: &mut Bench, flags: u64) -> Outcome {
    after_store(bench, flags, |bench| first_byte(bench, MAP_SHARED))
}

/// Stores a byte through a mapping of the memfd and looks for it. Leaves the file as it was.
fn after_store(bench: &mut Bench, flags: u64, look: fn(&mut Bench) -> Outcome) -> Outcome {
    let (addr, mapped) = bench.map(flags, Bench::READ_WRITE, 1, Backing::Memfd);
    if !mapped.succeeded() {
        return mapped;
    }
    bench.store_byte(addr, STORED);
    let stored = bench.load_byte(addr);
    bench.note(Act::Stored, stored);
    // What was never stored cannot be found; the failure is the answer.
    let found = if stored == REACHED { look(bench) } else { Outcome::NotRun };
    bench.store_byte(addr, CONTENT);
    bench.unmap(addr, 1, mapped);
    found
}
