//! The parts of a request: the query, its options, and the format of the result.

/// What a run measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Query {
    /// A verdict for every flag.
    #[default]
    Report,
    /// The result of every bit of the flags argument.
    Sweep,
    /// The bits and map types that are guaranteed to fail.
    FreeBits,
}

impl Query {
    pub const ALL: [Query; 3] = [Query::Report, Query::Sweep, Query::FreeBits];

    /// The command that makes the query.
    pub const fn command(self) -> &'static str {
        match self {
            Query::Report => "report",
            Query::Sweep => "sweep",
            Query::FreeBits => "free-bits",
        }
    }
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Json,
    JsonLines,
    Table,
    Ktap,
    Shell,
    Macros,
    Prometheus,
    Nfd,
}

impl Format {
    pub const ALL: [Format; 8] = [
        Format::Json,
        Format::JsonLines,
        Format::Table,
        Format::Ktap,
        Format::Shell,
        Format::Macros,
        Format::Prometheus,
        Format::Nfd,
    ];

    /// The value of `--format`.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::JsonLines => "jsonl",
            Format::Table => "table",
            Format::Ktap => "ktap",
            Format::Shell => "shell",
            Format::Macros => "macros",
            Format::Prometheus => "prometheus",
            Format::Nfd => "nfd",
        }
    }

    pub fn from_name(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Whether the format can hold a sweep and the free bits; the others print one verdict per
    /// flag.
    pub const fn holds_every_query(self) -> bool {
        matches!(self, Format::Json | Format::JsonLines)
    }

    /// Whether the format defines names, which begin with a prefix.
    pub const fn defines_names(self) -> bool {
        matches!(self, Format::Shell | Format::Macros)
    }

    /// Whether people read the format, in colour on a terminal.
    pub const fn is_for_people(self) -> bool {
        matches!(self, Format::Table)
    }
}

/// The version of the recordings that a run makes, or that its calls come from. A recording replays
/// only the calls that it holds, so the replay of an older one makes the calls of its version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordingVersion {
    /// Without what the calls of version 2 measure.
    One,
    #[default]
    Two,
}

/// What a run measures, and on which files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeOptions {
    pub query: Query,
    /// Files, directories and devices to probe beside anonymous memory, a memfd and a pipe.
    pub paths: Vec<String>,
    /// Whether to run the experiments that fill the address space.
    pub thorough: bool,
    /// Whether to leave out what differs between runs: process ID and time.
    pub reproducible: bool,
    /// Which calls the run makes.
    pub recording_version: RecordingVersion,
}
