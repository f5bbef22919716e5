//! The system calls of the program: one method of `dyn Kernel` for each [`Op`], which only puts the [`Call`] together.

use super::{
    ARGS, Advice, Answer, Call, Errno, Fd, How, Kernel, Mmap, Op, UTS_FIELD, Uname, Word, text,
};

/// Strings as the kernel reads them: a zero behind each.
fn strings(texts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// The system calls of the program, one method each: see [`Op`].
#[allow(missing_docs, reason = "each is the operation of the same name, documented there")]
impl dyn Kernel + '_ {
    /// Most calls have three integers at most, and each of those in a register is shorter than all in an array.
    fn ask(&mut self, op: Op, a: Word, b: Word, c: Word) -> Answer {
        self.fill(op, [a, b, c, 0, 0], &mut [])
    }

    fn ask_of(&mut self, op: Op, first: Word, texts: &[&str]) -> Answer {
        self.call(&mut Call {
            op,
            args: [first, 0, 0, 0, 0],
            input: &strings(texts),
            output: &mut [],
        })
    }

    fn fill(&mut self, op: Op, args: [Word; ARGS], output: &mut [u8]) -> Answer {
        self.call(&mut Call { op, args, input: &[], output })
    }

    pub fn mmap(&mut self, call: &Mmap) -> Answer {
        let Mmap { addr, len, prot, flags, fd } = *call;
        self.fill(Op::Mmap, [addr, len, prot as Word, flags, fd as Word], &mut [])
    }

    pub fn munmap(&mut self, addr: Word, len: Word) -> Answer {
        self.ask(Op::Munmap, addr, len, 0)
    }

    pub fn mincore(&mut self, addr: Word, len: Word, pages: &mut [u8]) -> Answer {
        self.fill(Op::Mincore, [addr, len, 0, 0, 0], pages)
    }

    pub fn madvise(&mut self, addr: Word, len: Word, advice: Advice) -> Answer {
        self.ask(Op::Madvise, addr, len, advice as Word)
    }

    pub fn msync_invalidate(&mut self, addr: Word, len: Word) -> Answer {
        self.ask(Op::MsyncInvalidate, addr, len, 0)
    }

    pub fn memfd_create(&mut self, name: &str) -> Answer {
        self.ask_of(Op::MemfdCreate, 0, &[name])
    }

    /// The reading end, then the writing end.
    pub fn pipe(&mut self) -> Result<(Fd, Fd), Errno> {
        let ends = self.ask(Op::Pipe, 0, 0, 0).result()?;
        Ok(((ends & 0xffff) as Fd, (ends >> 16) as Fd))
    }

    pub fn close(&mut self, fd: Fd) -> Answer {
        self.ask(Op::Close, fd as Word, 0, 0)
    }

    pub fn read(&mut self, fd: Fd, into: &mut [u8]) -> Answer {
        self.fill(Op::Read, [fd as Word, 0, 0, 0, 0], into)
    }

    pub fn pread(&mut self, fd: Fd, into: &mut [u8], offset: Word) -> Answer {
        self.fill(Op::Pread, [fd as Word, offset, 0, 0, 0], into)
    }

    pub fn write(&mut self, fd: Fd, bytes: &[u8]) -> Answer {
        self.call(&mut Call {
            op: Op::Write,
            args: [fd as Word, 0, 0, 0, 0],
            input: bytes,
            output: &mut [],
        })
    }

    pub fn store(&mut self, fd: Fd, addr: Word, len: Word) -> Answer {
        self.ask(Op::Store, fd as Word, addr, len)
    }

    pub fn load(&mut self, fd: Fd, addr: Word, len: Word) -> Answer {
        self.ask(Op::Load, fd as Word, addr, len)
    }

    pub fn open(&mut self, path: &str, how: How) -> Answer {
        self.ask_of(Op::Open, how as Word, &[path])
    }

    /// A whole file, which is looked at block by block.
    pub fn read_file(&mut self, path: &str, look: &mut dyn FnMut(&[u8])) -> Result<(), Errno> {
        let file = self.open(path, How::Read).result()? as Fd;
        let mut block = [0; 1024];
        let end = loop {
            match self.read(file, &mut block).result() {
                Ok(0) => break Ok(()),
                Ok(read) => look(block.get(..read as usize).unwrap_or_default()),
                Err(errno) => break Err(errno),
            }
        };
        self.close(file);
        end
    }

    pub fn unlink(&mut self, path: &str) -> Answer {
        self.ask_of(Op::Unlink, 0, &[path])
    }

    pub fn memory(&mut self) -> Answer {
        self.ask(Op::Memory, 0, 0, 0)
    }

    pub fn page_size(&mut self) -> Word {
        self.ask(Op::PageSize, 0, 0, 0).result().unwrap_or(4096)
    }

    pub fn euid(&mut self) -> Option<Word> {
        self.ask(Op::Euid, 0, 0, 0).result().ok()
    }

    pub fn pid(&mut self) -> Word {
        self.ask(Op::Pid, 0, 0, 0).result().unwrap_or(0)
    }

    pub fn time(&mut self) -> Word {
        self.ask(Op::Time, 0, 0, 0).result().unwrap_or(0)
    }

    /// Empty names where the kernel does not say.
    pub fn uname(&mut self) -> Uname {
        let mut names = [0; 6 * UTS_FIELD];
        self.fill(Op::Uname, [0; ARGS], &mut names);
        let field = |at: usize| {
            let field = names.get(at * UTS_FIELD..).unwrap_or_default();
            let end = field.iter().position(|&byte| byte == 0).unwrap_or(0);
            String::from(text(field.get(..end).unwrap_or_default()))
        };
        Uname { sysname: field(0), release: field(2), version: field(3), machine: field(4) }
    }

    pub fn ignore_sigpipe(&mut self) -> Answer {
        self.ask(Op::IgnoreSigpipe, 0, 0, 0)
    }

    pub fn exit(&mut self, code: i32) -> ! {
        loop {
            self.ask(Op::Exit, code as Word, 0, 0);
            self.sleep();
        }
    }

    pub fn mkdir(&mut self, path: &str) -> Answer {
        self.ask_of(Op::Mkdir, 0, &[path])
    }

    pub fn mknod(&mut self, path: &str, device: Word) -> Answer {
        self.ask_of(Op::Mknod, device, &[path])
    }

    pub fn mount(&mut self, kind: &str, target: &str) -> Answer {
        self.ask_of(Op::Mount, kind.len() as Word + 1, &[kind, target])
    }

    pub fn umount(&mut self, target: &str) -> Answer {
        self.ask_of(Op::Umount, 0, &[target])
    }

    /// [`Op::FileDevice`] or [`Op::FileInode`].
    pub fn file(&mut self, op: Op, path: &str) -> Answer {
        self.ask_of(op, 0, &[path])
    }

    /// The path, and then every argument. Returns only when it failed.
    pub fn execve(&mut self, texts: &[&str]) -> Errno {
        self.ask_of(Op::Execve, 0, texts).result().err().unwrap_or(Errno::EINVAL)
    }

    pub fn may_reboot(&mut self) -> Answer {
        self.ask(Op::MayReboot, 0, 0, 0)
    }

    pub fn fork(&mut self) -> Answer {
        self.ask(Op::Fork, 0, 0, 0)
    }

    pub fn reboot(&mut self) -> Answer {
        self.ask(Op::Reboot, 0, 0, 0)
    }

    pub fn terminal(&mut self, fd: Fd) -> Answer {
        self.ask(Op::Terminal, fd as Word, 0, 0)
    }

    /// Whether the environment has a `NO_COLOR` that is not empty.
    pub fn no_color(&mut self) -> bool {
        self.ask(Op::NoColor, 0, 0, 0).result().is_ok_and(|bytes| bytes > 0)
    }

    pub fn pause(&mut self) -> Answer {
        self.ask(Op::Pause, 0, 0, 0)
    }

    pub fn sleep(&mut self) -> Answer {
        self.ask(Op::Sleep, 0, 0, 0)
    }
}
