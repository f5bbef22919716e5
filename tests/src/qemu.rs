//! Boots a kernel in QEMU and keeps what it said on its serial console. Knows nothing about reports.
//!
//! Always with QEMU's own translation: `/dev/kvm` often exists where it does not work, and a guest that runs on the host's
//! processor would answer for that one.

use crate::emulator::Program;
use anyhow::{Context, Result};
use dist::progress::Step;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use targets::Machine;

/// How many guests run at a time.
pub const AT_ONCE: usize = 2;
/// How long a guest may take from start to power-off.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// How many lines of a console are worth showing.
const LAST: usize = 20;

/// What to boot, and how.
#[derive(Debug)]
pub struct VmConfig<'a> {
    /// For the progress lines.
    pub name: &'a str,
    /// What runs it; [`VmConfig::new`] gives it the one that is installed.
    pub emulator: Program,
    /// The machine that is emulated.
    pub machine: &'a Machine,
    /// The kernel image.
    pub kernel: &'a Path,
    /// The initramfs: cpio, compressed or not.
    pub initramfs: &'a [u8],
    /// Words for the kernel's command line, after the lab's own.
    pub append: &'a str,
    /// More arguments of QEMU; where one is given twice, the last counts.
    pub arguments: &'a [&'a str],
    /// How long it may take; [`VmConfig::new`] gives it 120 s.
    pub deadline: Duration,
}

impl<'a> VmConfig<'a> {
    /// One without anything special.
    pub fn new(
        name: &'a str,
        machine: &'a Machine,
        kernel: &'a Path,
        initramfs: &'a [u8],
    ) -> VmConfig<'a> {
        let emulator = Program { path: machine.qemu.into(), firmware: None };
        VmConfig {
            name,
            emulator,
            machine,
            kernel,
            initramfs,
            append: "",
            arguments: &[],
            deadline: DEADLINE,
        }
    }
}

/// What became of a guest.
#[derive(Debug)]
pub struct Boot {
    /// Everything on the serial console, as it came.
    pub log: Vec<u8>,
    /// How it ended.
    pub status: Status,
    /// How long it took.
    pub time: Duration,
}

impl Boot {
    /// The console log as text, for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.log).replace('\r', "")
    }

    /// The last lines on the console, for messages.
    pub fn last_words(&self) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(LAST)..];
        if last.is_empty() {
            return "The console said nothing.".into();
        }
        format!("The console ended with:\n    {}", last.join("\n    "))
    }
}

/// How a guest ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Status {
    /// It switched itself off.
    PoweredOff,
    /// It restarted; with `panic=-1` on its command line that is also how a kernel panic ends.
    Restarted,
    /// It was still running at its deadline.
    TimedOut,
    /// QEMU ended by itself: what it said.
    Failed(String),
}

/// Boots a guest and waits until it ends or its deadline passes. Fails only if QEMU cannot be started.
pub fn boot(guest: &VmConfig) -> Result<Boot> {
    let directory = tempfile::tempdir().context("A temporary directory could not be made.")?;
    let initrd = directory.path().join("initramfs");
    std::fs::write(&initrd, guest.initramfs)
        .with_context(|| format!("Writing {} failed.", initrd.display()))?;
    let Machine { package, arguments, memory, console, .. } = guest.machine;
    let Program { path: qemu, firmware } = &guest.emulator;
    let mut command = Command::new(qemu);
    if let Some(firmware) = firmware {
        command.arg("-L").arg(firmware);
    }
    command
        .args(*arguments)
        .args(["-accel", "tcg", "-m", &memory.to_string(), "-nographic", "-no-reboot"])
        // QEMU exits with 0 when the guest powers off and when it restarts; this line on stderr tells which.
        .args(["-trace", "qemu_system_shutdown_request"])
        .args(guest.arguments)
        .arg("-kernel")
        .arg(guest.kernel)
        .arg("-initrd")
        .arg(&initrd)
        .args(["-append", format!("console={console} panic=-1 quiet {}", guest.append).trim_end()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());

    let _turn = Turn::take();
    let step = Step::begin(format!("booting {}", guest.name));
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| {
        format!("{} could not be started; its package is {package}.", qemu.display())
    })?;
    let stdout = collect(child.stdout.take().expect("piped"));
    let stderr = collect(child.stderr.take().expect("piped"));
    let exit = wait(&mut child, start + guest.deadline);
    let time = start.elapsed();
    let log = stdout.join().expect("the reader does not panic");
    let said =
        String::from_utf8_lossy(&stderr.join().expect("the reader does not panic")).into_owned();
    let status = match exit? {
        None => Status::TimedOut,
        Some(code) => status(code, &said),
    };
    step.done();
    Ok(Boot { log, status, time })
}

/// Reads QEMU's exit code and what it wrote on stderr. It exits with 0 also when somebody ends it with a signal.
fn status(code: std::process::ExitStatus, said: &str) -> Status {
    // `SHUTDOWN_CAUSE_GUEST_SHUTDOWN`, QEMU's qapi/run-state.json. A restart makes no such request.
    let request =
        said.lines().find_map(|line| line.split("qemu_system_shutdown_request reason=").nth(1));
    match request.map(str::trim) {
        Some("6") if code.success() => Status::PoweredOff,
        None if code.success() && !said.contains("terminating on signal") => Status::Restarted,
        _ => Status::Failed(format!("QEMU ended with {code} and said: {}", said.trim())),
    }
}

/// Waits for a child; when the time is up, ends it and answers `None`.
fn wait(child: &mut Child, deadline: Instant) -> Result<Option<std::process::ExitStatus>> {
    loop {
        if let Some(code) = child.try_wait().context("Waiting for QEMU failed.")? {
            return Ok(Some(code));
        }
        if Instant::now() >= deadline {
            child.kill().context("QEMU could not be ended.")?;
            child.wait().context("Waiting for QEMU failed.")?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Reads a stream to its end, beside the child that writes it.
fn collect(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A stream that breaks off leaves what came before it, which is what there is to show.
        let _ = stream.read_to_end(&mut bytes);
        bytes
    })
}

/// One of the [`AT_ONCE`] places for a running guest.
struct Turn;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

impl Turn {
    fn take() -> Turn {
        let running = RUNNING.lock().expect("no holder panics");
        *ENDED.wait_while(running, |running| *running >= AT_ONCE).expect("no holder panics") += 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.lock().expect("no holder panics") -= 1;
        ENDED.notify_one();
    }
}
