//! `/proc/self/smaps`, `fs/proc/task_mmu.c`.

use super::areas::Area;
use super::liars::Manner;
use super::rules::{Guard, Proc, Rules};
use super::{Model, PROT_READ, PROT_WRITE};
use std::fmt::Write;

/// `PROT_EXEC`, `include/uapi/asm-generic/mman-common.h`.
const PROT_EXEC: u32 = 4;

/// What `VmFlags` says of a mapping: the mnemonics in the order of the bits of `vm_flags`, `include/linux/mm.h`.
fn vm_flags(area: &Area, rules: &Rules) -> String {
    let prot = |bit: u32| area.prot & bit != 0;
    let droppable = area.droppable;
    // What only looks like Linux keeps no such records.
    let linux = rules.manner != Manner::Gvisor;
    let words = [
        ("rd", prot(PROT_READ)),
        ("wr", prot(PROT_WRITE)),
        ("ex", prot(PROT_EXEC)),
        ("sh", area.shared && area.may_write),
        ("mr", true),
        ("mw", area.may_write),
        ("me", true),
        ("ms", area.shared),
        ("gd", area.grows_down),
        ("lo", area.locked),
        ("de", area.huge.is_some()),
        ("ac", area.account),
        ("nr", (area.noreserve || droppable) && linux),
        ("ht", area.huge.is_some()),
        ("sf", area.sync && linux),
        ("ar", area.grows_up),
        ("wf", droppable),
        ("dd", droppable),
        ("sd", rules.soft_dirty()),
        ("nh", area.nohuge),
        ("dp", droppable),
    ];
    let mut line = String::new();
    for (word, _) in words.iter().filter(|(_, is)| *is) {
        line.push_str(word);
        line.push(' ');
    }
    line
}

/// One mapping as text.
fn describe(out: &mut String, (start, end): (u64, u64), area: &Area, flags: &str, page: u64) {
    let shown = |bit: u32, letter: char| if area.prot & bit != 0 { letter } else { '-' };
    let (unit, kilobytes) = (area.unit(page) / 1024, |pages: usize| pages as u64 * page / 1024);
    let locked = if area.locked { kilobytes(area.resident.len()) } else { 0 };
    let name = if area.file.is_some() {
        "00:01 7                          /memfd:file (deleted)"
    } else {
        "00:00 0 "
    };
    let lines = [
        ("Size", (end - start) / 1024),
        ("KernelPageSize", unit),
        ("MMUPageSize", unit),
        ("Rss", if area.huge.is_some() { 0 } else { kilobytes(area.resident.len()) }),
        ("Locked", locked),
    ];
    let (read, write, exec) =
        (shown(PROT_READ, 'r'), shown(PROT_WRITE, 'w'), shown(PROT_EXEC, 'x'));
    let share = if area.shared { 's' } else { 'p' };
    let _ = writeln!(out, "{start:08x}-{end:08x} {read}{write}{exec}{share} 00000000 {name}");
    for (key, value) in lines {
        let _ = writeln!(out, "{:<16}{value:>8} kB", format!("{key}:"));
    }
    let _ = writeln!(out, "VmFlags: {flags}");
}

impl Rules {
    /// `CONFIG_MEM_SOFT_DIRTY`: x86 has it, and configures it in distributions' kernels.
    pub fn soft_dirty(&self) -> bool {
        self.layout.low != 0 && self.validate
    }
}

impl Model {
    /// The whole file.
    pub(super) fn smaps(&self) -> String {
        let mut out = String::new();
        let page = self.rules.page_size;
        match self.rules.proc {
            Proc::Own => {}
            Proc::Missing => return out,
            Proc::Elsewhere => {
                let end = self.rules.space.top - page;
                describe(
                    &mut out,
                    (end - page, end),
                    &Area::foreign(end),
                    "rd wr mr mw me ac ",
                    page,
                );
                return out;
            }
            Proc::Around(flags) => {
                let end = self.rules.space.top;
                describe(&mut out, (page, end), &Area::foreign(end), flags, page);
                return out;
            }
        }
        let mut shown: Vec<(u64, u64, &Area, String)> = Vec::new();
        for (&start, area) in &self.areas.0 {
            // The guard page inside the mapping is not shown.
            let hidden = area.grows_down && self.rules.guard == Guard::Page;
            let start = if hidden { start + page } else { start };
            let flags = vm_flags(area, &self.rules);
            match shown.last_mut() {
                // Private memory of the same kind is one mapping, `vma_merge`.
                Some((_, end, last, same))
                    if *end == start && merges(last) && merges(area) && *same == flags =>
                {
                    *end = area.end;
                }
                _ => shown.push((start, area.end, area, flags)),
            }
        }
        for (start, end, area, flags) in shown {
            describe(&mut out, (start, end), area, &flags, page);
        }
        out
    }
}

fn merges(area: &Area) -> bool {
    area.file.is_none() && !area.shared && area.huge.is_none()
}
