//! `/proc/self/smaps`: its line `VmFlags` has two letters for each property that the kernel
//! recorded of a mapping (`show_smap_vma_flags` in `fs/proc/task_mmu.c`). They are a sign that the
//! kernel recognizes a flag, never an effect. The file may show another process, so the same page
//! is measured without the flag.

use crate::experiment::{Evidence, Variants};
use crate::fixture::{Fixture, READ_WRITE};
use crate::flags::{MAP_FIXED, MAP_PRIVATE, MapFlags};
use crate::outcome::{Backing, Outcome};

pub const SMAPS: &str = "/proc/self/smaps";

/// The outcome for a page whose `VmFlags` have `ac`: `VM_ACCOUNT`, which `mmap_region` in
/// `mm/mmap.c` sets for private writable memory unless it is `VM_NORESERVE`.
pub const ACCOUNTED: Outcome = Outcome::Value(1);

/// Measures whether the kernel records a flag with these letters. Returns whether it records that
/// the page with the flag is accounted.
pub fn recorded_sign(
    fixture: &mut Fixture,
    flag: MapFlags,
    letters: &[u8; 2],
    evidence: &mut Evidence,
) -> Outcome {
    let mut accounted = Outcome::NotRun;
    let answers =
        fixture.compare_variants(Variants::without_control(flag), &mut |fixture, flag| {
            let [shown, ac] = records(fixture, MAP_PRIVATE | MAP_FIXED | flag, [letters, b"ac"]);
            accounted = ac;
            shown
        });
    evidence.sign("its VmFlags in /proc/self/smaps", Outcome::Value(1), answers);
    accounted
}

/// Whether the `VmFlags` of a private page show that it is locked (`VM_LOCKED`).
pub fn locked(fixture: &mut Fixture) -> Outcome {
    let [locked, _] = records(fixture, MAP_PRIVATE | MAP_FIXED, [b"lo", b"ac"]);
    locked
}

/// Whether the `VmFlags` of a private page have these letters.
pub fn records(fixture: &mut Fixture, flags: MapFlags, letters: [&[u8; 2]; 2]) -> [Outcome; 2] {
    let mapping = fixture.map(flags, READ_WRITE, 1, Backing::Anonymous);
    if !mapping.outcome.succeeded() {
        return [mapping.outcome; 2];
    }
    // The page lies between pages without access, so its entry begins with its own address.
    let mut search = Search::new(format!("\n{:08x}-", mapping.addr));
    let read = fixture.kernel.read_file(SMAPS, &mut |block| search.read(block));
    fixture.unmap(mapping);
    let shown = letters.map(|letters| {
        if read.is_err() || search.found < Found::VmFlags {
            return Outcome::NotRun;
        }
        Outcome::Value(search.line.windows(2).any(|part| part == letters).into())
    });
    fixture.log("its VmFlags show the flag", shown[0]);
    shown
}

/// How much of an entry was found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Nothing,
    Address,
    /// The beginning of the line `VmFlags`.
    VmFlags,
    /// The end of the line `VmFlags`.
    EndOfLine,
}

/// Searches a file, read in blocks, for an address, then for `VmFlags:`, and keeps the rest of that
/// line.
struct Search {
    address: String,
    found: Found,
    /// The number of bytes of the current pattern that match.
    matched: usize,
    /// The line after `VmFlags:`.
    line: Vec<u8>,
}

impl Search {
    fn new(address: String) -> Search {
        Search { address, found: Found::Nothing, matched: 0, line: Vec::new() }
    }

    fn read(&mut self, block: &[u8]) {
        for &byte in block {
            let (pattern, next): (&[u8], Found) = match self.found {
                Found::Nothing => (self.address.as_bytes(), Found::Address),
                Found::Address => (b"\nVmFlags:", Found::VmFlags),
                Found::VmFlags if byte == b'\n' => (b"\n", Found::EndOfLine),
                Found::VmFlags => {
                    self.line.push(byte);
                    continue;
                }
                Found::EndOfLine => return,
            };
            // The first byte of each pattern occurs in it only once, so a mismatch can only begin a
            // new match.
            if pattern.get(self.matched) == Some(&byte) {
                self.matched += 1;
            } else {
                self.matched = usize::from(pattern.first() == Some(&byte));
            }
            if self.matched == pattern.len() {
                self.found = next;
                self.matched = 0;
            }
        }
    }
}
