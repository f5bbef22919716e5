//! The running kernel.
#![allow(unsafe_code, reason = "the tests build an initial stack and call libc")]

use kernel::linux::Linux;
use kernel::recording::{Recorder, Replay};
use kernel::{
    ARGS, Advice, Call, Ended, Errno, Fd, Kernel, Mmap, NO_FD, Op, OpenMode, PROT_NONE, PROT_READ,
    PROT_WRITE, Pipe, SysResult,
};
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// The kernel of a program that was started with this environment and auxiliary vector.
fn started_with(environment: &[&str], auxiliary_vector: &[(u64, usize)]) -> Linux {
    let pointer = |string: &str| CString::new(string).expect("no NUL").into_raw() as usize;
    let mut stack = vec![pointer("program"), 0];
    stack.extend(environment.iter().map(|variable| pointer(variable)));
    stack.push(0);
    for &(kind, value) in auxiliary_vector {
        stack.extend([kind as usize, value]);
    }
    stack.extend([libc::AT_NULL as usize, 0]);
    // SAFETY: the leaked vector has the layout of an initial stack, and its strings are leaked.
    unsafe { Linux::started_with(stack.leak().as_ptr().cast()) }
}

fn call(op: Op, args: [usize; ARGS], input: &[u8]) -> Result<usize, Errno> {
    Linux::default().call(&mut Call { op, args, input, output: &mut [] }).result()
}

/// A page of anonymous memory.
fn map_page(kernel: &mut dyn Kernel, prot: u32) -> usize {
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as usize;
    let len = kernel.page_size();
    kernel.mmap(&Mmap { addr: 0, len, prot, flags, fd: NO_FD }).result().expect("a page")
}

/// A directory that is removed at the end of a test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("kernel-{name}-{}", std::process::id()));
        fs::create_dir(&path).expect("a directory");
        Directory(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_string()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_auxiliary_vector_and_the_environment_are_read_from_the_stack() {
    let auxiliary_vector = [(libc::AT_EUID, 1000), (libc::AT_PAGESZ, 65536)];
    let mut linux = started_with(&["NO_COLORS=1", "NO_COLOR=1"], &auxiliary_vector);
    let kernel: &mut dyn Kernel = &mut linux;
    assert_eq!((kernel.page_size(), kernel.euid()), (65536, Some(1000)));
    assert!(kernel.no_color());
    let mut linux = started_with(&["NO_COLOR=", "PATH=/bin"], &[]);
    let kernel: &mut dyn Kernel = &mut linux;
    assert_eq!((kernel.page_size(), kernel.euid()), (4096, None));
    assert!(!kernel.no_color(), "an empty value");
    assert_eq!(call(Op::NoColor, [0; ARGS], b""), Err(Errno::ENOENT), "no environment");
}

#[test]
fn process_time_memory_and_name_agree_with_other_sources() {
    let kernel: &mut dyn Kernel = &mut Linux::default();
    assert_eq!(kernel.pid(), std::process::id() as usize);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    assert!(kernel.time().abs_diff(now.as_secs() as usize) <= 2);
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc");
    let uname = kernel.uname();
    assert_eq!((&*uname.sysname, &*uname.release), ("Linux", release.trim()));
    assert_eq!(uname.machine, std::env::consts::ARCH);
    // SAFETY: the structure consists of integers, and libc fills it.
    let info: libc::sysinfo = unsafe {
        let mut info = std::mem::zeroed();
        assert_eq!(libc::sysinfo(&mut info), 0);
        info
    };
    let total = (info.totalram + info.totalswap) as usize * info.mem_unit as usize;
    assert_eq!(kernel.memory(), Ok(total));
}

#[test]
fn a_pipe_passes_bytes() {
    let kernel: &mut dyn Kernel = &mut Linux::default();
    let Pipe { read_end, write_end } = kernel.pipe().expect("a pipe");
    let mut buffer = [0; 8];
    assert_eq!(kernel.read(read_end, &mut buffer).result(), Err(Errno::EAGAIN));
    assert_eq!(kernel.write(write_end, b"bytes").result(), Ok(5));
    assert_eq!(kernel.read(read_end, &mut buffer).result(), Ok(5));
    assert_eq!(&buffer, b"bytes\0\0\0");
    assert!(!kernel.is_terminal(read_end));
    assert!(kernel.ignore_signals().is_ok());
    assert!(kernel.close(read_end).is_ok());
    assert_eq!(kernel.write(write_end, b"bytes").result(), Err(Errno::EPIPE));
    assert!(kernel.close(write_end).is_ok());
    assert_eq!(kernel.close(NO_FD).result(), Err(Errno::EBADF));
}

#[test]
fn a_copy_of_the_process_touches_memory() {
    let kernel: &mut dyn Kernel = &mut Linux::default();
    let writable = map_page(kernel, PROT_READ | PROT_WRITE);
    let readable = map_page(kernel, PROT_READ);
    assert_eq!(kernel.touch(writable), Ok(Ended::Exited(0)));
    assert_eq!(kernel.touch(readable), Ok(Ended::BySignal(libc::SIGSEGV as u8)));
    let mut resident = [9];
    let len = kernel.page_size();
    assert!(kernel.mincore(writable, len, &mut resident).is_ok());
    assert_eq!(resident, [0], "the copy stored to its own page");
    assert_eq!(kernel.wait(1), Err(Errno::ECHILD));
}

#[test]
fn files_have_a_file_system() {
    /// `PROC_SUPER_MAGIC`, `linux/magic.h`.
    const PROC: usize = 0x9fa0;
    let kernel: &mut dyn Kernel = &mut Linux::default();
    let file = kernel.open("/proc/self/stat", OpenMode::Read).expect("a file");
    assert_eq!(kernel.file_system_type(file), Ok(PROC));
    assert_eq!(kernel.block_size(file), Ok(kernel.page_size()));
    assert!(kernel.close(file).is_ok());
    assert_eq!(kernel.file_system_type(file), Err(Errno::EBADF));
}

#[test]
fn probed_memory_is_read_and_written_by_the_kernel() {
    let kernel: &mut dyn Kernel = &mut Linux::default();
    let Pipe { read_end, write_end } = kernel.pipe().expect("a pipe");
    let page_size = kernel.page_size();
    let page = map_page(kernel, PROT_READ | PROT_WRITE);
    assert!(kernel.write(write_end, b"x").is_ok());
    assert_eq!(kernel.store(read_end, page, 1).result(), Ok(1));
    assert_eq!(kernel.load(write_end, page, 2).result(), Ok(2));
    let mut buffer = [9; 2];
    assert_eq!(kernel.read(read_end, &mut buffer).result(), Ok(2));
    assert_eq!(&buffer, b"x\0");
    let no_access = map_page(kernel, PROT_NONE);
    assert_eq!(kernel.load(write_end, no_access, 1).result(), Err(Errno::EFAULT));
    assert_eq!(kernel.madvise(page, page_size, Advice::DontNeed).result(), Ok(0));
    assert_eq!(kernel.load(write_end, page, 1).result(), Ok(1));
    assert_eq!(kernel.read(read_end, &mut buffer).result(), Ok(1));
    assert_eq!(buffer[0], 0, "MADV_DONTNEED cleared the page");
    for mapping in [page, no_access] {
        assert!(kernel.munmap(mapping, page_size).is_ok());
    }
    for fd in [read_end, write_end] {
        assert!(kernel.close(fd).is_ok());
    }
}

#[test]
fn mincore_needs_a_byte_for_every_page() {
    let kernel: &mut dyn Kernel = &mut Linux::default();
    let len = kernel.page_size();
    let page = map_page(kernel, PROT_READ | PROT_WRITE);
    let mut pages = [9; 1];
    assert_eq!(kernel.mincore(page, len, &mut pages).result(), Ok(0));
    assert_eq!(pages[0] & 1, 0);
    assert_eq!(kernel.mincore(page, len, &mut []).result(), Err(Errno::EFAULT));
    assert_eq!(kernel.mincore(page, len + 1, &mut pages).result(), Err(Errno::EFAULT));
    assert_eq!(kernel.mincore(page, usize::MAX, &mut pages).result(), Err(Errno::EFAULT));
    assert!(kernel.munmap(page, len).is_ok());
    // Pages of 64 KiB need fewer bytes.
    let mut large_pages = started_with(&[], &[(libc::AT_PAGESZ, 65536)]);
    let kernel: &mut dyn Kernel = &mut large_pages;
    assert_eq!(kernel.mincore(page, 65537, &mut pages).result(), Err(Errno::EFAULT));
}

#[test]
fn files_are_created_read_and_removed() {
    let kernel: &mut dyn Kernel = &mut Linux::default();
    let directory = Directory::new("files");
    let path = directory.file("file");
    assert_eq!(kernel.open(&path, OpenMode::Read), Err(Errno::ENOENT));
    let file = kernel.open(&path, OpenMode::CreateNew).expect("a new file");
    assert_eq!(kernel.open(&path, OpenMode::CreateNew), Err(Errno::EEXIST));
    assert_eq!(kernel.write(file, b"content").result(), Ok(7));
    let mut buffer = [0; 4];
    assert_eq!(kernel.pread(file, &mut buffer, 3).result(), Ok(4));
    assert_eq!(&buffer, b"tent");
    assert!(kernel.close(file).is_ok());

    let metadata = fs::metadata(&path).expect("a file");
    assert_eq!(metadata.mode() & 0o777, 0o600);
    assert_eq!(kernel.file_inode(&path), Ok(metadata.ino() as usize));
    assert_eq!(kernel.file_device(&path), Ok(metadata.dev() as usize));
    let mut content = Vec::new();
    assert_eq!(kernel.read_file(&path, &mut |block| content.extend_from_slice(block)), Ok(()));
    assert_eq!(content, b"content");

    let file = kernel.open(&path, OpenMode::Create).expect("the file");
    assert!(kernel.close(file).is_ok());
    assert_eq!(fs::metadata(&path).expect("a file").len(), 0, "O_TRUNC");
    assert!(kernel.unlink(&path).is_ok());
    assert_eq!(kernel.unlink(&path).result(), Err(Errno::ENOENT));
    assert_eq!(kernel.file_inode(&path), Err(Errno::ENOENT));
    assert!(kernel.mkdir(&path).is_ok());
    assert_eq!(kernel.mkdir(&path).result(), Err(Errno::EEXIST));
    assert_eq!(kernel.open(&path, OpenMode::ReadWrite), Err(Errno::EISDIR));
}

#[test]
fn a_long_file_is_read_block_by_block() {
    let kernel: &mut dyn Kernel = &mut Linux::default();
    let directory = Directory::new("blocks");
    let path = directory.file("file");
    let expected: Vec<u8> = (0..5000_u32).map(|index| index as u8).collect();
    fs::write(&path, &expected).expect("a file");
    let (mut content, mut blocks) = (Vec::new(), 0);
    let result = kernel.read_file(&path, &mut |block| {
        content.extend_from_slice(block);
        blocks += 1;
    });
    assert_eq!((result, blocks), (Ok(()), 5));
    assert_eq!(content, expected);
}

#[test]
fn a_memfd_has_no_path() {
    let kernel: &mut dyn Kernel = &mut Linux::default();
    let fd: Fd = kernel.memfd_create("name").expect("a memfd");
    let link = fs::read_link(format!("/proc/self/fd/{fd}")).expect("/proc");
    assert_eq!(link.to_str(), Some("/memfd:name (deleted)"));
    assert!(kernel.close(fd).is_ok());
}

#[test]
fn strings_must_end_with_nul() {
    for op in [Op::Open, Op::Unlink, Op::Mkdir, Op::FileInode] {
        assert_eq!(call(op, [0; ARGS], b"/nowhere"), Err(Errno::EFAULT), "{op:?}");
        assert_eq!(call(op, [0; ARGS], b""), Err(Errno::EFAULT), "{op:?}");
    }
}

#[test]
fn unknown_numbers_are_invalid() {
    assert_eq!(call(Op::Open, [OpenMode::ALL.len(), 0, 0, 0, 0], b"/\0"), Err(Errno::EINVAL));
    let advice = Advice::ALL.len();
    assert_eq!(call(Op::Madvise, [0, 0, advice, 0, 0], b""), Err(Errno::EINVAL));
}

#[test]
fn the_target_of_a_mount_must_be_in_the_input() {
    let input = b"tmpfs\0/nowhere\0";
    for offset in [input.len() + 1, usize::MAX] {
        assert_eq!(call(Op::Mount, [offset, 0, 0, 0, 0], input), Err(Errno::EINVAL));
    }
}

#[test]
fn the_names_of_uname_need_a_buffer() {
    let mut buffer = [0; 389];
    let mut call = Call { op: Op::Uname, args: [0; ARGS], input: &[], output: &mut buffer };
    assert_eq!(Linux::default().call(&mut call), SysResult::failure(Errno::EFAULT));
}

#[test]
fn execve_returns_when_it_fails() {
    let kernel: &mut dyn Kernel = &mut Linux::default();
    assert_eq!(kernel.execve(&["/nowhere", "argv0", "argument"]), Errno::ENOENT);
}

#[test]
fn sleep_takes_a_second() {
    let start = Instant::now();
    assert!((&mut Linux::default() as &mut dyn Kernel).sleep().is_ok());
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_secs(1) && elapsed < Duration::from_secs(60), "{elapsed:?}");
}

#[test]
fn a_recorded_run_replays() {
    /// Everything that the calls returned.
    fn run(kernel: &mut dyn Kernel) -> String {
        let mut memory = [0; 1];
        let page_size = kernel.page_size();
        let page = map_page(kernel, PROT_READ);
        let resident = kernel.mincore(page, page_size, &mut memory);
        let unmapped = kernel.munmap(page, page_size);
        let missing = kernel.open("/nowhere", OpenMode::Read);
        let (pid, size, uname) = (kernel.pid(), kernel.memory(), kernel.uname());
        format!("{page} {resident:?} {memory:?} {unmapped:?} {missing:?} {pid} {size:?} {uname:?}")
    }
    let mut linux = Linux::default();
    let mut recorder = Recorder::new(&mut linux, String::new());
    let recorded = run(&mut recorder);
    let recording = recorder.finish();
    let mut replay = Replay::new(recording.as_bytes(), 0);
    assert_eq!(run(&mut replay), recorded);
    assert_eq!(replay.finish(), Ok(()), "{recording}");
}

/// The line `Seccomp` is 0 without a filter, `proc_pid_status(5)`.
#[test]
fn a_filter_is_recognized() {
    let status = fs::read_to_string("/proc/self/status").expect("a status");
    let mode = status.lines().find_map(|line| line.strip_prefix("Seccomp:"));
    let kernel: &mut dyn Kernel = &mut Linux::default();
    assert_eq!(kernel.is_unfiltered(), mode.is_none_or(|mode| mode.trim() == "0"), "{mode:?}");
}
