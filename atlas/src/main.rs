//! `cargo atlas`: reads what mapprobe wrote.

use anyhow::{Context, Result, ensure};
use argh::FromArgs;
use atlas::outcome::{Outcome, SAME, TROUBLE};
use atlas::{diff, publish, validate};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Reads documents of mapprobe: bare ones, or one in an envelope of the lab on each line.
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

/// Makes a page of every flag on every kernel in FILE..: index.html, which needs nothing else, and atlas.md.
#[derive(FromArgs)]
#[argh(subcommand, name = "page")]
struct Page {
    /// the folder to write into
    #[argh(option, arg_name = "DIR")]
    out: PathBuf,

    /// add Linux 4.10, from before MAP_SHARED_VALIDATE, as models
    #[argh(switch)]
    models: bool,

    /// documents
    #[argh(positional, arg_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Checks every document in FILE.. against its schema. Exit codes: 0 all valid, 1 some are not, 2 trouble.
#[derive(FromArgs)]
#[argh(subcommand, name = "validate")]
struct Validate {
    /// documents
    #[argh(positional, arg_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Says what changed between the reports in two files. Exit codes: 0 nothing, 1 something, 2 trouble.
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

/// Exit codes: 0 done (or help), 1 not valid or not the same, 2 wrong arguments or input.
fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match Arguments::from_args(&["cargo atlas"], &words) {
        Ok(arguments) => {
            run(arguments.command).unwrap_or_else(|error| trouble(format!("{error:#}")))
        }
        Err(exit) if exit.status.is_ok() => {
            Outcome { text: exit.output, complaints: Vec::new(), exit: SAME }
        }
        Err(exit) => {
            trouble(format!("{}\nSay `cargo atlas --help` for the arguments.", exit.output.trim()))
        }
    };
    ExitCode::from(say(&outcome))
}

fn run(command: Command) -> Result<Outcome> {
    match command {
        Command::Page(Page { out, models, files }) => {
            ensure!(
                !files.is_empty() || models,
                "No file is named; there is nothing to make a page of."
            );
            publish::publish(&files, models, &out)
        }
        Command::Validate(Validate { files }) => {
            ensure!(!files.is_empty(), "No file is named; there is nothing to check.");
            validate::validate(&files)
        }
        Command::Diff(Diff { old, new }) => diff::diff(&old, &new),
    }
}

fn trouble(sentence: String) -> Outcome {
    Outcome { text: String::new(), complaints: vec![sentence], exit: TROUBLE }
}

/// Says it; what could not be said in full is trouble.
fn say(outcome: &Outcome) -> u8 {
    let mut exit = outcome.exit;
    let mut out = std::io::stdout();
    let said = out
        .write_all(outcome.text.as_bytes())
        .and_then(|()| out.flush())
        .context("Standard output");
    let unsaid = said.err().map(|error| format!("{error:#}"));
    for sentence in outcome.complaints.iter().chain(&unsaid) {
        eprintln!("cargo atlas: {sentence}");
    }
    if unsaid.is_some() {
        exit = TROUBLE;
    }
    exit
}
