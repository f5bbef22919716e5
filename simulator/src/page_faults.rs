//! Page faults: what happens when a page is touched, and when memory next to a mapping is touched.

use crate::areas::align_down;
use crate::files::{Kind, write_sparse};
use crate::rules::{Guard, Machine, Personality};
use crate::state::SimulatedKernel;
use kernel::{Errno, Fd, PROT_NONE, PROT_READ, PROT_WRITE, SIGNALED};
use std::collections::BTreeMap;

/// Bytes below the stack pointer that `__do_page_fault` in `arch/x86/mm/fault.c` lets a program
/// touch, before 5.0.
const BELOW_STACK_POINTER: usize = 65536 + 32 * 8;
/// `SIGSEGV`, `include/uapi/asm-generic/signal.h`.
const SIGSEGV: usize = 11;

impl SimulatedKernel {
    /// `read(2)` into a mapping.
    pub(crate) fn store(&mut self, fd: Fd, addr: usize, len: usize) -> Result<usize, Errno> {
        let page_size = self.rules.page_size;
        let bytes = self.peek(fd, len)?;
        let mut stored = 0;
        while stored < bytes.len() {
            let at = addr + stored;
            match self.touch(at, true) {
                Ok(()) => {}
                Err(errno) if stored == 0 => return Err(errno),
                Err(_) => break,
            }
            let count = (bytes.len() - stored).min(page_size - at % page_size);
            if let Some((content, at)) = self.content(at) {
                write_sparse(content, at, &bytes[stored..stored + count]);
            }
            stored += count;
        }
        self.files.consume(fd, stored);
        Ok(stored)
    }

    /// `write(2)` from a mapping.
    pub(crate) fn load(&mut self, fd: Fd, addr: usize, len: usize) -> Result<usize, Errno> {
        let mut bytes = Vec::new();
        for at in addr..addr.saturating_add(len) {
            if (bytes.is_empty() || at.is_multiple_of(self.rules.page_size))
                && let Err(errno) = self.touch(at, false)
            {
                if bytes.is_empty() {
                    return Err(errno);
                }
                break;
            }
            let content = self.content(at);
            bytes.push(content.and_then(|(bytes, at)| bytes.get(&at).copied()).unwrap_or(0));
        }
        self.files.write(fd, &bytes, &mut self.output)
    }

    /// [`Op::Touch`](kernel::Op::Touch): a store of zero by a copy of the process, which ends it
    /// with `SIGSEGV` where `read(2)` fails with `EFAULT`. Shared memory is the same in both
    /// processes (`dup_mmap` in `kernel/fork.c`).
    pub(crate) fn touch_in_child(&mut self, addr: usize) -> usize {
        let mut child = self.clone();
        // QEMU rejects system calls about memory that it did not map. A store of the program itself
        // reaches the host, which is x86 here. For a 32-bit guest QEMU keeps all of its addresses
        // mapped (`mmap_reserve_or_unmap` in `linux-user/mmap.c`), so that nothing can grow.
        let is_emulated =
            matches!(self.rules.personality, Personality::QemuUser | Personality::QemuUser10);
        child.rules.space.grows_down |= is_emulated && self.rules.machine == Machine::Arm64;
        let [_, (_, stack_pointer)] = self.rules.space.preexisting;
        let is_far_below = self.rules.checks_stack_pointer
            && addr + BELOW_STACK_POINTER < stack_pointer
            && self.areas.at(addr).is_none();
        if is_far_below || child.touch(addr, true).is_err() {
            return SIGNALED | SIGSEGV;
        }
        if self.areas.at(addr).is_some_and(|(_, area)| area.shared)
            && self.touch(addr, true).is_ok()
            && let Some((content, at)) = self.content(addr)
        {
            write_sparse(content, at, &[0]);
        }
        0
    }

    /// The bytes of a resident page, and the key of the byte at `addr` among them.
    fn content(&mut self, addr: usize) -> Option<(&mut BTreeMap<usize, u8>, usize)> {
        let page = align_down(addr, self.rules.page_size);
        let (_, area) = self.areas.at_mut(addr)?;
        match area.file {
            Some(file) if !area.copied.contains(&page) => {
                Some((&mut self.files.nodes[file.node].bytes, addr - file.base))
            }
            _ => Some((&mut area.bytes, addr)),
        }
    }

    /// Touches a page: the mapping may have to grow, and must allow the access.
    fn touch(&mut self, addr: usize, write: bool) -> Result<(), Errno> {
        let page_size = self.rules.page_size;
        let page = align_down(addr, page_size);
        if self.areas.at(addr).is_none() {
            self.grow(page)?;
        }
        let (start, area) = self.areas.at(addr).ok_or(Errno::EFAULT)?;
        let needed = if write { PROT_WRITE } else { PROT_READ };
        if area.prot & needed == 0 && self.rules.personality != Personality::Nommu {
            return Err(Errno::EFAULT);
        }
        if self.rules.guard == Guard::Page && area.grows_down && page == start {
            self.check_stack_guard_page(start)?;
        }
        self.fault_in(page, write)
    }

    /// `check_stack_guard_page`, `mm/memory.c`, before 4.12: a touch of the lowest page moves the
    /// start of the mapping down.
    fn check_stack_guard_page(&mut self, start: usize) -> Result<(), Errno> {
        match self.areas.below(start) {
            Some((_, below)) if below.end == start => {
                if below.grows_down {
                    Ok(())
                } else {
                    Err(Errno::EFAULT)
                }
            }
            _ => self.expand_downwards(start, start - self.rules.page_size),
        }
    }

    /// Grows the mapping next to an unmapped page: `do_user_addr_fault`, `arch/x86/mm/fault.c`.
    fn grow(&mut self, page: usize) -> Result<(), Errno> {
        if let Some((start, area)) = self.areas.below(page)
            && area.grows_up
        {
            return self.expand_upwards(start, page);
        }
        match self.areas.above(page) {
            Some((start, area)) if area.grows_down && self.rules.space.grows_down => {
                self.expand_downwards(start, page)
            }
            _ => Err(Errno::EFAULT),
        }
    }

    /// `expand_downwards`, `mm/mmap.c`.
    fn expand_downwards(&mut self, start: usize, new_start: usize) -> Result<(), Errno> {
        let area = self.areas.by_start.get(&start).ok_or(Errno::EFAULT)?;
        if area.preexisting || new_start < self.rules.min_address {
            return Err(Errno::EFAULT);
        }
        // acct_stack_growth: the guard page does not count.
        let guard = match self.rules.guard {
            Guard::Page => self.rules.page_size,
            Guard::Gap => 0,
        };
        if area.end - new_start - guard > self.rules.stack_limit {
            return Err(Errno::EFAULT);
        }
        if let Some((_, below)) = self.areas.below(start)
            && (below.prot != PROT_NONE || self.rules.personality == Personality::Gvisor)
            && !below.grows_down
            && new_start - below.end < self.rules.stack_guard_gap()
        {
            return Err(Errno::EFAULT);
        }
        if let Some(area) = self.areas.by_start.remove(&start) {
            self.areas.by_start.insert(new_start, area);
        }
        Ok(())
    }

    /// `expand_upwards`, `mm/mmap.c`, with `CONFIG_STACK_GROWSUP`.
    fn expand_upwards(&mut self, start: usize, last_page: usize) -> Result<(), Errno> {
        let end = last_page + self.rules.page_size;
        if end - start > self.rules.stack_limit {
            return Err(Errno::EFAULT);
        }
        if let Some((next, above)) = self.areas.above(last_page)
            && above.prot != PROT_NONE
            && !above.grows_up
            && next < end + self.rules.stack_guard_gap()
        {
            return Err(Errno::EFAULT);
        }
        self.areas.by_start.get_mut(&start).ok_or(Errno::EFAULT)?.end = end;
        Ok(())
    }

    /// `handle_mm_fault`, `mm/memory.c`: makes a page resident. `EFAULT` where a program would
    /// receive `SIGBUS`.
    pub(crate) fn fault_in(&mut self, page: usize, write: bool) -> Result<(), Errno> {
        let page_size = self.rules.page_size;
        let (_, area) = self.areas.at(page).ok_or(Errno::EFAULT)?;
        if let Some(huge) = area.huge {
            let is_resident = area.has_page(page, page_size);
            if !is_resident && !self.may_fault_in_huge_page(area, huge) {
                return Err(Errno::EFAULT);
            }
        }
        let (_, area) = self.areas.at_mut(page).ok_or(Errno::EFAULT)?;
        if let Some(file) = area.file {
            let node = &mut self.files.nodes[file.node];
            let is_device = matches!(node.kind, Kind::DeviceDax(_));
            node.touched |= is_device || area.huge.is_some() && area.shared;
        }
        if let Some(file) = area.file
            && area.huge.is_none()
        {
            let node = &mut self.files.nodes[file.node];
            let offset = page - file.base;
            if offset >= node.size {
                return Err(Errno::EFAULT);
            }
            node.cache.insert(offset);
            // do_cow_fault: a write to a private mapping copies the page.
            if write && !area.shared && area.copied.insert(page) {
                let content = node.bytes.range(offset..offset + page_size);
                area.bytes.extend(content.map(|(at, &byte)| (at + file.base, byte)));
            }
        }
        if !area.has_page(page, page_size) {
            area.resident.insert(align_down(page, area.kernel_page_size(page_size)));
        }
        Ok(())
    }
}
