//! The bench every experiment works on: ground of its own, a memfd, a pipe, and a note of every call.
//!
//! Safety of the machine rests here: `MAP_FIXED` goes only to the spot, an address inside ground this bench reserved; what an
//! experiment maps is unmapped before it returns; at most [`PAGES`] pages are touched.

use crate::arch::Arch;
use crate::errno::Errno;
use crate::evidence::{Backing, Call, Evidence, Outcome, Step, Trial};
use crate::flags::{self, CONTROL_BITS, MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE};
use crate::kernel::{Answer, Fd, Kernel, Mmap, NO_FD, PROT_NONE, PROT_READ, PROT_WRITE};
use once_cell::unsync::OnceCell;

/// The most pages an experiment touches at a time.
pub const PAGES: u16 = 32;
/// The control bit that effect tests use.
pub const CONTROL: u64 = 1 << CONTROL_BITS[2];

/// Bytes of reserved ground: room for [`PAGES`] pages of 64 KiB behind every cache colour.
const GROUND: u64 = 8 << 20;
/// Shared mappings of one file must agree modulo this on machines whose caches are indexed by address: `SHM_COLOUR`,
/// `arch/parisc/include/asm/shmparam.h`. Elsewhere any address will do, this one too.
const COLOUR: u64 = 4 << 20;
/// What the memfd begins with: not zero, so that it differs from fresh memory.
pub const CONTENT: u8 = b'm';

/// A context: map type and backing. The flag's answer in each is in the report.
pub type Context = (u64, Backing);

/// Every context a flag is asked in.
pub static CONTEXTS: [Context; 7] = [
    (MAP_SHARED, Backing::Anonymous),
    (MAP_PRIVATE, Backing::Anonymous),
    (MAP_SHARED_VALIDATE, Backing::Anonymous),
    (MAP_SHARED, Backing::Memfd),
    (MAP_PRIVATE, Backing::Memfd),
    MEMFD_VALIDATOR,
    PIPE_VALIDATOR,
];
/// A context in which the kernel looks at the flags and a mapping results.
pub const MEMFD_VALIDATOR: Context = (MAP_SHARED_VALIDATE, Backing::Memfd);
/// A context in which the kernel looks at the flags and no mapping can result: `ENODEV` is the answer to flags it knows.
pub const PIPE_VALIDATOR: Context = (MAP_SHARED_VALIDATE, Backing::Pipe);

/// Something that is measured with some bits added to the flags.
pub type Measure = fn(&mut Bench, u64) -> Outcome;

/// What a validator says to nothing unknown, and to each bit that names nothing.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// The answer without any flag.
    pub base: Outcome,
    /// The answer to the control bits, when they agree.
    pub unknown: Option<Outcome>,
}

impl Control {
    /// How it refuses what it does not know, if it does.
    pub fn validates(&self) -> Option<Outcome> {
        self.unknown.filter(|unknown| matches!(unknown, Outcome::Failed(_)) && *unknown != self.base)
    }
}

/// See the head of this file.
pub struct Bench<'k> {
    /// The kernel under test.
    pub kernel: &'k mut dyn Kernel,
    arch: Arch,
    page: u64,
    ground: u64,
    /// Inside the ground, with room for [`PAGES`] pages behind it, where a shared mapping of the memfd may be placed; always taken.
    spot: u64,
    memfd: Result<Fd, Errno>,
    pipe: (Fd, Fd),
    validators: OnceCell<[Control; 2]>,
    steps: Vec<Step>,
}

impl<'k> Bench<'k> {
    /// Reserves ground and opens what is mapped. Says which call failed: without ground and a pipe nothing can be asked;
    /// without a memfd (before 3.17, or not configured) what needs one is left out.
    pub fn new(kernel: &'k mut dyn Kernel, arch: Arch) -> Result<Bench<'k>, &'static str> {
        let page = kernel.page_size();
        let anonymous = flags::bits("MAP_ANONYMOUS", arch);
        let reserve = MAP_PRIVATE | anonymous | flags::bits("MAP_NORESERVE", arch);
        let call = Mmap { addr: 0, len: GROUND, prot: PROT_NONE, flags: reserve, fd: NO_FD };
        let ground = kernel.mmap(&call).result().map_err(|_| "no ground could be reserved: mmap failed")?;
        let Ok(pipe) = kernel.pipe() else {
            kernel.munmap(ground, GROUND);
            return Err("no pipe could be had: pipe2 failed");
        };
        let memfd = kernel.memfd_create("mapprobe").result().map(|fd| fd as Fd);
        let (spot, validators) = (ground + page, OnceCell::new());
        let mut bench = Bench { kernel, arch, page, ground, spot, memfd, pipe, validators, steps: Vec::new() };
        if let Ok(memfd) = bench.memfd {
            bench.fill(memfd);
            bench.find_colour(memfd);
        }
        Ok(bench)
    }

    /// Gives the memfd a page that begins with [`CONTENT`]. A failure shows when the byte is not found there.
    fn fill(&mut self, memfd: Fd) {
        let mut block = [0; 4096];
        block[0] = CONTENT;
        let mut filled = 0;
        while filled < self.page {
            self.kernel.write(memfd, &block);
            block[0] = 0;
            filled += block.len() as u64;
        }
    }

    /// Moves the spot to where a shared mapping of the memfd may be placed.
    fn find_colour(&mut self, memfd: Fd) {
        let call = Mmap { addr: 0, len: self.page, prot: PROT_READ, flags: MAP_SHARED, fd: memfd };
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
        if let Ok(memfd) = self.memfd {
            self.kernel.close(memfd);
        }
        self.steps
    }

    /// The architecture whose numbers are used.
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// Bytes of so many pages.
    pub fn bytes(&self, pages: u16) -> u64 {
        self.page * u64::from(pages)
    }

    /// The memfd, if there is one.
    pub fn memfd(&self) -> Option<Fd> {
        self.memfd.ok()
    }

    /// The bits of a flag that exists on every architecture.
    pub fn bits(&self, name: &str) -> u64 {
        flags::bits(name, self.arch)
    }

    /// Maps at the spot (a hint, unless `flags` has `MAP_FIXED`) and notes the call. The address is 0 when it failed.
    pub fn map(&mut self, flags: u64, prot: u32, pages: u16, backing: Backing) -> (u64, Outcome) {
        self.call(flags, prot, pages, backing, false)
    }

    /// [`Bench::map`], unmapped at once: only the answer counts.
    pub fn try_map(&mut self, flags: u64, prot: u32, backing: Backing) -> Outcome {
        let (addr, outcome) = self.map(flags, prot, 1, backing);
        self.unmap(addr, 1, outcome);
        outcome
    }

    /// The answer of one context to some bits, noted as such.
    pub fn ask(&mut self, context: Context, bits: u64) -> Outcome {
        let (map_type, backing) = context;
        let (addr, outcome) = self.call(map_type | bits, PROT_READ, 1, backing, true);
        self.unmap(addr, 1, outcome);
        outcome
    }

    fn call(&mut self, flags: u64, prot: u32, pages: u16, backing: Backing, context: bool) -> (u64, Outcome) {
        let (fd, anonymous) = match backing {
            Backing::Anonymous => (NO_FD, self.bits("MAP_ANONYMOUS")),
            Backing::Memfd => match self.memfd {
                Ok(memfd) => (memfd, 0),
                Err(_) => return (0, Outcome::NotRun),
            },
            Backing::Pipe => (self.pipe.0, 0),
        };
        let flags = flags | anonymous;
        let call = Mmap { addr: self.spot, len: self.bytes(pages), prot, flags, fd };
        let (addr, outcome) = match self.kernel.mmap(&call).result() {
            Ok(addr) if addr == self.spot => (addr, Outcome::There),
            Ok(addr) => (addr, Outcome::Elsewhere),
            Err(errno) => (0, Outcome::Failed(errno)),
        };
        self.steps.push(Step { call: Call::Mmap { flags, backing, pages }, outcome, context });
        (addr, outcome)
    }

    /// Undoes a [`Bench::map`]. What lay on the spot becomes reserved ground again, without a moment in between in which it is
    /// nobody's.
    pub fn unmap(&mut self, addr: u64, pages: u16, outcome: Outcome) {
        let len = self.bytes(pages);
        let undone = match outcome {
            Outcome::There => self.reserve(addr, len),
            Outcome::Elsewhere => self.kernel.munmap(addr, len),
            _ => return,
        };
        if !undone.is_ok() {
            self.note("unmapping it", Outcome::of(undone));
        }
    }

    /// Makes a part of the ground reserved again.
    fn reserve(&mut self, addr: u64, len: u64) -> Answer {
        let flags = MAP_PRIVATE | self.bits("MAP_ANONYMOUS") | self.bits("MAP_NORESERVE") | self.bits("MAP_FIXED");
        self.kernel.mmap(&Mmap { addr, len, prot: PROT_NONE, flags, fd: NO_FD })
    }

    /// Takes the spot's first page out of the ground, so that it is free.
    pub fn free_spot(&mut self) {
        let (spot, page) = (self.spot, self.page);
        let outcome = Outcome::of(self.kernel.munmap(spot, page));
        self.note("munmap(the page asked for)", outcome);
    }

    /// Makes the spot's first page reserved again.
    pub fn take_spot(&mut self) {
        self.unmap(self.spot, 1, Outcome::There);
    }

    /// Notes a call that is no `mmap`.
    pub fn note(&mut self, call: &'static str, outcome: Outcome) -> Outcome {
        self.steps.push(Step { call: Call::Other(call), outcome, context: false });
        outcome
    }

    /// How many calls have been noted: the next one's place in [`Bench::close`]'s list.
    pub fn noted(&self) -> usize {
        self.steps.len()
    }

    /// Forgets the calls from that place on, where something else says all there is to say about them.
    pub fn forget(&mut self, from: usize) {
        self.steps.truncate(from);
    }

    /// The calls from that place on.
    pub fn since(&self, from: usize) -> &[Step] {
        self.steps.get(from..).unwrap_or_default()
    }

    /// An effect test: one measurement with a flag, without it, and with the control bit.
    pub fn compare(
        &mut self,
        to: &mut Evidence,
        question: &'static str,
        promised: Outcome,
        bits: u64,
        measure: Measure,
    ) {
        let [plain, unknown, flagged] = [0, CONTROL, bits].map(|bits| measure(self, bits));
        to.trials.push(Trial { question, promised, flagged, plain, unknown });
    }

    /// An effect test: one measurement with a map type, and with the one that is its control.
    pub fn contrast(
        &mut self,
        to: &mut Evidence,
        question: &'static str,
        promised: Outcome,
        types: [u64; 2],
        measure: Measure,
    ) {
        let [flagged, plain] = types.map(|map_type| measure(self, map_type));
        to.trials.push(Trial { question, promised, flagged, plain, unknown: Outcome::NotRun });
    }

    /// Writes a byte into a mapping, through the kernel.
    pub fn store_byte(&mut self, addr: u64, byte: u8) -> Outcome {
        let (reading, writing) = self.pipe;
        let sent = self.kernel.write(writing, &[byte]);
        if !sent.is_ok() {
            return Outcome::of(sent);
        }
        let stored = self.kernel.store(reading, addr, 1);
        if !stored.is_ok() {
            // The byte must not stay in the pipe.
            self.kernel.read(reading, &mut [0]);
        }
        Outcome::of(stored)
    }

    /// Reads a byte out of a mapping, through the kernel.
    pub fn load_byte(&mut self, addr: u64) -> Outcome {
        let (reading, writing) = self.pipe;
        let mut byte = [0];
        let mut answer = self.kernel.load(writing, addr, 1);
        if answer.is_ok() {
            answer = self.kernel.read(reading, &mut byte);
        }
        if answer.is_ok() { Outcome::Number(byte[0]) } else { Outcome::of(answer) }
    }

    /// The two validators' answers to nothing unknown and to the control bits: memfd, pipe. Asked once; the calls are noted
    /// for whoever asks first.
    pub fn validators(&mut self) -> [Control; 2] {
        if let Some(known) = self.validators.get() {
            return *known;
        }
        let measured = [MEMFD_VALIDATOR, PIPE_VALIDATOR].map(|context| {
            let base = self.ask(context, 0);
            let [first, rest @ ..] = CONTROL_BITS.map(|bit| self.ask(context, 1 << bit));
            let agreed = rest.iter().all(|answer| answer.same_as(first));
            Control { base, unknown: agreed.then_some(first) }
        });
        *self.validators.get_or_init(|| measured)
    }

    /// Protection of a scratch mapping.
    pub const READ_WRITE: u32 = PROT_READ | PROT_WRITE;
}
