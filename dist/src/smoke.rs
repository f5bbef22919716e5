//! Runs what was built, here or under qemu-user: the only proof that the linker's flags fit together.

use crate::workspace::{self, program};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::env::consts::ARCH;
use std::fmt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use targets::Target;

/// How long a run may take; it takes milliseconds.
const LIMIT: Duration = Duration::from_secs(60);

/// What became of the smoke test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Smoke {
    /// The program ran on this machine and printed a whole report.
    Native,
    /// It did so under this emulator.
    Emulated(&'static str),
    /// It was not run, and why.
    LeftOut(String),
}

impl fmt::Display for Smoke {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Smoke::Native => to.write_str("ran here"),
            Smoke::Emulated(emulator) => write!(to, "ran in {emulator}"),
            Smoke::LeftOut(reason) => write!(to, "left out: {reason}"),
        }
    }
}

/// Runs a program without arguments: exit code 0 and a complete report on stdout are a pass, everything else an error.
pub fn run(target: &Target, path: &Path) -> Result<Smoke> {
    let (mut command, smoke) = if target.arch.name() == ARCH {
        (workspace::command(path), Smoke::Native)
    } else {
        let Some(emulator) = target.emulator else {
            return Ok(Smoke::LeftOut(format!(
                "this machine is {ARCH}, and no emulator is named for {}",
                target.arch.name()
            )));
        };
        if program(emulator).is_none() {
            return Ok(Smoke::LeftOut(format!(
                "{emulator} is not here; it is in the Debian package qemu-user-static"
            )));
        }
        let mut command = workspace::command(emulator);
        command.arg(path);
        (command, Smoke::Emulated(emulator))
    };
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let said = ended(child.with_context(|| format!("{} cannot be started", path.display()))?)?;
    let reason = match serde_json::from_slice::<serde_json::Value>(&said.stdout) {
        _ if !said.status.success() => format!("it ended with {}", said.status),
        Err(reason) => format!("its output is no JSON: {reason}"),
        Ok(report) if report["schema"] != "mapprobe.report" => {
            "its output has not the schema mapprobe.report".into()
        }
        Ok(report) if report["complete"] != true => "its report is not complete".into(),
        Ok(_) => return Ok(smoke),
    };
    bail!(
        "The program was run ({smoke}) and failed: {reason}. An exit code of 0 and a complete report were expected. It said: {}",
        String::from_utf8_lossy(&said.stderr).trim()
    )
}

/// Waits for a process, but not forever.
fn ended(child: Child) -> Result<std::process::Output> {
    let id = child.id();
    let began = Instant::now();
    let waiter = std::thread::spawn(move || child.wait_with_output());
    while !waiter.is_finished() {
        if began.elapsed() > LIMIT {
            let _ = workspace::command("kill").args(["-KILL", &id.to_string()]).status();
            let _ = waiter.join();
            bail!("The program was run and did not end within {} seconds.", LIMIT.as_secs());
        }
        sleep(Duration::from_millis(5));
    }
    let Ok(said) = waiter.join() else { bail!("the output of the program could not be read") };
    said.context("the output of the program could not be read")
}
