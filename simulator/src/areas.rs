//! The mappings of the process (`struct vm_area_struct`, `include/linux/mm_types.h`) and the
//! unmapped ranges between them.

use kernel::{PROT_READ, PROT_WRITE};
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Sum;

/// The huge pages of a hugetlb mapping.
#[derive(Clone, Copy, Debug)]
pub struct HugePages {
    /// Bytes of one page.
    pub size: usize,
    /// The number of pages that are reserved for the mapping.
    pub reserved: usize,
}

/// The file of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct MappedFile {
    /// The index of the file.
    pub node: usize,
    /// The address of the first byte of the file.
    pub base: usize,
}

/// Pages in use.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageCount {
    /// Pages that are not part of a huge page.
    pub single: usize,
    /// Pages that huge pages consist of.
    pub in_huge_pages: usize,
}

impl Sum for PageCount {
    fn sum<I: Iterator<Item = PageCount>>(counts: I) -> PageCount {
        counts.fold(PageCount::default(), |sum, count| PageCount {
            single: sum.single + count.single,
            in_huge_pages: sum.in_huge_pages + count.in_huge_pages,
        })
    }
}

/// A mapping.
#[derive(Clone, Debug, Default)]
pub struct Area {
    /// The first address after it.
    pub end: usize,
    /// `PROT_*` bits.
    pub prot: u32,
    /// `VM_MAYSHARE`.
    pub shared: bool,
    /// `VM_MAYWRITE`.
    pub may_write: bool,
    /// `VM_LOCKED`.
    pub locked: bool,
    /// `VM_GROWSDOWN`.
    pub grows_down: bool,
    /// `VM_GROWSUP`.
    pub grows_up: bool,
    /// `VM_NORESERVE`.
    pub noreserve: bool,
    /// `VM_ACCOUNT`.
    pub account: bool,
    /// `VM_SYNC`.
    pub sync: bool,
    /// `VM_NOHUGEPAGE`.
    pub nohuge: bool,
    /// `VM_DROPPABLE`.
    pub droppable: bool,
    /// `VM_DENYWRITE`, on a kernel that honors it.
    pub denies_writing: bool,
    /// The huge pages of a hugetlb mapping.
    pub huge: Option<HugePages>,
    /// The file of the mapping.
    pub file: Option<MappedFile>,
    /// Whether the mapping existed when the program started: its image or its stack.
    pub preexisting: bool,
    /// Addresses of pages in the page table.
    pub resident: BTreeSet<usize>,
    /// Addresses of pages of a private file mapping that were written to.
    pub copied: BTreeSet<usize>,
    /// Huge pages that `MADV_COLLAPSE` made: address and size.
    pub collapsed: BTreeMap<usize, usize>,
    /// The bytes of anonymous and copied pages that are not zero, by address.
    pub bytes: BTreeMap<usize, u8>,
}

impl Area {
    /// Private anonymous memory that existed when the program started.
    pub fn preexisting(end: usize) -> Area {
        Area {
            end,
            prot: PROT_READ | PROT_WRITE,
            may_write: true,
            account: true,
            preexisting: true,
            ..Area::default()
        }
    }

    /// The size of the pages of this mapping, `vma_kernel_pagesize` in `mm/hugetlb.c`.
    pub fn kernel_page_size(&self, page_size: usize) -> usize {
        self.huge.map_or(page_size, |huge| huge.size)
    }

    /// Whether the page at `addr` is in the page table.
    pub fn has_page(&self, addr: usize, page_size: usize) -> bool {
        let last_collapsed = self.collapsed.range(..=addr).next_back();
        let in_collapsed = last_collapsed.is_some_and(|(&start, &size)| addr < start + size);
        in_collapsed || self.resident.contains(&align_down(addr, self.kernel_page_size(page_size)))
    }

    /// Drops the pages from `start` to `end` and their content.
    pub fn release(&mut self, start: usize, end: usize, page_size: usize) {
        let overlaps = |(addr, size): (usize, usize)| addr < end && start < addr + size;
        let collapsed = self.collapsed.iter().map(|(&addr, &size)| (addr, size));
        let split: Vec<(usize, usize)> = collapsed.filter(|&huge| overlaps(huge)).collect();
        for (addr, size) in split {
            self.collapsed.remove(&addr);
            self.resident.extend((addr..addr + size).step_by(page_size));
        }
        let outside = |addr: &usize| *addr < start || end <= *addr;
        self.resident.retain(outside);
        self.copied.retain(outside);
        self.bytes.retain(|addr, _| outside(addr));
    }

    /// `hugetlb_vm_op_split`, `mm/hugetlb.c`: whether unmapping a range cuts through a huge page of
    /// this mapping, which begins at `addr`.
    pub fn splits_huge_page(&self, addr: usize, start: usize, end: usize) -> bool {
        let Some(huge) = self.huge else { return false };
        let cuts_start = start > addr && !start.is_multiple_of(huge.size);
        let cuts_end = end < self.end && !end.is_multiple_of(huge.size);
        cuts_start || cuts_end
    }

    /// The memory that only this mapping uses.
    pub fn own_pages(&self, page_size: usize) -> PageCount {
        let in_huge_pages = match self.huge {
            Some(huge) => self.resident.len() * (huge.size / page_size),
            None => self.collapsed.values().map(|size| size / page_size).sum(),
        };
        let single = match (self.huge, self.file) {
            (Some(_), _) => 0,
            (None, Some(_)) => self.copied.len(),
            (None, None) => self.resident.len(),
        };
        PageCount { single, in_huge_pages }
    }
}

/// The largest multiple of `unit` that is at most `addr`.
pub fn align_down(addr: usize, unit: usize) -> usize {
    addr - addr % unit
}

/// All mappings of the process.
#[derive(Clone, Debug, Default)]
pub struct Areas {
    /// By start address.
    pub by_start: BTreeMap<usize, Area>,
}

impl Areas {
    /// The mappings of a new process: start and end of each.
    pub fn of_new_process(ranges: &[(usize, usize)]) -> Areas {
        let areas = ranges.iter().map(|&(start, end)| (start, Area::preexisting(end)));
        Areas { by_start: areas.collect() }
    }

    /// The mappings that the program created.
    pub fn created(&self) -> impl Iterator<Item = (usize, &Area)> {
        let areas = self.by_start.iter().filter(|(_, area)| !area.preexisting);
        areas.map(|(&start, area)| (start, area))
    }

    /// Whether a mapping of the file forbids opening it for writing.
    pub fn denies_writing(&self, node: usize) -> bool {
        let is_mapped = |area: &Area| area.file.is_some_and(|file| file.node == node);
        self.by_start.values().any(|area| area.denies_writing && is_mapped(area))
    }

    /// The mapping at an address, and its start.
    pub fn at(&self, addr: usize) -> Option<(usize, &Area)> {
        let (&start, area) = self.by_start.range(..=addr).next_back()?;
        (addr < area.end).then_some((start, area))
    }

    /// As [`Areas::at`], with a mutable mapping.
    pub fn at_mut(&mut self, addr: usize) -> Option<(usize, &mut Area)> {
        let (&start, area) = self.by_start.range_mut(..=addr).next_back()?;
        (addr < area.end).then_some((start, area))
    }

    /// The last mapping that ends at or below an address.
    pub fn below(&self, addr: usize) -> Option<(usize, &Area)> {
        let (&start, area) = self.by_start.range(..addr).next_back()?;
        (area.end <= addr).then_some((start, area))
    }

    /// The first mapping that begins at or above an address.
    pub fn above(&self, addr: usize) -> Option<(usize, &Area)> {
        self.by_start.range(addr..).next().map(|(&start, area)| (start, area))
    }

    /// The mappings that overlap a range.
    pub fn overlapping(&self, start: usize, end: usize) -> impl Iterator<Item = (usize, &Area)> {
        let areas = self.by_start.range(..end).filter(move |(_, area)| start < area.end);
        areas.map(|(&start, area)| (start, area))
    }

    /// Whether every page of the range is mapped.
    pub fn covers(&self, start: usize, end: usize) -> bool {
        let mut addr = start;
        while addr < end {
            let Some((_, area)) = self.at(addr) else { return false };
            addr = area.end;
        }
        true
    }

    /// Unmaps a range.
    pub fn unmap(&mut self, start: usize, end: usize, page_size: usize) {
        let hit: Vec<usize> = self.overlapping(start, end).map(|(addr, _)| addr).collect();
        for addr in hit {
            let Some(area) = self.by_start.remove(&addr) else { continue };
            if addr < start {
                let mut left = Area { end: start, ..area.clone() };
                left.release(start, area.end, page_size);
                self.by_start.insert(addr, left);
            }
            if end < area.end {
                let mut right = area;
                right.release(addr, end, page_size);
                self.by_start.insert(end, right);
            }
        }
    }

    /// Whether the range is unmapped, and no mapping that grows is within `gap` bytes of it.
    pub fn is_unmapped(&self, start: usize, end: usize, gap: usize) -> bool {
        let grows_into = |(_, area): (usize, &Area)| area.grows_up && start < area.end + gap;
        let from_below = self.below(start).is_some_and(grows_into);
        let grows_into =
            |(addr, area): (usize, &Area)| area.grows_down && addr.saturating_sub(gap) < end;
        let from_above = self.above(end).is_some_and(grows_into);
        self.overlapping(start, end).next().is_none() && !from_below && !from_above
    }

    /// Finds an unmapped range between `low` and `high`: `vm_unmapped_area`, `mm/mmap.c`.
    pub fn find_unmapped(
        &self,
        search: &Search,
        low: usize,
        high: usize,
        direction: Direction,
    ) -> Option<usize> {
        let mut holes = self.holes(search.gap, low, high);
        if direction == Direction::TopDown {
            holes.reverse();
        }
        holes.into_iter().find_map(|(start, end)| {
            let (start, end) = (start.max(low), end.min(high));
            // The hole must have room for any alignment: `length + align_mask` in `unmapped_area`.
            let spare = search.align.saturating_sub(search.page_size);
            end.checked_sub(search.len + spare).filter(|&last| start <= last)?;
            let last = end - search.len;
            let addr = match direction {
                Direction::TopDown => last - last.wrapping_sub(search.remainder) % search.align,
                Direction::BottomUp => search.align_up(start),
            };
            (start..=last).contains(&addr).then_some(addr)
        })
    }

    /// The unmapped ranges, from low to high, without the gaps of mappings that grow.
    fn holes(&self, gap: usize, low: usize, high: usize) -> Vec<(usize, usize)> {
        let mut holes = Vec::new();
        let mut free = low;
        for (&start, area) in &self.by_start {
            let start = start.saturating_sub(if area.grows_down { gap } else { 0 });
            if free < start {
                holes.push((free, start));
            }
            free = free.max(area.end + if area.grows_up { gap } else { 0 });
        }
        holes.push((free, high));
        holes
    }
}

/// Which unmapped range is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The highest.
    TopDown,
    /// The lowest.
    BottomUp,
}

/// A search for an unmapped range: `struct vm_unmapped_area_info`, `include/linux/mm.h`.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Bytes.
    pub len: usize,
    /// The address leaves `remainder` when divided by this power of two.
    pub align: usize,
    pub remainder: usize,
    /// The distance to mappings that grow.
    pub gap: usize,
    /// Bytes of a page.
    pub page_size: usize,
}

impl Search {
    /// The first address at or above `addr` with the right alignment.
    pub fn align_up(&self, addr: usize) -> usize {
        addr + self.remainder.wrapping_sub(addr) % self.align
    }
}
