//! `cargo lab`: boots the kernels of the lab with the program as PID 1 and compares what it reports with the facts.

use anyhow::{Context, Result, ensure};
use argh::FromArgs;
use lab::kernels::{self, Kernel};
use lab::{delivered, matrix, survey};
use mapprobe::arch::Arch;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Boots the kernels NAME.. (all when none is given), two at a time, with the delivered program as PID 1. Prints the verdicts,
/// where they are not those of the facts, and how long each boot took; writes the reports to target/lab/NAME.json.
#[derive(FromArgs)]
struct Arguments {
    /// boot this program instead of the delivered one; without NAME.. only the kernels it fits
    #[argh(option, arg_name = "FILE")]
    program: Option<PathBuf>,

    /// words for the program; what it says then is written to target/lab/NAME.txt, unless it is JSON
    #[argh(option, arg_name = "WORDS")]
    args: Option<String>,

    /// kernels, such as x86_64-6.1
    #[argh(positional, arg_name = "NAME")]
    names: Vec<String>,
}

/// Exit codes: 0 all agree (or help), 1 a guest failed or a report differs from the facts, 2 wrong arguments.
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let arguments = match Arguments::from_args(&["cargo lab"], &words) {
        Ok(arguments) => arguments,
        Err(exit) if exit.status.is_ok() => {
            print!("{}", exit.output);
            return ExitCode::SUCCESS;
        }
        Err(exit) => return usage(exit.output.trim()),
    };
    match chosen(&arguments) {
        Ok((kernels, program)) => run(&kernels, program.as_deref(), arguments.args.as_deref()),
        Err(error) => usage(&format!("{error:#}")),
    }
}

fn usage(sentence: &str) -> ExitCode {
    eprintln!("cargo lab: {sentence}\nSay `cargo lab --help` for the arguments.");
    ExitCode::from(2)
}

fn run(kernels: &[&'static Kernel], program: Option<&[u8]>, words: Option<&str>) -> ExitCode {
    let append = words.map(|words| format!("-- {words}")).unwrap_or_default();
    let program = |kernel: &Kernel| program.map_or_else(|| delivered::program(kernel.arch), |own| Ok(own.to_vec()));
    let entries = survey::survey(kernels, program, &append, &dist::workspace::root().join("target/lab"));
    print!("{}", matrix::text(&entries));
    ExitCode::from(u8::from(!entries.iter().all(survey::Entry::agrees)))
}

/// The kernels to boot, in the order of the lab, and the program to boot them with if it is not the delivered one.
fn chosen(arguments: &Arguments) -> Result<(Vec<&'static Kernel>, Option<Vec<u8>>)> {
    let named = arguments.names.iter().map(|name| kernels::named(name)).collect::<Result<Vec<_>>>()?;
    let wanted = |kernel: &&Kernel| named.is_empty() || named.iter().any(|one| one.name == kernel.name);
    let mut kernels: Vec<&Kernel> = kernels::ALL.iter().filter(wanted).collect();
    let Some(path) = &arguments.program else { return Ok((kernels, None)) };
    let program = std::fs::read(path).with_context(|| format!("The program {} cannot be read.", path.display()))?;
    let arch = architecture(&program, path)?;
    if let Some(other) = named.iter().find(|kernel| kernel.arch != arch) {
        anyhow::bail!("{} is a program for {}, and {} is not.", path.display(), arch.name(), other.name);
    }
    kernels.retain(|kernel| kernel.arch == arch);
    Ok((kernels, Some(program)))
}

/// What an ELF file runs on: `EI_DATA` and `e_machine`, elf(5).
fn architecture(program: &[u8], path: &Path) -> Result<Arch> {
    let refusal = || format!("{} is no program for any architecture of mapprobe.", path.display());
    ensure!(program.starts_with(b"\x7fELF"), refusal());
    let target = targets::ALL.into_iter().find(|target| {
        let machine = target.elf.machine;
        let (data, machine) =
            if target.elf.big_endian { (2, machine.to_be_bytes()) } else { (1, machine.to_le_bytes()) };
        program.get(5) == Some(&data) && program.get(18..20) == Some(&machine)
    });
    Ok(target.with_context(refusal)?.arch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(names: &[&str], program: Option<&Path>) -> Arguments {
        let names = names.iter().map(ToString::to_string).collect();
        Arguments { program: program.map(Path::to_owned), args: None, names }
    }

    fn names(arguments: &Arguments) -> Result<Vec<&'static str>> {
        Ok(chosen(arguments)?.0.iter().map(|kernel| kernel.name).collect())
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let refusal = names(&arguments(&["x86_64-6.1", "vax-1.0"], None)).unwrap_err().to_string();
        assert!(refusal.contains("vax-1.0") && refusal.contains("hppa-6.1"), "{refusal}");
    }

    #[test]
    fn no_name_is_all_and_a_name_given_twice_is_booted_once() {
        assert_eq!(names(&arguments(&[], None)).unwrap().len(), kernels::ALL.len());
        assert_eq!(
            names(&arguments(&["hppa-6.1", "aarch64-6.1", "hppa-6.1"], None)).unwrap(),
            ["aarch64-6.1", "hppa-6.1"]
        );
    }

    #[test]
    fn a_program_is_booted_on_its_own_architecture() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("program");
        std::fs::write(&file, b"\x7fELF\x01\x02\x01\0\0\0\0\0\0\0\0\0\0\x02\0\x0f").unwrap();
        let all = names(&arguments(&[], Some(&file))).unwrap();
        assert!(!all.is_empty() && all.iter().all(|name| name.starts_with("hppa")), "{all:?}");
        let refusal = names(&arguments(&["x86_64-6.1"], Some(&file))).unwrap_err().to_string();
        assert!(refusal.contains("is a program for hppa, and x86_64-6.1 is not"), "{refusal}");
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        assert!(names(&arguments(&[], Some(&file))).is_err());
    }
}
