//! One boot of a kernel in a scenario, and the program's output.

use crate::console::{self, Framed};
use crate::kernels::Kernel;
use crate::qemu::{self, Status};
use crate::report;
use crate::scenarios::Scenario;
use anyhow::{Result, bail, ensure};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// What the program printed before the guest powered off.
#[derive(Debug)]
pub struct Output {
    /// The text inside the frame, byte for byte.
    pub text: Vec<u8>,
    /// The exit code of the run. For PID 1, the exit code in the frame.
    pub exit: i32,
    /// From the start of QEMU to its end.
    pub time: Duration,
}

/// How a kernel is booted.
#[derive(Clone, Copy, Debug)]
pub struct BootSpec<'a> {
    pub kernel: &'a Kernel,
    pub scenario: &'a Scenario,
    /// A kernel image that replaces the kernel's own.
    pub image: Option<&'a Path>,
    /// Arguments of the program, separated by spaces.
    pub arguments: &'a str,
    /// The time limit of the boot.
    pub deadline: Duration,
    /// The position among other boots for the progress display, such as `3/14`; may be empty.
    pub position: &'a str,
}

impl<'a> BootSpec<'a> {
    /// A kernel in a scenario, with defaults for everything else.
    pub fn of(kernel: &'a Kernel, scenario: &'a Scenario) -> BootSpec<'a> {
        let deadline = qemu::DEADLINE;
        BootSpec { kernel, scenario, image: None, arguments: "", deadline, position: "" }
    }

    /// Boots with a program.
    ///
    /// # Errors
    /// The guest did not print a whole frame, or did not power off. The error has the last lines of
    /// the console.
    pub fn boot(&self, program: &[u8]) -> Result<Output> {
        let BootSpec { kernel, scenario, deadline, .. } = *self;
        let prepared = scenario.prepare(kernel, program, self.arguments)?;
        let own;
        let image = match self.image {
            Some(image) => image,
            None => {
                own = kernel.image()?.path;
                &own
            }
        };
        let name = format!("{} {} {}", self.position, kernel.name, scenario.name);
        let boot = prepared.boot(name.trim(), kernel, image, deadline)?;
        let reading = console::read(&boot.log);
        if let Some(panic) = reading.panic {
            bail!("The kernel panicked: {panic}\n{}", boot.last_lines());
        }
        let output = match reading.report {
            Framed::Whole { report, exit } if boot.status == Status::PoweredOff => {
                return Ok(Output { text: report, exit, time: boot.time });
            }
            Framed::Nothing => "its console has no frame".into(),
            Framed::Truncated(lines) => format!("its frame ends after {lines} valid lines"),
            Framed::Damaged { reason, .. } => format!("its frame is damaged: {reason}"),
            Framed::Whole { .. } => "its frame is whole".into(),
        };
        let end = match &boot.status {
            Status::PoweredOff => "powered off".into(),
            Status::Restarted => "restarted".into(),
            Status::TimedOut => format!("was still running after {} s", deadline.as_secs()),
            Status::Failed(reason) => format!("failed: {reason}"),
        };
        bail!("The guest {end}, and {output}.\n{}", boot.last_lines())
    }
}

impl Output {
    /// The document, if the text has a schema of mapprobe.
    ///
    /// # Errors
    /// The document does not fit its schema, or says that it is incomplete.
    pub fn document(&self) -> Result<Option<Value>> {
        let schema = |json: &Value| {
            json["schema"].as_str().is_some_and(|name| name.starts_with("mapprobe."))
        };
        if !serde_json::from_slice::<Value>(&self.text).is_ok_and(|json| schema(&json)) {
            return Ok(None);
        }
        let document = report::parse(&self.text)?;
        ensure!(document["complete"] == true, "The report says that it is incomplete.");
        Ok(Some(document))
    }
}
