//! What came of a boot: plain data.

use crate::cache_entry::Provenance;
use crate::expectations::Difference;
use crate::expectations::since::Basis;
use crate::kernels::Kernel;
use crate::scenarios::Scenario;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// What the program is asked in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// A verdict per flag, or what the user's own words ask for.
    Report,
    /// Which bits are guaranteed to fail.
    FreeBits,
}

impl Question {
    /// Its words for the program.
    pub fn words(self) -> &'static str {
        match self {
            Question::Report => "",
            Question::FreeBits => "free-bits",
        }
    }
}

/// A kernel in a scenario, and what came of it.
#[derive(Debug)]
pub struct Entry {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// The scenario.
    pub scenario: &'static Scenario,
    /// What the program was asked.
    pub question: Question,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// It was not booted: why.
    Skipped(&'static str),
    /// It did not do as it should, or could not be booted: what happened, in sentences.
    Failed(String),
    /// It switched itself off after a whole frame.
    Completed(Box<Completed>),
}

/// What a scenario said that did as it should.
#[derive(Debug)]
pub struct Completed {
    /// From the start of QEMU to its end.
    pub time: Duration,
    /// The exit code of the run.
    pub exit: i32,
    /// What it said.
    pub text: String,
    /// Where that was written.
    pub file: PathBuf,
    /// What was booted, and with what.
    pub origin: Origin,
    /// The document, if it is one.
    pub document: Option<Value>,
    /// With what a report was compared, and where it differs; none where nothing is known about the document.
    pub compared: Option<(Basis, Vec<Difference>)>,
}

/// What was booted, and with what.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The package of the kernel.
    pub provenance: Provenance,
    /// The suite it came from.
    pub suite: &'static str,
    /// The emulator, in its own words.
    pub emulator: String,
}

impl Entry {
    /// As in `x86_64-6.1 user`, with what was asked if it is not the report.
    pub fn name(&self) -> String {
        format!("{} {} {}", self.kernel.name, self.scenario.name, self.question.words())
            .trim_end()
            .to_owned()
    }

    /// What the scenario said, if it did as it should.
    pub fn completed(&self) -> Option<&Completed> {
        match &self.outcome {
            Outcome::Completed(told) => Some(told),
            Outcome::Skipped(_) | Outcome::Failed(_) => None,
        }
    }

    /// Where its report differs from what was expected.
    pub fn differences(&self) -> &[Difference] {
        let compared = self.completed().and_then(|told| told.compared.as_ref());
        compared.map_or(&[], |(_, differences)| differences)
    }

    /// Whether something is wrong: the scenario failed, the run did, or its report differs.
    pub fn failed(&self) -> bool {
        match &self.outcome {
            Outcome::Skipped(_) => false,
            Outcome::Failed(_) => true,
            Outcome::Completed(told) => told.exit != 0 || !self.differences().is_empty(),
        }
    }
}
