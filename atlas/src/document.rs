//! The documents as data. Only what has passed its schema comes here.

use crate::input::Found;
use crate::schema::{ENVELOPE, FREE_BITS, REPORT, SWEEP, Schemas};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What the lab puts around a document.
#[derive(Clone, Debug, Deserialize)]
pub struct Envelope {
    /// The kernel's name in the lab.
    pub kernel: String,
    /// Who ran the program.
    pub guest: String,
    /// What the kernel was made of.
    pub origin: Origin,
    /// How the document came about.
    pub made: Made,
    /// From the start of the guest to its end.
    pub seconds: Option<f64>,
}

/// What a kernel was made of, and what ran it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Origin {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Its SHA-256.
    pub sha256: Option<String>,
    /// The suite it is part of.
    pub suite: Option<String>,
    /// What ran it.
    pub emulator: Option<String>,
}

/// How a document came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Made {
    /// On that kernel, in QEMU.
    Boot,
    /// From the recording of such a run.
    Recording,
    /// On a kernel made of rules that agrees with a recording of that kernel.
    Model,
}

impl Made {
    /// Its word in the envelope.
    pub const fn word(self) -> &'static str {
        match self {
            Made::Boot => "boot",
            Made::Recording => "recording",
            Made::Model => "model",
        }
    }
}

/// What every document begins with.
#[derive(Clone, Debug, Deserialize)]
pub struct Head {
    /// The program that asked.
    pub tool: Tool,
    /// What the kernel calls itself.
    pub kernel: Uname,
    /// Who asked.
    pub process: Process,
    /// What lies between the program and a kernel.
    pub environment: Vec<Lie>,
    /// The fail-on-unknown-flag test.
    pub validation: Option<Validation>,
    /// Whether everything could be asked.
    pub complete: bool,
}

/// The program that asked.
#[derive(Clone, Debug, Deserialize)]
pub struct Tool {
    /// Its version.
    pub version: String,
    /// The architecture whose numbers it used.
    pub arch: String,
}

/// uname(2).
#[derive(Clone, Debug, Deserialize)]
pub struct Uname {
    /// `Linux`, mostly.
    pub sysname: String,
    /// As `6.1.0-50-cloud-amd64`.
    pub release: String,
    /// When and how it was built.
    pub version: String,
    /// As `x86_64`.
    pub machine: String,
}

/// Who asked.
#[derive(Clone, Debug, Deserialize)]
pub struct Process {
    /// Effective user id.
    pub euid: Option<u64>,
    /// Bytes of a page.
    pub page_size: u64,
    /// Seconds since 1970; 0 on a machine without a clock.
    pub time: Option<u64>,
}

/// Something between the program and a kernel.
#[derive(Clone, Debug, Deserialize)]
pub struct Lie {
    /// What it is.
    pub name: String,
    /// What gave it away.
    pub evidence: String,
}

/// The fail-on-unknown-flag test.
#[derive(Clone, Debug, Deserialize)]
pub struct Validation {
    /// Whether there is a `MAP_SHARED_VALIDATE`.
    pub present: Option<bool>,
    /// The low bits that select a map type, as `0xf`.
    pub type_mask: Option<String>,
}

/// How a context answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Answer {
    /// The map type.
    #[serde(rename = "type")]
    pub map_type: String,
    /// What is mapped.
    pub backing: String,
    /// accepted, elsewhere, or the name of an error.
    pub outcome: String,
}

/// What was found out about a flag.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    /// The kernel's spelling.
    pub name: String,
    /// Its bits, as `0x80000`.
    pub value: Option<String>,
    /// The first kernel version with it.
    pub since: String,
    /// One word.
    pub verdict: String,
    /// Why, for programs.
    pub reason_code: String,
    /// Why, for people.
    pub reason: String,
    /// The answer per map type and backing.
    pub contexts: Vec<Answer>,
    /// The calls and what came back.
    pub evidence: Vec<String>,
}

/// `mapprobe.report`
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    /// Who asked whom.
    #[serde(flatten)]
    pub head: Head,
    /// One for each row of the table of that mapprobe.
    pub flags: Vec<Finding>,
}

/// `mapprobe.free-bits`
#[derive(Clone, Debug, Deserialize)]
pub struct FreeBits {
    /// Who asked whom.
    #[serde(flatten)]
    pub head: Head,
    /// Bits that `MAP_SHARED_VALIDATE` refuses.
    pub with_map_shared_validate: Vec<u32>,
    /// Bits that every map type refuses.
    pub with_any_map_type: Vec<u32>,
    /// Values of the type field that are refused.
    pub map_types: Vec<u32>,
}

/// `mapprobe.sweep`
#[derive(Clone, Debug, Deserialize)]
pub struct Sweep {
    /// Who asked whom.
    #[serde(flatten)]
    pub head: Head,
    /// The answers to every bit.
    pub sweep: Vec<Swept>,
    /// The answers to every map type.
    pub types: Vec<Answer>,
}

/// The answers of a context to every bit.
#[derive(Clone, Debug, Deserialize)]
pub struct Swept {
    /// The map type.
    #[serde(rename = "type")]
    pub map_type: String,
    /// What is mapped.
    pub backing: String,
    /// The answer without any bit.
    pub base: String,
    /// The answer with each bit.
    pub bits: Vec<String>,
}

/// One of the three.
#[derive(Clone, Debug)]
pub enum Document {
    /// A verdict per flag.
    Report(Report),
    /// What is guaranteed to fail.
    FreeBits(FreeBits),
    /// Every answer.
    Sweep(Sweep),
}

impl Document {
    /// What it begins with.
    pub fn head(&self) -> &Head {
        match self {
            Document::Report(Report { head, .. })
            | Document::FreeBits(FreeBits { head, .. })
            | Document::Sweep(Sweep { head, .. }) => head,
        }
    }
}

/// A value as a document, with its envelope if it has one.
///
/// # Errors
/// Names the place and the first thing that does not fit its schema.
pub fn open(schemas: &Schemas, found: &Found) -> Result<(Option<Envelope>, Document)> {
    let place = || found.place.to_string();
    if let Some(fault) = schemas.faults(&found.value).with_context(place)?.first() {
        bail!("{}: {}: {}; `atlas validate` says more", found.place, fault.pointer, fault.what);
    }
    let inside =
        if found.value["schema"] == ENVELOPE { &found.value["document"] } else { &found.value };
    let envelope = match std::ptr::eq(inside, &found.value) {
        true => None,
        false => Some(typed(&found.value).with_context(place)?),
    };
    let document = match inside["schema"].as_str() {
        Some(REPORT) => typed(inside).map(Document::Report),
        Some(FREE_BITS) => typed(inside).map(Document::FreeBits),
        Some(SWEEP) => typed(inside).map(Document::Sweep),
        _ => bail!(
            "{}: an envelope inside an envelope; a document of mapprobe is expected there",
            found.place
        ),
    };
    Ok((envelope, document.with_context(place)?))
}

fn typed<T: DeserializeOwned>(value: &Value) -> Result<T> {
    T::deserialize(value).context("it fits its schema, and still cannot be read")
}
