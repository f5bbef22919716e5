//! The system calls as methods of `dyn Kernel`, one per [`Op`]. The variants of `Op` document them.

use crate::call::{
    ARGS, Advice, Call, Ended, Fd, Kernel, Mmap, Op, OpenMode, Pipe, SysResult, UTS_FIELD, Uname,
    str_or_replacement,
};
use crate::errno::Errno;

/// Bytes of a file that are read at a time.
const BLOCK: usize = 1024;
/// The most bytes that [`Op::FatalCalls`] fills in.
const FATAL_CALLS_MAX: usize = 256;

/// Joins strings as the kernel reads them: each ends with a NUL.
fn nul_terminated(strings: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for string in strings {
        bytes.extend_from_slice(string.as_bytes());
        bytes.push(0);
    }
    bytes
}

impl dyn Kernel + '_ {
    fn with_args(&mut self, op: Op, args: &[usize]) -> SysResult {
        self.with_output(op, args, &mut [])
    }

    fn with_strings(&mut self, op: Op, arg: usize, strings: &[&str]) -> SysResult {
        let input = nul_terminated(strings);
        self.call(&mut Call { op, args: [arg, 0, 0, 0, 0], input: &input, output: &mut [] })
    }

    fn with_output(&mut self, op: Op, args: &[usize], output: &mut [u8]) -> SysResult {
        let mut all_args = [0; ARGS];
        for (slot, &arg) in all_args.iter_mut().zip(args) {
            *slot = arg;
        }
        self.call(&mut Call { op, args: all_args, input: &[], output })
    }

    pub fn mmap(&mut self, call: &Mmap) -> SysResult {
        let Mmap { addr, len, prot, flags, fd } = *call;
        self.with_args(Op::Mmap, &[addr, len, prot as usize, flags, fd as usize])
    }

    pub fn munmap(&mut self, addr: usize, len: usize) -> SysResult {
        self.with_args(Op::Munmap, &[addr, len])
    }

    pub fn mincore(&mut self, addr: usize, len: usize, pages: &mut [u8]) -> SysResult {
        self.with_output(Op::Mincore, &[addr, len], pages)
    }

    pub fn madvise(&mut self, addr: usize, len: usize, advice: Advice) -> SysResult {
        self.with_args(Op::Madvise, &[addr, len, advice as usize])
    }

    pub fn msync_invalidate(&mut self, addr: usize, len: usize) -> SysResult {
        self.with_args(Op::MsyncInvalidate, &[addr, len])
    }

    pub fn memfd_create(&mut self, name: &str) -> Result<Fd, Errno> {
        self.with_strings(Op::MemfdCreate, 0, &[name]).result().map(|fd| fd as Fd)
    }

    pub fn pipe(&mut self) -> Result<Pipe, Errno> {
        let ends = self.with_args(Op::Pipe, &[]).result()?;
        Ok(Pipe { read_end: (ends & 0xffff) as Fd, write_end: (ends >> 16) as Fd })
    }

    pub fn close(&mut self, fd: Fd) -> SysResult {
        self.with_args(Op::Close, &[fd as usize])
    }

    pub fn read(&mut self, fd: Fd, into: &mut [u8]) -> SysResult {
        self.with_output(Op::Read, &[fd as usize], into)
    }

    pub fn pread(&mut self, fd: Fd, into: &mut [u8], offset: usize) -> SysResult {
        self.with_output(Op::Pread, &[fd as usize, offset], into)
    }

    pub fn write(&mut self, fd: Fd, bytes: &[u8]) -> SysResult {
        let args = [fd as usize, 0, 0, 0, 0];
        self.call(&mut Call { op: Op::Write, args, input: bytes, output: &mut [] })
    }

    pub fn store(&mut self, fd: Fd, addr: usize, len: usize) -> SysResult {
        self.with_args(Op::Store, &[fd as usize, addr, len])
    }

    pub fn load(&mut self, fd: Fd, addr: usize, len: usize) -> SysResult {
        self.with_args(Op::Load, &[fd as usize, addr, len])
    }

    pub fn open(&mut self, path: &str, mode: OpenMode) -> Result<Fd, Errno> {
        self.with_strings(Op::Open, mode as usize, &[path]).result().map(|fd| fd as Fd)
    }

    /// Reads a file; calls `each_block` with its content, block by block.
    pub fn read_file(
        &mut self,
        path: &str,
        each_block: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Errno> {
        let file = self.open(path, OpenMode::Read)?;
        let mut block = [0; BLOCK];
        let end = loop {
            match self.read(file, &mut block).result() {
                Ok(0) => break Ok(()),
                Ok(len) => each_block(block.get(..len).unwrap_or_default()),
                Err(errno) => break Err(errno),
            }
        };
        self.close(file);
        end
    }

    pub fn read_whole_file(&mut self, path: &str) -> Result<Vec<u8>, Errno> {
        let mut content = Vec::new();
        self.read_file(path, &mut |block| content.extend_from_slice(block))?;
        Ok(content)
    }

    pub fn unlink(&mut self, path: &str) -> SysResult {
        self.with_strings(Op::Unlink, 0, &[path])
    }

    pub fn memory(&mut self) -> Result<usize, Errno> {
        self.with_args(Op::Memory, &[]).result()
    }

    pub fn page_size(&mut self) -> usize {
        self.with_args(Op::PageSize, &[]).result().unwrap_or(4096)
    }

    pub fn euid(&mut self) -> Option<usize> {
        self.with_args(Op::Euid, &[]).result().ok()
    }

    pub fn pid(&mut self) -> usize {
        self.with_args(Op::Pid, &[]).result().unwrap_or(0)
    }

    pub fn time(&mut self) -> usize {
        self.with_args(Op::Time, &[]).result().unwrap_or(0)
    }

    /// Fields that the kernel does not fill are empty.
    pub fn uname(&mut self) -> Uname {
        let mut fields = [0; 6 * UTS_FIELD];
        self.with_output(Op::Uname, &[], &mut fields);
        let field = |index: usize| {
            let bytes = fields.get(index * UTS_FIELD..).unwrap_or_default();
            let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(0);
            String::from(str_or_replacement(bytes.get(..end).unwrap_or_default()))
        };
        Uname { sysname: field(0), release: field(2), version: field(3), machine: field(4) }
    }

    pub fn ignore_signals(&mut self) -> SysResult {
        self.with_args(Op::IgnoreSignals, &[])
    }

    /// Exits, again every second where a system call filter rejects it.
    pub fn exit(&mut self, code: i32) -> ! {
        loop {
            self.with_args(Op::Exit, &[code as usize]);
            self.sleep();
        }
    }

    pub fn mkdir(&mut self, path: &str) -> SysResult {
        self.with_strings(Op::Mkdir, 0, &[path])
    }

    pub fn mknod(&mut self, path: &str, device: usize) -> SysResult {
        self.with_strings(Op::Mknod, device, &[path])
    }

    pub fn mount(&mut self, file_system: &str, target: &str) -> SysResult {
        self.with_strings(Op::Mount, file_system.len() + 1, &[file_system, target])
    }

    pub fn umount(&mut self, target: &str) -> SysResult {
        self.with_strings(Op::Umount, 0, &[target])
    }

    pub fn file_device(&mut self, path: &str) -> Result<usize, Errno> {
        self.with_strings(Op::FileDevice, 0, &[path]).result()
    }

    pub fn file_inode(&mut self, path: &str) -> Result<usize, Errno> {
        self.with_strings(Op::FileInode, 0, &[path]).result()
    }

    /// Takes the path and then every argument. Returns only if the call failed.
    pub fn execve(&mut self, path_and_arguments: &[&str]) -> Errno {
        let result = self.with_strings(Op::Execve, 0, path_and_arguments).result();
        result.err().unwrap_or(Errno::EINVAL)
    }

    pub fn may_reboot(&mut self) -> bool {
        self.with_args(Op::MayReboot, &[]).is_ok()
    }

    pub fn fork(&mut self) -> Result<usize, Errno> {
        self.with_args(Op::Fork, &[]).result()
    }

    pub fn wait(&mut self, pid: usize) -> Result<Ended, Errno> {
        self.with_args(Op::Wait, &[pid]).result().map(Ended::from_result)
    }

    pub fn touch(&mut self, addr: usize) -> Result<Ended, Errno> {
        self.with_args(Op::Touch, &[addr]).result().map(Ended::from_result)
    }

    pub fn file_system_type(&mut self, fd: Fd) -> Result<usize, Errno> {
        self.with_args(Op::FileSystemType, &[fd as usize]).result()
    }

    pub fn block_size(&mut self, fd: Fd) -> Result<usize, Errno> {
        self.with_args(Op::BlockSize, &[fd as usize]).result()
    }

    /// Whether no system call filter is in force. A filter may reject the question.
    pub fn is_unfiltered(&mut self) -> bool {
        matches!(self.with_args(Op::FilterMode, &[]).result(), Ok(0) | Err(Errno::EINVAL))
    }

    /// The names of the system calls that ended earlier attempts of this run; empty if none did.
    pub fn fatal_calls(&mut self) -> String {
        let mut names = [0; FATAL_CALLS_MAX];
        match self.with_output(Op::FatalCalls, &[], &mut names).result() {
            Ok(1..) => {
                let end = names.iter().position(|&byte| byte == 0).unwrap_or(names.len());
                String::from(str_or_replacement(names.get(..end).unwrap_or_default()))
            }
            _ => String::new(),
        }
    }

    pub fn reboot(&mut self) -> SysResult {
        self.with_args(Op::Reboot, &[])
    }

    pub fn is_terminal(&mut self, fd: Fd) -> bool {
        self.with_args(Op::Terminal, &[fd as usize]).is_ok()
    }

    /// Whether the environment has a `NO_COLOR` that is not empty.
    pub fn no_color(&mut self) -> bool {
        self.with_args(Op::NoColor, &[]).result().is_ok_and(|len| len > 0)
    }

    pub fn pause(&mut self) -> SysResult {
        self.with_args(Op::Pause, &[])
    }

    pub fn sleep(&mut self) -> SysResult {
        self.with_args(Op::Sleep, &[])
    }
}
