//! A program on the kernel made of rules: the calls a person would make by hand, in a few letters.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod findings;
pub mod liar;
pub mod oracle;
pub mod recorded;

use mapprobe::errno::Errno;
use mapprobe::kernel::model::{Layout, Model, Rules, SMAPS};
use mapprobe::kernel::{Advice, Fd, How, Kernel, Mmap, NO_FD, PROT_NONE, PROT_READ, PROT_WRITE};

pub const PAGE: u64 = 4096;
pub const RW: u32 = PROT_READ | PROT_WRITE;
pub const SHARED: u64 = 1;
pub const PRIVATE: u64 = 2;
pub const VALIDATE: u64 = 3;
pub const NOREPLACE: u64 = 0x10_0000;

pub type Result<T> = std::result::Result<T, Errno>;

/// A call of `mmap` in the making.
#[derive(Clone, Copy, Debug)]
pub struct Map {
    pub addr: u64,
    pub len: u64,
    pub prot: u32,
    pub fd: Fd,
}

/// One page of anonymous memory, anywhere.
pub const ANYWHERE: Map = Map { addr: 0, len: PAGE, prot: RW, fd: NO_FD };

impl Map {
    /// One page of a file, anywhere.
    pub fn of(fd: Fd) -> Map {
        Map { fd, ..ANYWHERE }
    }

    /// At an address.
    pub fn at(self, addr: u64) -> Map {
        Map { addr, ..self }
    }

    /// So many bytes.
    pub fn len(self, len: u64) -> Map {
        Map { len, ..self }
    }

    /// For reading only.
    pub fn read_only(self) -> Map {
        Map { prot: PROT_READ, ..self }
    }
}

#[derive(Clone)]
pub struct Program {
    pub model: Model,
    pipe: (Fd, Fd),
}

impl Program {
    pub fn on(rules: Rules) -> Program {
        let mut model = Model::new(rules);
        let pipe = (&mut model as &mut dyn Kernel).pipe().expect("a pipe");
        Program { model, pipe }
    }

    pub fn kernel(&mut self) -> &mut dyn Kernel {
        &mut self.model
    }

    pub fn layout(&self) -> Layout {
        self.model.rules.layout
    }

    /// `mmap` with these flags; `MAP_ANONYMOUS` is added where there is no file.
    pub fn map(&mut self, map: Map, flags: u64) -> Result<u64> {
        let Map { addr, len, prot, fd } = map;
        let flags = flags | if fd == NO_FD { self.layout().anonymous } else { 0 };
        self.kernel().mmap(&Mmap { addr, len, prot, flags, fd }).result()
    }

    pub fn unmap(&mut self, addr: u64, len: u64) -> Result<u64> {
        self.kernel().munmap(addr, len).result()
    }

    /// Memory that nobody can touch.
    pub fn ground(&mut self, len: u64) -> u64 {
        self.map(Map { prot: PROT_NONE, ..ANYWHERE }.len(len), PRIVATE).expect("ground")
    }

    /// An address with nothing mapped 32 MiB below and 1 MiB above.
    pub fn hole(&mut self) -> u64 {
        let addr = self.ground(48 << 20);
        self.unmap(addr + (8 << 20), 33 << 20).expect("a hole");
        addr + (40 << 20)
    }

    pub fn memfd(&mut self) -> Fd {
        self.kernel().memfd_create("file").result().expect("a memfd") as Fd
    }

    pub fn open(&mut self, path: &str, how: How) -> Result<Fd> {
        self.kernel().open(path, how).result().map(|fd| fd as Fd)
    }

    /// Reads the byte at an address.
    pub fn get(&mut self, addr: u64) -> Result<u8> {
        let (reading, writing) = self.pipe;
        self.kernel().load(writing, addr, 1).result()?;
        let mut byte = [0];
        self.kernel().read(reading, &mut byte).result()?;
        Ok(byte[0])
    }

    /// Writes the byte at an address.
    pub fn put(&mut self, addr: u64, byte: u8) -> Result<u64> {
        let (reading, writing) = self.pipe;
        self.kernel().write(writing, &[byte]).result()?;
        let stored = self.kernel().store(reading, addr, 1).result();
        if stored.is_err() {
            self.kernel().read(reading, &mut [0]).result()?;
        }
        stored
    }

    pub fn pread(&mut self, fd: Fd) -> u8 {
        let mut byte = [0];
        self.kernel().pread(fd, &mut byte, 0).result().expect("a byte");
        byte[0]
    }

    pub fn advise(&mut self, addr: u64, len: u64, advice: Advice) -> Result<u64> {
        self.kernel().madvise(addr, len, advice).result()
    }

    /// Pages that `mincore` shows.
    pub fn resident(&mut self, addr: u64, pages: u64) -> Result<usize> {
        let mut bytes = vec![0; pages as usize];
        let len = pages * self.model.rules.page_size;
        self.kernel().mincore(addr, len, &mut bytes).result()?;
        Ok(bytes.iter().filter(|&&byte| byte & 1 != 0).count())
    }

    /// `/proc/self/smaps`.
    pub fn smaps(&mut self) -> Result<String> {
        let fd = self.open(SMAPS, How::Read)?;
        let (mut text, mut piece) = (Vec::new(), [0; 1000]);
        loop {
            match self.kernel().read(fd, &mut piece).result()? {
                0 => break,
                count => text.extend_from_slice(&piece[..count as usize]),
            }
        }
        self.kernel().close(fd).result()?;
        Ok(String::from_utf8(text).expect("text"))
    }

    /// Start, and `VmFlags` with commas, of the mapping at an address; `-` when none is shown.
    pub fn shown(&mut self, addr: u64) -> (u64, String) {
        let (smaps, mut inside) = (self.smaps().expect("smaps"), None);
        for line in smaps.lines() {
            let hex = |text: &str| u64::from_str_radix(text, 16).ok();
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            if let Some((start, end)) =
                range.and_then(|(start, end)| Some((hex(start)?, hex(end)?)))
            {
                inside = (start <= addr && addr < end).then_some(start);
            }
            if let (Some(start), Some(flags)) = (inside, line.strip_prefix("VmFlags: ")) {
                return (start, flags.trim_end().replace(' ', ","));
            }
        }
        (0, "-".into())
    }

    pub fn vm_flags(&mut self, addr: u64) -> String {
        self.shown(addr).1
    }
}

/// The word for an error.
pub fn name(errno: Errno) -> &'static str {
    errno.name().expect("a name").plain()
}

/// `ok`, or the error.
pub fn word<T>(result: Result<T>) -> &'static str {
    result.map_or_else(name, |_| "ok")
}
