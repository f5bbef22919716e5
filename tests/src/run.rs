//! Kernels of the lab in its scenarios: what the program said in each, and whether that is what the expectations say.

use crate::console::{self, Framed};
use crate::expectations::since::{self, Basis, Series};
use crate::expectations::{Difference, Expectations};
use crate::kernels::{self, Kernel};
use crate::qemu::{self, Status};
use crate::report;
use crate::scenarios::Scenario;
use anyhow::{Result, bail, ensure};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

mod outcome;
mod queue;

pub use outcome::{Completed, Entry, Origin, Outcome, Question};
pub use queue::{Plan, run};

/// What a scenario said before it switched itself off.
#[derive(Debug)]
pub struct Output {
    /// The text out of the frame, byte for byte.
    pub text: Vec<u8>,
    /// The exit code of the run, or the one it would have had.
    pub exit: i32,
    /// From the start of QEMU to its end.
    pub time: Duration,
}

/// How a kernel is visited.
#[derive(Clone, Copy, Debug)]
pub struct BootSpec<'a> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// What it is booted in.
    pub scenario: &'a Scenario,
    /// Its image, if not its own.
    pub image: Option<&'a Path>,
    /// Words for the program.
    pub words: &'a str,
    /// How long it may take.
    pub deadline: Duration,
    /// Where it stands among others, for whoever waits: as `3/14`, or empty.
    pub place: &'a str,
}

impl<'a> BootSpec<'a> {
    /// A kernel in a scenario, without anything special.
    pub fn of(kernel: &'a Kernel, scenario: &'a Scenario) -> BootSpec<'a> {
        BootSpec { kernel, scenario, image: None, words: "", deadline: qemu::DEADLINE, place: "" }
    }

    /// Boots with a program.
    ///
    /// # Errors
    /// Says what the scenario did instead of printing a whole frame and switching itself off, and what the console said last.
    pub fn boot(&self, program: &[u8]) -> Result<Output> {
        let BootSpec { kernel, scenario, deadline, .. } = *self;
        let prepared = scenario.prepare(kernel, program, self.words)?;
        let own;
        let image = match self.image {
            Some(image) => image,
            None => {
                own = kernel.image()?.path;
                &own
            }
        };
        let name = format!("{} {} {}", self.place, kernel.name, scenario.name);
        let boot = prepared.boot(name.trim(), kernel, image, deadline)?;
        let reading = console::read(&boot.log);
        if let Some(panic) = reading.panic {
            bail!("The kernel gave up: {panic}\n{}", boot.last_words());
        }
        let came = match reading.report {
            Framed::Whole { report, exit } if boot.status == Status::PoweredOff => {
                return Ok(Output { text: report, exit, time: boot.time });
            }
            Framed::Nothing => "nothing framed came".into(),
            Framed::Truncated(lines) => format!("the frame ends after {lines} good lines"),
            Framed::Damaged { reason, .. } => format!("the frame is damaged: {reason}"),
            Framed::Whole { .. } => "the frame is whole".into(),
        };
        let end = match &boot.status {
            Status::PoweredOff => "switched itself off".into(),
            Status::Restarted => "restarted".into(),
            Status::TimedOut => {
                format!("was ended, since it still ran after {} s", deadline.as_secs())
            }
            Status::Failed(reason) => format!("failed: {reason}"),
        };
        bail!("The guest {end}, and {came}.\n{}", boot.last_words())
    }
}

impl Output {
    /// The document, if the text is one that has a schema: it fits that, and says that it is complete.
    pub fn document(&self) -> Result<Option<Value>> {
        let schema = |json: &Value| {
            json["schema"].as_str().is_some_and(|name| name.starts_with("mapprobe."))
        };
        if !serde_json::from_slice::<Value>(&self.text).is_ok_and(|json| schema(&json)) {
            return Ok(None);
        }
        let document = report::parse(&self.text)?;
        ensure!(document["complete"] == true, "The report says itself that it is not complete.");
        Ok(Some(document))
    }
}

/// Compares a report with the expectations about a kernel in a scenario, or with the table alone where there are none about its series.
pub fn compare(
    report: &Value,
    kernel: &Kernel,
    scenario: &Scenario,
) -> Result<(Basis, Vec<Difference>)> {
    let expectations = Expectations::in_scenario(kernel.name, scenario.name)?;
    let (basis, mut differences) = since::compare(report, &expectations, kernel.arch, newest()?)?;
    let euid = &report["process"]["euid"];
    if *euid != scenario.euid {
        differences.push(Difference {
            flag: "process".into(),
            expected: format!("the user {}", scenario.euid),
            source: "the scenario's row".into(),
            got: format!("the user {euid}"),
            reason: "the program did not run as the scenario's user".into(),
            evidence: Vec::new(),
        });
    }
    Ok((basis, differences))
}

/// The newest series that there are expectations about.
fn newest() -> Result<Series> {
    let mut newest = (0, 0);
    for kernel in kernels::ALL {
        newest =
            newest.max(since::series(&Expectations::of(kernel.name)?.release).unwrap_or_default());
    }
    Ok(newest)
}
