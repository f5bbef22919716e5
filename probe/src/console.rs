//! Where PID 1 of a machine speaks: its standard output, the console, the kernel's log, whichever takes every line. Knows nothing about
//! what is said.
//!
//! A kernel that finds no console starts its init without any open file, and a console may be a plain file, a full or a vanished
//! device. So what is missing is mounted and made, and all of it is gone when the next init is started.

use crate::command::{STDERR, STDOUT, write_all};
use crate::errno::Errno;
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
const ALERT: &str = "<1>";

/// What was made so that somebody listens.
pub struct Console {
    mounted: [bool; MOUNTS.len()],
    opened: Vec<Fd>,
}

/// What hands its lines, from the first to the last, to whoever prints them. Asked again, it says the same.
pub type Lines<'a> = dyn Fn(&mut dyn FnMut(&str)) + 'a;

impl Console {
    /// Mounts what is missing and opens the console, as standard input, output and error too where those are closed.
    #[cold]
    pub fn open(kernel: &mut dyn Kernel) -> Console {
        let mounted = MOUNTS.map(|(kind, target)| {
            let _ = kernel.mkdir(target);
            kernel.mount(kind, target).is_ok()
        });
        let mut opened = Vec::new();
        for _ in 0..=STDERR + 1 {
            let Ok(fd) = device(kernel, CONSOLE) else { break };
            opened.push(fd);
            if fd > STDERR {
                break;
            }
        }
        Console { mounted, opened }
    }

    /// Prints all of the lines that `say` hands over, again from the first one where they could not all be printed.
    #[cold]
    pub fn print(&self, kernel: &mut dyn Kernel, say: &Lines) {
        // What can be read at a place is a plain file: archives of containers have one instead of the console.
        let stdout = if kernel.pread(STDOUT, &mut [], 0).is_ok() { NO_FD } else { STDOUT };
        let console = self.opened.last().copied().unwrap_or(NO_FD);
        for way in [Some(stdout), Some(console), None] {
            let mut heard = true;
            say(&mut |line| {
                heard = heard
                    && match way {
                        Some(fd) => write_all(kernel, fd, line.as_bytes()),
                        None => log(kernel, line),
                    }
                    .is_ok();
            });
            if heard {
                break;
            }
        }
    }

    /// Closes and unmounts what was opened and mounted.
    #[cold]
    pub fn close(self, kernel: &mut dyn Kernel) {
        for fd in self.opened {
            kernel.close(fd);
        }
        for ((_, target), _) in MOUNTS.iter().zip(self.mounted).filter(|&(_, mounted)| mounted) {
            let _ = kernel.umount(target);
        }
    }
}

/// Opens a device under a name of its own, since there may be anything under the usual one, which is the other way.
#[cold]
fn device(kernel: &mut dyn Kernel, (path, number): Device) -> Result<Fd, Errno> {
    let made = kernel.mknod(NODE, number).is_ok();
    let opened = kernel.open(if made { NODE } else { path }, How::Device).result();
    if made {
        let _ = kernel.unlink(NODE);
    }
    opened.map(|fd| fd as Fd)
}

/// Prints a line as a message of the kernel. It takes ten of each open file in five seconds and drops the others unseen
/// (`devkmsg_write` in `kernel/printk/printk.c`), so every line has a file of its own.
#[cold]
fn log(kernel: &mut dyn Kernel, line: &str) -> Result<(), Errno> {
    let fd = device(kernel, LOG)?;
    let mut message = String::from(ALERT);
    message.push_str(line);
    let written = write_all(kernel, fd, message.as_bytes());
    kernel.close(fd);
    written
}
