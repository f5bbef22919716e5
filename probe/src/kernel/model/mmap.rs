//! `do_mmap`, `mm/mmap.c`, with what stands before it in `ksys_mmap_pgoff` and behind it in `mmap_region`, in the order of their checks.

use super::areas::{Area, Want};
use super::files::{Kind, Open};
use super::liars::Manner;
use super::numbers::{
    DROPPABLE, FIXED_NOREPLACE, HUGE_MASK, HUGE_SHIFT, PRIVATE, SHARED, SHARED_VALIDATE,
};
use super::rules::{MIB, Stack};
use super::{Errno, Mmap, Model, PROT_WRITE};

/// What the map type decides.
struct Chosen {
    /// `VM_MAYSHARE`.
    shared: bool,
    /// `VM_DROPPABLE`.
    droppable: bool,
    /// Nothing was opened for writing that is mapped for sharing.
    may_write: bool,
}

impl Model {
    pub(super) fn do_mmap(&mut self, asked: &Mmap) -> Result<u64, Errno> {
        let (page, layout, huge_sizes) =
            (self.rules.page_size, self.rules.layout, self.rules.huge_sizes.clone());
        let call = self.rules.admit(asked)?;
        let flags = call.flags & !self.rules.drops;
        let has = |bits: u64| flags & bits != 0;

        // ksys_mmap_pgoff: the descriptor, then huge pages.
        let mut len = call.len;
        let mut open: Option<Open> = None;
        let mut huge = None;
        if !has(layout.anonymous) {
            let found = self.files.open.get(&call.fd).ok_or(Errno::EBADF)?;
            if self.files.nodes[found.node].kind == Kind::Huge {
                huge = Some(1 << huge_sizes.first().ok_or(Errno::ENODEV)?);
            } else if has(layout.hugetlb) {
                return Err(Errno::EINVAL);
            }
            open = Some(found.clone());
        } else if has(layout.hugetlb) {
            let default = *huge_sizes.first().ok_or(Errno::EINVAL)?;
            let wanted = match flags >> HUGE_SHIFT & HUGE_MASK {
                0 => default,
                size if huge_sizes.contains(&size) => size,
                _ => return Err(Errno::EINVAL),
            };
            huge = Some(1 << wanted);
        }
        if let Some(size) = huge {
            len = len.checked_next_multiple_of(size).ok_or(Errno::ENOMEM)?;
        }

        // do_mmap: length, address.
        if len == 0 {
            return Err(Errno::EINVAL);
        }
        let len = len
            .checked_next_multiple_of(page)
            .filter(|&len| len <= self.rules.space.top)
            .ok_or(Errno::ENOMEM)?;
        let noreplace = self.rules.noreplace && has(FIXED_NOREPLACE);
        let fixed = noreplace || has(layout.fixed);
        let start = match self.rules.manner {
            Manner::Nommu => self.upwards(len)?,
            _ if fixed => self.fixed_address(call.addr, len, flags, open.as_ref(), huge)?,
            _ => self.free_address(call.addr, len, flags, open.as_ref(), huge)?,
        };
        let end = start + len;
        if noreplace && self.areas.within(start, end).next().is_some() {
            return Err(Errno::EEXIST);
        }
        if let (true, Some(errno)) = (has(layout.locked), self.rules.lock_refusal) {
            return Err(errno);
        }

        // The map type.
        let grows_up = has(layout.stack) && self.rules.stack == Stack::GrowsUp;
        let grows_down = has(layout.growsdown) && self.rules.manner != Manner::Nommu;
        let grows = grows_up || grows_down;
        let chosen = if open.is_some() || huge.is_some() {
            self.choose_for_file(&call, flags, open.as_ref(), grows)?
        } else {
            self.choose_for_nothing(flags, grows)?
        };

        // mmap_region: what is in the way goes, then memory is asked for, then the file.
        let noreserve = has(layout.noreserve) && (self.rules.overcommit < 2 || huge.is_some());
        let kind = open.as_ref().map(|open| self.files.nodes[open.node].kind);
        let counted = huge.is_none()
            && !noreserve
            && !chosen.droppable
            && if chosen.shared {
                kind.is_none_or(|kind| kind == Kind::Zero)
            } else {
                call.prot & PROT_WRITE != 0
            };
        let refused = counted && self.rules.overcommit != 1 && len > self.rules.memory;
        if !refused || self.rules.unmaps_first {
            self.make_way(start, end)?;
        }
        if refused {
            return Err(Errno::ENOMEM);
        }
        let sync = self.rules.validate && has(layout.sync);
        if sync && kind == Some(Kind::Ext4) {
            return Err(Errno::EOPNOTSUPP);
        }
        self.crash_of_huge_pages(call.addr, fixed, huge);
        let reserved = huge.map(|size| (size, if noreserve { 0 } else { len / size }));
        if let Some((size, pages)) = reserved
            && pages > self.spare_huge_pages(size)
        {
            return Err(Errno::ENOMEM);
        }
        let denies_writing = self.rules.denies_writing && has(layout.denywrite) && open.is_some();
        if denies_writing && self.is_open_for_writing(open.as_ref()) {
            return Err(Errno::ETXTBSY);
        }

        let wants_lock = has(layout.locked) || self.rules.locks_everything;
        let mapped_file = open.filter(|_| kind != Some(Kind::Zero));
        self.areas.0.insert(
            start,
            Area {
                end,
                prot: call.prot,
                shared: chosen.shared,
                may_write: chosen.may_write,
                // Neither huge pages nor DAX are ever locked: they stay anyway.
                locked: wants_lock && huge.is_none() && kind != Some(Kind::Dax),
                grows_down,
                grows_up,
                noreserve,
                account: counted && !chosen.shared,
                sync,
                nohuge: has(layout.stack) && self.rules.stack == Stack::NoHuge,
                droppable: chosen.droppable,
                denies_writing,
                huge: reserved,
                file: mapped_file.map(|open| (open.node, start)),
                foreign: false,
                ..Area::foreign(end)
            },
        );
        let populated = has(layout.populate) && !has(layout.nonblock);
        if populated || wants_lock {
            self.populate(start, end);
        }
        if self.rules.manner == Manner::Nommu {
            self.fill_without_mmu(
                start,
                end,
                self.rules.uninitialized && has(layout.uninitialized),
            );
        }
        Ok(start)
    }

    /// The type of a file, and of huge pages, behind which there is a file nobody sees.
    fn choose_for_file(
        &self,
        call: &Mmap,
        flags: u64,
        open: Option<&Open>,
        grows: bool,
    ) -> Result<Chosen, Errno> {
        let (layout, kind) = (self.rules.layout, open.map(|open| self.files.nodes[open.node].kind));
        let (mut shared, mut may_write) = (false, true);
        match flags & self.rules.type_mask() {
            SHARED => shared = true,
            SHARED_VALIDATE if self.rules.validate => {
                let newer = if self.rules.above4g { layout.above4g } else { 0 };
                let of_the_file =
                    if matches!(kind, Some(Kind::Ext4 | Kind::Dax)) { layout.sync } else { 0 };
                if flags & !(layout.legacy() | newer | of_the_file) != 0 {
                    return Err(Errno::EOPNOTSUPP);
                }
                shared = true;
            }
            PRIVATE => {}
            _ => return Err(Errno::EINVAL),
        }
        if let (true, Some(open)) = (shared, open)
            && !open.write
        {
            if call.prot & PROT_WRITE != 0 {
                return Err(Errno::EACCES);
            }
            may_write = false;
        }
        if open.is_some_and(|open| !open.read) {
            return Err(Errno::EACCES);
        }
        if let Some(Kind::Pipe | Kind::Folder | Kind::Device | Kind::Smaps) = kind {
            return Err(Errno::ENODEV);
        }
        if grows {
            return Err(Errno::EINVAL);
        }
        Ok(Chosen { shared, droppable: false, may_write })
    }

    /// The type of anonymous memory: nothing validates here.
    fn choose_for_nothing(&self, flags: u64, grows: bool) -> Result<Chosen, Errno> {
        let plain = Chosen { shared: false, droppable: false, may_write: true };
        match flags & self.rules.type_mask() {
            SHARED if !grows => Ok(Chosen { shared: true, ..plain }),
            PRIVATE => Ok(plain),
            DROPPABLE if self.rules.droppable.is_some() => {
                self.rules.droppable.unwrap_or(Ok(()))?;
                if flags & self.rules.layout.locked != 0 || grows {
                    return Err(Errno::EINVAL);
                }
                Ok(Chosen { droppable: true, ..plain })
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// `MAP_FIXED`: there or nowhere.
    fn fixed_address(
        &self,
        addr: u64,
        len: u64,
        flags: u64,
        open: Option<&Open>,
        huge: Option<u64>,
    ) -> Result<u64, Errno> {
        let space = self.rules.space;
        if addr > space.top - len {
            return Err(Errno::ENOMEM);
        }
        if !addr.is_multiple_of(huge.unwrap_or(self.rules.page_size)) {
            return Err(Errno::EINVAL);
        }
        // arch/parisc/kernel/sys_parisc.c
        if let (true, Some(open)) = (flags & SHARED != 0, open)
            && addr % space.colour != self.colour(open)
        {
            return Err(Errno::EINVAL);
        }
        // The hidden file of shared huge pages has a colour of its own.
        if flags & SHARED != 0 && huge.is_some() && space.colour > 1 {
            return Err(Errno::EINVAL);
        }
        if addr < self.rules.min_address && !self.rules.root {
            return Err(Errno::EPERM);
        }
        Ok(addr)
    }

    /// The hint if it is free, or what `arch_get_unmapped_area` finds.
    fn free_address(
        &self,
        addr: u64,
        len: u64,
        flags: u64,
        open: Option<&Open>,
        huge: Option<u64>,
    ) -> Result<u64, Errno> {
        let (space, page, gap) = (self.rules.space, self.rules.page_size, self.rules.gap());
        let low = flags & self.rules.layout.low != 0;
        // arch/x86/kernel/sys_x86_64.c: MAP_32BIT ends at 2 GiB, and begins at 1 GiB and something random.
        let limit = if low { 0x8000_0000 } else { space.top };
        let rest = open.map_or(0, |open| self.colour(open));
        let coloured = open.is_some()
            || self.rules.colours_memory && flags & SHARED != 0 && flags & PRIVATE == 0;
        let align = huge.unwrap_or(page).max(if coloured { space.colour } else { 1 });
        let want = Want { len, align, rest, gap, page };
        let hint = addr - addr % page;
        if hint != 0 {
            let least = hint.max(self.rules.min_address.next_multiple_of(page));
            // COLOR_ALIGN of arch/parisc/kernel/sys_parisc.c moves up to the next multiple before it adds the colour.
            let hint =
                if coloured { least.next_multiple_of(space.colour) + rest } else { want.up(least) };
            if hint
                .checked_add(len)
                .is_some_and(|end| end <= limit && self.areas.is_free(hint, end, gap))
            {
                return Ok(hint);
            }
        }
        if low {
            return self.areas.room(&want, 0x4096_6000, limit, false).ok_or(Errno::ENOMEM);
        }
        let above = self.rules.above4g && flags & self.rules.layout.above4g != 0;
        let bottom = if above { 1 << 32 } else { self.rules.min_address.max(page) };
        let top_down =
            if space.upwards { None } else { self.areas.room(&want, bottom, space.base, true) };
        top_down
            .or_else(|| self.areas.room(&want, space.fallback, space.top, false))
            .ok_or(Errno::ENOMEM)
    }

    /// Without an MMU: the first room there is.
    fn upwards(&self, len: u64) -> Result<u64, Errno> {
        let Self { rules, areas, .. } = self;
        let want = Want { len, align: rules.page_size, rest: 0, gap: 0, page: rules.page_size };
        let end = rules.space.fallback + rules.memory;
        areas.room(&want, rules.space.fallback, end, false).ok_or(Errno::ENOMEM)
    }

    /// What a shared mapping of the file leaves when divided by the cache's colours: `GET_LAST_MMAP`, a property of the file.
    fn colour(&self, open: &Open) -> u64 {
        (0x1f_9000 + 0x1_0000 * open.node as u64) % self.rules.space.colour
    }

    /// Unmaps what is in the way. Mapping where a program cannot know what it destroys ends the test.
    fn make_way(&mut self, start: u64, end: u64) -> Result<(), Errno> {
        assert!(start != 0, "the program maps page 0, which kills it under qemu-user-hppa");
        for (at, area) in self.areas.within(start, end) {
            assert!(!area.foreign, "the program replaces a mapping it did not make: {at:#x}");
            let size = area.huge.map_or(1, |(size, _)| size);
            if (start > at && !start.is_multiple_of(size))
                || (end < area.end && !end.is_multiple_of(size))
            {
                return Err(Errno::ENOMEM);
            }
        }
        self.areas.cut(start, end, self.rules.page_size);
        Ok(())
    }

    fn is_open_for_writing(&self, open: Option<&Open>) -> bool {
        open.is_some_and(|open| {
            self.files.open.values().any(|other| other.node == open.node && other.write)
        })
    }

    /// Pages of a huge size that nobody has or has been promised.
    pub(super) fn spare_huge_pages(&self, size: u64) -> u64 {
        let is_default = self.rules.huge_sizes.first().is_some_and(|&log2| 1 << log2 == size);
        let taken =
            self.areas.0.values().filter(|area| area.huge.is_some_and(|(of, _)| of == size));
        let taken: u64 = taken
            .map(|area| area.huge.map_or(0, |(_, held)| held).max(area.resident.len() as u64))
            .sum();
        if is_default { self.rules.pool.saturating_sub(taken) } else { 0 }
    }

    /// One parisc64 kernel dies of a huge mapping at an address of its own choice (`kernel BUG` in `mm/hugetlb.c`), if there are pages for
    /// it or none are set aside. Whether there are is no program's business: the question ends the test.
    fn crash_of_huge_pages(&self, addr: u64, fixed: bool, huge: Option<u64>) {
        let crash = self.rules.crashes_on_huge && huge.is_some() && !fixed;
        assert!(
            !crash,
            "the program lets the kernel place huge pages (hint {addr:#x}), which crashes a parisc64 kernel"
        );
    }

    /// `populate_vma_page_range`: every page that can be touched. What would fill the machine's memory ends the test; huge pages come
    /// out of a pool that is set aside already, or not at all.
    fn populate(&mut self, start: u64, end: u64) {
        let Some((_, area)) = self.areas.at(start) else { return };
        if area.prot == 0 {
            return;
        }
        let set_aside = area.huge.is_some();
        assert!(
            set_aside || end - start <= 64 * MIB,
            "the program fills {} MiB of memory",
            (end - start) / MIB
        );
        let (write, unit) =
            (!area.shared && area.prot & PROT_WRITE != 0, area.unit(self.rules.page_size));
        for at in (start..end).step_by(unit as usize) {
            if self.fault_in(at, write).is_err() {
                return;
            }
        }
    }
}
