//! The report: plain data. One writer per format, each a file below; none calls the kernel.

use crate::arch::Arch;
use crate::cli::{Options, What, wrong};

use crate::evidence::Step;
use crate::experiment::environment::LIES;
use crate::experiment::validation::Validation;
use crate::flags::{Flag, TABLE};
use crate::kernel::{Uname, Word};
use crate::sweep::Sweep;
use crate::text::Text;
use crate::verdict::Finding;
use core::ops::Range;

pub(crate) mod columns;
mod json;
mod json_sweep;
pub(crate) mod ktap;
pub(crate) mod macros;
pub(crate) mod nfd;
pub(crate) mod prometheus;
pub mod sentence;
pub(crate) mod shell;
pub(crate) mod table;
mod template;

pub use json::{Writer, escape, escaped};

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

/// A bit of [`Report::required`] for every row.
const _: () = assert!(TABLE.len() <= u64::BITS as usize);

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
    /// Rows that are required, by `mapprobe require`: bit 0 stands for the first of [`Report::rows`]. Verdicts do not depend on it; a
    /// format may say where a requirement is not met.
    pub required: u64,
    /// What is only about how a report is printed.
    pub style: Style,
}

/// What is only about how a report is printed.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// What names begin with in formats that make names; none for the usual `MAPPROBE_`.
    pub prefix: Option<String>,
    /// Whether verdicts are coloured.
    pub colour: bool,
}

impl Report {
    /// What lies between this program and a kernel, or in the kernel's way.
    /// What it is called, and what gave it away.
    pub fn lies(&self) -> impl Iterator<Item = (Text, Text)> {
        self.lies_among(!0)
    }

    /// The same of some of [`LIES`].
    pub fn lies_among(&self, some: u16) -> impl Iterator<Item = (Text, Text)> {
        let mut left = self.environment & some;
        core::iter::from_fn(move || next_lie(&mut left))
    }

    /// Whether a row is required, by its place.
    pub fn requires(&self, row: usize) -> bool {
        self.required >> row & 1 == 1
    }

    /// The calls at some places.
    pub fn calls(&self, places: &Range<usize>) -> &[Step] {
        self.steps.get(places.clone()).unwrap_or_default()
    }
}

/// Takes the first away, as a bit for each of [`LIES`].
#[inline(never)]
fn next_lie(left: &mut u16) -> Option<(Text, Text)> {
    let at = left.trailing_zeros() as usize;
    *left &= left.wrapping_sub(1);
    let name = Text::LIES.nth(2 * at.min(LIES.len()));
    (at < LIES.len()).then_some((name, name.nth(1)))
}

/// What a format is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Every question.
    Everything,
    /// Verdicts.
    Verdicts,
    /// Verdicts as names of another language, which begin with a prefix.
    Names,
    /// Verdicts for people, in colour where that is wanted.
    People,
}

/// A format: its writer, and what that is for.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Turns a report into text that ends with a newline.
    pub write: fn(&Report) -> String,
    /// What it is for.
    pub fit: Fit,
    /// Whether [`Writer`] writes it too, row by row.
    pub by_row: bool,
}

/// Every format, the default first.
pub const FORMATS: &[Format] = &[
    Format { write: json::write, fit: Fit::Everything, by_row: true },
    Format { write: json::write_line, fit: Fit::Everything, by_row: false },
    Format { write: table::write, fit: Fit::People, by_row: false },
    Format { write: ktap::write, fit: Fit::Verdicts, by_row: false },
    Format { write: shell::write, fit: Fit::Names, by_row: false },
    Format { write: macros::write, fit: Fit::Names, by_row: false },
    Format { write: prometheus::write, fit: Fit::Verdicts, by_row: false },
    Format { write: nfd::write, fit: Fit::Verdicts, by_row: false },
];

/// What `--format` takes, in the same order.
pub(crate) const NAMES: [&str; FORMATS.len()] =
    ["json", "jsonl", "table", "ktap", "shell", "macros", "prometheus", "nfd"];

/// The format that is asked for, if it can print the answer to a question as it is to be printed. Nothing: what was said is why not.
#[inline(never)]
pub fn format(what: What, options: &Options, said: &mut String) -> Option<&'static Format> {
    let format = FORMATS.get(options.format)?;
    if what != What::Report && format.fit != Fit::Everything {
        return wrong(said, &what.word().string(), Text::JSON_ONLY);
    }
    match &options.style.prefix {
        Some(prefix) if format.fit != Fit::Names || !begins_a_name(prefix) => {
            Text::PREFIX_RULE.push(said);
            None
        }
        _ => Some(format),
    }
}

/// Whether names of C and of POSIX shells can begin with it; they can with nothing.
fn begins_a_name(prefix: &str) -> bool {
    let digit_first = prefix.as_bytes().first().is_some_and(u8::is_ascii_digit);
    !digit_first && prefix.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}
