//! The report: plain data. One writer per format, each a file below; none calls the kernel.

use crate::arch::Arch;
use crate::cli::What;
use crate::evidence::Step;
use crate::experiment::environment::LIES;
use crate::experiment::validation::Validation;
use crate::flags::Flag;
use crate::kernel::{Uname, Word};
use crate::sweep::Sweep;
use crate::text::Text;
use crate::verdict::Finding;
use core::ops::Range;

mod json;
mod json_sweep;
pub mod sentence;
mod table;

pub use json::{Writer, escaped};

/// The version of the report's form: a minor version only adds keys.
pub const SCHEMA_VERSION: &str = "1.0";

/// Who asked.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Process id; none with `--reproducible`.
    pub pid: Option<Word>,
    /// Effective user id, where the kernel passed it.
    pub euid: Option<Word>,
    /// Bytes of a page.
    pub page_size: Word,
    /// Seconds since 1970; none with `--reproducible`.
    pub time: Option<Word>,
}

/// A row of the table and what was found out about it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The row.
    pub flag: &'static Flag,
    /// Verdict and reason.
    pub finding: Finding,
    /// The calls, as places in [`Report::steps`].
    pub calls: Range<usize>,
}

/// Everything a run found out.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was asked for.
    pub what: What,
    /// The architecture whose numbers were used.
    pub arch: Arch,
    /// What the kernel calls itself.
    pub kernel: Uname,
    /// Who asked.
    pub process: Process,
    /// The paths the user named, escaped as in a JSON string.
    pub paths: Vec<String>,
    /// What lies between this program and a kernel, or in the kernel's way: a bit for each of [`LIES`].
    pub environment: u16,
    /// The fail-on-unknown-flag test and its calls; none when nothing could be asked.
    pub validation: Option<(Validation, Range<usize>)>,
    /// One row per row of the table, in its order.
    pub rows: Vec<Row>,
    /// Every bit and every map type; empty when verdicts were asked for.
    pub sweep: Sweep,
    /// Every call, in order.
    pub steps: Vec<Step>,
    /// Whether every row of the table has its finding.
    pub complete: bool,
}

impl Report {
    /// What lies between this program and a kernel, or in the kernel's way.
    /// What it is called, and what gave it away.
    pub fn lies(&self) -> impl Iterator<Item = (Text, Text)> {
        let noticed = (0..LIES.len()).filter(|at| self.environment >> at & 1 == 1);
        noticed.map(|at| (Text::LIES.nth(2 * at), Text::LIES.nth(2 * at + 1)))
    }

    /// The calls at some places.
    pub fn calls(&self, places: &Range<usize>) -> &[Step] {
        self.steps.get(places.clone()).unwrap_or_default()
    }
}

/// A format: its name on the command line and its writer.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Turns a report into text that ends with a newline.
    pub write: fn(&Report) -> String,
}

/// Every format, the default first.
pub const FORMATS: &[Format] = &[Format { write: json::write }, Format { write: table::write }];

/// What `--format` takes, in the same order.
pub(crate) const NAMES: [&str; FORMATS.len()] = ["json", "table"];
