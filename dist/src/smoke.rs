//! Runs a built program, natively or under qemu-user, and checks its report.

use crate::workspace::{self, program};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::env::consts::ARCH;
use std::fmt;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use targets::Target;

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How a smoke test passed, or why there was none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Smoke {
    /// The program ran on this machine.
    Native,
    /// The program ran in this emulator.
    Emulated(&'static str),
    /// The program did not run, for this reason.
    Skipped(String),
}

impl fmt::Display for Smoke {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Smoke::Native => to.write_str("passed"),
            Smoke::Emulated(emulator) => write!(to, "passed in {emulator}"),
            Smoke::Skipped(reason) => write!(to, "skipped: {reason}"),
        }
    }
}

/// Runs a program without arguments. It must exit with 0 and print a complete report.
pub fn run(target: &Target, path: &Path) -> Result<Smoke> {
    let (mut command, smoke) = if target.arch.name() == ARCH {
        (workspace::command(path), Smoke::Native)
    } else {
        let Some(emulator) = target.emulator else {
            let name = target.arch.name();
            return Ok(Smoke::Skipped(format!(
                "this machine is {ARCH}, and {name} has no emulator"
            )));
        };
        if program(emulator).is_none() {
            return Ok(Smoke::Skipped(format!(
                "{emulator} is missing; it is in the Debian package qemu-user-static"
            )));
        }
        let mut command = workspace::command(emulator);
        command.arg(path);
        (command, Smoke::Emulated(emulator))
    };
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let output = wait(child.with_context(|| format!("cannot start {}", path.display()))?)?;
    let reason = match serde_json::from_slice::<serde_json::Value>(&output.stdout) {
        _ if !output.status.success() => format!("it exited with {}", output.status),
        Err(error) => format!("its output is not JSON: {error}"),
        Ok(report) if report["schema"] != "mapprobe.report" => {
            "its output does not have the schema mapprobe.report".into()
        }
        Ok(report) if report["complete"] != true => "its report is not complete".into(),
        Ok(_) => return Ok(smoke),
    };
    bail!(
        "The program failed its smoke test: {reason}. An exit code of 0 and a complete report \
         were expected. \
         Its stderr: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    )
}

/// Waits for a process until the time limit.
fn wait(child: Child) -> Result<Output> {
    let id = child.id();
    let start = Instant::now();
    let waiter = std::thread::spawn(move || child.wait_with_output());
    while !waiter.is_finished() {
        if start.elapsed() > TIME_LIMIT {
            let _ = workspace::command("kill").args(["-KILL", &id.to_string()]).status();
            let _ = waiter.join();
            bail!("The program did not exit within {} seconds.", TIME_LIMIT.as_secs());
        }
        sleep(Duration::from_millis(5));
    }
    let Ok(output) = waiter.join() else { bail!("cannot read the program's output") };
    output.context("cannot read the program's output")
}
