//! `mmap(2)`: `ksys_mmap_pgoff`, `do_mmap` and `mmap_region` of `mm/mmap.c`, in the order of their
//! checks.

use crate::areas::{Area, Direction, MappedFile, Search};
use crate::files::Kind;
use crate::flag_numbers::{
    DROPPABLE, FIXED_NOREPLACE, HUGE_MASK, HUGE_SHIFT, PRIVATE, SHARED, SHARED_VALIDATE,
};
use crate::rules::{MIB, Overcommit, Personality, Stack};
use crate::state::SimulatedKernel;
use kernel::{Errno, Fd, Mmap, PROT_NONE, PROT_WRITE};

/// `MAP_32BIT` mappings lie between these addresses: `find_start_end`,
/// `arch/x86/kernel/sys_x86_64.c`. The start is 1 GiB and a random offset.
const MAP_32BIT_START: usize = 0x4096_6000;
const MAP_32BIT_END: usize = 0x8000_0000;
/// `MAP_ABOVE4G` mappings begin at this address or above: `arch_get_unmapped_area_topdown`, same
/// file.
const ABOVE4G_START: usize = 1 << 32;
/// The most memory that a test can populate.
const POPULATE_MAX: usize = 64 * MIB;

/// The file of a request.
#[derive(Clone, Copy)]
struct File {
    node: usize,
    kind: Kind,
    /// `FMODE_READ`.
    read: bool,
    /// `FMODE_WRITE`.
    write: bool,
}

/// A request whose descriptor and length are valid.
struct Request {
    addr: usize,
    /// Whole pages, in bytes.
    len: usize,
    prot: u32,
    flags: usize,
    /// `None` for anonymous memory.
    file: Option<File>,
    /// Bytes of a page of hugetlb memory.
    huge_page_size: Option<usize>,
}

impl Request {
    fn has(&self, flags: usize) -> bool {
        self.flags & flags != 0
    }

    fn file_kind(&self) -> Option<Kind> {
        self.file.map(|file| file.kind)
    }
}

/// What the map type determines about a mapping.
#[derive(Clone, Copy)]
struct MapType {
    /// `VM_MAYSHARE`.
    shared: bool,
    /// `VM_DROPPABLE`.
    droppable: bool,
    /// `VM_MAYWRITE`.
    may_write: bool,
}

const MAP_TYPE_PRIVATE: MapType = MapType { shared: false, droppable: false, may_write: true };
const MAP_TYPE_SHARED: MapType = MapType { shared: true, ..MAP_TYPE_PRIVATE };
const MAP_TYPE_DROPPABLE: MapType = MapType { droppable: true, ..MAP_TYPE_PRIVATE };

impl SimulatedKernel {
    pub(crate) fn mmap(&mut self, call: &Mmap) -> Result<usize, Errno> {
        let numbers = self.rules.numbers;
        let request = self.check_request(call)?;
        let noreplace = self.is_noreplace(&request);
        let fixed = noreplace || request.has(numbers.fixed);
        let start = self.get_unmapped_area(&request, fixed)?;
        let end = start + request.len;
        if noreplace && self.areas.overlapping(start, end).next().is_some() {
            return Err(Errno::EEXIST);
        }
        // can_do_mlock and mlock_future_ok.
        if let Some(errno) = self.rules.lock_error
            && request.has(numbers.locked)
        {
            return Err(errno);
        }
        let grows_up = request.has(numbers.stack) && self.rules.stack == Stack::GrowsUp;
        let grows_down =
            request.has(numbers.growsdown) && self.rules.personality != Personality::Nommu;
        let map_type = self.map_type(&request, grows_up || grows_down)?;

        let noreserve = self.is_noreserve(&request);
        let accountable = !noreserve && is_accountable(&request, map_type);
        self.unmap_and_charge(start, end, accountable)?;
        self.call_mmap_of_file(&request)?;
        self.assert_no_crash(&request, fixed);
        let huge = match request.huge_page_size {
            Some(size) => Some(self.reserve_huge_pages(size, request.len, noreserve)?),
            None => None,
        };
        let denies_writing = self.deny_write(&request)?;

        let locked = request.has(numbers.locked) || self.rules.locks_everything;
        // shmem_zero_setup: a shared mapping of /dev/zero is anonymous memory.
        let file = request.file.filter(|file| file.kind != Kind::Zero);
        let area = Area {
            end,
            prot: request.prot,
            shared: map_type.shared,
            may_write: map_type.may_write,
            // mmap_region clears VM_LOCKED for hugetlb and DAX, whose memory is always resident.
            locked: locked && huge.is_none() && request.file_kind() != Some(Kind::Dax),
            grows_down,
            grows_up,
            noreserve,
            account: accountable && !map_type.shared,
            sync: self.rules.validate && request.has(numbers.sync),
            nohuge: request.has(numbers.stack) && self.rules.stack == Stack::NoHuge,
            droppable: map_type.droppable,
            denies_writing,
            huge,
            file: file.map(|file| MappedFile { node: file.node, base: start }),
            ..Area::default()
        };
        self.areas.by_start.insert(start, area);

        let populate = request.has(numbers.populate) && !request.has(numbers.nonblock);
        if populate || locked {
            self.populate(start, end);
        }
        if self.rules.personality == Personality::Nommu {
            let uninitialized = self.rules.uninitialized && request.has(numbers.uninitialized);
            self.allocate_without_mmu(start, end, uninitialized);
        }
        Ok(start)
    }

    /// `ksys_mmap_pgoff`: the descriptor, then huge pages; `do_mmap`: the length.
    fn check_request(&self, call: &Mmap) -> Result<Request, Errno> {
        let call = self.rules.translate(call)?;
        let flags = call.flags & !self.rules.ignored_flags;
        let anonymous = flags & self.rules.numbers.anonymous != 0;
        let file = if anonymous { None } else { Some(self.file(call.fd)?) };
        let huge_page_size = self.huge_page_size(file, flags)?;
        let len = match huge_page_size {
            Some(size) => call.len.checked_next_multiple_of(size).ok_or(Errno::ENOMEM)?,
            None => call.len,
        };
        if len == 0 {
            return Err(Errno::EINVAL);
        }
        let len = len.checked_next_multiple_of(self.rules.page_size).ok_or(Errno::ENOMEM)?;
        if len > self.rules.space.top {
            return Err(Errno::ENOMEM);
        }
        Ok(Request { addr: call.addr, len, prot: call.prot, flags, file, huge_page_size })
    }

    fn file(&self, fd: Fd) -> Result<File, Errno> {
        let open = self.files.open.get(&fd).ok_or(Errno::EBADF)?;
        let kind = self.files.nodes[open.node].kind;
        Ok(File { node: open.node, kind, read: open.read, write: open.write })
    }

    /// Bytes of a huge page: `MAP_HUGETLB` with the size in the flags, or a file of hugetlbfs.
    fn huge_page_size(&self, file: Option<File>, flags: usize) -> Result<Option<usize>, Errno> {
        let sizes = &self.rules.huge_sizes;
        let hugetlb = flags & self.rules.numbers.hugetlb != 0;
        let log2 = match file.map(|file| file.kind) {
            Some(Kind::Huge) => *sizes.first().ok_or(Errno::ENODEV)?,
            Some(_) if hugetlb => return Err(Errno::EINVAL),
            None if hugetlb => {
                let default = *sizes.first().ok_or(Errno::EINVAL)?;
                match (flags >> HUGE_SHIFT & HUGE_MASK) as u32 {
                    0 => default,
                    log2 if sizes.contains(&log2) => log2,
                    _ => return Err(Errno::EINVAL),
                }
            }
            Some(_) | None => return Ok(None),
        };
        Ok(Some(1 << log2))
    }

    fn is_noreplace(&self, request: &Request) -> bool {
        self.rules.noreplace && request.has(FIXED_NOREPLACE)
    }

    /// `do_mmap`: with `OVERCOMMIT_NEVER` only hugetlb memory honors `MAP_NORESERVE`.
    fn is_noreserve(&self, request: &Request) -> bool {
        let honored =
            self.rules.overcommit != Overcommit::Never || request.huge_page_size.is_some();
        request.has(self.rules.numbers.noreserve) && honored
    }

    fn get_unmapped_area(&self, request: &Request, fixed: bool) -> Result<usize, Errno> {
        match self.rules.personality {
            Personality::Nommu => self.address_without_mmu(request),
            _ if fixed => self.fixed_address(request),
            _ => self.free_address(request),
        }
    }

    /// The address of a `MAP_FIXED` mapping.
    fn fixed_address(&self, request: &Request) -> Result<usize, Errno> {
        let (addr, space) = (request.addr, self.rules.space);
        if addr > space.top - request.len {
            return Err(Errno::ENOMEM);
        }
        if !addr.is_multiple_of(request.huge_page_size.unwrap_or(self.rules.page_size)) {
            return Err(Errno::EINVAL);
        }
        if request.has(SHARED) {
            // arch_get_unmapped_area_common, arch/parisc/kernel/sys_parisc.c.
            if request.file.is_some_and(|file| addr % space.colour != self.colour(file)) {
                return Err(Errno::EINVAL);
            }
            // The hidden file of shared hugetlb memory has a colour too.
            if request.huge_page_size.is_some() && space.colour > 1 {
                return Err(Errno::EINVAL);
            }
        }
        // cap_mmap_addr, security/commoncap.c.
        if addr < self.rules.min_address && !self.rules.root {
            return Err(Errno::EPERM);
        }
        Ok(addr)
    }

    /// The hint if it is unmapped, or the range that `arch_get_unmapped_area` finds.
    fn free_address(&self, request: &Request) -> Result<usize, Errno> {
        let (rules, space) = (&self.rules, self.rules.space);
        let colour = request.file.map_or(0, |file| self.colour(file));
        let has_colour = request.file.is_some()
            || rules.colours_anonymous && request.has(SHARED) && !request.has(PRIVATE);
        let page_align = request.huge_page_size.unwrap_or(rules.page_size);
        let search = Search {
            len: request.len,
            align: if has_colour { page_align.max(space.colour) } else { page_align },
            remainder: colour,
            gap: rules.stack_guard_gap(),
            page_size: rules.page_size,
        };
        let map_32bit = request.has(rules.numbers.map_32bit);
        let limit = if map_32bit { MAP_32BIT_END } else { space.top };
        // round_hint_to_min of mm/mmap.c.
        if request.addr >= rules.page_size {
            let page = request.addr - request.addr % rules.page_size;
            let hint = page.max(rules.min_address.next_multiple_of(rules.page_size));
            // COLOR_ALIGN of arch/parisc/kernel/sys_parisc.c rounds up before it adds the colour.
            let hint = if has_colour {
                hint.next_multiple_of(space.colour) + colour
            } else {
                search.align_up(hint)
            };
            let end = hint.checked_add(request.len).filter(|&end| end <= limit);
            if end.is_some_and(|end| self.areas.is_unmapped(hint, end, search.gap)) {
                return Ok(hint);
            }
        }
        let find = |low, high, direction| self.areas.find_unmapped(&search, low, high, direction);
        if map_32bit {
            return find(MAP_32BIT_START, limit, Direction::BottomUp).ok_or(Errno::ENOMEM);
        }
        let above4g = rules.above4g && request.has(rules.numbers.above4g);
        let bottom = if above4g { ABOVE4G_START } else { rules.min_address.max(rules.page_size) };
        let top_down =
            if space.bottom_up { None } else { find(bottom, space.base, Direction::TopDown) };
        let found = top_down.or_else(|| find(space.fallback, space.top, Direction::BottomUp));
        found.ok_or(Errno::ENOMEM)
    }

    /// Without an MMU: the lowest unused memory.
    fn address_without_mmu(&self, request: &Request) -> Result<usize, Errno> {
        let page_size = self.rules.page_size;
        let search = Search { len: request.len, align: page_size, remainder: 0, gap: 0, page_size };
        let start = self.rules.space.fallback;
        let end = start + self.rules.memory;
        self.areas.find_unmapped(&search, start, end, Direction::BottomUp).ok_or(Errno::ENOMEM)
    }

    /// The address of shared mappings of a file modulo `SHM_COLOUR`: `GET_LAST_MMAP`,
    /// `arch/parisc/kernel/sys_parisc.c`. Here each file has a different colour.
    fn colour(&self, file: File) -> usize {
        (0x1f_9000 + 0x1_0000 * file.node) % self.rules.space.colour
    }

    /// `do_mmap`: the map type. Hugetlb memory has a hidden file.
    fn map_type(&self, request: &Request, grows: bool) -> Result<MapType, Errno> {
        if request.file.is_some() || request.huge_page_size.is_some() {
            self.map_type_of_file(request, grows)
        } else {
            self.map_type_of_anonymous(request, grows)
        }
    }

    fn map_type_of_file(&self, request: &Request, grows: bool) -> Result<MapType, Errno> {
        let mut map_type = match request.flags & self.rules.type_mask() {
            SHARED => MAP_TYPE_SHARED,
            SHARED_VALIDATE if self.rules.validate => {
                if request.flags & !self.validated_flags(request) != 0 {
                    return Err(Errno::EOPNOTSUPP);
                }
                MAP_TYPE_SHARED
            }
            PRIVATE => MAP_TYPE_PRIVATE,
            _ => return Err(Errno::EINVAL),
        };
        if let Some(file) = request.file {
            if map_type.shared && !file.write {
                if request.prot & PROT_WRITE != 0 {
                    return Err(Errno::EACCES);
                }
                map_type.may_write = false;
            }
            if !file.read {
                return Err(Errno::EACCES);
            }
            // No mmap in struct file_operations.
            if let Kind::Pipe | Kind::Directory | Kind::Device | Kind::Smaps = file.kind {
                return Err(Errno::ENODEV);
            }
        }
        if grows {
            return Err(Errno::EINVAL);
        }
        Ok(map_type)
    }

    /// The flags that `MAP_SHARED_VALIDATE` accepts: `LEGACY_MAP_MASK` and `mmap_supported_flags`
    /// of the file.
    fn validated_flags(&self, request: &Request) -> usize {
        let numbers = self.rules.numbers;
        let above4g = if self.rules.above4g { numbers.above4g } else { 0 };
        let of_file = match request.file_kind() {
            Some(Kind::Ext4 | Kind::Dax) => numbers.sync,
            _ => 0,
        };
        numbers.legacy_mask() | above4g | of_file
    }

    /// Anonymous memory does not validate flags.
    fn map_type_of_anonymous(&self, request: &Request, grows: bool) -> Result<MapType, Errno> {
        match (request.flags & self.rules.type_mask(), self.rules.droppable) {
            (SHARED, _) if !grows => Ok(MAP_TYPE_SHARED),
            (PRIVATE, _) => Ok(MAP_TYPE_PRIVATE),
            (DROPPABLE, Some(result)) => {
                result?;
                if request.has(self.rules.numbers.locked) || grows {
                    return Err(Errno::EINVAL);
                }
                Ok(MAP_TYPE_DROPPABLE)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// `mmap_region`: unmaps the range and charges the memory, in the order of the version.
    fn unmap_and_charge(
        &mut self,
        start: usize,
        end: usize,
        accountable: bool,
    ) -> Result<(), Errno> {
        // __vm_enough_memory, mm/util.c.
        let is_refused = accountable
            && self.rules.overcommit != Overcommit::Always
            && end - start > self.rules.memory;
        if is_refused && !self.rules.unmaps_first {
            return Err(Errno::ENOMEM);
        }
        self.unmap_range(start, end)?;
        if is_refused { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    /// Unmaps the range of a `MAP_FIXED` mapping. Panics if the program replaces a mapping that it
    /// did not make.
    fn unmap_range(&mut self, start: usize, end: usize) -> Result<(), Errno> {
        assert!(start != 0, "the program maps page 0, which kills it under qemu-user-hppa");
        for (addr, area) in self.areas.overlapping(start, end) {
            assert!(!area.preexisting, "the program replaces a mapping it did not make: {addr:#x}");
            if area.splits_huge_page(addr, start, end) {
                return Err(Errno::ENOMEM);
            }
        }
        self.areas.unmap(start, end, self.rules.page_size);
        Ok(())
    }

    /// `ext4_file_mmap`, `fs/ext4/file.c`: without DAX the file rejects `MAP_SYNC`.
    fn call_mmap_of_file(&self, request: &Request) -> Result<(), Errno> {
        let sync = self.rules.validate && request.has(self.rules.numbers.sync);
        if sync && request.file_kind() == Some(Kind::Ext4) {
            return Err(Errno::EOPNOTSUPP);
        }
        Ok(())
    }

    /// Panics if a parisc64 kernel could crash: some do (`kernel BUG` in `mm/hugetlb.c`) when they
    /// choose the address of a huge mapping, if the pool has pages or none need to be reserved. A
    /// program cannot know that.
    fn assert_no_crash(&self, request: &Request, fixed: bool) {
        let crash = self.rules.crashes_on_huge && request.huge_page_size.is_some() && !fixed;
        assert!(
            !crash,
            "the program lets the kernel place huge pages (hint {:#x}), which crashes a parisc64 \
             kernel",
            request.addr
        );
    }

    /// `deny_write_access`, `include/linux/fs.h`, on a kernel that honors `MAP_DENYWRITE`: whether
    /// the mapping denies writing.
    fn deny_write(&self, request: &Request) -> Result<bool, Errno> {
        let Some(file) = request.file else { return Ok(false) };
        if !self.rules.denies_writing || !request.has(self.rules.numbers.denywrite) {
            return Ok(false);
        }
        let is_writer = self.files.open.values().any(|open| open.node == file.node && open.write);
        if is_writer { Err(Errno::ETXTBSY) } else { Ok(true) }
    }

    /// `populate_vma_page_range`, `mm/gup.c`: faults in every accessible page. Panics if that fills
    /// the memory of the machine; huge pages come from their pool.
    fn populate(&mut self, start: usize, end: usize) {
        let Some((_, area)) = self.areas.at(start) else { return };
        if area.prot == PROT_NONE {
            return;
        }
        assert!(
            area.huge.is_some() || end - start <= POPULATE_MAX,
            "the program fills {} MiB of memory",
            (end - start) / MIB
        );
        let write = !area.shared && area.prot & PROT_WRITE != 0;
        let page_size = area.kernel_page_size(self.rules.page_size);
        for addr in (start..end).step_by(page_size) {
            if self.fault_in(addr, write).is_err() {
                return;
            }
        }
    }
}

/// `accountable_mapping`, `mm/mmap.c`: private writable memory; `shmem_zero_setup`, `mm/shmem.c`:
/// shared anonymous memory.
fn is_accountable(request: &Request, map_type: MapType) -> bool {
    if request.huge_page_size.is_some() || map_type.droppable {
        return false;
    }
    if map_type.shared {
        request.file_kind().is_none_or(|kind| kind == Kind::Zero)
    } else {
        request.prot & PROT_WRITE != 0
    }
}
