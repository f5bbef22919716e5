//! A program on the simulated kernel: the calls that the tests make.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod recorded;

use kernel::{
    Advice, Errno, Fd, Kernel, Mmap, NO_FD, OpenMode, PROT_NONE, PROT_READ, PROT_WRITE, Pipe,
    SysResult,
};
use simulator::{FlagNumbers, Rules, SMAPS, SimulatedKernel};

pub const PAGE: usize = 4096;
pub const READ_WRITE: u32 = PROT_READ | PROT_WRITE;
pub const SHARED: usize = 1;
pub const PRIVATE: usize = 2;
pub const VALIDATE: usize = 3;
pub const DROPPABLE: usize = 8;
pub const NOREPLACE: usize = 0x10_0000;
/// A bit that no kernel assigns.
pub const BIT24: usize = 1 << 24;

pub type Result<T> = std::result::Result<T, Errno>;

/// The arguments of `mmap` without the flags.
#[derive(Clone, Copy, Debug)]
pub struct Map {
    pub addr: usize,
    pub len: usize,
    pub prot: u32,
    pub fd: Fd,
}

/// One page of anonymous memory without a hint.
pub const ANYWHERE: Map = Map { addr: 0, len: PAGE, prot: READ_WRITE, fd: NO_FD };

impl Map {
    /// One page of a file without a hint.
    pub fn of(fd: Fd) -> Map {
        Map { fd, ..ANYWHERE }
    }

    pub fn at(self, addr: usize) -> Map {
        Map { addr, ..self }
    }

    pub fn len(self, len: usize) -> Map {
        Map { len, ..self }
    }

    pub fn prot(self, prot: u32) -> Map {
        Map { prot, ..self }
    }

    pub fn read_only(self) -> Map {
        self.prot(PROT_READ)
    }
}

#[derive(Clone)]
pub struct Program {
    pub simulated: SimulatedKernel,
    pipe: Pipe,
}

impl Program {
    pub fn on(rules: Rules) -> Program {
        let mut simulated = SimulatedKernel::new(rules);
        let pipe = (&mut simulated as &mut dyn Kernel).pipe().expect("a pipe");
        Program { simulated, pipe }
    }

    pub fn kernel(&mut self) -> &mut dyn Kernel {
        &mut self.simulated
    }

    pub fn numbers(&self) -> FlagNumbers {
        self.simulated.rules.numbers
    }

    /// `mmap` with these flags, and with `MAP_ANONYMOUS` if there is no file.
    pub fn map(&mut self, map: Map, flags: usize) -> Result<usize> {
        let Map { addr, len, prot, fd } = map;
        let anonymous = if fd == NO_FD { self.numbers().anonymous } else { 0 };
        self.kernel().mmap(&Mmap { addr, len, prot, flags: flags | anonymous, fd }).result()
    }

    pub fn unmap(&mut self, addr: usize, len: usize) -> Result<usize> {
        self.kernel().munmap(addr, len).result()
    }

    /// Maps memory without access.
    pub fn reserve(&mut self, len: usize) -> usize {
        self.map(ANYWHERE.prot(PROT_NONE).len(len), PRIVATE).expect("a reserved range")
    }

    /// An address with 32 MiB below and 1 MiB above unmapped.
    pub fn hole(&mut self) -> usize {
        let addr = self.reserve(48 << 20);
        self.unmap(addr + (8 << 20), 33 << 20).expect("a hole");
        addr + (40 << 20)
    }

    pub fn memfd(&mut self) -> Fd {
        self.kernel().memfd_create("file").expect("a memfd")
    }

    pub fn open(&mut self, path: &str, mode: OpenMode) -> Result<Fd> {
        self.kernel().open(path, mode)
    }

    /// Loads the byte at an address.
    pub fn load(&mut self, addr: usize) -> Result<u8> {
        let Pipe { read_end, write_end } = self.pipe;
        self.kernel().load(write_end, addr, 1).result()?;
        let mut byte = [0];
        self.kernel().read(read_end, &mut byte).result()?;
        Ok(byte[0])
    }

    /// Stores a byte at an address.
    pub fn store(&mut self, addr: usize, byte: u8) -> Result<usize> {
        let Pipe { read_end, write_end } = self.pipe;
        self.kernel().write(write_end, &[byte]).result()?;
        let stored = self.kernel().store(read_end, addr, 1).result();
        if stored.is_err() {
            self.kernel().read(read_end, &mut [0]).result()?;
        }
        stored
    }

    /// The first byte of a file.
    pub fn first_byte(&mut self, fd: Fd) -> u8 {
        let mut byte = [0];
        self.kernel().pread(fd, &mut byte, 0).result().expect("a byte");
        byte[0]
    }

    pub fn advise(&mut self, addr: usize, len: usize, advice: Advice) -> Result<usize> {
        self.kernel().madvise(addr, len, advice).result()
    }

    /// The number of pages that `mincore` shows as resident.
    pub fn resident(&mut self, addr: usize, pages: usize) -> Result<usize> {
        let mut bytes = vec![0; pages];
        let len = pages * self.simulated.rules.page_size;
        self.kernel().mincore(addr, len, &mut bytes).result()?;
        Ok(bytes.iter().filter(|&&byte| byte & 1 != 0).count())
    }

    /// The content of `/proc/self/smaps`.
    pub fn smaps(&mut self) -> Result<String> {
        let mut content = Vec::new();
        self.kernel().read_file(SMAPS, &mut |block| content.extend_from_slice(block))?;
        Ok(String::from_utf8(content).expect("UTF-8"))
    }

    /// Start and `VmFlags` of the mapping at an address, as `/proc/self/smaps` shows them.
    pub fn shown(&mut self, addr: usize) -> Option<(usize, String)> {
        let smaps = self.smaps().expect("smaps");
        let mut start_of_mapping = None;
        for line in smaps.lines() {
            if let Some((start, end)) = address_range(line) {
                start_of_mapping = (start <= addr && addr < end).then_some(start);
            }
            if let (Some(start), Some(flags)) = (start_of_mapping, line.strip_prefix("VmFlags: ")) {
                return Some((start, flags.trim_end().replace(' ', ",")));
            }
        }
        None
    }

    /// `VmFlags` of the mapping at an address, separated by commas; `-` if it is not shown.
    pub fn vm_flags(&mut self, addr: usize) -> String {
        self.shown(addr).map_or_else(|| "-".into(), |(_, flags)| flags)
    }
}

/// Start and end at the beginning of a line of smaps.
fn address_range(line: &str) -> Option<(usize, usize)> {
    let (start, end) = line.split(' ').next()?.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}

pub fn error_name(errno: Errno) -> &'static str {
    errno.name().expect("an error with a name")
}

/// `ok`, or the name of the error.
pub fn outcome<T>(result: Result<T>) -> &'static str {
    result.map_or_else(error_name, |_| "ok")
}

/// [`outcome`] of a call without a typed result.
pub fn outcome_of(result: SysResult) -> &'static str {
    outcome(result.result())
}
