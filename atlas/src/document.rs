//! The documents as data structures. Only values that passed their schema are converted.

use crate::input::Located;
use crate::schema::{ENVELOPE, FREE_BITS, REPORT, SWEEP, Schemas};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The scenario that is shown first: mapprobe as PID 1, without restrictions.
pub const DEFAULT_SCENARIO: &str = "root";

/// What the lab adds to a document. Some of the JSON keys have older names than the fields.
#[derive(Clone, Debug, Deserialize)]
pub struct Envelope {
    /// The name of the kernel in the lab.
    pub kernel: String,
    /// Who ran mapprobe, and under what.
    #[serde(rename = "guest")]
    pub scenario: String,
    #[serde(rename = "origin")]
    pub source: Source,
    #[serde(rename = "made")]
    pub origin: Origin,
}

/// The package of a kernel and the emulator that ran it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Source {
    pub package: String,
    pub version: String,
    pub sha256: Option<String>,
    /// The suite of the distribution, such as `bookworm`.
    pub suite: Option<String>,
    pub emulator: Option<String>,
}

/// Which kind of kernel a document is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A kernel booted in QEMU.
    Boot,
    /// The recorded system calls of a boot.
    Recording,
    /// A simulated kernel.
    #[serde(rename = "model")]
    Simulated,
}

impl Origin {
    pub const ALL: [Origin; 3] = [Origin::Boot, Origin::Recording, Origin::Simulated];

    /// The word for readers.
    pub const fn word(self) -> &'static str {
        match self {
            Origin::Boot => "boot",
            Origin::Recording => "recording",
            Origin::Simulated => "simulated",
        }
    }

    /// The value of the key `made` in an envelope.
    pub const fn json_word(self) -> &'static str {
        match self {
            Origin::Boot => "boot",
            Origin::Recording => "recording",
            Origin::Simulated => "model",
        }
    }

    pub const fn meaning(self) -> &'static str {
        match self {
            Origin::Boot => "a real kernel, booted in QEMU for this report",
            Origin::Recording => {
                "the recorded system calls of a boot, replayed through this version of mapprobe"
            }
            Origin::Simulated => {
                "a simulated kernel, which agrees call by call with a recording of the real one"
            }
        }
    }
}

/// The keys that all documents share.
#[derive(Clone, Debug, Deserialize)]
pub struct Header {
    pub tool: Tool,
    pub kernel: Uname,
    pub process: Process,
    /// What interfered with the measurements.
    pub environment: Vec<Interference>,
    pub validation: Option<Validation>,
    /// Whether every measurement was possible.
    pub complete: bool,
}

/// The mapprobe that wrote the document.
#[derive(Clone, Debug, Deserialize)]
pub struct Tool {
    pub version: String,
    /// The architecture of its system calls.
    pub arch: String,
}

/// The result of uname(2).
#[derive(Clone, Debug, Deserialize)]
pub struct Uname {
    pub sysname: String,
    pub release: String,
    pub version: String,
    pub machine: String,
}

/// The process that made the system calls.
#[derive(Clone, Debug, Deserialize)]
pub struct Process {
    pub euid: Option<u64>,
    /// In bytes.
    pub page_size: u64,
    /// Unix time; close to 0 on a machine without a clock.
    pub time: Option<u64>,
}

/// A detected condition that interferes with the measurements, such as a seccomp filter.
#[derive(Clone, Debug, Deserialize)]
pub struct Interference {
    pub name: String,
    pub evidence: String,
}

/// How the kernel treats unassigned bits and map types.
#[derive(Clone, Debug, Deserialize)]
pub struct Validation {
    /// Whether the kernel has `MAP_SHARED_VALIDATE`.
    pub present: Option<bool>,
    /// The bits that select the map type, such as `0xf`.
    pub type_mask: Option<String>,
}

/// The outcome of mmap(2) for a map type and a backing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ContextOutcome {
    #[serde(rename = "type")]
    pub map_type: String,
    /// What is mapped, such as `anonymous` or `memfd`.
    pub backing: String,
    /// `accepted`, `elsewhere`, or the name of an error.
    pub outcome: String,
}

/// What a report says about a flag.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    pub name: String,
    /// The bits, such as `0x80000`.
    pub value: Option<String>,
    /// The first kernel version with this flag.
    pub since: String,
    pub verdict: String,
    pub reason_code: String,
    pub reason: String,
    /// Whether a huge page can be had; `None` for other flags, and before schema 1.1.
    pub available: Option<String>,
    pub contexts: Vec<ContextOutcome>,
    /// System calls and their results.
    pub evidence: Vec<String>,
}

/// The document `mapprobe.report`.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    #[serde(flatten)]
    pub header: Header,
    pub flags: Vec<Finding>,
}

/// The document `mapprobe.free-bits`.
#[derive(Clone, Debug, Deserialize)]
pub struct FreeBits {
    #[serde(flatten)]
    pub header: Header,
    #[serde(flatten)]
    pub rejected: Rejected,
}

/// The bits and map types that a kernel always rejects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Rejected {
    /// Bits that `MAP_SHARED_VALIDATE` rejects.
    pub with_map_shared_validate: Vec<u32>,
    /// Bits that every map type rejects.
    pub with_any_map_type: Vec<u32>,
    pub map_types: Vec<u32>,
}

/// The document `mapprobe.sweep`.
#[derive(Clone, Debug, Deserialize)]
pub struct Sweep {
    #[serde(flatten)]
    pub header: Header,
    #[serde(rename = "sweep")]
    pub contexts: Vec<ContextSweep>,
    /// The outcomes of unnamed map types.
    pub types: Vec<ContextOutcome>,
}

/// The outcomes of every bit for a map type and a backing.
#[derive(Clone, Debug, Deserialize)]
pub struct ContextSweep {
    #[serde(rename = "type")]
    pub map_type: String,
    pub backing: String,
    /// The outcome without an additional bit.
    pub base: String,
    /// The outcome with each bit, indexed by the number of the bit.
    pub bits: Vec<String>,
}

/// A document of mapprobe.
#[derive(Clone, Debug)]
pub enum Document {
    Report(Report),
    FreeBits(FreeBits),
    Sweep(Sweep),
}

impl Document {
    pub fn header(&self) -> &Header {
        match self {
            Document::Report(Report { header, .. })
            | Document::FreeBits(FreeBits { header, .. })
            | Document::Sweep(Sweep { header, .. }) => header,
        }
    }
}

/// The document inside an envelope, or the value itself if there is no envelope.
pub fn inner(value: &Value) -> &Value {
    if is_envelope(value) { &value["document"] } else { value }
}

fn is_envelope(value: &Value) -> bool {
    value["schema"] == ENVELOPE
}

/// Validates a value and converts it, with its envelope if there is one.
///
/// # Errors
/// The value violates its schema; the first violation is named.
pub fn open(schemas: &Schemas, located: &Located) -> Result<(Option<Envelope>, Document)> {
    let Located { location, value } = located;
    let context = || location.to_string();
    if let Some(violation) = schemas.violations(value).with_context(context)?.first() {
        bail!("{location}: {violation}; `atlas validate` shows every error");
    }
    let envelope = match is_envelope(value) {
        true => Some(convert(value).with_context(context)?),
        false => None,
    };
    let inner = inner(value);
    let document = match inner["schema"].as_str() {
        Some(REPORT) => convert(inner).map(Document::Report),
        Some(FREE_BITS) => convert(inner).map(Document::FreeBits),
        Some(SWEEP) => convert(inner).map(Document::Sweep),
        _ => bail!("{location}: the envelope contains another envelope; expected a document"),
    };
    Ok((envelope, document.with_context(context)?))
}

fn convert<T: DeserializeOwned>(value: &Value) -> Result<T> {
    T::deserialize(value).context("the document is valid but cannot be converted")
}
