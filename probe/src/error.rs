//! The errors of a request. [`crate::app::error_line`] prints them.

use crate::request::Query;
use core::fmt;
use kernel::Errno;
use kernel::recording::Mismatch;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Arguments that cannot be parsed: the message.
    Usage(String),
    /// Options that exclude each other.
    Conflict(&'static str, &'static str),
    /// The format cannot hold the result of the query.
    JsonOnly(Query),
    /// `--prefix` without a format that defines names.
    UnusedPrefix,
    /// More than [`crate::paths::MOST`] paths.
    TooManyPaths {
        path: String,
        most: usize,
    },
    /// A path that is not UTF-8.
    NotUtf8 {
        path: String,
    },
    File {
        path: String,
        problem: FileProblem,
        errno: Errno,
    },
    /// A file that cannot be replayed.
    Recording {
        path: String,
        problem: RecordingProblem,
    },
    /// A signal ended the run, and it was not repeated: the message.
    Ended(String),
    /// A requirement whose flag or path the recording does not contain.
    NotRecorded {
        requirement: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileProblem {
    CannotOpen,
    CannotRead,
    CannotWrite,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingProblem {
    /// The head is not that of a recording.
    NotARecording,
    /// A recording of a 64-bit program, on a 32-bit machine.
    TooWide,
    /// The recorded arguments do not probe anything.
    NoQuery,
    /// The recorded arguments cannot be parsed: the message.
    Arguments(String),
    /// A line does not record the next call of the run.
    Differs(Mismatch),
    /// The run failed as it did when it was recorded: the message.
    Run(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Usage(message) | Error::Ended(message) => f.write_str(message),
            Error::Conflict(one, other) => write!(f, "{one} and {other} exclude each other"),
            Error::JsonOnly(query) => {
                write!(f, "{} needs --format json or jsonl", query.command())
            }
            Error::UnusedPrefix => f.write_str("--prefix needs --format macros or shell"),
            Error::TooManyPaths { path, most } => {
                write!(f, "{path}: at most {most} paths can be probed in one run")
            }
            Error::NotUtf8 { path } => write!(f, "{path}: a path must be UTF-8"),
            Error::File { path, problem, errno } => write!(f, "{path}: {problem}: {errno}"),
            Error::Recording { path, problem } => write!(f, "{path}: {problem}"),
            Error::NotRecorded { requirement } => {
                write!(f, "{requirement}: not in the recording")
            }
        }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            FileProblem::CannotOpen => "cannot be opened",
            FileProblem::CannotRead => "cannot be read",
            FileProblem::CannotWrite => "cannot be written",
        })
    }
}

impl fmt::Display for RecordingProblem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            RecordingProblem::NotARecording => f.write_str(
                "not a recording: expected the line `mapprobe recording 2` and an architecture",
            ),
            RecordingProblem::TooWide => f.write_str(
                "a recording of a 64-bit program can be replayed on 64-bit machines only",
            ),
            RecordingProblem::NoQuery => {
                f.write_str("the recorded arguments do not probe anything")
            }
            RecordingProblem::Arguments(message) | RecordingProblem::Run(message) => {
                f.write_str(message)
            }
            RecordingProblem::Differs(Mismatch { line, expected }) => {
                write!(f, "line {line} does not fit this version of mapprobe; expected: {expected}")
            }
        }
    }
}
