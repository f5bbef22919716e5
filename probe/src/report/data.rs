//! The report as data.

use crate::arch::Arch;
use crate::availability::Availability;
use crate::environment::Observed;
use crate::fixture::{FileKind, NoMemfd, PathUse};
use crate::flags::Flag;
use crate::outcome::Step;
use crate::request::Query;
use crate::sweep::Sweep;
use crate::validation::Validation;
use crate::verdict::Finding;
use core::ops::Range;
use kernel::Uname;

/// The version of the report's schema: a minor version only adds keys.
pub const SCHEMA_VERSION: &str = "1.1";

/// The process that probed.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// `None` with `--reproducible`.
    pub pid: Option<usize>,
    /// Effective user ID; `None` if the kernel did not pass it.
    pub euid: Option<usize>,
    /// Bytes of a page.
    pub page_size: usize,
    /// Seconds since 1970; `None` with `--reproducible`.
    pub time: Option<usize>,
}

/// The finding about a flag.
#[derive(Clone, Debug)]
pub struct Row {
    pub flag: Flag,
    pub finding: Finding,
    /// Whether this process can have a huge page now; `None` for a flag that is not about them.
    pub availability: Option<Availability>,
    /// The trace entries of its experiment: indices into [`Report::steps`].
    pub steps: Range<usize>,
}

/// The results of a run.
#[derive(Clone, Debug)]
pub struct Report {
    pub query: Query,
    /// The architecture whose numbers were used.
    pub arch: Arch,
    pub kernel: Uname,
    pub process: Process,
    /// The user's paths.
    pub paths: Vec<String>,
    /// How each of them was opened and mapped.
    pub path_uses: Vec<PathUse>,
    /// The file of the experiments; `None` when there was none.
    pub file: Option<FileKind>,
    /// Why it is not a memfd.
    pub no_memfd: Option<NoMemfd>,
    pub environment: Vec<Observed>,
    /// How the kernel validates flags, and the trace entries of everything that was measured before
    /// the first flag; `None` when nothing could be probed.
    pub validation: Option<(Box<Validation>, Range<usize>)>,
    /// One row per flag, in the order of the table.
    pub rows: Vec<Row>,
    /// Empty unless the query is a sweep or the free bits.
    pub sweep: Sweep,
    /// Every trace entry, in order.
    pub steps: Vec<Step>,
    /// Whether every flag has its finding.
    pub complete: bool,
    /// The flags that `mapprobe require` names. No verdict depends on them.
    pub required: Vec<Flag>,
    /// Whether a required flag needs the kernel's support alone, not a huge page now.
    pub support_only: bool,
}

impl Report {
    /// The trace entries in a range of indices.
    pub fn steps_at(&self, range: &Range<usize>) -> &[Step] {
        self.steps.get(range.clone()).unwrap_or_default()
    }
}
