//! Calls about existing mappings: `munmap(2)`, `mincore(2)`, `madvise(2)`, `msync(2)`.

use crate::files::Kind;
use crate::rules::Personality;
use crate::state::SimulatedKernel;
use kernel::{Advice, Errno};

impl SimulatedKernel {
    /// The end of a range, rounded up to whole pages.
    fn end_of_range(&self, addr: usize, len: usize) -> Option<usize> {
        addr.checked_add(len.checked_next_multiple_of(self.rules.page_size)?)
    }

    /// `do_munmap`, `mm/mmap.c`.
    pub(crate) fn munmap(&mut self, addr: usize, len: usize) -> Result<usize, Errno> {
        let end = self.end_of_range(addr, len).ok_or(Errno::EINVAL)?;
        let is_aligned = addr.is_multiple_of(self.rules.page_size);
        if !is_aligned || len == 0 || end > self.rules.space.top {
            return Err(Errno::EINVAL);
        }
        for (start, area) in self.areas.overlapping(addr, end) {
            assert!(!area.preexisting, "the program unmaps what it did not map: {start:#x}");
            if area.splits_huge_page(start, addr, end) {
                return Err(Errno::EINVAL);
            }
        }
        if self.rules.uninitialized {
            let areas = self.areas.overlapping(addr, end);
            self.freed.extend(areas.flat_map(|(_, area)| area.bytes.clone()));
        }
        self.areas.unmap(addr, end, self.rules.page_size);
        Ok(0)
    }

    /// `do_mmap`, `mm/nommu.c`: memory is allocated at once, and cleared unless it is
    /// `uninitialized`.
    pub(crate) fn allocate_without_mmu(&mut self, start: usize, end: usize, uninitialized: bool) {
        let old: Vec<(usize, u8)> =
            self.freed.range(start..end).map(|(&addr, &byte)| (addr, byte)).collect();
        self.freed.retain(|addr, _| *addr < start || end <= *addr);
        if uninitialized
            && let Some((_, area)) = self.areas.at_mut(start)
            && area.file.is_none()
        {
            area.bytes.extend(old);
        }
    }

    /// `do_mincore`, `mm/mincore.c`.
    pub(crate) fn mincore(
        &self,
        addr: usize,
        len: usize,
        output: &mut [u8],
    ) -> Result<usize, Errno> {
        let page_size = self.rules.page_size;
        if self.rules.personality == Personality::Nommu {
            return Err(Errno::ENOSYS);
        }
        if !addr.is_multiple_of(page_size) {
            return Err(Errno::EINVAL);
        }
        let output = output.get_mut(..len.div_ceil(page_size)).ok_or(Errno::EFAULT)?;
        for (page, resident) in (addr..).step_by(page_size).zip(output) {
            *resident = self.is_shown_resident(page)?.into();
        }
        Ok(0)
    }

    fn is_shown_resident(&self, page: usize) -> Result<bool, Errno> {
        let (_, area) = self.areas.at(page).ok_or(Errno::ENOMEM)?;
        let in_page_table = area.has_page(page, self.rules.page_size);
        let in_page_cache = area.file.is_some_and(|file| {
            let node = &self.files.nodes[file.node];
            // can_do_mincore.
            let is_hidden =
                self.rules.mincore_hides_read_only_files && !self.rules.root && !node.is_writable();
            is_hidden || node.cache.contains(&(page - file.base))
        });
        // pkg/sentry/syscalls/linux/sys_mmap.go of gVisor: every page counts as resident.
        Ok(in_page_table || in_page_cache || self.rules.personality == Personality::Gvisor)
    }

    /// `do_madvise`, `mm/madvise.c`.
    pub(crate) fn madvise(
        &mut self,
        addr: usize,
        len: usize,
        advice: Advice,
    ) -> Result<usize, Errno> {
        let page_size = self.rules.page_size;
        match (self.rules.personality, advice) {
            (Personality::Nommu, _) => return Err(Errno::ENOSYS),
            (Personality::Gvisor, _)
            | (Personality::QemuUser | Personality::QemuUser10, Advice::Collapse) => return Ok(0),
            (_, Advice::KeepOnFork) if !self.rules.keep_on_fork => return Err(Errno::EINVAL),
            (_, Advice::Collapse) if self.rules.collapse.is_none() => return Err(Errno::EINVAL),
            _ => {}
        }
        let end = self.end_of_range(addr, len).ok_or(Errno::EINVAL)?;
        if !addr.is_multiple_of(page_size) {
            return Err(Errno::EINVAL);
        }
        for (_, area) in self.areas.overlapping(addr, end) {
            let is_rejected = match advice {
                Advice::DontNeed => area.locked || area.huge.is_some(),
                Advice::KeepOnFork => area.droppable,
                Advice::Collapse => area.nohuge,
            };
            if is_rejected {
                return Err(Errno::EINVAL);
            }
        }
        match (advice, self.rules.collapse) {
            (Advice::Collapse, Some(size)) => self.collapse(addr, end, size)?,
            (Advice::DontNeed, _) => {
                let areas = self.areas.by_start.range_mut(..end);
                for (_, area) in areas.filter(|(_, area)| addr < area.end) {
                    area.release(addr, end, page_size);
                }
            }
            _ => {}
        }
        if self.areas.covers(addr, end) { Ok(0) } else { Err(Errno::ENOMEM) }
    }

    /// `madvise_collapse`, `mm/khugepaged.c`: only whole huge pages, each with at least one
    /// resident page, of anonymous memory or shmem.
    fn collapse(&mut self, start: usize, end: usize, size: usize) -> Result<(), Errno> {
        let page_size = self.rules.page_size;
        let (area_start, area) = self.areas.at_mut(start).ok_or(Errno::ENOMEM)?;
        let has_room = area_start.next_multiple_of(size) + size <= area.end;
        let kind = area.file.map(|file| self.files.nodes[file.node].kind);
        let is_collapsible = area.huge.is_none() && kind.is_none_or(|kind| kind == Kind::Memory);
        if !has_room || !is_collapsible {
            return Err(Errno::EINVAL);
        }
        let end = end.min(area.end);
        let huge_pages = (start.next_multiple_of(size)..end).step_by(size);
        for page in huge_pages.take_while(|page| page + size <= end) {
            let is_empty = area.resident.range(page..page + size).next().is_none();
            if is_empty && !area.has_page(page, page_size) {
                return Err(Errno::EINVAL);
            }
            area.resident.retain(|&addr| addr < page || page + size <= addr);
            area.collapsed.insert(page, size);
        }
        Ok(())
    }

    /// `msync(2)` with `MS_INVALIDATE`, `mm/msync.c`.
    pub(crate) fn msync_invalidate(&self, addr: usize, len: usize) -> Result<usize, Errno> {
        if self.rules.personality == Personality::Nommu {
            return Err(Errno::ENOSYS);
        }
        let end = self.end_of_range(addr, len).ok_or(Errno::ENOMEM)?;
        if !addr.is_multiple_of(self.rules.page_size) {
            return Err(Errno::EINVAL);
        }
        if self.areas.overlapping(addr, end).any(|(_, area)| area.locked) {
            return Err(Errno::EBUSY);
        }
        if self.areas.covers(addr, end) { Ok(0) } else { Err(Errno::ENOMEM) }
    }
}
