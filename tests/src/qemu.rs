//! Boots a kernel in QEMU and keeps the output of its serial console.
//!
//! QEMU always emulates the processor (TCG): `/dev/kvm` often exists without working, and with it a
//! guest would use the host's processor.

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

/// The number of guests that run at the same time.
pub const AT_ONCE: usize = 2;
/// The time limit from start to power-off.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// The number of console lines in an error message.
const LAST_LINES: usize = 20;

/// A virtual machine and what it boots.
#[derive(Debug)]
pub struct VmConfig<'a> {
    /// The name in the progress display.
    pub name: &'a str,
    /// [`VmConfig::new`] uses the installed QEMU.
    pub emulator: Program,
    pub machine: &'a Machine,
    /// The kernel image.
    pub kernel: &'a Path,
    /// A cpio archive, compressed or not.
    pub initramfs: &'a [u8],
    /// Kernel command line arguments, after the lab's own.
    pub append: &'a str,
    /// Further arguments of QEMU. The last of repeated arguments applies.
    pub arguments: &'a [&'a str],
    /// [`VmConfig::new`] uses [`DEADLINE`].
    pub deadline: Duration,
}

impl<'a> VmConfig<'a> {
    /// A machine with defaults for everything else.
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

/// A finished boot.
#[derive(Debug)]
pub struct Boot {
    /// The bytes of the serial console.
    pub log: Vec<u8>,
    pub status: Status,
    /// From the start of QEMU to its end.
    pub time: Duration,
}

impl Boot {
    /// The console log as text, for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.log).replace('\r', "")
    }

    /// The last lines of the console, for messages.
    pub fn last_lines(&self) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
        if last.is_empty() {
            return "The console is empty.".into();
        }
        format!("The console ended with:\n    {}", last.join("\n    "))
    }
}

/// How a guest ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Status {
    PoweredOff,
    /// A kernel panic restarts too, because of `panic=-1` on the command line.
    Restarted,
    /// It was still running at the deadline.
    TimedOut,
    /// QEMU failed, with this message.
    Failed(String),
}

/// Boots a guest and waits for its end or its deadline.
///
/// # Errors
/// QEMU cannot be started.
pub fn boot(config: &VmConfig) -> Result<Boot> {
    let directory = tempfile::tempdir().context("A temporary directory cannot be created.")?;
    let initrd = directory.path().join("initramfs");
    std::fs::write(&initrd, config.initramfs)
        .with_context(|| format!("{} cannot be written.", initrd.display()))?;
    let Machine { package, arguments, memory, console, .. } = config.machine;
    let Program { path: qemu, firmware } = &config.emulator;
    let mut command = Command::new(qemu);
    if let Some(firmware) = firmware {
        command.arg("-L").arg(firmware);
    }
    command
        .args(*arguments)
        .args(["-accel", "tcg", "-m", &memory.to_string(), "-nographic", "-no-reboot"])
        // QEMU exits with 0 after a power-off and after a restart. This trace tells them apart.
        .args(["-trace", "qemu_system_shutdown_request"])
        .args(config.arguments)
        .arg("-kernel")
        .arg(config.kernel)
        .arg("-initrd")
        .arg(&initrd)
        .args(["-append", format!("console={console} panic=-1 quiet {}", config.append).trim_end()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());

    let _slot = Slot::take();
    let step = Step::begin(format!("booting {}", config.name));
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| {
        format!("{} cannot be started; its Debian package is {package}.", qemu.display())
    })?;
    let stdout = collect(child.stdout.take().expect("piped"));
    let stderr = collect(child.stderr.take().expect("piped"));
    let exit = wait(&mut child, start + config.deadline);
    let time = start.elapsed();
    let log = stdout.join().expect("the reading thread does not panic");
    let stderr =
        String::from_utf8_lossy(&stderr.join().expect("the reading thread does not panic"))
            .into_owned();
    let status = match exit? {
        None => Status::TimedOut,
        Some(code) => status(code, &stderr),
    };
    step.done();
    Ok(Boot { log, status, time })
}

/// The end of a guest, from QEMU's exit status and its standard error. QEMU also exits with 0 after
/// a signal.
fn status(code: std::process::ExitStatus, stderr: &str) -> Status {
    // 6 is `SHUTDOWN_CAUSE_GUEST_SHUTDOWN` (qapi/run-state.json of QEMU). A restart has no request.
    let request =
        stderr.lines().find_map(|line| line.split("qemu_system_shutdown_request reason=").nth(1));
    match request.map(str::trim) {
        Some("6") if code.success() => Status::PoweredOff,
        None if code.success() && !stderr.contains("terminating on signal") => Status::Restarted,
        _ => Status::Failed(format!("QEMU ended with {code}: {}", stderr.trim())),
    }
}

/// Waits for a child. At the deadline the child is killed, and there is no status.
fn wait(child: &mut Child, deadline: Instant) -> Result<Option<std::process::ExitStatus>> {
    loop {
        if let Some(code) = child.try_wait().context("Waiting for QEMU failed.")? {
            return Ok(Some(code));
        }
        if Instant::now() >= deadline {
            child.kill().context("QEMU cannot be killed.")?;
            child.wait().context("Waiting for QEMU failed.")?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Reads a stream to its end in a thread.
fn collect(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // After an error the bytes before it are still of use.
        let _ = stream.read_to_end(&mut bytes);
        bytes
    })
}

/// One of the [`AT_ONCE`] slots for a running guest.
struct Slot;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

impl Slot {
    fn take() -> Slot {
        let running = RUNNING.lock().expect("no holder of the lock panics");
        *ENDED
            .wait_while(running, |running| *running >= AT_ONCE)
            .expect("no holder of the lock panics") += 1;
        Slot
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *RUNNING.lock().expect("no holder of the lock panics") -= 1;
        ENDED.notify_one();
    }
}
