//! Files of `/proc`, above all `/proc/self/smaps`: `show_smap`, `fs/proc/task_mmu.c`.

use crate::areas::Area;
use crate::files::{LIMITS, OVERCOMMIT_MEMORY, STATUS};
use crate::rules::{Guard, MIB, Personality, Proc, Rules};
use crate::state::SimulatedKernel;
use kernel::{Errno, PROT_READ, PROT_WRITE};
use std::fmt::Write;

/// `PROT_EXEC`, `include/uapi/asm-generic/mman-common.h`.
const PROT_EXEC: u32 = 4;

/// The entry of a mapping.
struct Entry<'a> {
    start: usize,
    end: usize,
    area: &'a Area,
    /// Empty where there is no such line.
    vm_flags: String,
}

impl SimulatedKernel {
    /// The content of a file.
    pub(crate) fn proc_file(&self, path: &str) -> String {
        match path {
            LIMITS => self.limits(),
            STATUS => self.status(),
            OVERCOMMIT_MEMORY => format!("{}\n", self.rules.overcommit_memory()),
            _ => self.smaps(),
        }
    }

    /// `proc_pid_limits`, `fs/proc/base.c`.
    fn limits(&self) -> String {
        let locked = match self.rules.lock_error {
            Some(Errno::EPERM) => 0,
            Some(_) => 65536,
            None => 8 * MIB,
        };
        let mut out =
            format!("{:<25} {:<20} {:<20} Units     \n", "Limit", "Soft Limit", "Hard Limit");
        for (name, limit) in [("stack size", self.rules.stack_limit), ("locked memory", locked)] {
            let name = format!("Max {name}");
            out += &format!("{name:<25} {limit:<20} {:<20} bytes     \n", "unlimited");
        }
        out
    }

    /// `proc_pid_status`, `fs/proc/array.c`. The first Windows Subsystem for Linux shows no filter.
    fn status(&self) -> String {
        let mode = if self.rules.seccomp.is_empty() { 0 } else { 2 };
        match self.rules.personality {
            Personality::Wsl1 => String::from("Name:\tmapprobe\n"),
            _ => format!("Name:\tmapprobe\nSeccomp:\t{mode}\n"),
        }
    }

    fn smaps(&self) -> String {
        let mut out = String::new();
        let (page_size, top) = (self.rules.page_size, self.rules.space.top);
        match self.rules.proc {
            Proc::Missing | Proc::NoSmaps(_) => {}
            Proc::Own => self.show_own_mappings(&mut out),
            Proc::OtherProcess => {
                let end = top - page_size;
                let vm_flags = String::from("rd wr mr mw me ac ");
                let area = &Area::preexisting(end);
                let entry = Entry { start: end - page_size, end, area, vm_flags };
                entry.show(&mut out, page_size);
            }
            Proc::Host(vm_flags) => {
                let area = &Area::preexisting(top);
                let entry = Entry { start: page_size, end: top, area, vm_flags: vm_flags.into() };
                entry.show(&mut out, page_size);
            }
        }
        out
    }

    fn show_own_mappings(&self, out: &mut String) {
        let page_size = self.rules.page_size;
        let mut entries: Vec<Entry> = Vec::new();
        for (&start, area) in &self.areas.by_start {
            // Before 4.12 the guard page inside the mapping is left out.
            let hides_guard = area.grows_down && self.rules.guard == Guard::Page;
            let start = if hides_guard { start + page_size } else { start };
            let vm_flags = vm_flags(area, &self.rules);
            match entries.last_mut() {
                // vma_merge, mm/mmap.c.
                Some(last)
                    if last.end == start
                        && can_merge(last.area)
                        && can_merge(area)
                        && last.vm_flags == vm_flags =>
                {
                    last.end = area.end;
                }
                _ => entries.push(Entry { start, end: area.end, area, vm_flags }),
            }
        }
        for mut entry in entries {
            if !self.rules.vm_flags {
                entry.vm_flags.clear();
            }
            entry.show(out, page_size);
        }
    }
}

/// Whether a mapping merges with a neighbour that has the same flags.
fn can_merge(area: &Area) -> bool {
    area.file.is_none() && !area.shared && area.huge.is_none()
}

/// The mnemonics of `VmFlags` in the order of `show_smap_vma_flags`, `fs/proc/task_mmu.c`.
fn vm_flags(area: &Area, rules: &Rules) -> String {
    let prot = |bit: u32| area.prot & bit != 0;
    // gVisor does not record these flags.
    let is_linux = rules.personality != Personality::Gvisor;
    let mnemonics = [
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
        ("nr", (area.noreserve || area.droppable) && is_linux),
        ("ht", area.huge.is_some()),
        ("sf", area.sync && is_linux),
        ("ar", area.grows_up),
        ("wf", area.droppable),
        ("dd", area.droppable),
        ("sd", rules.soft_dirty()),
        ("nh", area.nohuge),
        ("dp", area.droppable),
    ];
    let set = mnemonics.iter().filter(|(_, is_set)| *is_set);
    set.map(|(mnemonic, _)| format!("{mnemonic} ")).collect()
}

impl Entry<'_> {
    /// Appends the lines of the entry.
    fn show(&self, out: &mut String, page_size: usize) {
        let Entry { start, end, area, vm_flags } = self;
        let letter = |bit: u32, letter: char| if area.prot & bit != 0 { letter } else { '-' };
        let read = letter(PROT_READ, 'r');
        let write = letter(PROT_WRITE, 'w');
        let exec = letter(PROT_EXEC, 'x');
        let share = if area.shared { 's' } else { 'p' };
        let file = match area.file {
            Some(_) => "00:01 7                          /memfd:file (deleted)",
            None => "00:00 0 ",
        };
        append(
            out,
            format_args!("{start:08x}-{end:08x} {read}{write}{exec}{share} 00000000 {file}\n"),
        );

        let unit = area.kernel_page_size(page_size) / 1024;
        let resident = area.resident.len() * page_size / 1024;
        let sizes = [
            ("Size:", (end - start) / 1024),
            ("KernelPageSize:", unit),
            ("MMUPageSize:", unit),
            // Huge pages do not count.
            ("Rss:", if area.huge.is_some() { 0 } else { resident }),
            ("Locked:", if area.locked { resident } else { 0 }),
        ];
        for (name, kilobytes) in sizes {
            append(out, format_args!("{name:<16}{kilobytes:>8} kB\n"));
        }
        if !vm_flags.is_empty() {
            append(out, format_args!("VmFlags: {vm_flags}\n"));
        }
    }
}

fn append(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("a string accepts every write");
}
