//! The bench every experiment works on: ground of its own, a memfd, a pipe, the files the user named, and a note of every call.
//!
//! Safety of the machine rests here: `MAP_FIXED` goes only to ground this bench reserved; what an experiment maps is unmapped
//! before it returns; at most [`PAGES`] pages are touched; files the user named are never stored to.

use super::recognition::Control;
use crate::arch::Arch;
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Call, Evidence, Outcome, Step};
use crate::flags::{CONTROL_BITS, MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE, Own};
use crate::kernel::{Answer, Fd, Kernel, Mmap, NO_FD, PROT_NONE, PROT_READ, PROT_WRITE, Word};
use crate::text::Text;
use once_cell::unsync::OnceCell;

/// The most pages an experiment touches at a time.
pub const PAGES: u8 = 16;
/// The control bit that effect tests use.
pub const CONTROL: Word = 1 << CONTROL_BITS[2];

/// Bytes of reserved ground: room for [`PAGES`] pages of 64 KiB behind every cache colour, and for the far end.
const GROUND: Word = 16 << 20;
/// Room on either side of the far end, where mappings are made that need free space around them, or a place aligned to 2 MiB.
const FAR_END: Word = 4 << 20;
/// Shared mappings of one file must agree modulo this on machines whose caches are indexed by address: `SHM_COLOUR`,
/// `arch/parisc/include/asm/shmparam.h`. Elsewhere any address will do, this one too.
const COLOUR: Word = 4 << 20;
/// The descriptor of a file that could not be had; [`NO_FD`] is that of no file.
const NO_FILE: Fd = -2;
/// What the memfd begins with: not zero, so that it differs from fresh memory.
pub const CONTENT: u8 = b'm';

/// A context: map type and backing. The flag's answer in each is in the report.
pub type Context = (Word, Backing);

/// Every context a flag is asked in, those of the user's paths excepted.
static CONTEXTS: [Context; 7] = [
    (MAP_SHARED, Backing::ANONYMOUS),
    (MAP_PRIVATE, Backing::ANONYMOUS),
    (MAP_SHARED_VALIDATE, Backing::ANONYMOUS),
    (MAP_SHARED, Backing::MEMFD),
    (MAP_PRIVATE, Backing::MEMFD),
    MEMFD_VALIDATOR,
    PIPE_VALIDATOR,
];
/// A context in which the kernel looks at the flags and a mapping results.
pub const MEMFD_VALIDATOR: Context = (MAP_SHARED_VALIDATE, Backing::MEMFD);
/// A context in which the kernel looks at the flags and no mapping can result: `ENODEV` is the answer to flags it knows.
pub const PIPE_VALIDATOR: Context = (MAP_SHARED_VALIDATE, Backing::PIPE);

/// What flags hold beside the flag under test, in numbers that are the same on every architecture.
pub mod base {
    /// `MAP_SHARED`.
    pub const SHARED: u8 = 0x01;
    /// `MAP_PRIVATE`.
    pub const PRIVATE: u8 = 0x02;
    /// The map type.
    pub const TYPE: u8 = 0x03;
    /// `MAP_FIXED`.
    pub const FIXED: u8 = 0x10;
    /// `MAP_POPULATE`.
    pub const POPULATE: u8 = 0x20;
    /// The control bit.
    pub const CONTROL: u8 = 0x40;
}

/// See the head of this file.
pub struct Bench<'k> {
    /// The kernel under test.
    pub kernel: &'k mut dyn Kernel,
    /// What the experiment at work has found.
    pub evidence: Evidence,
    /// The bits that select a map type, once measured.
    pub type_mask: Option<Word>,
    /// Whether an emulator of system calls answers in a kernel's place.
    pub emulated: bool,
    /// Whether fresh memory is locked without being asked for.
    pub locked: bool,
    /// Whether tests are wanted that fill the address space.
    pub thorough: bool,
    /// The huge page size under test, as a power of two.
    pub huge: u8,
    /// Whether `memfd_create` was answered `EPERM`.
    pub filtered: bool,
    /// The numbers of the flags that calls are built from.
    pub own: &'static Own,
    arch: Arch,
    page: Word,
    ground: Word,
    /// Inside the ground, with room for [`PAGES`] pages behind it, where a shared mapping of the memfd may be placed; always taken.
    spot: Word,
    memfd: Fd,
    /// The reading end, and the writing end.
    pub pipe: (Fd, Fd),
    paths: Vec<Fd>,
    /// What [`Bench::validators`] found.
    pub controls: OnceCell<[Control; 2]>,
    /// The calls that were noted. Whoever takes them out has to do it between two rows.
    pub steps: Vec<Step>,
}

impl<'k> Bench<'k> {
    /// Protection of a scratch mapping.
    pub const READ_WRITE: u32 = PROT_READ | PROT_WRITE;

    /// Reserves ground and opens what is mapped; `paths` are the user's files, already open. Says which call failed: without
    /// ground and a pipe nothing can be asked; without a memfd (before 3.17, or not configured) what needs one is left out.
    #[inline(never)]
    pub fn new(kernel: &'k mut dyn Kernel, arch: Arch, paths: &[Fd]) -> Result<Bench<'k>, Text> {
        let (page, own) = (kernel.page_size(), Own::of(arch));
        let Ok(ground) = kernel.mmap(&reserved(own, 0, GROUND, 0)).result() else {
            return Err(Text::NO_GROUND);
        };
        let Ok(pipe) = kernel.pipe() else {
            kernel.munmap(ground, GROUND);
            return Err(Text::NO_PIPE);
        };
        let memfd = kernel.memfd_create("mapprobe").result();
        let mut bench = Bench {
            kernel,
            evidence: Evidence::default(),
            type_mask: None,
            emulated: false,
            thorough: false,
            locked: false,
            huge: 0,
            own,
            arch,
            page,
            ground,
            spot: ground + page,
            memfd: memfd.map_or(NO_FILE, |fd| fd as Fd),
            filtered: memfd == Err(Errno::EPERM),
            pipe,
            paths: paths.to_vec(),
            controls: OnceCell::new(),
            steps: Vec::new(),
        };
        if memfd.is_ok() {
            bench.fill();
            bench.find_colour();
        }
        bench.steps.reserve(STEPS);
        bench.leave_out_huge_files();
        Ok(bench)
    }

    /// Files of huge pages (hugetlbfs) cannot be mapped at an address that is aligned to a base page only. Anywhere else they could be
    /// mapped, in whole huge pages and where the kernel likes, so they are not asked about at all.
    fn leave_out_huge_files(&mut self) {
        let at = self.far_end() + self.page;
        let flags = MAP_PRIVATE | self.own.fixed;
        // Without an MMU nothing can be placed at all.
        let (_, control) = self.place(at, self.page, PROT_READ, flags, Backing::ANONYMOUS);
        if !control.succeeded() {
            return;
        }
        self.reserve(at, self.page);
        for place in 0..self.paths() {
            let (_, outcome) = self.place(at, self.page, PROT_READ, flags, Backing::path(place));
            if outcome.succeeded() {
                self.reserve(at, self.page);
            } else if outcome == Outcome::failed(Errno::EINVAL)
                && let Some(path) = self.paths.get_mut(usize::from(place))
            {
                *path = NO_FILE;
            }
        }
    }

    /// Gives the memfd a page that begins with [`CONTENT`]. A failure shows when the byte is not found there.
    fn fill(&mut self) {
        let mut block = vec![0; BLOCK];
        if let Some(first) = block.first_mut() {
            *first = CONTENT;
        }
        let mut filled = 0;
        while filled < self.page {
            self.kernel.write(self.memfd, &block);
            block.fill(0);
            filled += BLOCK as Word;
        }
        // Gives its room on the heap to what comes next.
        block.truncate(1);
        block.shrink_to_fit();
    }

    /// Moves the spot to where a shared mapping of the memfd may be placed.
    fn find_colour(&mut self) {
        let call =
            Mmap { addr: 0, len: self.page, prot: PROT_READ, flags: MAP_SHARED, fd: self.memfd };
        if let Ok(addr) = self.kernel.mmap(&call).result() {
            self.kernel.munmap(addr, self.page);
            let first = self.ground + self.page;
            self.spot = first + (addr.wrapping_sub(first)) % COLOUR;
        }
    }

    /// Gives everything back. Returns the calls that were noted.
    pub fn close(self) -> Vec<Step> {
        self.kernel.munmap(self.ground, GROUND);
        self.kernel.close(self.pipe.0);
        self.kernel.close(self.pipe.1);
        if self.memfd != NO_FILE {
            self.kernel.close(self.memfd);
        }
        self.steps
    }

    /// The architecture whose numbers are used.
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// Bytes of so many pages.
    pub fn bytes(&self, pages: u8) -> Word {
        self.page * Word::from(pages)
    }

    /// The memfd, if there is one.
    pub fn memfd(&self) -> Option<Fd> {
        Some(self.memfd).filter(|&memfd| memfd != NO_FILE)
    }

    /// How many paths the user named.
    pub fn paths(&self) -> u8 {
        self.paths.len() as u8
    }

    /// What flags hold beside the flag under test: see [`base`].
    pub fn base(&self, base: u8) -> Word {
        let bit = |bit, flag| if base & bit != 0 { flag } else { 0 };
        Word::from(base & base::TYPE)
            | bit(base::FIXED, self.own.fixed)
            | bit(base::POPULATE, self.own.populate)
            | bit(base::CONTROL, CONTROL)
    }

    /// The context with a number: those that are always there, then three for each of the user's paths.
    pub fn context(&self, at: usize) -> Option<Context> {
        let Some(behind) = at.checked_sub(CONTEXTS.len()) else { return CONTEXTS.get(at).copied() };
        let (path, map_type) = (behind / 3, behind % 3);
        (path < self.paths.len())
            .then_some((map_type as Word + MAP_SHARED, Backing::path(path as u8)))
    }

    /// Maps at the spot (a hint, unless `flags` has `MAP_FIXED`) and notes the call. The address is 0 when it failed.
    pub fn map(&mut self, flags: Word, prot: u32, pages: u8, backing: Backing) -> (Word, Outcome) {
        let (addr, outcome) = self.place(self.spot, self.bytes(pages), prot, flags, backing);
        self.noted_map(flags, backing, pages, outcome);
        (addr, outcome)
    }

    /// [`Bench::map`] of one page, unmapped at once: only the answer counts.
    pub fn try_map(&mut self, flags: Word, prot: u32, backing: Backing) -> Outcome {
        let (addr, outcome) = self.map(flags, prot, 1, backing);
        self.unmap(addr, 1, outcome);
        outcome
    }

    /// The answer of one context to some bits.
    pub fn answer(&mut self, context: Context, bits: Word) -> Outcome {
        let (map_type, backing) = context;
        let (addr, outcome) = self.place(self.spot, self.page, PROT_READ, map_type | bits, backing);
        self.unmap(addr, 1, outcome);
        outcome
    }

    /// The answer of one context to some bits, noted as such.
    pub fn ask(&mut self, context: Context, bits: Word) -> Outcome {
        let outcome = self.answer(context, bits);
        self.note_context(context, bits, outcome);
        outcome
    }

    /// Notes the answer of one context.
    pub fn note_context(&mut self, (map_type, backing): Context, bits: Word, outcome: Outcome) {
        let flags = (map_type | bits | self.anonymous(backing)) as u32;
        self.push(Call::Context { flags, backing }, outcome);
    }

    /// Notes a mapping that was made, or not.
    pub fn noted_map(&mut self, flags: Word, backing: Backing, pages: u8, outcome: Outcome) {
        let flags = (flags | self.anonymous(backing)) as u32;
        self.push(Call::Mmap { flags, backing, pages }, outcome);
    }

    fn anonymous(&self, backing: Backing) -> Word {
        if backing == Backing::ANONYMOUS { self.own.anonymous } else { 0 }
    }

    /// Maps, without a note. The address is 0 when it failed.
    pub fn place(
        &mut self,
        addr: Word,
        len: Word,
        prot: u32,
        flags: Word,
        backing: Backing,
    ) -> (Word, Outcome) {
        let fd = match backing {
            Backing::ANONYMOUS => NO_FD,
            Backing::MEMFD => self.memfd,
            Backing::PIPE => self.pipe.0,
            path => {
                path.place().and_then(|place| self.paths.get(place)).map_or(NO_FILE, |path| *path)
            }
        };
        if fd == NO_FILE {
            return (0, Outcome::NOT_RUN);
        }
        let flags = flags | self.anonymous(backing);
        match self.kernel.mmap(&Mmap { addr, len, prot, flags, fd }).result() {
            Ok(given) if given == addr => (given, Outcome::THERE),
            Ok(given) => (given, Outcome::ELSEWHERE),
            Err(errno) => (0, Outcome::failed(errno)),
        }
    }

    /// Undoes a [`Bench::map`]. What lay on the spot becomes reserved ground again, without a moment in between in which it is
    /// nobody's.
    pub fn unmap(&mut self, addr: Word, pages: u8, outcome: Outcome) {
        let len = self.bytes(pages);
        match outcome {
            Outcome::THERE => self.reserve(addr, len),
            Outcome::ELSEWHERE => {
                let undone = self.kernel.munmap(addr, len);
                self.undone(undone);
            }
            _ => {}
        }
    }

    /// Makes a part of the ground reserved again, whatever is there.
    pub fn reserve(&mut self, addr: Word, len: Word) {
        let undone = self.kernel.mmap(&reserved(self.own, addr, len, self.own.fixed));
        self.undone(undone);
    }

    fn undone(&mut self, answer: Answer) {
        if !answer.is_ok() {
            self.note(Act::UNDO, Outcome::of(answer));
        }
    }

    /// Takes one of the spot's pages out of the ground, so that it is free.
    pub fn free_spot(&mut self, page: u8) {
        let outcome = Outcome::of(self.kernel.munmap(self.spot + self.bytes(page), self.page));
        self.note(Act::FREE, outcome);
    }

    /// Makes the spot's first two pages reserved again.
    pub fn take_spot(&mut self) {
        self.unmap(self.spot, 2, Outcome::THERE);
    }

    /// Takes the spot's first page out of the ground, without a note.
    pub fn free_page(&mut self) {
        self.kernel.munmap(self.spot, self.page);
    }

    /// The answer of one context to some bits at an address that is a multiple of [`FAR_END`] and of no larger power of two: a huge
    /// page that is larger is refused there, and one that is not lies on the ground.
    pub fn answer_aligned(&mut self, context: Context, bits: Word) -> Outcome {
        let (at, fixed) = (self.far_end(), self.own.fixed);
        let (_, outcome) =
            self.place(at, self.page, PROT_READ, context.0 | bits | fixed, context.1);
        if outcome.succeeded() {
            self.reserve(at, FAR_END);
        }
        outcome
    }

    /// An address in the far end of the ground: an odd multiple of [`FAR_END`], with as much ground on either side.
    pub fn far_end(&self) -> Word {
        let at = (self.ground + FAR_END).next_multiple_of(FAR_END);
        if at & FAR_END == 0 { at + FAR_END } else { at }
    }

    /// Notes a call that is no `mmap`.
    pub fn note(&mut self, act: Act, outcome: Outcome) -> Outcome {
        self.push(Call::Other(act), outcome);
        outcome
    }

    fn push(&mut self, call: Call, outcome: Outcome) {
        self.steps.push(Step::new(call, outcome));
    }

    /// How many calls have been noted: the next one's place in [`Bench::close`]'s list.
    pub fn noted(&self) -> usize {
        self.steps.len()
    }

    /// The calls from that place on.
    pub fn since(&self, from: usize) -> &[Step] {
        self.steps.get(from..).unwrap_or_default()
    }
}

/// Bytes that the memfd is given at a time.
const BLOCK: usize = 4096;

/// Room for the notes of a row, so that they seldom move.
const STEPS: usize = 128;

/// A call that reserves address space: private, without access, without accounting.
fn reserved(own: &Own, addr: Word, len: Word, fixed: Word) -> Mmap {
    Mmap {
        addr,
        len,
        prot: PROT_NONE,
        flags: MAP_PRIVATE | own.anonymous | own.noreserve | fixed,
        fd: NO_FD,
    }
}
