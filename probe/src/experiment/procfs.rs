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

/// Whether a private page has these letters. It lies between pages without access, so a line begins with its own address.
pub fn recorded(bench: &mut Bench, flags: Word, letters: &[u8; 2]) -> Outcome {
    let (addr, mapped) = bench.map(flags, Bench::READ_WRITE, 1, Backing::ANONYMOUS);
    if !mapped.succeeded() {
        return mapped;
    }
    let smaps = bench.kernel.read_file(SMAPS).unwrap_or_default();
    bench.unmap(addr, 1, mapped);
    let mut line = String::from("\n");
    hex(&mut line, addr, 8);
    line.push('-');
    let noted = behind(&smaps, line.as_bytes()).and_then(|area| behind(area, b"\nVmFlags:"));
    let shown = noted.map_or(Outcome::NOT_RUN, |noted| {
        let end = noted.iter().position(|&byte| byte == b'\n').unwrap_or(0);
        Outcome::number(behind(noted.get(..end).unwrap_or_default(), letters).is_some().into())
    });
    bench.note(Act::Recorded, shown)
}

/// What stands behind the first place with these bytes.
fn behind<'t>(text: &'t [u8], bytes: &[u8]) -> Option<&'t [u8]> {
    let at = text.windows(bytes.len()).position(|window| window == bytes)?;
    text.get(at + bytes.len()..)
}
