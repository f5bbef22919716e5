//! What `/proc/self/smaps` shows of a mapping: `VmFlags`, two letters for each thing the kernel noted (`show_smap_vma_flags` in
//! `fs/proc/task_mmu.c`). Never needed, and never believed by itself: it may be another process's, so the control must differ.

use super::Bench;
use crate::evidence::{Act, Backing, Outcome};
use crate::flags::MAP_PRIVATE;
use crate::kernel::{Fd, How};

/// The file.
pub const SMAPS: &str = "/proc/self/smaps";
/// Begins the line with the letters.
const LETTERS: &[u8] = b"VmFlags:";
/// Bytes of a line that are looked at.
const LINE: usize = 160;

/// A sign that the kernel knows a flag: fresh private memory with it has these letters.
pub fn look_for_sign(bench: &mut Bench, bits: u64, letters: &'static [u8; 2]) {
    bench.look_for_sign("its VmFlags in /proc/self/smaps", Outcome::Number(1), bits, &|bench, bits| {
        recorded(bench, bits, letters)
    });
}

fn recorded(bench: &mut Bench, bits: u64, letters: &[u8; 2]) -> Outcome {
    let Ok(file) = bench.kernel.open(SMAPS, How::Read).result() else { return Outcome::NotRun };
    let (addr, mapped) = bench.map(MAP_PRIVATE | bits, Bench::READ_WRITE, 1, Backing::Anonymous);
    let mut shown = mapped;
    if mapped.succeeded() {
        shown = has_letters(bench, file as Fd, addr, letters);
        bench.note(Act::Recorded, shown);
        bench.unmap(addr, 1, mapped);
    }
    bench.kernel.close(file as Fd);
    shown
}

/// Whether the mapping that holds an address has the letters; nothing when it is not in the file.
fn has_letters(bench: &mut Bench, file: Fd, addr: u64, letters: &[u8; 2]) -> Outcome {
    let (mut line, mut len, mut inside) = ([0; LINE], 0, false);
    let mut block = [0; 1024];
    loop {
        let read = bench.kernel.read(file, &mut block).result().unwrap_or(0) as usize;
        if read == 0 {
            return Outcome::NotRun;
        }
        for &byte in block.iter().take(read) {
            if byte != b'\n' {
                if let Some(place) = line.get_mut(len) {
                    *place = byte;
                    len += 1;
                }
                continue;
            }
            let text = line.get(..len).unwrap_or_default();
            len = 0;
            if let Some((start, end)) = range(text) {
                inside = start <= addr && addr < end;
            } else if let (true, Some(all)) = (inside, text.strip_prefix(LETTERS)) {
                return Outcome::Number(all.chunks(3).any(|word| word.get(1..) == Some(letters)).into());
            }
        }
    }
}

/// The addresses at the beginning of a mapping's first line: `7f5a1000-7f5a2000 rw-p ..`.
fn range(line: &[u8]) -> Option<(u64, u64)> {
    let mut ends = [0; 2];
    let mut rest = line;
    for (end, behind) in ends.iter_mut().zip([b'-', b' ']) {
        loop {
            let (&digit, left) = rest.split_first()?;
            rest = left;
            match digit {
                b'0'..=b'9' => *end = *end << 4 | u64::from(digit - b'0'),
                b'a'..=b'f' => *end = *end << 4 | u64::from(digit - b'a' + 10),
                _ if digit == behind => break,
                _ => return None,
            }
        }
    }
    Some((ends[0], ends[1]))
}
