//! `cargo floor`: compares the time and memory of mapprobe with its system calls alone.

use anyhow::{Context, Result, anyhow, bail, ensure};
use argh::FromArgs;
use dist::{Options, workspace};
use floor::figures::{Comparison, Figures};
use floor::trace::{self, Trace};
use floor::{baseline, calls, recording, timing};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const ARCH: &str = "x86_64";

/// The largest of several traced runs counts: the memory depends on the random address of the
/// stack.
const TRACED_RUNS: usize = 9;

/// Compares the x86_64 program in dist/out with a baseline: a program that makes the same system
/// calls and nothing else. Both run alternately on this machine. The baseline is kept in
/// target/floor. Exit codes: 0 within the budgets, 1 over a budget, 2 error.
#[derive(FromArgs)]
struct Arguments {
    /// measure this program instead of the one in dist/out
    #[argh(option, arg_name = "FILE")]
    program: Option<PathBuf>,

    /// runs of each program (2000)
    #[argh(option, arg_name = "NUMBER", default = "2000")]
    runs: usize,
}

fn main() -> ExitCode {
    match run() {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("cargo floor: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match Arguments::from_args(&["cargo floor"], &arguments) {
        Ok(arguments) => {
            let comparison = measure(&arguments)?;
            print!("{comparison}");
            Ok(ExitCode::from(u8::from(!comparison.is_within_budgets())))
        }
        Err(exit) if exit.status.is_ok() => {
            print!("{}", exit.output);
            Ok(ExitCode::SUCCESS)
        }
        Err(exit) => Err(anyhow!("{}\nRun `cargo floor --help` for usage.", exit.output.trim())),
    }
}

fn measure(arguments: &Arguments) -> Result<Comparison> {
    ensure!(arguments.runs > 0, "--runs must be at least 1");
    let program = match &arguments.program {
        Some(file) => {
            file.canonicalize().with_context(|| format!("{} cannot be found", file.display()))?
        }
        None => build_program()?,
    };
    let output_bytes = output(&program, &[])?.len();
    let recording = String::from_utf8(output(&program, &["--record", "-"])?)
        .context("The recording is not text")?;
    let calls = calls::of(&recording::parse(&recording, ARCH)?)?;
    let baseline = baseline::build(&calls, &workspace::root().join("target/floor"))?;
    let (program_trace, baseline_trace) = (trace_largest(&program)?, trace_largest(&baseline)?);
    trace::compare(&program_trace.calls, &baseline_trace.calls)
        .context("The baseline does not make the program's system calls")?;
    let [program_timings, baseline_timings] =
        timing::alternate([&program, &baseline], output_bytes, arguments.runs)?;
    Ok(Comparison {
        program: Figures { trace: program_trace, timings: program_timings, output_bytes },
        baseline: Figures { trace: baseline_trace, timings: baseline_timings, output_bytes: 0 },
    })
}

/// Traces several runs and returns the one with the most resident memory.
fn trace_largest(program: &Path) -> Result<Trace> {
    let traces = (0..TRACED_RUNS).map(|_| trace::run(program)).collect::<Result<Vec<_>>>()?;
    traces.into_iter().max_by_key(|trace| trace.memory.rss_kb).context("No run was traced.")
}

fn build_program() -> Result<PathBuf> {
    let target = targets::named(ARCH).with_context(|| format!("{ARCH} is not a target"))?;
    let artifacts = dist::build(&[target], &Options::default())?;
    Ok(artifacts.into_iter().next().context("cargo dist built no program")?.path)
}

/// Runs a program and returns its standard output.
fn output(program: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("{} cannot be run", program.display()))?;
    if !output.status.success() {
        bail!(
            "{} failed with {}: {}",
            program.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(output.stdout)
}
