//! `cargo lab`: boots the kernels of the lab in its scenarios and compares what the program reports with the expectations, and builds in containers.

use anyhow::{Context, Result, bail, ensure};
use argh::FromArgs;
use lab::containers::Build;
use lab::kernels::{self, Kernel};
use lab::run::{self, Entry, Plan};
use lab::scenarios::{self, Scenario};
use lab::{artifacts, containers, documents, qemu, summary};
use mapprobe::arch::Arch;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Boots every kernel of the lab in every scenario, two at a time, with the delivered program. Prints the verdicts, what is not
/// as the expectations say, what was skipped and why, and how long it took; writes the documents to target/lab/NAME.json (in another
/// scenario than root NAME.GUEST.json), and all of them to target/lab/reports.ndjson. Then builds the program in containers, where
/// podman can start.
///
/// NAME.. are kernels and scenarios, such as x86_64-6.1 and memlock-0: only these kernels, in these scenarios. Kernels alone are booted
/// in the scenario root. Of a single kernel in a single scenario the report itself is printed. The name containers stands for the builds in
/// containers.
#[derive(FromArgs)]
struct Arguments {
    /// boot this program instead of the delivered one; without NAME.. only the kernels it fits
    #[argh(option, arg_name = "FILE")]
    program: Option<PathBuf>,

    /// words for the program; what it says then is written to target/lab/NAME.txt, unless it is JSON
    #[argh(option, arg_name = "WORDS")]
    args: Option<String>,

    /// boot this kernel image on the machine of the one kernel NAME; one of another series than that is compared with the flag table
    #[argh(option, arg_name = "FILE")]
    kernel: Option<PathBuf>,

    /// kernels, scenarios, containers
    #[argh(positional, arg_name = "NAME")]
    names: Vec<String>,
}

/// What is to be booted.
#[derive(Debug)]
struct Chosen {
    /// In the order of the lab.
    kernels: Vec<&'static Kernel>,
    scenarios: Vec<&'static Scenario>,
    /// Whether builds in containers are made.
    containers: bool,
    /// Instead of the delivered one.
    program: Option<Vec<u8>>,
}

/// The name of all builds in containers.
const CONTAINERS: &str = "containers";

/// Exit codes: 0 all as it should be (or help), 1 a scenario or a build failed or a report differs from the expectations, 2 wrong arguments.
fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
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
        Ok(chosen) => run(&arguments, chosen),
        Err(error) => usage(&format!("{error:#}")),
    }
}

fn usage(sentence: &str) -> ExitCode {
    eprintln!("cargo lab: {sentence}\nSay `cargo lab --help` for the arguments.");
    ExitCode::from(2)
}

fn run(arguments: &Arguments, chosen: Chosen) -> ExitCode {
    let (start, directory) = (Instant::now(), dist::workspace::root().join("target/lab"));
    let Chosen { kernels, scenarios, containers, program } = chosen;
    let own = |kernel: &Kernel| program.clone().map_or_else(|| artifacts::program(kernel.arch), Ok);
    let entries = run::run(&Plan {
        kernels,
        scenarios,
        program: &own,
        words: arguments.args.as_deref(),
        image: arguments.kernel.as_deref(),
        directory: &directory,
        deadline: qemu::DEADLINE,
    });
    let mut failed = entries.iter().any(Entry::failed);
    // The file holds what the delivered program says on the lab's kernels.
    if plain(arguments)
        && !entries.is_empty()
        && let Err(error) = documents::write(&directory.join("reports.ndjson"), &entries)
    {
        eprintln!("cargo lab: {error:#}");
        failed = true;
    }
    let builds = if containers { containers::builds(&directory) } else { Vec::new() };
    failed |= builds.iter().any(Build::failed);
    let summary = summary::text(&entries, &builds, start.elapsed());
    match single(&entries) {
        Some(report) => {
            print!("{report}");
            eprint!("{summary}");
        }
        None => print!("{summary}"),
    }
    ExitCode::from(u8::from(failed))
}

/// Whether the delivered program answers the lab's own questions on the lab's own kernels.
fn plain(arguments: &Arguments) -> bool {
    (&arguments.args, &arguments.program, &arguments.kernel) == (&None, &None, &None)
}

/// What a single kernel in a single scenario said.
fn single(entries: &[Entry]) -> Option<&str> {
    let first = entries.first()?;
    let same = entries.iter().all(|entry| {
        (entry.kernel.name, entry.scenario.name) == (first.kernel.name, first.scenario.name)
    });
    Some(first.completed()?.text.as_str()).filter(|_| same)
}

/// What the arguments ask for, or what is wrong with them.
fn chosen(arguments: &Arguments) -> Result<Chosen> {
    let (mut kernels, mut scenarios): (Vec<&Kernel>, Vec<&Scenario>) = (Vec::new(), Vec::new());
    let containers = arguments.names.iter().any(|name| name == CONTAINERS);
    ensure!(
        !containers || plain(arguments),
        "{CONTAINERS} are built without --program, --args and --kernel."
    );
    for name in arguments.names.iter().filter(|name| *name != CONTAINERS) {
        match (kernels::named(name), scenarios::named(name)) {
            (_, Some(scenario)) => scenarios.push(scenario),
            (Ok(kernel), None) => kernels.push(kernel),
            (Err(error), None) => {
                let names: Vec<&str> =
                    scenarios::ALL.iter().map(|scenario| scenario.name).collect();
                bail!(
                    "{error} No scenario is called so either; there are: {}. And there is {CONTAINERS}.",
                    names.join(", ")
                )
            }
        }
    }
    if arguments.kernel.is_some() {
        ensure!(
            kernels.len() == 1,
            "--kernel needs one NAME of a kernel: on its machine the image is booted."
        );
    }
    let program = match &arguments.program {
        None => None,
        Some(path) => {
            let program = std::fs::read(path)
                .with_context(|| format!("The program {} cannot be read.", path.display()))?;
            let arch = architecture(&program, path)?;
            if let Some(other) = kernels.iter().find(|kernel| kernel.arch != arch) {
                bail!(
                    "{} is a program for {}, and {} is not.",
                    path.display(),
                    arch.name(),
                    other.name
                );
            }
            Some((arch, program))
        }
    };
    if let Some(image) = &arguments.kernel {
        ensure!(image.is_file(), "The kernel image {} is not there.", image.display());
    }
    if scenarios.is_empty() {
        scenarios = scenarios::ALL
            .iter()
            .filter(|scenario| kernels.is_empty() || scenario.name == "root")
            .collect();
    }
    if containers && arguments.names.iter().all(|name| name == CONTAINERS) {
        return Ok(Chosen {
            kernels: Vec::new(),
            scenarios: Vec::new(),
            containers,
            program: None,
        });
    }
    let fits = |kernel: &Kernel| program.as_ref().is_none_or(|(arch, _)| kernel.arch == *arch);
    let wanted =
        |kernel: &Kernel| kernels.is_empty() || kernels.iter().any(|one| one.name == kernel.name);
    Ok(Chosen {
        kernels: kernels::ALL.iter().filter(|kernel| wanted(kernel) && fits(kernel)).collect(),
        scenarios: scenarios::ALL
            .iter()
            .filter(|scenario| scenarios.iter().any(|one| one.name == scenario.name))
            .collect(),
        containers: containers || (arguments.names.is_empty() && plain(arguments)),
        program: program.map(|(_, program)| program),
    })
}

/// What an ELF file runs on: `EI_DATA` and `e_machine`, elf(5).
fn architecture(program: &[u8], path: &Path) -> Result<Arch> {
    let refusal = || format!("{} is no program for any architecture of mapprobe.", path.display());
    ensure!(program.starts_with(b"\x7fELF"), refusal());
    let target = targets::ALL.into_iter().find(|target| {
        let machine = target.elf.machine;
        let (data, machine) = if target.elf.big_endian {
            (2, machine.to_be_bytes())
        } else {
            (1, machine.to_le_bytes())
        };
        program.get(5) == Some(&data) && program.get(18..20) == Some(&machine)
    });
    Ok(target.with_context(refusal)?.arch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(names: &[&str], program: Option<&Path>) -> Arguments {
        let names = names.iter().map(ToString::to_string).collect();
        Arguments { program: program.map(Path::to_owned), args: None, kernel: None, names }
    }

    /// The names of the kernels and the scenarios.
    fn names(arguments: &Arguments) -> Result<(Vec<&'static str>, Vec<&'static str>)> {
        let Chosen { kernels, scenarios, .. } = chosen(arguments)?;
        Ok((
            kernels.iter().map(|kernel| kernel.name).collect(),
            scenarios.iter().map(|scenario| scenario.name).collect(),
        ))
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let refusal = names(&arguments(&["x86_64-6.1", "vax-1.0"], None)).unwrap_err().to_string();
        for part in ["vax-1.0", "hppa-6.1", "memlock-0"] {
            assert!(refusal.contains(part), "{refusal}");
        }
    }

    #[test]
    fn no_name_is_all_and_a_name_given_twice_is_booted_once() {
        let all = names(&arguments(&[], None)).unwrap();
        assert_eq!((all.0.len(), all.1.len()), (kernels::ALL.len(), scenarios::ALL.len()));
        let some =
            names(&arguments(&["hppa-6.1", "user", "aarch64-6.1", "hppa-6.1", "user"], None))
                .unwrap();
        assert_eq!(some, (vec!["aarch64-6.1", "hppa-6.1"], vec!["user"]));
    }

    #[test]
    fn kernels_alone_are_booted_plainly_and_guests_alone_everywhere() {
        assert_eq!(
            names(&arguments(&["hppa-6.1"], None)).unwrap(),
            (vec!["hppa-6.1"], vec!["root"])
        );
        let user = names(&arguments(&["user"], None)).unwrap();
        assert_eq!((user.0.len(), user.1), (kernels::ALL.len(), vec!["user"]));
    }

    #[test]
    fn a_program_is_booted_on_its_own_architecture() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("program");
        std::fs::write(&file, b"\x7fELF\x01\x02\x01\0\0\0\0\0\0\0\0\0\0\x02\0\x0f").unwrap();
        let all = names(&arguments(&[], Some(&file))).unwrap().0;
        assert!(!all.is_empty() && all.iter().all(|name| name.starts_with("hppa")), "{all:?}");
        let refusal = names(&arguments(&["x86_64-6.1"], Some(&file))).unwrap_err().to_string();
        assert!(refusal.contains("is a program for hppa, and x86_64-6.1 is not"), "{refusal}");
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        assert!(names(&arguments(&[], Some(&file))).is_err());
    }

    #[test]
    fn containers_are_a_name_of_their_own_and_part_of_everything() {
        let chosen = |names: &[&str]| {
            let Chosen { kernels, scenarios, containers, .. } =
                chosen(&arguments(names, None)).unwrap();
            (kernels.len(), scenarios.len(), containers)
        };
        assert_eq!(chosen(&["containers"]), (0, 0, true));
        assert_eq!(chosen(&["containers", "hppa-6.1"]), (1, 1, true));
        assert_eq!(chosen(&["hppa-6.1"]), (1, 1, false));
        assert_eq!(chosen(&[]), (kernels::ALL.len(), scenarios::ALL.len(), true));
        let words = |names: &[&str]| {
            super::chosen(&Arguments { args: Some("list".into()), ..arguments(names, None) })
        };
        assert!(!words(&[]).unwrap().containers);
        assert!(
            words(&["containers"])
                .unwrap_err()
                .to_string()
                .contains("without --program, --args and --kernel")
        );
    }

    #[test]
    fn somebodys_image_needs_the_machine_of_one_kernel() {
        let with = |names: &[&str], image: &str| {
            chosen(&Arguments { kernel: Some(image.into()), ..arguments(names, None) })
        };
        let image = tempfile::NamedTempFile::new().unwrap();
        let image = image.path().to_str().unwrap();
        for several in [&[][..], &["user"], &["x86_64-6.1", "x86_64-7.x"]] {
            assert!(
                with(several, image).unwrap_err().to_string().contains("--kernel needs one NAME"),
                "{several:?}"
            );
        }
        assert!(
            with(&["x86_64-6.1"], "/no/such/image")
                .unwrap_err()
                .to_string()
                .contains("/no/such/image")
        );
        assert_eq!(with(&["x86_64-6.1", "user"], image).unwrap().scenarios[0].name, "user");
    }
}
