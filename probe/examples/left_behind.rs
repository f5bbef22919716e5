//! Prints what a whole run leaves behind: mappings and open files that were not there before. Exit code 0 when there is nothing.
#![no_main]

use mapprobe::arch::Arch;
use mapprobe::cli::{self, Asked, Options};
use mapprobe::command::{FAILED, PRINTED, STDOUT, write_all};
use mapprobe::errno::Errno;
use mapprobe::kernel::{Fd, How, Kernel, text};
use mapprobe::{flags, run};

/// Descriptors that are looked at.
const FILES: Fd = 100;

/// The lines of `/proc/self/maps`, the stack's excepted, which may have grown.
fn maps(kernel: &mut dyn Kernel) -> Vec<String> {
    let mut all = Vec::new();
    let Ok(file) = kernel.open("/proc/self/maps", How::Read).result() else { return Vec::new() };
    let mut block = [0; 4096];
    while let Ok(read @ 1..) = kernel.read(file as Fd, &mut block).result() {
        all.extend_from_slice(&block[..read as usize]);
    }
    kernel.close(file as Fd);
    text(&all).lines().filter(|line| !line.contains("[stack]")).map(String::from).collect()
}

/// Whether a descriptor is open, for reading or for writing.
fn is_open(kernel: &mut dyn Kernel, file: Fd) -> bool {
    let closed = Err(Errno::EBADF);
    kernel.pread(file, &mut [], 0).result() != closed || kernel.write(file, &[]).result() != closed
}

mapprobe::program!(|kernel, arguments| {
    let (mut options, mut said) = (Options::default(), String::new());
    if cli::read(arguments.get(1..).unwrap_or_default(), &mut options, &mut said)
        != Some(Asked::Kernel)
    {
        return FAILED;
    }
    let before = maps(kernel);
    let files: Vec<Fd> = (0..FILES).filter(|&file| is_open(kernel, file)).collect();
    let report = run::report(kernel, Arch::native(), &options, flags::TABLE, &mut |_| {});
    let mut left: Vec<String> = maps(kernel);
    left.retain(|line| !before.contains(line));
    for file in (0..FILES).filter(|file| is_open(kernel, *file) && !files.contains(file)) {
        left.push(format!("descriptor {file}"));
    }
    if before.is_empty() || !report.is_ok_and(|report| !report.steps.is_empty()) {
        left.push(String::from("nothing could be asked"));
    }
    let _ = write_all(kernel, STDOUT, left.join("\n").as_bytes());
    if left.is_empty() { PRINTED } else { FAILED }
});
