//! The mappings of the process: where they are, what they hold, and where there is room.

use super::rules::Space;
use std::collections::{BTreeMap, BTreeSet};

/// A mapping.
#[derive(Clone, Debug)]
pub struct Area {
    /// The first address behind it.
    pub end: u64,
    /// `PROT_*` bits.
    pub prot: u32,
    /// `VM_SHARED` or at least `VM_MAYSHARE`.
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
    /// `MAP_DENYWRITE` of a kernel that minds it.
    pub denies_writing: bool,
    /// Bytes of its pages if they are huge, and how many are set aside for it.
    pub huge: Option<(u64, u64)>,
    /// The file behind it: its number, and the address of its first byte.
    pub file: Option<(usize, u64)>,
    /// Not made by a call of the program: the program itself, its stack.
    pub foreign: bool,
    /// Pages in the page table.
    pub resident: BTreeSet<u64>,
    /// Pages of a private mapping of a file that were written to.
    pub copied: BTreeSet<u64>,
    /// What `MADV_COLLAPSE` made: the first address, and the size.
    pub collapsed: BTreeMap<u64, u64>,
    /// Bytes that are the mapping's own and not zero.
    pub bytes: BTreeMap<u64, u8>,
}

impl Area {
    /// Private memory of the program's own image.
    pub fn foreign(end: u64) -> Area {
        Area {
            end,
            prot: 3,
            shared: false,
            may_write: true,
            locked: false,
            grows_down: false,
            grows_up: false,
            noreserve: false,
            account: true,
            sync: false,
            nohuge: false,
            droppable: false,
            denies_writing: false,
            huge: None,
            file: None,
            foreign: true,
            resident: BTreeSet::new(),
            copied: BTreeSet::new(),
            collapsed: BTreeMap::new(),
            bytes: BTreeMap::new(),
        }
    }

    /// Bytes of one of its pages.
    pub fn unit(&self, page: u64) -> u64 {
        self.huge.map_or(page, |(size, _)| size)
    }

    /// Whether the page at `at` is in the page table.
    pub fn has_page(&self, at: u64, page: u64) -> bool {
        let collapsed = self
            .collapsed
            .range(..=at)
            .next_back()
            .is_some_and(|(&start, &size)| at < start + size);
        collapsed || self.resident.contains(&(at - at % self.unit(page)))
    }

    /// Forgets the pages from `start` to `end`, and what is in them.
    pub fn release(&mut self, start: u64, end: u64, page: u64) {
        let split: Vec<(u64, u64)> = self
            .collapsed
            .iter()
            .map(|(&at, &size)| (at, size))
            .filter(|&(at, size)| at < end && start < at + size)
            .collect();
        for (at, size) in split {
            self.collapsed.remove(&at);
            self.resident.extend((at..at + size).step_by(page as usize));
        }
        let outside = |at: &u64| *at < start || end <= *at;
        self.resident.retain(outside);
        self.copied.retain(outside);
        self.bytes.retain(|at, _| outside(at));
    }

    /// Pages in memory that are this mapping's alone: single ones, and those of huge pages.
    pub fn pages(&self, page: u64) -> (usize, usize) {
        let collapsed: u64 = self.collapsed.values().map(|size| size / page).sum();
        match (self.huge, self.file) {
            (Some((size, _)), _) => (0, self.resident.len() * (size / page) as usize),
            (None, Some(_)) => (self.copied.len(), collapsed as usize),
            (None, None) => (self.resident.len(), collapsed as usize),
        }
    }
}

/// All of them, by where they begin.
#[derive(Clone, Debug, Default)]
pub struct Areas(pub BTreeMap<u64, Area>);

impl Areas {
    /// The mapping at an address, and where it begins.
    pub fn at(&self, addr: u64) -> Option<(u64, &Area)> {
        self.0
            .range(..=addr)
            .next_back()
            .filter(|(_, area)| addr < area.end)
            .map(|(&start, area)| (start, area))
    }

    /// The same, to change it.
    pub fn at_mut(&mut self, addr: u64) -> Option<(u64, &mut Area)> {
        self.0
            .range_mut(..=addr)
            .next_back()
            .filter(|(_, area)| addr < area.end)
            .map(|(&start, area)| (start, area))
    }

    /// The last one that ends at or below an address.
    pub fn below(&self, addr: u64) -> Option<(u64, &Area)> {
        self.0
            .range(..addr)
            .next_back()
            .filter(|(_, area)| area.end <= addr)
            .map(|(&start, area)| (start, area))
    }

    /// The first one that begins at or above an address.
    pub fn above(&self, addr: u64) -> Option<(u64, &Area)> {
        self.0.range(addr..).next().map(|(&start, area)| (start, area))
    }

    /// Those that have a part of the range.
    pub fn within(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, &Area)> {
        self.0.range(..end).filter(move |(_, area)| start < area.end).map(|(&at, area)| (at, area))
    }

    /// Whether every page of the range is mapped.
    pub fn covers(&self, start: u64, end: u64) -> bool {
        let mut at = start;
        while at < end {
            let Some((_, area)) = self.at(at) else { return false };
            at = area.end;
        }
        true
    }

    /// Takes a range out of whatever is mapped there.
    pub fn cut(&mut self, start: u64, end: u64, page: u64) {
        let hit: Vec<u64> = self.within(start, end).map(|(at, _)| at).collect();
        for at in hit {
            let Some(area) = self.0.remove(&at) else { continue };
            if at < start {
                let mut left = Area { end: start, ..area.clone() };
                left.release(start, area.end, page);
                self.0.insert(at, left);
            }
            if end < area.end {
                let mut right = area;
                right.release(at, end, page);
                self.0.insert(end, right);
            }
        }
    }

    /// Whether nothing is in the range, and nothing that grows is within `gap` of it.
    pub fn is_free(&self, start: u64, end: u64, gap: u64) -> bool {
        let up = self.below(start).is_some_and(|(_, area)| area.grows_up && start < area.end + gap);
        let down = self
            .above(end)
            .is_some_and(|(at, area)| area.grows_down && at.saturating_sub(gap) < end);
        self.within(start, end).next().is_none() && !up && !down
    }

    /// Room between `low` and `high`, the first address to come, the highest first if `down`.
    pub fn room(&self, want: &Want, low: u64, high: u64, down: bool) -> Option<u64> {
        let mut holes = Vec::new();
        let mut free = low;
        for (&start, area) in &self.0 {
            let start = start.saturating_sub(if area.grows_down { want.gap } else { 0 });
            if free < start {
                holes.push((free, start));
            }
            free = free.max(area.end + if area.grows_up { want.gap } else { 0 });
        }
        holes.push((free, high));
        if down {
            holes.reverse();
        }
        holes.into_iter().find_map(|(from, to)| {
            let (from, to) = (from.max(low), to.min(high));
            // vm_unmapped_area of mm/mmap.c looks for a hole in which any address would fit: `length + align_mask`.
            to.checked_sub(want.len + want.align.saturating_sub(want.page))
                .filter(|&last| from <= last)?;
            let last = to - want.len;
            // The nearest address that leaves `rest` when divided by `align`.
            let at = if down {
                last - (last.wrapping_sub(want.rest) % want.align)
            } else {
                want.up(from)
            };
            (from..=last).contains(&at).then_some(at)
        })
    }

    /// A fresh process.
    pub fn of(space: &Space) -> Areas {
        Areas(space.own.iter().map(|&(start, end)| (start, Area::foreign(end))).collect())
    }
}

/// What room is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Want {
    /// Bytes.
    pub len: u64,
    /// What the address is a multiple of, a power of two,
    pub align: u64,
    /// but for this rest.
    pub rest: u64,
    /// What mappings that grow want to have free.
    pub gap: u64,
    /// Bytes of a page.
    pub page: u64,
}

impl Want {
    /// The first fitting address from `addr` on.
    pub fn up(&self, addr: u64) -> u64 {
        addr + (self.rest.wrapping_sub(addr) % self.align)
    }
}
