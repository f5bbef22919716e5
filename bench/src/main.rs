//! `cargo floor`: how long the delivered program takes, and what it keeps in memory, beside its system calls alone.

use anyhow::{Context, Result, bail, ensure};
use argh::FromArgs;
use bench::figures::{self, Figures};
use bench::trace::Run;
use bench::{calls, clock, floor, recording, trace};
use dist::{Options, deliver, workspace};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What is measured.
const ARCH: &str = "x86_64";
/// Runs that are followed to see what is in memory.
const FOLLOWED: usize = 9;

/// Runs the delivered x86_64 program and a program that makes the same system calls and nothing else, by turns on this machine,
/// and says how far one is from the other. The second one is left in target/floor/.
#[derive(FromArgs)]
struct Arguments {
    /// measure this program instead of the delivered one
    #[argh(option, arg_name = "FILE")]
    program: Option<PathBuf>,

    /// runs of each (2000)
    #[argh(option, arg_name = "NUMBER", default = "2000")]
    runs: usize,
}

/// Exit codes: 0 within the budgets (or help), 1 over one of them, 2 wrong arguments, or it could not be measured.
fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let measured = match Arguments::from_args(&["cargo floor"], &words) {
        Ok(arguments) => measure(&arguments),
        Err(exit) if exit.status.is_ok() => {
            print!("{}", exit.output);
            return ExitCode::SUCCESS;
        }
        Err(exit) => {
            eprintln!(
                "cargo floor: {}\nSay `cargo floor --help` for the arguments.",
                exit.output.trim()
            );
            return ExitCode::from(2);
        }
    };
    match measured {
        Ok([program, floor]) => {
            print!("{}", figures::text(&program, &floor));
            ExitCode::from(u8::from(!figures::within(&program, &floor)))
        }
        Err(failure) => {
            eprintln!("cargo floor: {failure:#}");
            ExitCode::from(2)
        }
    }
}

/// The program and its floor.
fn measure(arguments: &Arguments) -> Result<[Figures; 2]> {
    ensure!(arguments.runs > 0, "--runs is 0; nothing can be said of no runs.");
    let program = match &arguments.program {
        Some(file) => {
            file.canonicalize().with_context(|| format!("{} is not here", file.display()))?
        }
        None => delivered()?,
    };
    let report = printed(&program, &[])?.len();
    let recorded = String::from_utf8(printed(&program, &["--record", "-"])?)
        .context("The recording is not text")?;
    let calls = calls::of(&recording::parse(&recorded, ARCH)?)?;
    let floor = floor::build(&calls, &workspace::root().join("target/floor"))?;
    let (of_program, of_floor) = (largest(&program)?, largest(&floor)?);
    trace::compare(&of_program.calls, &of_floor.calls)
        .context("The floor does not do what the program does")?;
    let [program, floor] = clock::by_turns([&program, &floor], report, arguments.runs)?;
    Ok([
        Figures { run: of_program, taken: program, report },
        Figures { run: of_floor, taken: floor, report: 0 },
    ])
}

/// Of several runs, the one with the most in memory: where the kernel puts the stack decides about a page.
fn largest(program: &Path) -> Result<Run> {
    let runs = (0..FOLLOWED).map(|_| trace::run(program)).collect::<Result<Vec<_>>>()?;
    runs.into_iter().max_by_key(|run| run.memory.rss).context("No run was followed.")
}

fn delivered() -> Result<PathBuf> {
    let target = targets::named(ARCH).with_context(|| format!("{ARCH} is no target"))?;
    let delivered = deliver(&[target], &Options::default())?;
    Ok(delivered.into_iter().next().context("dist delivered nothing")?.path)
}

/// What the program prints.
fn printed(program: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("{} cannot be run", program.display()))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}: {}",
            program.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(output.stdout)
}
