//! Output of PID 1: standard output, else `/dev/console`, else `/dev/kmsg`; the first that accepts
//! every line.
//!
//! A kernel that finds no console starts its init without open files. A console may also be a
//! regular file, or a device that is full or gone. So missing file systems are mounted and missing
//! devices are made; both are undone before the next init starts. No step may fail the run, so the
//! results of these calls are not used.

use crate::output::{STDERR, STDOUT, write_all};
use kernel::recording::take_line;
use kernel::{Fd, Kernel, OpenMode};

/// The file systems that are mounted: type and target. The report is complete without them.
const MOUNTS: [(&str, &str); 3] = [("devtmpfs", "/dev"), ("proc", "/proc"), ("sysfs", "/sys")];

/// A character device and its `makedev(3)`, `Documentation/admin-guide/devices.txt`.
struct Device {
    path: &'static str,
    number: usize,
}

const CONSOLE: Device = Device { path: "/dev/console", number: 5 << 8 | 1 };
/// Turns each line that is written into a kernel message, `Documentation/ABI/testing/dev-kmsg`.
const KMSG: Device = Device { path: "/dev/kmsg", number: 1 << 8 | 11 };
/// The name of a device while it is opened.
const NODE: &str = "/dev/mapprobe.node";
/// The level of the kernel messages, `KERN_ALERT`: the console shows it even with `quiet`. Daemons
/// broadcast the level above, `KERN_EMERG`, to every terminal.
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
    /// Mounts the file systems and opens the console. Descriptors 0 to 2 become the console where
    /// they are closed.
    pub fn open(kernel: &mut dyn Kernel) -> Console {
        let mut mounted = Vec::new();
        for &(file_system, target) in &MOUNTS {
            kernel.mkdir(target);
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

    /// Prints a text to the first sink that accepts every line.
    pub fn print(&self, kernel: &mut dyn Kernel, text: &str) {
        if !is_regular_file(kernel, STDOUT) && print_lines(kernel, Sink::File(STDOUT), text) {
            return;
        }
        if let Some(&console) = self.opened.last()
            && print_lines(kernel, Sink::File(console), text)
        {
            return;
        }
        print_lines(kernel, Sink::KernelLog, text);
    }

    /// Undoes [`Console::open`].
    pub fn close(self, kernel: &mut dyn Kernel) {
        for fd in self.opened {
            kernel.close(fd);
        }
        for target in self.mounted {
            kernel.umount(target);
        }
    }
}

/// Whether a file is a regular file, as `/dev/console` in archives of containers. Only such a file
/// can be read at an offset.
fn is_regular_file(kernel: &mut dyn Kernel, fd: Fd) -> bool {
    kernel.pread(fd, &mut [], 0).is_ok()
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

/// Opens a device by a temporary node, because its usual name may belong to any file; if no node
/// can be made, by its usual name.
fn open_device(kernel: &mut dyn Kernel, device: &Device) -> Option<Fd> {
    let has_node = kernel.mknod(NODE, device.number).is_ok();
    let path = if has_node { NODE } else { device.path };
    let opened = kernel.open(path, OpenMode::Device);
    if has_node {
        kernel.unlink(NODE);
    }
    opened.ok()
}
