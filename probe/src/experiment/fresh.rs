//! Flags that decide what fresh memory holds, and what becomes of it: `MAP_UNINITIALIZED`, `MAP_DROPPABLE`.

use super::Bench;
use super::recognition::is_recognized;
use super::types::{ask_as_type, compare_types};
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Outcome};
use crate::flags::MAP_PRIVATE;
use crate::kernel::{Advice, PROT_READ};

/// Pages that are given back and asked for again.
const PAGES: u8 = 4;
/// What pages are filled with before they are given back.
const LEFT: u8 = b'l';

/// `MAP_UNINITIALIZED`: fresh memory holds what was there before. Only kernels without an MMU that were configured for it do that
/// (`mm/nommu.c`).
pub fn holds_old_content(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    for &question in
        &["whether fresh memory holds what was there before", "whether more fresh memory holds what was there before"]
    {
        bench.compare(question, Outcome::Number(1), bits, &|bench, bits| {
            leave_content(bench);
            let (addr, mapped) = bench.map(MAP_PRIVATE | bits, PROT_READ, PAGES, Backing::Anonymous);
            if !mapped.succeeded() {
                return mapped;
            }
            let mut dirty = 0;
            for page in 0..PAGES {
                if bench.load_byte(addr + bench.bytes(page)) == Outcome::Number(LEFT) {
                    dirty = 1;
                }
            }
            bench.unmap(addr, PAGES, mapped);
            bench.note(Act::Dirty, Outcome::Number(dirty))
        });
    }
}

/// Fills pages and gives them back.
fn leave_content(bench: &mut Bench) {
    let (addr, mapped) = bench.map(MAP_PRIVATE, Bench::READ_WRITE, PAGES, Backing::Anonymous);
    if mapped.succeeded() {
        for page in 0..PAGES {
            bench.store_byte(addr + bench.bytes(page), LEFT);
        }
        bench.unmap(addr, PAGES, mapped);
    }
}

/// `MAP_DROPPABLE`: a type that is answered in another way than values that name nothing is known; `ENOTSUPP` (524) and
/// `EOPNOTSUPP` are how kernels say that they have no room for it. Such memory never survives a fork, so `MADV_KEEPONFORK` is
/// refused (`madvise_vma_behavior` in `mm/madvise.c`).
pub fn is_droppable(bench: &mut Bench, bits: u64) {
    bench.evidence.knowing = &[Errno::ENOTSUPP, Errno::EOPNOTSUPP];
    ask_as_type(bench, bits);
    for &prot in &[PROT_READ, Bench::READ_WRITE] {
        compare_types(bench, Backing::Anonymous, prot, [MAP_PRIVATE, bits]);
    }
    if bench.evidence.recognitions.iter().all(|by| by.flagged.succeeded()) {
        for &question in &["madvise(MADV_KEEPONFORK)", "madvise(MADV_KEEPONFORK), once more"] {
            bench.contrast(question, Outcome::Refused(Errno::EINVAL), [bits, MAP_PRIVATE], &|bench, map_type| {
                bench.about_page(map_type, Act::KeepOnFork, |bench, addr, len| {
                    bench.kernel.madvise(addr, len, Advice::KeepOnFork)
                })
            });
        }
    }
}
