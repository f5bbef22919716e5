//! What `/proc/self/smaps` shows of a mapping: `VmFlags`, two letters for each thing the kernel noted (`show_smap_vma_flags` in
//! `fs/proc/task_mmu.c`). Never needed, and never believed by itself: it may be another process's, so the control must differ.

use super::bench::{Bench, base};
use crate::evidence::{Act, Backing, Outcome, Role, Test};
use crate::kernel::Word;
use crate::report::sentence::hex;
use crate::text::Text;

/// The file.
pub const SMAPS: &str = "/proc/self/smaps";

/// A sign that the kernel knows a flag: it notes it.
pub const fn sign(look: fn(&mut Bench, Word, Backing) -> Outcome) -> Test {
    Test {
        question: Text::VM_FLAGS,
        role: Role::Sign,
        promised: Outcome::number(1),
        base: base::PRIVATE | base::FIXED,
        backing: Backing::ANONYMOUS,
        look,
    }
}

/// As many as are found when the line of letters ends without those that are looked for.
const ENDED: usize = 4;

/// Whether a private page has these letters. It lies between pages without access, so a line begins with its own address.
pub fn recorded(bench: &mut Bench, flags: Word, letters: &[u8; 2]) -> Outcome {
    let (addr, mapped) = bench.map(flags, Bench::READ_WRITE, 1, Backing::ANONYMOUS);
    if !mapped.succeeded() {
        return mapped;
    }
    let mut begins = String::from("\n");
    hex(&mut begins, addr, 8);
    begins.push('-');
    // Each begins with a character that it has only once, and so does its search after a mismatch.
    let wanted: [&[u8]; 3] = [begins.as_bytes(), b"\nVmFlags:", letters];
    let (mut found, mut matched) = (0, 0);
    let read = bench.kernel.read_file(SMAPS, &mut |block| {
        for &byte in block {
            if found == 2 && byte == b'\n' {
                found = ENDED;
            }
            let Some(bytes) = wanted.get(found) else { return };
            let goes_on = bytes.get(matched) == Some(&byte);
            matched = if goes_on { matched + 1 } else { usize::from(bytes.first() == Some(&byte)) };
            if matched == bytes.len() {
                (found, matched) = (found + 1, 0);
            }
        }
    });
    bench.unmap(addr, 1, mapped);
    let shown =
        if found >= 2 && read.is_ok() { Outcome::truth(found == 3) } else { Outcome::NOT_RUN };
    bench.note(Act::RECORDED, shown)
}
