//! The map types, and `MAP_ANONYMOUS`: what a store into the mapping does to the file.

use super::bench::{Bench, CONTENT, base};
use super::measure::lands;
use super::recognition::validator;
use super::{ASK, Asks, Experiment};
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Outcome, Role, Test, Trial};
use crate::flags::{MAP_SHARED, MAP_SHARED_VALIDATE};
use crate::kernel::{PROT_READ, Word};
use crate::text::Text;

/// What the experiments store: another byte than the file holds.
const STORED: u8 = b's';
/// The file's byte, untouched.
const KEPT: Outcome = Outcome::number(CONTENT);
/// The file's byte, when a store reached it.
const REACHED: Outcome = Outcome::number(STORED);

const fn on_memfd(
    question: Text,
    promised: Outcome,
    base: u8,
    look: fn(&mut Bench, Word, Backing) -> Outcome,
) -> Test {
    Test { question, role: Role::Effect, promised, base, backing: Backing::MEMFD, look }
}

const fn stores(promised: Outcome) -> [Test; 2] {
    [
        on_memfd(Text::BYTE_IN_FILE, promised, 0, in_file),
        on_memfd(Text::BYTE_IN_SECOND_MAPPING, promised, 0, in_second),
    ]
}

/// `MAP_SHARED`: a store reaches the file. `MAP_PRIVATE` is the control.
pub static SHARES_STORES: Experiment =
    Experiment { asks: Asks::Type(base::PRIVATE), tests: &stores(REACHED), ..ASK };

/// `MAP_PRIVATE`: a store stays out of the file. `MAP_SHARED` is the control.
pub static KEEPS_STORES: Experiment =
    Experiment { asks: Asks::Type(base::SHARED), tests: &stores(KEPT), ..ASK };

const fn unknown_flag(question: Text, backing: Backing) -> Test {
    Test {
        question,
        role: Role::Effect,
        promised: Outcome::failed(Errno::EOPNOTSUPP),
        base: base::CONTROL,
        backing,
        look: lands,
    }
}

/// `MAP_SHARED_VALIDATE`: shares stores like `MAP_SHARED`, and refuses flags it does not know with `EOPNOTSUPP`. The same
/// flag under `MAP_SHARED` is the control.
pub static REFUSES_UNKNOWN_FLAGS: Experiment = Experiment {
    asks: Asks::Type(base::SHARED),
    // The pipe twice: without a memfd, two calls agree all the same.
    tests: &[
        unknown_flag(Text::MEMFD_WITH_UNKNOWN_FLAG, Backing::MEMFD),
        unknown_flag(Text::PIPE_WITH_UNKNOWN_FLAG, Backing::PIPE),
        unknown_flag(Text::PIPE_WITH_UNKNOWN_FLAG, Backing::PIPE),
    ],
    first: Some(|bench, bits| {
        // Without a memfd the pipe twice, here too.
        let file = if bench.memfd().is_some() { Backing::MEMFD } else { Backing::PIPE };
        for &backing in &[file, Backing::PIPE] {
            compare_types(bench, backing, PROT_READ, &[MAP_SHARED, bits]);
        }
        let taken = bench.evidence.of(Role::Validator).any(|by| by.flagged.succeeded());
        if taken && in_file(bench, MAP_SHARED_VALIDATE, Backing::MEMFD) != REACHED {
            bench.evidence.failed_control = Some(Text::STORE_IS_LOST);
        }
        true
    }),
    ..ASK
};

/// `MAP_ANONYMOUS`: the mapping is fresh memory, although a file was given.
pub static MAPS_NO_FILE: Experiment = Experiment {
    tests: &[
        on_memfd(Text::FIRST_BYTE, Outcome::number(0), base::PRIVATE, first_byte),
        on_memfd(Text::BYTE_IN_FILE, KEPT, base::SHARED, in_file),
    ],
    ..ASK
};

static BY_TYPE_FIELD: Test = validator(Text::TYPE_FIELD, Role::Validator);

/// Asks for a type in every backing.
pub fn ask_as_type(bench: &mut Bench, map_type: Word) {
    let mut at = 0;
    while let Some((another, backing)) = bench.context(at) {
        // Each backing once: the pipe is asked with one type only.
        if another == MAP_SHARED || backing == Backing::PIPE {
            bench.ask((map_type, backing), 0);
        }
        at += 1;
    }
}

/// Compares how a known type, this one, and values of the type field that name nothing are answered. Which values name nothing
/// depends on where the architecture's flags lie and on how wide the field is: 0 always, 5 and 9, or 9 and 0x21 on parisc, where 4 is
/// `MAP_FIXED`; on parisc before 4.15 the last two are `MAP_SHARED` with unknown flags.
pub fn compare_types(bench: &mut Bench, backing: Backing, prot: u32, &[known, asked]: &[Word; 2]) {
    let (base, flagged) =
        (bench.try_map(known, prot, backing), bench.try_map(asked, prot, backing));
    let flags = bench.own.all;
    let field = bench.type_mask.unwrap_or(!0);
    let mut unknown = Outcome::NOT_RUN;
    for &map_type in &[0x00, 0x05, 0x09, 0x21] {
        if map_type & flags == 0 && map_type & field == map_type {
            let answer = bench.try_map(map_type, prot, backing);
            if unknown != Outcome::NOT_RUN && !unknown.same_as(answer) {
                bench.evidence.failed_control = Some(Text::TYPES_DIFFER);
            }
            unknown = answer;
        }
    }
    if bench.emulated {
        bench.evidence.failed_control = Some(Text::EMULATOR_DIVIDES);
    }
    bench.evidence.trials.push(Trial { test: &BY_TYPE_FIELD, flagged, plain: base, unknown });
}

/// The first byte of a mapping of the memfd.
fn first_byte(bench: &mut Bench, flags: Word, backing: Backing) -> Outcome {
    let (addr, mapped) = bench.map(flags, PROT_READ, 1, backing);
    if !mapped.succeeded() {
        return mapped;
    }
    let byte = bench.load_byte(addr);
    bench.note(Act::FIRST_BYTE, byte);
    bench.unmap(addr, 1, mapped);
    byte
}

/// The byte in the file after a store through a mapping with these flags.
fn in_file(bench: &mut Bench, flags: Word, _: Backing) -> Outcome {
    after_store(bench, flags, |bench| {
        let Some(memfd) = bench.memfd() else { return Outcome::NOT_RUN };
        let mut byte = [0];
        let found = match bench.kernel.pread(memfd, &mut byte, 0).result() {
            Ok(_) => Outcome::number(byte[0]),
            Err(errno) => Outcome::refused(errno),
        };
        bench.note(Act::FILE_BYTE, found)
    })
}

/// The byte in a second, shared mapping after a store through a mapping with these flags.
fn in_second(bench: &mut Bench, flags: Word, _: Backing) -> Outcome {
    after_store(bench, flags, |bench| first_byte(bench, MAP_SHARED, Backing::MEMFD))
}

/// Stores a byte through a mapping of the memfd and looks for it. Leaves the file as it was.
fn after_store(bench: &mut Bench, flags: Word, look: fn(&mut Bench) -> Outcome) -> Outcome {
    let (addr, mapped) = bench.map(flags, Bench::READ_WRITE, 1, Backing::MEMFD);
    if !mapped.succeeded() {
        return mapped;
    }
    bench.drain();
    bench.store_byte(addr, STORED);
    let stored = bench.load_byte(addr);
    bench.note(Act::STORED, stored);
    // What was never stored cannot be found; the failure is the answer.
    let found = if stored == REACHED { look(bench) } else { Outcome::NOT_RUN };
    bench.store_byte(addr, CONTENT);
    bench.unmap(addr, 1, mapped);
    found
}
