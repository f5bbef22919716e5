//! What happens to mappings after they are made: touching, growing, asking, advising, unmapping.

use super::files::{self, Kind};
use super::liars::Manner;
use super::rules::Guard;
use super::{Advice, Errno, Fd, Model, PROT_READ, PROT_WRITE};

impl Model {
    /// A page is touched: it must be mapped, may have to grow there, and must allow it.
    fn touch(&mut self, addr: u64, write: bool) -> Result<(), Errno> {
        if self.areas.at(addr).is_none() {
            self.grow(addr)?;
        }
        let page = self.rules.page_size;
        let at = addr - addr % page;
        let (start, area) = self.areas.at(addr).ok_or(Errno::EFAULT)?;
        let needed = if write { PROT_WRITE } else { PROT_READ };
        if area.prot & needed == 0 && self.rules.manner != Manner::Nommu {
            return Err(Errno::EFAULT);
        }
        // check_stack_guard_page, mm/memory.c, before 4.12.
        if self.rules.guard == Guard::Page && area.grows_down && at == start {
            match self.areas.below(start) {
                Some((_, below)) if below.end == start && !below.grows_down => {
                    return Err(Errno::EFAULT);
                }
                Some((_, below)) if below.end == start => {}
                _ => self.expand_downwards(start, at - page)?,
            }
        }
        self.fault_in(at, write)
    }

    /// A touch where nothing is mapped.
    fn grow(&mut self, addr: u64) -> Result<(), Errno> {
        let at = addr - addr % self.rules.page_size;
        if let Some((start, area)) = self.areas.below(addr)
            && area.grows_up
        {
            return self.expand_upwards(start, at);
        }
        match self.areas.above(addr) {
            Some((start, area)) if area.grows_down && self.rules.space.grows_down => {
                self.expand_downwards(start, at)
            }
            _ => Err(Errno::EFAULT),
        }
    }

    /// `expand_downwards`, `mm/mmap.c`.
    fn expand_downwards(&mut self, start: u64, to: u64) -> Result<(), Errno> {
        let page = self.rules.page_size;
        let area = self.areas.0.get(&start).ok_or(Errno::EFAULT)?;
        if area.foreign {
            return Err(Errno::EFAULT);
        }
        // acct_stack_growth: the guard page does not count.
        let guard = if self.rules.guard == Guard::Page { page } else { 0 };
        if to < self.rules.min_address || area.end - to - guard > self.rules.stack_limit {
            return Err(Errno::EFAULT);
        }
        if let Some((_, below)) = self.areas.below(start)
            && below.prot != 0
            && !below.grows_down
            && to - below.end < self.rules.gap()
        {
            return Err(Errno::EFAULT);
        }
        if let Some(area) = self.areas.0.remove(&start) {
            self.areas.0.insert(to, area);
        }
        Ok(())
    }

    /// `expand_upwards`, same file; only where `CONFIG_STACK_GROWSUP`.
    fn expand_upwards(&mut self, start: u64, to: u64) -> Result<(), Errno> {
        let end = to + self.rules.page_size;
        let next = self.areas.above(to).filter(|(_, next)| next.prot != 0 && !next.grows_up);
        if end - start > self.rules.stack_limit
            || next.is_some_and(|(at, _)| at < end + self.rules.gap())
        {
            return Err(Errno::EFAULT);
        }
        self.areas.0.get_mut(&start).ok_or(Errno::EFAULT)?.end = end;
        Ok(())
    }

    /// Brings a page in. `EFAULT` where a program would get `SIGBUS`.
    pub(super) fn fault_in(&mut self, at: u64, write: bool) -> Result<(), Errno> {
        let page = self.rules.page_size;
        let (_, area) = self.areas.at(at).ok_or(Errno::EFAULT)?;
        if let Some((size, held)) = area.huge {
            let (known, spare) = (area.has_page(at, page), self.spare_huge_pages(size));
            if !known && area.resident.len() as u64 >= held && spare == 0 {
                return Err(Errno::EFAULT);
            }
        }
        let Some((_, area)) = self.areas.at_mut(at) else { return Err(Errno::EFAULT) };
        if let Some((node, base)) = area.file
            && area.huge.is_none()
        {
            let node = &mut self.files.nodes[node];
            if at - base >= node.size {
                return Err(Errno::EFAULT);
            }
            node.cache.insert(at - base);
            if write && !area.shared && area.copied.insert(at) {
                let copy = node
                    .bytes
                    .range(at - base..at - base + page)
                    .map(|(from, &byte)| (from + base, byte));
                area.bytes.extend(copy);
            }
        }
        if !area.has_page(at, page) {
            area.resident.insert(at - at % area.unit(page));
        }
        Ok(())
    }

    /// Where a byte of a touched page is kept.
    fn byte(&mut self, addr: u64) -> Option<(&mut std::collections::BTreeMap<u64, u8>, u64)> {
        let page = self.rules.page_size;
        let (_, area) = self.areas.at_mut(addr)?;
        match area.file {
            Some((node, base)) if !area.copied.contains(&(addr - addr % page)) => {
                Some((&mut self.files.nodes[node].bytes, addr - base))
            }
            _ => Some((&mut area.bytes, addr)),
        }
    }

    /// `read(2)` into a mapping.
    pub(super) fn store(&mut self, fd: Fd, addr: u64, len: u64) -> Result<u64, Errno> {
        let (bytes, page) = (self.peek(fd, len as usize)?, self.rules.page_size);
        let mut stored = 0;
        while stored < bytes.len() {
            let at = addr + stored as u64;
            match self.touch(at, true) {
                Err(errno) if stored == 0 => return Err(errno),
                Err(_) => break,
                Ok(()) => {}
            }
            let count = (bytes.len() - stored).min((page - at % page) as usize);
            if let Some((place, at)) = self.byte(at) {
                files::put(place, at, &bytes[stored..stored + count]);
            }
            stored += count;
        }
        self.files.consume(fd, stored);
        Ok(stored as u64)
    }

    /// `write(2)` from a mapping.
    pub(super) fn load(&mut self, fd: Fd, addr: u64, len: u64) -> Result<u64, Errno> {
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
            bytes.push(self.byte(at).and_then(|(place, at)| place.get(&at).copied()).unwrap_or(0));
        }
        Ok(self.files.write(fd, &bytes, &mut self.output)? as u64)
    }

    /// `munmap(2)`.
    pub(super) fn munmap(&mut self, addr: u64, len: u64) -> Result<u64, Errno> {
        let page = self.rules.page_size;
        let end = len
            .checked_next_multiple_of(page)
            .and_then(|len| addr.checked_add(len))
            .ok_or(Errno::EINVAL)?;
        if !addr.is_multiple_of(page) || len == 0 || end > self.rules.space.top {
            return Err(Errno::EINVAL);
        }
        for (at, area) in self.areas.within(addr, end) {
            assert!(!area.foreign, "the program unmaps what it did not map: {at:#x}");
            let unit = area.unit(page);
            if (addr > at && !addr.is_multiple_of(unit))
                || (end < area.end && !end.is_multiple_of(unit))
            {
                return Err(Errno::EINVAL);
            }
        }
        if self.rules.uninitialized {
            let left: Vec<(u64, u8)> =
                self.areas.within(addr, end).flat_map(|(_, area)| area.bytes.clone()).collect();
            self.remains.extend(left);
        }
        self.areas.cut(addr, end, page);
        Ok(0)
    }

    /// Memory without an MMU is there at once: cleared, or as it was left.
    pub(super) fn fill_without_mmu(&mut self, start: u64, end: u64, uninitialized: bool) {
        let remains: Vec<(u64, u8)> =
            self.remains.range(start..end).map(|(&at, &byte)| (at, byte)).collect();
        self.remains.retain(|at, _| *at < start || end <= *at);
        if let (true, Some((_, area))) = (uninitialized, self.areas.at_mut(start))
            && area.file.is_none()
        {
            area.bytes.extend(remains);
        }
    }

    /// `mincore(2)`.
    pub(super) fn mincore(&self, addr: u64, len: u64, output: &mut [u8]) -> Result<u64, Errno> {
        let page = self.rules.page_size;
        if self.rules.manner == Manner::Nommu {
            return Err(Errno::ENOSYS);
        }
        if !addr.is_multiple_of(page) {
            return Err(Errno::EINVAL);
        }
        let pages = len.div_ceil(page);
        if pages > output.len() as u64 {
            return Err(Errno::EFAULT);
        }
        for (at, byte) in (addr..).step_by(page as usize).zip(output).take(pages as usize) {
            let (_, area) = self.areas.at(at).ok_or(Errno::ENOMEM)?;
            let cached = area.file.is_some_and(|(node, base)| {
                let node = &self.files.nodes[node];
                let hidden =
                    self.rules.mincore_is_discreet && !self.rules.root && !node.is_writable();
                hidden || node.cache.contains(&(at - base))
            });
            *byte =
                (area.has_page(at, page) || cached || self.rules.manner == Manner::Gvisor).into();
        }
        Ok(0)
    }

    /// `madvise(2)`.
    pub(super) fn madvise(&mut self, addr: u64, len: u64, advice: Advice) -> Result<u64, Errno> {
        let page = self.rules.page_size;
        match (self.rules.manner, advice) {
            (Manner::Nommu, _) => return Err(Errno::ENOSYS),
            (Manner::Gvisor, _) | (Manner::Qemu, Advice::Collapse) => return Ok(0),
            (_, Advice::KeepOnFork) if !self.rules.keep_on_fork => return Err(Errno::EINVAL),
            (_, Advice::Collapse) if self.rules.collapse.is_none() => return Err(Errno::EINVAL),
            _ => {}
        }
        let end = len
            .checked_next_multiple_of(page)
            .and_then(|len| addr.checked_add(len))
            .ok_or(Errno::EINVAL)?;
        if !addr.is_multiple_of(page) {
            return Err(Errno::EINVAL);
        }
        for (_, area) in self.areas.within(addr, end) {
            let refused = match advice {
                Advice::DontNeed => area.locked || area.huge.is_some(),
                Advice::KeepOnFork => area.droppable,
                Advice::Collapse => area.nohuge,
            };
            if refused {
                return Err(Errno::EINVAL);
            }
        }
        if let (Advice::Collapse, Some(size)) = (advice, self.rules.collapse) {
            self.collapse(addr, end, size)?;
        }
        if advice == Advice::DontNeed {
            let hit = self.areas.0.range_mut(..end).filter(|(_, area)| addr < area.end);
            hit.for_each(|(_, area)| area.release(addr, end, page));
        }
        if self.areas.covers(addr, end) { Ok(0) } else { Err(Errno::ENOMEM) }
    }

    /// `madvise_collapse`, `mm/khugepaged.c`: whole huge pages only, each with at least one page in memory, and no file of a disk.
    fn collapse(&mut self, start: u64, end: u64, size: u64) -> Result<(), Errno> {
        let page = self.rules.page_size;
        let first = start.next_multiple_of(size);
        let (from, area) = self.areas.at_mut(start).ok_or(Errno::ENOMEM)?;
        let whole = from.next_multiple_of(size) + size <= area.end;
        let kind = area.file.map(|(node, _)| self.files.nodes[node].kind);
        if !whole || area.huge.is_some() || kind.is_some_and(|kind| kind != Kind::Memory) {
            return Err(Errno::EINVAL);
        }
        for at in
            (first..end).step_by(size as usize).take_while(|at| at + size <= end.min(area.end))
        {
            let resident: Vec<u64> = area.resident.range(at..at + size).copied().collect();
            if resident.is_empty() && !area.has_page(at, page) {
                return Err(Errno::EINVAL);
            }
            area.resident.retain(|resident| *resident < at || at + size <= *resident);
            area.collapsed.insert(at, size);
        }
        Ok(())
    }

    /// `msync(2)` with `MS_INVALIDATE`.
    pub(super) fn msync(&self, addr: u64, len: u64) -> Result<u64, Errno> {
        let page = self.rules.page_size;
        if self.rules.manner == Manner::Nommu {
            return Err(Errno::ENOSYS);
        }
        let end = len
            .checked_next_multiple_of(page)
            .and_then(|len| addr.checked_add(len))
            .ok_or(Errno::ENOMEM)?;
        if !addr.is_multiple_of(page) {
            return Err(Errno::EINVAL);
        }
        if self.areas.within(addr, end).any(|(_, area)| area.locked) {
            return Err(Errno::EBUSY);
        }
        if self.areas.covers(addr, end) { Ok(0) } else { Err(Errno::ENOMEM) }
    }
}
