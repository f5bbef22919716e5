//! A kernel made of rules: what `do_mmap` does with its flags argument, by architecture and era. For tests: a verdict can be
//! compared with what this kernel really does.
//!
//! It imports nothing from the flag table or the verdicts, so that judge and model cannot share a mistake: the numbers are
//! written down again, from the headers named beside them. It keeps one byte per page, which is all the experiments touch.

mod rules;

pub use rules::{Layout, PARISC, Rules, X86};

use super::{Advice, Answer, Ending, Errno, Fd, Kernel, Mmap, NO_FD, Uname};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The numbers that are the same everywhere, `include/uapi/linux/mman.h`.
const SHARED: u64 = 1;
const PRIVATE: u64 = 2;
const SHARED_VALIDATE: u64 = 3;
const DROPPABLE: u64 = 8;
/// `MAP_FIXED_NOREPLACE`, the same on the architectures here.
const FIXED_NOREPLACE: u64 = 0x10_0000;
/// `MAP_HUGE_SHIFT`.
const HUGE_SHIFT: u32 = 26;

/// A mapping.
#[derive(Clone, Debug)]
struct Area {
    end: u64,
    prot: u32,
    shared: bool,
    locked: bool,
    /// The file behind it; none for fresh memory.
    file: Option<Fd>,
    /// Pages in memory.
    resident: BTreeSet<u64>,
    /// First bytes of pages that are the mapping's own.
    own: BTreeMap<u64, u8>,
}

/// What a descriptor is.
#[derive(Clone, Debug)]
enum File {
    /// First bytes of its pages.
    Memfd(BTreeMap<u64, u8>, u64),
    Pipe,
}

/// The kernel.
#[derive(Clone, Debug)]
pub struct Model {
    /// What it does.
    pub rules: Rules,
    /// What was written to standard output and standard error.
    pub output: Vec<u8>,
    /// How many times `mmap` was called.
    pub calls: usize,
    /// A call of `mmap`, counted from 0, that answers this instead of doing anything.
    pub fault: Option<(usize, Answer)>,
    areas: BTreeMap<u64, Area>,
    files: BTreeMap<Fd, File>,
    pipe: VecDeque<u8>,
}

impl Model {
    /// A kernel with nothing mapped and nothing open.
    pub fn new(rules: Rules) -> Model {
        Model {
            rules,
            output: Vec::new(),
            calls: 0,
            fault: None,
            areas: BTreeMap::new(),
            files: BTreeMap::new(),
            pipe: VecDeque::new(),
        }
    }

    /// How many mappings there are.
    pub fn mapped(&self) -> usize {
        self.areas.len()
    }

    /// How many descriptors are open.
    pub fn open(&self) -> usize {
        self.files.len()
    }

    fn open_file(&mut self, file: File) -> Fd {
        let fd = (3..).find(|fd| !self.files.contains_key(fd)).unwrap_or(3);
        self.files.insert(fd, file);
        fd
    }

    fn overlaps(&self, start: u64, end: u64) -> bool {
        self.areas.iter().any(|(&at, area)| at < end && start < area.end)
    }

    /// Takes a range out of whatever is mapped there.
    fn cut(&mut self, start: u64, end: u64) {
        let hit: Vec<u64> =
            self.areas.iter().filter(|&(&at, area)| at < end && start < area.end).map(|(&at, _)| at).collect();
        for at in hit {
            let Some(area) = self.areas.remove(&at) else { continue };
            if at < start {
                self.areas.insert(at, Area { end: start, ..area.clone() });
            }
            if end < area.end {
                self.areas.insert(end, area);
            }
        }
    }

    /// Room for so many bytes, above everything else that was ever placed by the kernel.
    fn room(&self, len: u64) -> u64 {
        let mut at = 0x4000_0000;
        while self.overlaps(at, at + len) {
            at += 0x10_0000;
        }
        at
    }

    fn area(&mut self, addr: u64) -> Result<(&mut Area, &mut BTreeMap<Fd, File>), Errno> {
        let found = self.areas.range_mut(..=addr).next_back().filter(|(_, area)| addr < area.end);
        found.map(|(_, area)| (area, &mut self.files)).ok_or(Errno::EFAULT)
    }

    /// `do_mmap`, in the order of its checks.
    fn do_mmap(&mut self, call: &Mmap) -> Result<u64, Errno> {
        let Rules { layout, .. } = self.rules;
        let flags = call.flags & !self.rules.drops;
        let has = |bit: u64| flags & bit != 0;
        let page = self.rules.page_size;
        let anonymous = has(layout.anonymous);
        let mut file = None;
        // A file of huge pages stands behind anonymous ones: from here on they are mapped as a file is.
        let mut huge = false;
        if !anonymous {
            file = Some(call.fd).filter(|fd| self.files.contains_key(fd));
            if file.is_none() {
                return Err(Errno::EBADF);
            }
            if has(layout.hugetlb) {
                return Err(Errno::EINVAL);
            }
        } else if has(layout.hugetlb) {
            let wanted = flags >> HUGE_SHIFT & 0x3f;
            let sizes = &self.rules.huge_sizes;
            if sizes.is_empty() || wanted != 0 && !sizes.contains(&wanted) {
                return Err(Errno::EINVAL);
            }
            huge = true;
        }
        if call.len == 0 {
            return Err(Errno::EINVAL);
        }
        let len = call.len.next_multiple_of(page);
        let noreplace = self.rules.noreplace && has(FIXED_NOREPLACE);
        let taken = self.overlaps(call.addr, call.addr + len);
        if noreplace && taken {
            return Err(Errno::EEXIST);
        }
        let fixed = noreplace || has(layout.fixed);
        let start = if fixed || (call.addr != 0 && !taken) { call.addr } else { self.room(len) };
        if let (true, Some(errno)) = (has(layout.locked), self.rules.lock_refusal) {
            return Err(errno);
        }
        let old_parisc = !self.rules.validate && layout.type_mask == PARISC.type_mask;
        let map_type = flags & if old_parisc { 0x03 } else { layout.type_mask };
        let shared = match map_type {
            SHARED => true,
            PRIVATE => false,
            SHARED_VALIDATE if self.rules.validate && (!anonymous || huge) => {
                let legacy = layout.legacy | self.rules.newer_legacy | SHARED_VALIDATE;
                if call.flags & !legacy != 0 {
                    return Err(Errno::EOPNOTSUPP);
                }
                true
            }
            DROPPABLE if anonymous => match self.rules.droppable {
                Some(answer) => {
                    answer?;
                    false
                }
                None => return Err(Errno::EINVAL),
            },
            _ => return Err(Errno::EINVAL),
        };
        if let Some(File::Pipe) = file.and_then(|fd| self.files.get(&fd)) {
            return Err(Errno::ENODEV);
        }
        if has(layout.growsdown) && (shared || file.is_some()) {
            return Err(Errno::EINVAL);
        }
        if huge {
            // The pool is empty.
            return Err(Errno::ENOMEM);
        }
        let locked = has(layout.locked) || self.rules.locks_everything;
        let mut resident = BTreeSet::new();
        if locked || has(layout.populate) && !has(layout.nonblock) {
            resident = (start..start + len).step_by(page as usize).collect();
        }
        self.cut(start, start + len);
        let area = Area { end: start + len, prot: call.prot, shared, locked, file, resident, own: BTreeMap::new() };
        self.areas.insert(start, area);
        Ok(start)
    }
}

fn answer(result: Result<u64, Errno>) -> Answer {
    result.map_or_else(Answer::failed, Answer::value)
}

impl Kernel for Model {
    fn mmap(&mut self, call: &Mmap) -> Answer {
        debug_assert!(call.fd >= NO_FD);
        self.calls += 1;
        match self.fault {
            Some((at, answer)) if at + 1 == self.calls => answer,
            _ => answer(self.do_mmap(call)),
        }
    }

    fn munmap(&mut self, addr: u64, len: u64) -> Answer {
        self.cut(addr, addr + len.next_multiple_of(self.rules.page_size));
        Answer::value(0)
    }

    fn mincore(&mut self, addr: u64, len: u64, pages: &mut [u8]) -> Answer {
        let page = self.rules.page_size;
        for (at, byte) in (addr..addr + len).step_by(page as usize).zip(pages) {
            match self.area(at) {
                Ok((area, _)) => *byte = area.resident.contains(&at).into(),
                Err(_) => return Answer::failed(Errno::ENOMEM),
            }
        }
        Answer::value(0)
    }

    fn madvise(&mut self, addr: u64, _: u64, Advice::DontNeed: Advice) -> Answer {
        answer(self.area(addr).and_then(|(area, _)| if area.locked { Err(Errno::EINVAL) } else { Ok(0) }))
    }

    fn msync_invalidate(&mut self, addr: u64, _: u64) -> Answer {
        answer(self.area(addr).and_then(|(area, _)| if area.locked { Err(Errno::EBUSY) } else { Ok(0) }))
    }

    fn memfd_create(&mut self, _: &str) -> Answer {
        if self.rules.no_memfd {
            return Answer::failed(Errno::ENOSYS);
        }
        Answer::value(self.open_file(File::Memfd(BTreeMap::new(), 0)) as u64)
    }

    fn pipe(&mut self) -> Result<(Fd, Fd), Errno> {
        Ok((self.open_file(File::Pipe), self.open_file(File::Pipe)))
    }

    fn close(&mut self, fd: Fd) -> Answer {
        self.files.remove(&fd);
        Answer::value(0)
    }

    fn read(&mut self, _: Fd, into: &mut [u8]) -> Answer {
        let count = into.len().min(self.pipe.len());
        for (place, byte) in into.iter_mut().zip(self.pipe.drain(..count)) {
            *place = byte;
        }
        Answer::value(count as u64)
    }

    fn pread(&mut self, fd: Fd, into: &mut [u8], offset: u64) -> Answer {
        let Some(File::Memfd(content, _)) = self.files.get(&fd) else { return Answer::failed(Errno::ESPIPE) };
        into.fill(content.get(&offset).copied().unwrap_or(0));
        Answer::value(into.len() as u64)
    }

    fn write(&mut self, fd: Fd, bytes: &[u8]) -> Answer {
        let page = self.rules.page_size;
        match self.files.get_mut(&fd) {
            Some(File::Memfd(content, end)) => {
                if *end % page == 0 {
                    content.extend(bytes.first().map(|&byte| (*end, byte)));
                }
                *end += bytes.len() as u64;
            }
            Some(File::Pipe) => self.pipe.extend(bytes),
            None => self.output.extend(bytes),
        }
        Answer::value(bytes.len() as u64)
    }

    fn store(&mut self, _: Fd, addr: u64, _: u64) -> Answer {
        let byte = self.pipe.front().copied().unwrap_or(0);
        let stored = self.area(addr).and_then(|(area, files)| {
            if area.prot & super::PROT_WRITE == 0 {
                return Err(Errno::EFAULT);
            }
            area.resident.insert(addr);
            match area.file.and_then(|fd| files.get_mut(&fd)).filter(|_| area.shared) {
                Some(File::Memfd(content, _)) => content.insert(0, byte),
                _ => area.own.insert(addr, byte),
            };
            Ok(1)
        });
        if stored.is_ok() {
            self.pipe.pop_front();
        }
        answer(stored)
    }

    fn load(&mut self, _: Fd, addr: u64, _: u64) -> Answer {
        let loaded = self.area(addr).and_then(|(area, files)| {
            if area.prot & super::PROT_READ == 0 {
                return Err(Errno::EFAULT);
            }
            area.resident.insert(addr);
            let in_file = match area.file.and_then(|fd| files.get(&fd)) {
                Some(File::Memfd(content, _)) => content.get(&0).copied(),
                _ => None,
            };
            Ok(area.own.get(&addr).copied().or(in_file).unwrap_or(0))
        });
        self.pipe.extend(loaded.ok());
        answer(loaded.map(|_| 1))
    }

    fn page_size(&mut self) -> u64 {
        self.rules.page_size
    }

    fn euid(&mut self) -> Option<u64> {
        Some(0)
    }

    fn pid(&mut self) -> u64 {
        2
    }

    fn time(&mut self) -> u64 {
        0
    }

    fn uname(&mut self) -> Result<Uname, Errno> {
        Ok(Uname { sysname: "Model".into(), ..Uname::default() })
    }

    fn ignore_sigpipe(&mut self) -> Answer {
        Answer::value(0)
    }

    fn exit(&mut self, code: i32) -> ! {
        panic!("the model was told to exit with {code}")
    }

    fn open_console(&mut self, _: &str) -> Answer {
        Answer::failed(Errno::ENOENT)
    }

    fn mkdir(&mut self, _: &str) -> Answer {
        Answer::failed(Errno::EROFS)
    }

    fn mount(&mut self, _: &str, _: &str) -> Answer {
        Answer::failed(Errno::EPERM)
    }

    fn umount(&mut self, _: &str) -> Answer {
        Answer::failed(Errno::EPERM)
    }

    fn file_id(&mut self, _: &str) -> Result<(u64, u64), Errno> {
        Err(Errno::ENOENT)
    }

    fn execve(&mut self, _: &str, _: &[&str]) -> Errno {
        Errno::ENOENT
    }

    fn may_reboot(&mut self) -> Answer {
        Answer::failed(Errno::EPERM)
    }

    fn reboot(&mut self, _: Ending) -> Answer {
        Answer::failed(Errno::EPERM)
    }

    fn pause(&mut self) {
        panic!("the model was told to wait for ever")
    }
}
