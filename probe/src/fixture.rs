//! The fixture of the experiments: a reserved address range, a file, a pipe, the files that the
//! user named, and a log of the calls.
//!
//! The safety of the machine rests here:
//!
//! - `MAP_FIXED` replaces nothing but the reserved range;
//! - what an experiment maps is unmapped before the experiment returns;
//! - at most [`PAGES`] pages are touched at a time, or one huge page of at most 2 MiB;
//! - nothing is ever stored to a file that the user named;
//! - a file that is mapped in huge pages is never touched.

use crate::arch::Arch;
use crate::flags::{
    MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, MapFlags, UNASSIGNED_BITS,
};
use crate::outcome::{Backing, Call, Context, Outcome, Size, Step};
use crate::paths::OpenPath;
use crate::request::{ProbeOptions, RecordingVersion};
use kernel::{Errno, Kernel, Mmap, NO_FD, PROT_NONE, PROT_READ, PROT_WRITE, Pipe, SysResult};
use once_cell::unsync::OnceCell;

mod data;
mod scratch;
mod touch;
mod user_files;

pub use data::{
    AlignedRoom, Conditions, FILE_VALIDATOR, FileKind, Hugetlb, Lengths, Mapping, NoMemfd,
    PIPE_VALIDATOR, PRIVATE, PathFile, PathUse, SHARED, ScratchFile, SetupFailed, VALIDATE,
    Validator,
};
use data::{CONTEXTS, context};

/// The most pages that an experiment touches at a time.
pub const PAGES: usize = 16;
/// The protection of a scratch mapping.
pub const READ_WRITE: u32 = PROT_READ | PROT_WRITE;

/// Bytes of the reserved range: room for [`PAGES`] pages of 64 KiB at every cache colour, and for
/// the isolated range.
const RESERVED: usize = 16 << 20;
/// Bytes of the isolated range on either side of its middle: free space around a mapping, and room
/// for an address that is aligned to 2 MiB.
const ISOLATED: usize = 4 << 20;
/// Shared mappings of one file must agree modulo this number on machines whose caches are indexed
/// by virtual address: `SHM_COLOUR`, `arch/parisc/include/asm/shmparam.h`.
const CACHE_COLOURS: usize = 4 << 20;
/// Room for the trace entries of a row.
const STEPS: usize = 128;

/// The fixture of a run. Its methods make every call that maps memory.
pub struct Fixture<'k> {
    /// The kernel under test.
    pub kernel: &'k mut dyn Kernel,
    /// Whether to run the experiments that fill the address space.
    pub thorough: bool,
    /// Which calls to make. What only version 2 measures is [`Outcome::NotRun`] in version 1.
    pub recording_version: RecordingVersion,
    pub conditions: Conditions,
    /// The trace entries of the calls so far. The caller may take them between two experiments.
    pub steps: Vec<Step>,
    arch: Arch,
    page_size: usize,
    /// Start of the reserved range.
    reserved: usize,
    /// The probe address: inside the reserved range, with room for [`PAGES`] pages, and at the
    /// cache colour of the file. It is occupied between two experiments.
    probe_addr: usize,
    file: Option<ScratchFile>,
    memfd: Result<(), Errno>,
    no_memfd: Option<NoMemfd>,
    pipe: Pipe,
    /// The user's files.
    paths: Vec<PathFile>,
    /// The same files, opened for reading only; `None` where that makes no difference.
    read_only_paths: Vec<Option<PathFile>>,
    validators: OnceCell<[Validator; 2]>,
}

impl<'k> Fixture<'k> {
    /// Reserves the range and opens the file and the pipe; `paths` are the user's files, already
    /// open. Without a file the experiments on it are left out.
    pub fn new(
        kernel: &'k mut dyn Kernel,
        arch: Arch,
        paths: &[OpenPath],
        options: &ProbeOptions,
    ) -> Result<Box<Fixture<'k>>, SetupFailed> {
        let page_size = kernel.page_size();
        let Ok(reserved) = kernel.mmap(&reservation(arch, 0, RESERVED, MapFlags::NONE)).result()
        else {
            return Err(SetupFailed("no address range could be reserved: mmap failed"));
        };
        let pipe = match kernel.pipe() {
            Ok(pipe) => pipe,
            Err(errno) => {
                kernel.munmap(reserved, RESERVED);
                return Err(SetupFailed::without_pipe(errno));
            }
        };
        let (mut path_files, mut read_only_paths) = (Vec::new(), Vec::new());
        for path in paths {
            path_files.push(PathFile::of(path));
            read_only_paths.push(None);
        }
        let mut fixture = Box::new(Fixture {
            kernel,
            recording_version: options.recording_version,
            thorough: options.thorough,
            conditions: Conditions::default(),
            steps: Vec::new(),
            arch,
            page_size,
            reserved,
            probe_addr: reserved + page_size,
            file: None,
            memfd: Ok(()),
            no_memfd: None,
            pipe,
            paths: path_files,
            read_only_paths,
            validators: OnceCell::new(),
        });
        fixture.open_file(paths);
        fixture.steps.reserve(STEPS);
        fixture.measure_paths(paths, &options.paths);
        Ok(fixture)
    }

    /// Unmaps and closes everything. Returns the trace entries.
    pub fn close(mut self) -> Vec<Step> {
        self.kernel.munmap(self.reserved, RESERVED);
        self.kernel.close(self.pipe.read_end);
        self.kernel.close(self.pipe.write_end);
        self.close_file();
        self.close_read_only_paths();
        self.steps
    }

    /// The architecture whose numbers are used.
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// Bytes of a base page.
    pub fn page_size(&self) -> usize {
        self.page_size
    }

    /// The user's files, as they were opened, and those that are also probed as opened for reading
    /// only.
    pub fn paths(&self) -> Vec<Backing> {
        let mut backings = Vec::new();
        for (index, read_only) in self.read_only_paths.iter().enumerate() {
            backings.push(Backing::Path(index));
            if read_only.is_some() {
                backings.push(Backing::ReadOnlyPath(index));
            }
        }
        backings
    }

    /// How the user's files were opened and mapped.
    pub fn path_uses(&self) -> Vec<PathUse> {
        let mut uses = Vec::new();
        for (path, read_only) in self.paths.iter().zip(&self.read_only_paths) {
            let PathFile { access, lengths, .. } = *path;
            uses.push(PathUse { access, lengths, read_only_differs: read_only.is_some() });
        }
        uses
    }

    /// One of the user's files.
    pub fn path_file(&self, backing: Backing) -> Option<PathFile> {
        match backing {
            Backing::Path(index) => self.paths.get(index).copied(),
            Backing::ReadOnlyPath(index) => self.read_only_paths.get(index).copied().flatten(),
            Backing::Anonymous | Backing::File | Backing::Pipe => None,
        }
    }

    /// The contexts that a flag is probed in: the same for every run, and three map types of every
    /// path.
    pub fn contexts(&self) -> Vec<Context> {
        let mut contexts = Vec::from(CONTEXTS);
        for path in self.paths() {
            for &map_type in &[SHARED, PRIVATE, VALIDATE] {
                contexts.push(context(map_type, path));
            }
        }
        contexts
    }

    /// The middle of the isolated range: an odd multiple of `ISOLATED`, with that many reserved
    /// bytes on either side.
    pub fn isolated_addr(&self) -> usize {
        let addr = (self.reserved + ISOLATED).next_multiple_of(ISOLATED);
        if addr & ISOLATED == 0 { addr + ISOLATED } else { addr }
    }

    /// Calls `mmap` without a trace entry.
    pub fn mmap(
        &mut self,
        addr: usize,
        len: usize,
        prot: u32,
        flags: MapFlags,
        backing: Backing,
    ) -> Mapping {
        self.mmap_number(addr, len, prot, flags.encode(self.arch), backing)
    }

    /// Calls `mmap` without a trace entry. `flags` is the number that the kernel gets, to which
    /// `MAP_ANONYMOUS` is added for [`Backing::Anonymous`].
    fn mmap_number(
        &mut self,
        addr: usize,
        len: usize,
        prot: u32,
        flags: usize,
        backing: Backing,
    ) -> Mapping {
        let fd = match backing {
            Backing::Anonymous => Some(NO_FD),
            Backing::File => self.file.map(|file| file.fd),
            Backing::Pipe => Some(self.pipe.read_end),
            Backing::Path(_) | Backing::ReadOnlyPath(_) => match self.path_file(backing) {
                Some(PathFile { fd, lengths: Lengths::Page, .. }) => Some(fd),
                _ => None,
            },
        };
        let Some(fd) = fd else { return Mapping { addr: 0, len, outcome: Outcome::NotRun } };
        let flags = flags | self.anonymous(backing);
        let result = self.kernel.mmap(&Mmap { addr, len, prot, flags, fd });
        let outcome = Outcome::of_mmap(result, addr);
        if flags & MAP_FIXED.encode(self.arch) != 0 && outcome.is_mmap_failure() {
            self.reserve_again(addr, len);
        }
        Mapping { addr: result.result().unwrap_or(0), len, outcome }
    }

    fn anonymous(&self, backing: Backing) -> usize {
        match backing {
            Backing::Anonymous => MAP_ANONYMOUS.encode(self.arch),
            _ => 0,
        }
    }

    /// Maps pages at the probe address, which is a hint unless `flags` holds `MAP_FIXED`.
    pub fn map(&mut self, flags: MapFlags, prot: u32, pages: usize, backing: Backing) -> Mapping {
        self.map_number(flags.encode(self.arch), prot, pages, backing)
    }

    fn map_number(&mut self, flags: usize, prot: u32, pages: usize, backing: Backing) -> Mapping {
        let len = pages * self.page_size;
        let mapping = self.mmap_number(self.probe_addr, len, prot, flags, backing);
        self.log_mmap_number(flags, backing, Size::Pages(pages), mapping.outcome);
        mapping
    }

    /// Maps a page at the probe address and unmaps it at once.
    pub fn try_map(&mut self, flags: MapFlags, prot: u32, backing: Backing) -> Outcome {
        self.try_map_number(flags.encode(self.arch), prot, backing)
    }

    /// As [`Fixture::try_map`], with the number that the kernel gets.
    pub fn try_map_number(&mut self, flags: usize, prot: u32, backing: Backing) -> Outcome {
        if let Some((fd, log2)) = self.aligned_file(backing) {
            let outcome = self.map_aligned(fd, flags, log2);
            let flags = flags | self.added_flags(backing);
            self.log_mmap_number(flags, backing, Size::Large, outcome);
            return outcome;
        }
        let mapping = self.map_number(flags, prot, 1, backing);
        self.unmap(mapping);
        mapping.outcome
    }

    /// The outcome of `bits` in a context, without a trace entry. `bits` is the number that the
    /// kernel gets.
    pub fn probe(&mut self, context: Context, bits: usize) -> Outcome {
        let Context { map_type, backing } = context;
        if let Some((fd, log2)) = self.aligned_file(backing) {
            return self.map_aligned(fd, map_type | bits, log2);
        }
        let (addr, page) = (self.probe_addr, self.page_size);
        let mapping = self.mmap_number(addr, page, PROT_READ, map_type | bits, backing);
        self.unmap(mapping);
        mapping.outcome
    }

    /// The outcome of `bits` in a context, with a trace entry. `bits` is the number that the kernel
    /// gets.
    pub fn probe_context(&mut self, context: Context, bits: usize) -> Outcome {
        let outcome = self.probe(context, bits);
        let Context { map_type, backing } = context;
        let flags = map_type | bits | self.anonymous(backing) | self.added_flags(backing);
        self.steps.push(Step { call: Call::Context { flags, backing }, outcome });
        outcome
    }

    /// The outcome of `bits` in a context with `MAP_FIXED` at the middle of the isolated range,
    /// which is aligned to 4 MiB and to no larger power of two: a larger huge page is rejected
    /// there, and a smaller one fits into the reserved range.
    pub fn probe_aligned(&mut self, context: Context, bits: usize) -> Outcome {
        let (addr, page) = (self.isolated_addr(), self.page_size);
        let flags = context.map_type | bits | MAP_FIXED.encode(self.arch);
        let mapping = self.mmap_number(addr, page, PROT_READ, flags, context.backing);
        // The range is unmapped before the kernel looks for a huge page.
        if mapping.outcome.succeeded() || self.recording_version >= RecordingVersion::Two {
            self.reserve(addr, ISOLATED);
        }
        mapping.outcome
    }

    /// Undoes [`Fixture::map`]. A mapping in the reserved range is replaced by a reservation in one
    /// call, so that the range is never free in between.
    pub fn unmap(&mut self, mapping: Mapping) {
        match mapping.outcome {
            Outcome::MappedThere => self.reserve(mapping.addr, mapping.len),
            Outcome::MappedElsewhere => {
                let result = self.kernel.munmap(mapping.addr, mapping.len);
                self.log_failed_undo(result);
            }
            _ => {}
        }
    }

    /// Reserves a part of the range again, whatever is mapped there.
    pub fn reserve(&mut self, addr: usize, len: usize) {
        let result = self.kernel.mmap(&reservation(self.arch, addr, len, MAP_FIXED));
        self.log_failed_undo(result);
    }

    fn log_failed_undo(&mut self, result: SysResult) {
        if !result.is_ok() {
            self.log("unmapping it", Outcome::of(result));
        }
    }

    /// Unmaps one page at the probe address, so that it is free: the first (0) or the second (1).
    pub fn free_page(&mut self, index: usize) {
        let addr = self.probe_addr + index * self.page_size;
        let outcome = Outcome::of(self.kernel.munmap(addr, self.page_size));
        self.log("munmap(the page asked for)", outcome);
    }

    /// Unmaps the first page at the probe address, without a trace entry.
    pub fn free_first_page(&mut self) {
        self.kernel.munmap(self.probe_addr, self.page_size);
    }

    /// Reserves the first two pages at the probe address again.
    pub fn occupy_pages(&mut self) {
        self.reserve(self.probe_addr, 2 * self.page_size);
    }

    /// Adds the trace entry of an `mmap`.
    pub fn log_mmap(&mut self, flags: MapFlags, backing: Backing, size: Size, outcome: Outcome) {
        self.log_mmap_number(flags.encode(self.arch), backing, size, outcome);
    }

    fn log_mmap_number(&mut self, flags: usize, backing: Backing, size: Size, outcome: Outcome) {
        let flags = flags | self.anonymous(backing);
        self.steps.push(Step { call: Call::Mmap { flags, backing, size }, outcome });
    }

    /// Adds the trace entry of any other call, and returns its outcome.
    pub fn log(&mut self, call: &'static str, outcome: Outcome) -> Outcome {
        self.steps.push(Step { call: Call::Other(call), outcome });
        outcome
    }

    /// The results of the file and of the pipe. They are measured once, so only the first caller
    /// gets trace entries.
    pub fn validators(&mut self) -> [Validator; 2] {
        if let Some(known) = self.validators.get() {
            return *known;
        }
        let measured = [FILE_VALIDATOR, PIPE_VALIDATOR].map(|context| {
            let base = self.probe_context(context, 0);
            let [first, others @ ..] = UNASSIGNED_BITS;
            let mut unassigned = self.probe_context(context, 1 << first);
            for bit in others {
                if !self.probe_context(context, 1 << bit).agrees_with(unassigned) {
                    unassigned = Outcome::NotRun;
                }
            }
            // Every flag is compared with these outcomes, so one wrong result must not decide.
            if self.probe_context(context, 0) != base {
                unassigned = Outcome::NotRun;
            }
            Validator { base, unassigned }
        });
        *self.validators.get_or_init(|| measured)
    }
}

/// A call that reserves addresses: private, without access, without accounting.
fn reservation(arch: Arch, addr: usize, len: usize, fixed: MapFlags) -> Mmap {
    let flags = (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed).encode(arch);
    Mmap { addr, len, prot: PROT_NONE, flags, fd: NO_FD }
}
