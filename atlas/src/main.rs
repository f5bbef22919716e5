//! `cargo atlas`: reads the documents that mapprobe writes.

use anyhow::{Context, Error, Result, anyhow, ensure};
use argh::FromArgs;
use atlas::diff::diff;
use atlas::publish::{Additions, publish};
use atlas::validate::validate;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Reads mapprobe documents. A file holds one document, or one document per line. The lab's
/// envelopes are accepted.
#[derive(FromArgs)]
struct Arguments {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Command {
    Page(Page),
    Validate(Validate),
    Diff(Diff),
}

/// Renders every flag on every kernel in FILE..: index.html, which is self-contained, and atlas.md.
#[derive(FromArgs)]
#[argh(subcommand, name = "page")]
struct Page {
    /// the output directory
    #[argh(option, arg_name = "DIR")]
    out: PathBuf,

    /// add Linux 4.10, which has no MAP_SHARED_VALIDATE, as simulated kernels
    #[argh(switch)]
    simulated: bool,

    /// add the recordings in this directory: KERNEL.report.txt and KERNEL.sweep.txt
    #[argh(option, arg_name = "DIR")]
    recordings: Option<PathBuf>,

    /// the former name of --simulated
    #[argh(switch, hidden_help)]
    models: bool,

    /// documents
    #[argh(positional, arg_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Validates every document in FILE.. against its schema. Exit codes: 0 all valid, 1 some invalid,
/// 2 error.
#[derive(FromArgs)]
#[argh(subcommand, name = "validate")]
struct Validate {
    /// documents
    #[argh(positional, arg_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Compares the reports in two files. Exit codes: 0 no changes, 1 changes, 2 error.
#[derive(FromArgs)]
#[argh(subcommand, name = "diff")]
struct Diff {
    /// the first report
    #[argh(positional)]
    old: PathBuf,

    /// the second report
    #[argh(positional)]
    new: PathBuf,
}

/// How a command ended.
#[derive(Clone, Copy)]
enum Status {
    Success,
    /// Documents are invalid, or reports differ.
    Mismatch,
    /// The arguments or the input are wrong, or the output cannot be written.
    Failure,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        match status {
            Status::Success => ExitCode::SUCCESS,
            Status::Mismatch => ExitCode::from(1),
            Status::Failure => ExitCode::from(2),
        }
    }
}

/// What a command prints.
struct Outcome {
    output: String,
    errors: Vec<Error>,
    status: Status,
}

fn main() -> ExitCode {
    let Outcome { output, mut errors, mut status } = run().unwrap_or_else(|error| Outcome {
        output: String::new(),
        errors: vec![error],
        status: Status::Failure,
    });
    if let Err(error) = print(&output) {
        errors.push(error);
        status = Status::Failure;
    }
    for error in errors {
        eprintln!("cargo atlas: {error:#}");
    }
    status.into()
}

fn print(output: &str) -> Result<()> {
    let mut stdout = std::io::stdout();
    stdout.write_all(output.as_bytes()).and_then(|()| stdout.flush()).context("Standard output")
}

fn run() -> Result<Outcome> {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match Arguments::from_args(&["cargo atlas"], &arguments) {
        Ok(Arguments { command }) => execute(command),
        Err(exit) if exit.status.is_ok() => Ok(success(exit.output)),
        Err(exit) => Err(anyhow!("{}\nRun `cargo atlas --help` for usage.", exit.output.trim())),
    }
}

fn success(output: String) -> Outcome {
    Outcome { output, errors: Vec::new(), status: Status::Success }
}

fn execute(command: Command) -> Result<Outcome> {
    match command {
        Command::Page(Page { out, simulated, recordings, models, files }) => {
            let additions =
                Additions { simulated: simulated || models, recordings: recordings.as_deref() };
            let is_empty = files.is_empty() && !additions.simulated && recordings.is_none();
            ensure!(!is_empty, "page needs at least one FILE");
            Ok(success(publish(&files, additions, &out)?))
        }
        Command::Validate(Validate { files }) => {
            ensure!(!files.is_empty(), "validate needs at least one FILE");
            let validation = validate(&files)?;
            let status = if !validation.errors.is_empty() {
                Status::Failure
            } else if validation.invalid > 0 {
                Status::Mismatch
            } else {
                Status::Success
            };
            Ok(Outcome { output: validation.to_string(), errors: validation.errors, status })
        }
        Command::Diff(Diff { old, new }) => {
            let changes = diff(&old, &new)?;
            let status = if changes.is_empty() { Status::Success } else { Status::Mismatch };
            let output = changes.iter().map(|change| format!("{change}\n")).collect();
            Ok(Outcome { output, errors: Vec::new(), status })
        }
    }
}
