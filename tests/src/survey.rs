//! The program as PID 1 of kernels of the lab: what it said on each, and whether that is what the facts say.

use crate::console::{self, Framed};
use crate::facts::{Difference, Facts};
use crate::kernels::Kernel;
use crate::qemu::Status;
use crate::{guests, report};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// What a guest said before it switched itself off.
#[derive(Debug)]
pub struct Visit {
    /// The text out of the frame, byte for byte.
    pub text: Vec<u8>,
    /// The exit code the run would have had.
    pub exit: i32,
    /// From the start of QEMU to its end.
    pub time: Duration,
}

/// Boots a kernel with a program as PID 1, and with these words at the end of its command line.
///
/// # Errors
/// Says what the guest did instead of printing a whole frame and switching itself off, and what the console said.
pub fn visit(kernel: &Kernel, program: &[u8], append: &str) -> Result<Visit> {
    let boot = guests::boot(kernel, &guests::initramfs(&[("init", program)]), append)?;
    let reading = console::read(&boot.log);
    if let Some(panic) = reading.panic {
        bail!("The kernel gave up: {panic}\nThe console said:\n{}", boot.text());
    }
    match reading.report {
        Framed::Whole { report, exit } if boot.status == Status::PoweredOff => {
            Ok(Visit { text: report, exit, time: boot.time })
        }
        other => {
            let got = match other {
                Framed::Nothing => "nothing framed came".into(),
                Framed::Truncated(lines) => format!("the frame ends after {lines} good lines"),
                Framed::Damaged { reason, .. } => format!("the frame is damaged: {reason}"),
                Framed::Whole { .. } => "the frame is whole".into(),
            };
            bail!("The guest ended as {:?}, and {got}. The console said:\n{}", boot.status, boot.text())
        }
    }
}

impl Visit {
    /// The report, if the text is one: it fits its schema and has every finding.
    pub fn report(&self) -> Result<Option<Value>> {
        if !serde_json::from_slice::<Value>(&self.text).is_ok_and(|json| json["schema"] == "mapprobe.report") {
            return Ok(None);
        }
        let report = report::parse(&self.text)?;
        ensure!(report["complete"] == true, "The report says itself that it is not complete.");
        Ok(Some(report))
    }
}

/// A kernel and what came of it.
#[derive(Debug)]
pub struct Entry {
    /// Which.
    pub kernel: &'static Kernel,
    /// The Debian package it was made of, with its version.
    pub package: String,
    /// What came of it.
    pub outcome: Result<Outcome>,
}

/// What came of a guest that did as it should.
#[derive(Debug)]
pub struct Outcome {
    /// From the start of QEMU to its end.
    pub time: Duration,
    /// The exit code the run would have had.
    pub exit: i32,
    /// Where what it said was written.
    pub file: PathBuf,
    /// The report and where it differs from the facts; none when the program was asked for something else.
    pub report: Option<(Value, Vec<Difference>)>,
}

impl Entry {
    /// Whether the guest did as it should and its report, if it made one, agrees with the facts.
    pub fn agrees(&self) -> bool {
        let different =
            |outcome: &Outcome| outcome.report.as_ref().is_some_and(|(_, differences)| !differences.is_empty());
        self.outcome.as_ref().is_ok_and(|outcome| !different(outcome))
    }
}

/// Boots kernels, with the program that `program` gives for each and these words at the end of their command lines, and
/// writes what they said into a folder. One that fails does not keep the others from being booted.
pub fn survey(
    kernels: &[&'static Kernel],
    program: impl Fn(&Kernel) -> Result<Vec<u8>>,
    append: &str,
    folder: &Path,
) -> Vec<Entry> {
    // Builds use the whole machine, so they come first, one after the other.
    let prepared: Vec<_> = kernels.iter().map(|kernel| (*kernel, prepare(kernel, &program))).collect();
    // How many guests run at a time is [`crate::qemu`]'s concern.
    thread::scope(|scope| {
        let guests = prepared.into_iter().map(|(kernel, prepared)| {
            scope.spawn(move || match prepared {
                Ok((package, program)) => Entry { kernel, package, outcome: record(kernel, &program, append, folder) },
                Err(error) => Entry { kernel, package: String::new(), outcome: Err(error) },
            })
        });
        let guests: Vec<_> = guests.collect();
        guests.into_iter().map(|guest| guest.join().expect("a guest's thread does not panic")).collect()
    })
}

/// What the kernel was made of, and the program for it.
fn prepare(kernel: &Kernel, program: impl Fn(&Kernel) -> Result<Vec<u8>>) -> Result<(String, Vec<u8>)> {
    let from = kernel.image()?.provenance;
    kernel.emulator.program(&targets::of(kernel.arch).machine)?;
    Ok((format!("{} {}", from.package, from.version), program(kernel)?))
}

/// Boots one kernel, keeps what it said, and compares it with the facts.
fn record(kernel: &Kernel, program: &[u8], append: &str, folder: &Path) -> Result<Outcome> {
    let visit = visit(kernel, program, append)?;
    let json = serde_json::from_slice::<Value>(&visit.text).is_ok();
    let file = folder.join(format!("{}.{}", kernel.name, if json { "json" } else { "txt" }));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, &visit.text))
        .with_context(|| format!("{} cannot be written.", file.display()))?;
    let report = match visit.report().with_context(|| format!("What the guest said is in {}.", file.display()))? {
        Some(report) => {
            let differences = Facts::of(kernel.name)?.compare(&report);
            Some((report, differences))
        }
        None => None,
    };
    Ok(Outcome { time: visit.time, exit: visit.exit, file, report })
}
