//! The program as PID 1 of a machine: started by the kernel from an initramfs, as `/init` or by `rdinit=`.
//!
//! A failed step is never fatal: whatever happens, the report goes to the console as far as possible, and then the machine
//! goes on to the next init or is switched off. Returning would panic the kernel.

use crate::cli::{self, Asked, Options};
use crate::command::{self, FAILED, PRINTED, STDERR};
use crate::console::Console;
use crate::flags::Flag;
use crate::frame;
use crate::kernel::{Kernel, Op};
use crate::report::sentence;
use crate::text::Text;

/// The init that is started next when we were started in its place by `rdinit=`.
const NEXT: &str = "/init";
/// What the kernel was told, and how `rdinit=` and `init=` end.
const COMMAND_LINE: &str = "/proc/cmdline";
const INIT: &[u8] = b"init=";
/// The PID namespace of a process, and the last 31 bits of the inode number of that which a machine boots with:
/// `PROC_PID_INIT_INO`, `include/linux/proc_ns.h`.
const NAMESPACE: &str = "/proc/self/ns/pid";
const INITIAL: u32 = 0xefff_fffc & !SIGN;
/// What an inode number has not on every architecture.
const SIGN: u32 = 1 << 31;

/// Everything PID 1 does.
#[cold]
pub fn run(kernel: &mut dyn Kernel, arguments: &[&str], table: &'static [Flag]) -> ! {
    let console = Console::open(kernel);
    let (mut options, mut report, mut said) = (Options::default(), String::new(), String::new());
    let (asked, foreign) =
        split(arguments.get(1..).unwrap_or_default(), &mut options, &mut report, &mut said);
    // A complaint about what was asked for stands where the report would.
    let code = match asked {
        Asked::Kernel => command::answer(kernel, &mut options, table, &mut report),
        Asked::Program => Some(PRINTED),
    };
    let mut exit = FAILED;
    match code {
        None => said = command::complaint(&report),
        Some(code) if said.is_empty() => exit = code,
        Some(_) => {}
    }
    frame::lines(&report, exit, &mut |line| said.push_str(line));
    let replaced = is_in_place_of_another(kernel);
    console.say(kernel, &said);
    said.clear();
    let own_path = if replaced { arguments.first().copied().unwrap_or_default() } else { NEXT };
    hand_over(kernel, own_path, foreign, &mut said);
    if !said.is_empty() {
        Console::open(kernel).say(kernel, &said);
    }
    power_off(kernel)
}

/// Whether this process is the init of a machine, which must never end. A PID namespace's pid 1 is none: it may not end the machine,
/// and just exits. A machine's init that may not end it either is told by its namespace, where there is a /proc.
pub fn is_init(kernel: &mut dyn Kernel) -> bool {
    kernel.pid() == 1
        && (kernel.may_reboot().is_ok()
            || kernel
                .file(Op::FileInode, NAMESPACE)
                .result()
                .is_ok_and(|inode| inode as u32 & !SIGN == INITIAL))
}

/// Ends the process with `code`, or the machine when the process is its init.
pub fn end(kernel: &mut dyn Kernel, code: i32) -> ! {
    if is_init(kernel) {
        power_off(kernel)
    }
    kernel.exit(code)
}

/// What is asked of us, the words that are not ours, and a complaint about them. The kernel hands over words of its
/// command line that it does not know, then those after `--`, and firmware may add some at the end: ours are the first that can
/// be read together, as many as possible. An option among the others was misspelled; the report is printed all the same.
///
/// Measured: inside its only caller it makes the program larger.
#[cold]
#[inline(never)]
fn split<'a, 'b>(
    arguments: &'b [&'a str],
    options: &mut Options,
    said: &mut String,
    complaint: &mut String,
) -> (Asked, [&'b [&'a str]; 2]) {
    let mut from = 0;
    loop {
        // Behind the last word there is nothing, which can be read.
        for to in (from + 1..=arguments.len().max(from + 1)).rev() {
            *options = Options::default();
            said.clear();
            let Some(asked) = cli::read(arguments.get(from..to).unwrap_or_default(), options, said)
            else {
                continue;
            };
            let [before, behind] =
                [arguments.get(..from), arguments.get(to..)].map(Option::unwrap_or_default);
            let is_flag = |word: &&&str| word.starts_with("MAP_");
            let wrong = if before.len() == arguments.len() {
                let ours =
                    |word: &&str| word.starts_with('-') || is_flag(&word) || *word == "require";
                before.iter().position(ours).and_then(|at| before.get(at..))
            } else {
                // A flag whose name is wrong is ours as well, and must not be taken for nothing.
                behind.first().filter(is_flag).and_then(|_| arguments.get(from..=to))
            };
            let mut message = String::new();
            if let Some(words) = wrong
                && cli::read(words, &mut Options::default(), &mut message).is_none()
            {
                *complaint = command::complaint(&message);
            }
            return (asked, [before, behind]);
        }
        from += 1;
    }
}

/// Whether the kernel was told which init to start. If not, `/init` is what it started, and if that is not this file, became us: it is
/// not to be started again. Where it cannot be told, it is assumed.
#[cold]
fn is_in_place_of_another(kernel: &mut dyn Kernel) -> bool {
    let mut line = Vec::new();
    let read = kernel.read_file(COMMAND_LINE, &mut |block| line.extend_from_slice(block));
    read.is_err() || line.windows(INIT.len()).any(|word| word == INIT)
}

/// Starts the next init when there is one that is not this file. Returns when there is none, or with a complaint.
#[cold]
fn hand_over(kernel: &mut dyn Kernel, own_path: &str, foreign: [&[&str]; 2], said: &mut String) {
    // Together they say whether two names are one file.
    let mut same = true;
    for op in [Op::FileDevice, Op::FileInode] {
        let next = kernel.file(op, NEXT);
        if !next.is_ok() {
            return;
        }
        same &= kernel.file(op, own_path) == next;
    }
    if same {
        return;
    }
    let mut arguments = vec![NEXT, NEXT];
    for words in foreign {
        arguments.extend_from_slice(words);
    }
    let errno = kernel.execve(&arguments);
    let mut message = Text::COULD_NOT_START.string();
    sentence::errno(&mut message, errno);
    *said = command::complaint(&message);
}

/// Switches the machine off, or rests for good where it cannot.
#[cold]
fn power_off(kernel: &mut dyn Kernel) -> ! {
    // A serial line is closed when everything was sent, and switched off in the middle of it.
    for fd in 0..=STDERR {
        kernel.close(fd);
    }
    // In a child, if there can be one: the kernel ends whoever asks for this on a machine that then stays on (`kernel/reboot.c`), and
    // panics when that was its init.
    if !matches!(kernel.fork().result(), Ok(1..)) {
        let _ = kernel.reboot();
    }
    // Each sleeps where the other is refused.
    loop {
        let _ = kernel.pause();
        let _ = kernel.sleep();
    }
}
