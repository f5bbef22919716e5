//! Where PID 1 of a machine speaks: its standard output, the console, the kernel's log, whichever takes every line. Knows nothing about
//! what is said.
//!
//! A kernel that finds no console starts its init without any open file, and a console may be a plain file, a full or a vanished
//! device. So what is missing is mounted and made, and all of it is gone when the next init is started.

use crate::command::{STDERR, STDOUT, write_all};
use crate::kernel::replay::take_line;
use crate::kernel::{Fd, How, Kernel, NO_FD, Word};

/// What is mounted when it is missing: file system and place. Nothing here is needed for a complete report.
const MOUNTS: [(&str, &str); 3] = [("devtmpfs", "/dev"), ("proc", "/proc"), ("sysfs", "/sys")];

/// A character device: path and `makedev(3)`, `Documentation/admin-guide/devices.txt`.
type Device = (&'static str, Word);
const CONSOLE: Device = ("/dev/console", 5 << 8 | 1);
/// What is written to it becomes a message of the kernel, `Documentation/ABI/testing/dev-kmsg`.
const LOG: Device = ("/dev/kmsg", 1 << 8 | 11);
/// The name of a device while it is opened.
const NODE: &str = "/dev/mapprobe";
/// Messages of this level come to a console whose kernel was told to be `quiet`, and not to every terminal.
const ALERT: &[u8] = b"<1>";

/// What was made so that somebody listens.
pub struct Console {
    /// A bit for each of [`MOUNTS`].
    mounted: u8,
    opened: [Fd; STDERR as usize + 2],
    /// The last of them.
    console: Fd,
}

impl Console {
    /// Mounts what is missing and opens the console, as standard input, output and error too where those are closed.
    #[cold]
    pub fn open(kernel: &mut dyn Kernel) -> Console {
        let mut made = Console { mounted: 0, opened: [NO_FD; _], console: NO_FD };
        for (at, (kind, target)) in MOUNTS.iter().enumerate() {
            let _ = kernel.mkdir(target);
            made.mounted |= u8::from(kernel.mount(kind, target).is_ok()) << at;
        }
        for place in &mut made.opened {
            let fd = device(kernel, CONSOLE);
            if fd == NO_FD {
                break;
            }
            (*place, made.console) = (fd, fd);
            if fd > STDERR {
                break;
            }
        }
        made
    }

    /// Says all lines of a text where all of them are taken, again from the first one where they were not. Then closes and unmounts
    /// what was opened and mounted.
    #[cold]
    pub fn say(&self, kernel: &mut dyn Kernel, text: &str) {
        // What can be read at a place is a plain file: archives of containers have one instead of the console.
        let stdout = if kernel.pread(STDOUT, &mut [], 0).is_ok() { NO_FD } else { STDOUT };
        let _ = print(kernel, stdout, text)
            || print(kernel, self.console, text)
            || print(kernel, LOGGED, text);
        for &fd in &self.opened {
            if fd != NO_FD {
                kernel.close(fd);
            }
        }
        for (at, (_, target)) in MOUNTS.iter().enumerate() {
            if self.mounted >> at & 1 == 1 {
                let _ = kernel.umount(target);
            }
        }
    }
}

/// Stands for the kernel's log, of which every line has a file of its own: it takes ten of each open file in five seconds and drops
/// the others unseen (`devkmsg_write` in `kernel/printk/printk.c`).
const LOGGED: Fd = -2;

/// Prints a text line by line, each in a call of its own, and says whether all were taken.
#[cold]
#[inline(never)]
fn print(kernel: &mut dyn Kernel, fd: Fd, text: &str) -> bool {
    let (logged, mut rest) = (fd == LOGGED, text.as_bytes());
    let mut line = ALERT.to_vec();
    while !rest.is_empty() {
        line.truncate(ALERT.len());
        line.extend_from_slice(take_line(&mut rest));
        line.push(b'\n');
        let to = if logged { device(kernel, LOG) } else { fd };
        let written = write_all(
            kernel,
            to,
            line.get(if logged { 0 } else { ALERT.len() }..).unwrap_or_default(),
        );
        if logged {
            kernel.close(to);
        }
        if written.is_err() {
            return false;
        }
    }
    true
}

/// Opens a device under a name of its own, since there may be anything under the usual one, which is the other way.
#[cold]
#[inline(never)]
fn device(kernel: &mut dyn Kernel, (path, number): Device) -> Fd {
    let made = kernel.mknod(NODE, number).is_ok();
    let opened = kernel.open(if made { NODE } else { path }, How::Device).result();
    if made {
        let _ = kernel.unlink(NODE);
    }
    opened.map_or(NO_FD, |fd| fd as Fd)
}
