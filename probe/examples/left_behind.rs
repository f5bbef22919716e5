//! Prints what a whole run leaves behind: mappings and open files that did not exist before. Exit
//! code 0 if there is nothing.
#![no_main]

use kernel::{Errno, Fd, Kernel, str_or_replacement};
use mapprobe::app::{FAILURE, SUCCESS};
use mapprobe::arch::Arch;
use mapprobe::cli::{self, Request};
use mapprobe::flags::Flag;
use mapprobe::output::{STDOUT, write_all};
use mapprobe::probe;

/// The descriptors from 0 to this one, exclusive, are checked.
const DESCRIPTORS: Fd = 100;

/// The lines of `/proc/self/maps`, without the stack, which may have grown.
fn mappings(kernel: &mut dyn Kernel) -> Vec<String> {
    let mut maps = Vec::new();
    if kernel.read_file("/proc/self/maps", &mut |block| maps.extend_from_slice(block)).is_err() {
        return Vec::new();
    }
    let lines = str_or_replacement(&maps).lines();
    lines.filter(|line| !line.contains("[stack]")).map(String::from).collect()
}

/// Whether a descriptor is open, for reading or for writing.
fn is_open(kernel: &mut dyn Kernel, fd: Fd) -> bool {
    let closed = Err(Errno::EBADF);
    kernel.pread(fd, &mut [], 0).result() != closed || kernel.write(fd, &[]).result() != closed
}

fn open_descriptors(kernel: &mut dyn Kernel) -> Vec<Fd> {
    (0..DESCRIPTORS).filter(|&fd| is_open(kernel, fd)).collect()
}

mapprobe::program!(|kernel, arguments| {
    let Ok(Request::Query(query)) = cli::parse(arguments.get(1..).unwrap_or_default()) else {
        return FAILURE;
    };
    let mappings_before = mappings(kernel);
    let descriptors_before = open_descriptors(kernel);
    let report = probe::run(kernel, Arch::native(), Flag::ALL, &query.options, &mut |_| {});
    let mut left = mappings(kernel);
    left.retain(|line| !mappings_before.contains(line));
    let mut descriptors = open_descriptors(kernel);
    descriptors.retain(|fd| !descriptors_before.contains(fd));
    left.extend(descriptors.iter().map(|fd| format!("descriptor {fd}")));
    if mappings_before.is_empty() || !report.is_ok_and(|report| !report.steps.is_empty()) {
        left.push(String::from("nothing could be probed"));
    }
    match write_all(kernel, STDOUT, left.join("\n").as_bytes()) {
        Ok(()) if left.is_empty() => SUCCESS,
        _ => FAILURE,
    }
});
