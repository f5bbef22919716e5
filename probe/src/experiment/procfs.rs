//! What `/proc/self/smaps` shows of a mapping: `VmFlags`, two letters for each thing the kernel noted (`show_smap_vma_flags` in
//! `fs/proc/task_mmu.c`). Never needed, and never believed by itself: it may be another process's, so the control must differ.

use super::bench::{Bench, base};
use crate::evidence::{Act, Backing, Outcome, Test};
use crate::kernel::{Fd, How};
use crate::report::sentence::hex;

/// The file.
pub const SMAPS: &str = "/proc/self/smaps";
/// Begins the line with the letters.
const LETTERS: &[u8] = b"VmFlags:";

/// A sign that the kernel knows a flag: it notes it.
pub const fn sign(look: fn(&mut Bench, u64, Backing) -> Outcome) -> Test {
    Test {
        question: "its VmFlags in /proc/self/smaps",
        promised: Outcome::Number(1),
        base: base::PRIVATE | base::FIXED,
        backing: Backing::Anonymous,
        look,
    }
}

/// Whether a private page has these letters. It lies between pages without access, so its lines begin with its own address.
pub fn recorded(bench: &mut Bench, flags: u64, letters: &[u8; 2]) -> Outcome {
    let Ok(file) = bench.kernel.open(SMAPS, How::Read).result() else { return Outcome::NotRun };
    let (addr, mapped) = bench.map(flags, Bench::READ_WRITE, 1, Backing::Anonymous);
    let mut shown = mapped;
    if mapped.succeeded() {
        shown = has_letters(bench, file as Fd, addr, letters);
        bench.note(Act::Recorded, shown);
        bench.unmap(addr, 1, mapped);
    }
    bench.kernel.close(file as Fd);
    shown
}

/// Looks for the line that begins with the address, from there on for the one that begins with [`LETTERS`], and in that one for the
/// letters. Nothing when a line is missing.
fn has_letters(bench: &mut Bench, file: Fd, addr: u64, letters: &[u8; 2]) -> Outcome {
    let mut address = String::new();
    hex(&mut address, addr, 8);
    address.push('-');
    let wanted = [address.as_bytes(), LETTERS];
    // How many of the wanted lines were found; how many bytes of this line were read, and how many of them are the wanted ones.
    let (mut stage, mut column, mut matched) = (0, 0, 0);
    let (mut before, mut found) = (0, false);
    let mut block = [0; 1024];
    while let Ok(count @ 1..) = bench.kernel.read(file, &mut block).result() {
        for &byte in block.iter().take(count as usize) {
            if byte == b'\n' {
                if stage == wanted.len() {
                    return Outcome::Number(found.into());
                }
                (column, matched) = (0, 0);
                continue;
            }
            match wanted.get(stage) {
                Some(line) if matched == column && line.get(column) == Some(&byte) => {
                    matched += 1;
                    stage += usize::from(matched == line.len());
                }
                Some(_) => {}
                None => found |= [before, byte] == *letters,
            }
            before = byte;
            column += 1;
        }
    }
    Outcome::NotRun
}
