//! Output of PID 1: standard output, else `/dev/console`, else `/dev/kmsg`; the first that accepts
//! every line.
//!
//! A kernel that finds no console starts its init without open files, and a console may be a plain
//! file or a device that is full or gone. So missing file systems are mounted and missing devices
//! are made, and all of that is undone before the next init starts.

use crate::output::{STDERR, STDOUT, write_all};
use kernel::recording::take_line;
use kernel::{Fd, Kernel, OpenMode};

/// File systems that are mounted: type and target. A complete report needs none of them.
const MOUNTS: [(&str, &str); 3] = [("devtmpfs", "/dev"), ("proc", "/proc"), ("sysfs", "/sys")];

/// A character device and its `makedev(3)`, `Documentation/admin-guide/devices.txt`.
struct Device {
    path: &'static str,
    number: usize,
}

const CONSOLE: Device = Device { path: "/dev/console", number: 5 << 8 | 1 };
/// A line that is written to it becomes a kernel message, `Documentation/ABI/testing/dev-kmsg`.
const KMSG: Device = Device { path: "/dev/kmsg", number: 1 << 8 | 11 };
/// The name of a device while it is opened.
const NODE: &str = "/dev/mapprobe";
/// The level of the kernel messages: a console shows it even with `quiet`, and not every terminal
/// does.
const ALERT: &str = "<1>";

/// Where a text is printed.
#[derive(Clone, Copy)]
enum Sink {
    File(Fd),
    /// The kernel's log. Each line gets its own open file: the kernel accepts ten lines of an open
    /// file in five seconds and drops the others (`devkmsg_write` in `kernel/printk/printk.c`).
    KernelLog,
}

pub struct Console {
    /// The targets that were mounted.
    mounted: Vec<&'static str>,
    /// The descriptors of the console, in the order in which they were opened.
    opened: Vec<Fd>,
}

impl Console {
    /// Mounts what is missing and opens the console, as standard input, output and error too where
    /// those are closed.
    pub fn open(kernel: &mut dyn Kernel) -> Console {
        let mut mounted = Vec::new();
        for (file_system, target) in MOUNTS {
            let _ = kernel.mkdir(target);
            if kernel.mount(file_system, target).is_ok() {
                mounted.push(target);
            }
        }
        let mut opened = Vec::new();
        while let Some(fd) = open_device(kernel, &CONSOLE) {
            opened.push(fd);
            if fd > STDERR {
                break;
            }
        }
        Console { mounted, opened }
    }

    /// Prints a text where every line of it is accepted. Then undoes [`Console::open`].
    pub fn print_and_close(self, kernel: &mut dyn Kernel, text: &str) {
        let console = self.opened.last().copied();
        for sink in [stdout(kernel), console.map(Sink::File), Some(Sink::KernelLog)] {
            if sink.is_some_and(|sink| print_lines(kernel, sink, text)) {
                break;
            }
        }
        for fd in self.opened {
            kernel.close(fd);
        }
        for target in self.mounted {
            let _ = kernel.umount(target);
        }
    }
}

/// Standard output, unless it can be read at an offset. Then it is a plain file: archives of
/// containers have one in place of the console.
fn stdout(kernel: &mut dyn Kernel) -> Option<Sink> {
    let is_plain_file = kernel.pread(STDOUT, &mut [], 0).is_ok();
    (!is_plain_file).then_some(Sink::File(STDOUT))
}

/// Prints a text line by line, each in a call of its own. Returns whether every line was accepted.
fn print_lines(kernel: &mut dyn Kernel, sink: Sink, text: &str) -> bool {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let line = take_line(&mut rest);
        let is_printed = match sink {
            Sink::File(fd) => write_all(kernel, fd, &[line, b"\n"].concat()).is_ok(),
            Sink::KernelLog => log_line(kernel, line),
        };
        if !is_printed {
            return false;
        }
    }
    true
}

fn log_line(kernel: &mut dyn Kernel, line: &[u8]) -> bool {
    let Some(fd) = open_device(kernel, &KMSG) else { return false };
    let written = write_all(kernel, fd, &[ALERT.as_bytes(), line, b"\n"].concat());
    kernel.close(fd);
    written.is_ok()
}

/// Opens a device through a node of its own, because anything may stand under its usual name;
/// without such a node under that name.
fn open_device(kernel: &mut dyn Kernel, device: &Device) -> Option<Fd> {
    let is_made = kernel.mknod(NODE, device.number).is_ok();
    let path = if is_made { NODE } else { device.path };
    let opened = kernel.open(path, OpenMode::Device);
    if is_made {
        let _ = kernel.unlink(NODE);
    }
    opened.ok()
}
