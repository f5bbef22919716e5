//! The outcomes of boots: plain data.

use crate::cache_entry::Provenance;
use crate::expectations::Difference;
use crate::expectations::since::Basis;
use crate::kernels::Kernel;
use crate::scenarios::Scenario;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// The query of a boot, in the order of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Query {
    /// A verdict per flag, or the query in the user's own arguments.
    Report,
    /// The bits that are guaranteed to fail.
    FreeBits,
}

impl Query {
    /// Every query.
    pub const ALL: [Query; 2] = [Query::Report, Query::FreeBits];

    /// The arguments of the program.
    pub fn arguments(self) -> &'static str {
        match self {
            Query::Report => "",
            Query::FreeBits => "free-bits",
        }
    }

    /// The schema of the document that the program prints.
    pub fn schema(self) -> &'static str {
        match self {
            Query::Report => "mapprobe.report",
            Query::FreeBits => "mapprobe.free-bits",
        }
    }
}

/// A kernel in a scenario with the outcome of its boot.
#[derive(Debug)]
pub struct Entry {
    pub kernel: &'static Kernel,
    pub scenario: &'static Scenario,
    pub query: Query,
    pub outcome: Outcome,
}

/// The outcome of a boot.
#[derive(Debug)]
pub enum Outcome {
    /// The kernel was not booted, for this reason.
    Skipped(&'static str),
    /// The boot failed or could not be started: the error message.
    Failed(String),
    /// The guest printed a whole frame and powered off.
    Completed(Box<Completed>),
}

/// A boot that completed.
#[derive(Debug)]
pub struct Completed {
    /// From the start of QEMU to its end.
    pub time: Duration,
    /// The exit code of the run.
    pub exit: i32,
    /// The program's output.
    pub text: String,
    /// The file that the output was written to.
    pub file: PathBuf,
    pub origin: Origin,
    /// The output as a document, if it is one.
    pub document: Option<Value>,
    /// The comparison of a report; none for other documents.
    pub compared: Option<(Basis, Vec<Difference>)>,
}

/// The kernel package and the emulator of a boot.
#[derive(Clone, Debug)]
pub struct Origin {
    pub provenance: Provenance,
    /// The suite of the package; none for a kernel image given by the user.
    pub suite: Option<&'static str>,
    /// The version line of the emulator.
    pub emulator: String,
}

impl Entry {
    /// Such as `x86_64-6.1 user`, followed by the arguments of the query.
    pub fn name(&self) -> String {
        let name =
            format!("{} {} {}", self.kernel.name, self.scenario.name, self.query.arguments());
        name.trim_end().to_owned()
    }

    /// The boot, if it completed.
    pub fn completed(&self) -> Option<&Completed> {
        match &self.outcome {
            Outcome::Completed(completed) => Some(completed),
            Outcome::Skipped(_) | Outcome::Failed(_) => None,
        }
    }

    /// Whether the boot was skipped.
    pub fn skipped(&self) -> bool {
        matches!(self.outcome, Outcome::Skipped(_))
    }

    /// Where the report differs from the expectations.
    pub fn differences(&self) -> &[Difference] {
        let compared = self.completed().and_then(|completed| completed.compared.as_ref());
        compared.map_or(&[], |(_, differences)| differences)
    }

    /// Whether the boot or the run failed, or the report differs from the expectations.
    pub fn failed(&self) -> bool {
        match &self.outcome {
            Outcome::Skipped(_) => false,
            Outcome::Failed(_) => true,
            Outcome::Completed(completed) => completed.exit != 0 || !self.differences().is_empty(),
        }
    }
}
