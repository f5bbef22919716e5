//! `cargo lab`: boots the kernels of the lab in its scenarios, compares the reports with the
//! expectations, and builds in containers.

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

/// Boots every kernel of the lab in every scenario, two at a time, with the released program.
/// Prints the verdicts, the differences from the expectations, the skips with their reasons, and
/// the times. Writes the documents to target/lab/KERNEL.json (target/lab/KERNEL.SCENARIO.json
/// unless the scenario is root), and all of them to target/lab/reports.ndjson. Then builds the
/// program in containers, if podman can start.
///
/// NAME.. are kernels and scenarios, such as x86_64-6.1 and memlock-0: only these kernels are
/// booted, in these scenarios. Kernels alone are booted in the scenario root. For a single kernel
/// in a single scenario the report itself is printed. The name containers stands for the builds in
/// containers.
#[derive(FromArgs)]
struct Arguments {
    /// boot this program instead of the released one; without NAME.. only the kernels of its
    /// architecture
    #[argh(option, arg_name = "FILE")]
    program: Option<PathBuf>,

    /// arguments of the program; its output is written to target/lab/NAME.txt, unless it is JSON
    #[argh(option, arg_name = "WORDS")]
    args: Option<String>,

    /// boot this kernel image on the machine of the one kernel NAME; an image of another series is
    /// compared with the flag table
    #[argh(option, arg_name = "FILE")]
    kernel: Option<PathBuf>,

    /// kernels, scenarios, containers
    #[argh(positional, arg_name = "NAME")]
    names: Vec<String>,
}

impl Arguments {
    /// Whether the run uses the released program, the lab's own queries and the lab's own kernels.
    fn is_standard(&self) -> bool {
        self.args.is_none() && self.program.is_none() && self.kernel.is_none()
    }
}

/// What is booted and built.
#[derive(Debug)]
struct Selection {
    /// In the order of the lab.
    kernels: Vec<&'static Kernel>,
    scenarios: Vec<&'static Scenario>,
    /// Whether the program is built in containers.
    containers: bool,
    /// The program that replaces the released one.
    program: Option<Vec<u8>>,
}

/// The name that stands for all builds in containers.
const CONTAINERS: &str = "containers";

/// The exit codes of `cargo lab`.
enum Status {
    /// Everything is as expected, or the help was printed.
    Passed,
    /// A boot or a build failed, or a report differs from the expectations.
    Failed,
    /// The arguments are wrong.
    Usage,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(match status {
            Status::Passed => 0,
            Status::Failed => 1,
            Status::Usage => 2,
        })
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let status = match Arguments::from_args(&["cargo lab"], &arguments) {
        Err(exit) if exit.status.is_ok() => {
            print!("{}", exit.output);
            return Status::Passed.into();
        }
        Err(exit) => Err((Status::Usage, exit.output.trim().to_owned())),
        Ok(arguments) => match select(&arguments) {
            Err(error) => Err((Status::Usage, format!("{error:#}"))),
            Ok(selection) => run_lab(&arguments, selection)
                .map_err(|error| (Status::Failed, format!("{error:#}"))),
        },
    };
    match status {
        Ok(status) => status.into(),
        Err((status, message)) => {
            eprintln!("cargo lab: {message}");
            if matches!(status, Status::Usage) {
                eprintln!("See `cargo lab --help` for the arguments.");
            }
            status.into()
        }
    }
}

/// Boots and builds the selection, and prints the summary.
fn run_lab(arguments: &Arguments, selection: Selection) -> Result<Status> {
    let (start, directory) = (Instant::now(), dist::workspace::root().join("target/lab"));
    let Selection { kernels, scenarios, containers, program } = selection;
    let program_of =
        |kernel: &Kernel| program.clone().map_or_else(|| artifacts::program(kernel.arch), Ok);
    let entries = run::run(&Plan {
        kernels,
        scenarios,
        program: &program_of,
        arguments: arguments.args.as_deref(),
        image: arguments.kernel.as_deref(),
        directory: &directory,
        deadline: qemu::DEADLINE,
    });
    // The file has only the output of the released program on the lab's own kernels.
    let written = match arguments.is_standard() && !entries.is_empty() {
        true => documents::write(&directory.join("reports.ndjson"), &entries),
        false => Ok(()),
    };
    let builds = if containers { containers::builds(&directory) } else { Vec::new() };
    let summary = summary::text(&entries, &builds, start.elapsed());
    match single_report(&entries) {
        Some(report) => {
            print!("{report}");
            eprint!("{summary}");
        }
        None => print!("{summary}"),
    }
    written?;
    let failed = entries.iter().any(Entry::failed) || builds.iter().any(Build::failed);
    Ok(if failed { Status::Failed } else { Status::Passed })
}

/// The output of a single kernel in a single scenario.
fn single_report(entries: &[Entry]) -> Option<&str> {
    let first = entries.first()?;
    let name = |entry: &Entry| (entry.kernel.name, entry.scenario.name);
    let single = entries.iter().all(|entry| name(entry) == name(first));
    Some(first.completed()?.text.as_str()).filter(|_| single)
}

/// The selection that the arguments describe.
fn select(arguments: &Arguments) -> Result<Selection> {
    let (mut kernels, mut scenarios): (Vec<&Kernel>, Vec<&Scenario>) = (Vec::new(), Vec::new());
    let containers = arguments.names.iter().any(|name| name == CONTAINERS);
    ensure!(
        !containers || arguments.is_standard(),
        "{CONTAINERS} are built without --program, --args and --kernel."
    );
    for name in arguments.names.iter().filter(|name| *name != CONTAINERS) {
        match (kernels::named(name), scenarios::named(name)) {
            (_, Some(scenario)) => scenarios.push(scenario),
            (Ok(kernel), None) => kernels.push(kernel),
            (Err(error), None) => {
                let names: Vec<&str> =
                    scenarios::ALL.iter().map(|scenario| scenario.name).collect();
                bail!("{error} The scenarios are {}, and {CONTAINERS}.", names.join(", "))
            }
        }
    }
    if let Some(image) = &arguments.kernel {
        ensure!(
            kernels.len() == 1,
            "--kernel needs one NAME of a kernel: the image is booted on its machine."
        );
        ensure!(image.is_file(), "The kernel image {} does not exist.", image.display());
    }
    let program = match &arguments.program {
        Some(path) => Some(read_program(path, &kernels)?),
        None => None,
    };
    if containers && kernels.is_empty() && scenarios.is_empty() {
        return Ok(Selection { kernels, scenarios, containers, program: None });
    }
    let all_scenarios = scenarios.is_empty() && kernels.is_empty();
    let is_selected = |scenario: &Scenario| match scenarios.is_empty() {
        true => all_scenarios || scenario.name == "root",
        false => scenarios.iter().any(|one| one.name == scenario.name),
    };
    let fits = |kernel: &Kernel| program.as_ref().is_none_or(|(arch, _)| kernel.arch == *arch);
    let named =
        |kernel: &Kernel| kernels.is_empty() || kernels.iter().any(|one| one.name == kernel.name);
    Ok(Selection {
        kernels: kernels::ALL.iter().filter(|kernel| named(kernel) && fits(kernel)).collect(),
        scenarios: scenarios::ALL.iter().filter(|scenario| is_selected(scenario)).collect(),
        containers: containers || (arguments.names.is_empty() && arguments.is_standard()),
        program: program.map(|(_, program)| program),
    })
}

/// Reads a program, which must be for the architecture of the kernels.
fn read_program(path: &Path, kernels: &[&Kernel]) -> Result<(Arch, Vec<u8>)> {
    let program = std::fs::read(path)
        .with_context(|| format!("The program {} cannot be read.", path.display()))?;
    let arch = architecture(&program, path)?;
    if let Some(other) = kernels.iter().find(|kernel| kernel.arch != arch) {
        bail!("{} is a program for {}, and {} is not.", path.display(), arch.name(), other.name);
    }
    Ok((arch, program))
}

/// The architecture of an ELF file, from `EI_DATA` and `e_machine` (elf(5)).
fn architecture(program: &[u8], path: &Path) -> Result<Arch> {
    const LITTLE_ENDIAN: u8 = 1;
    const BIG_ENDIAN: u8 = 2;
    let message =
        || format!("{} is not a program for an architecture of mapprobe.", path.display());
    ensure!(program.starts_with(b"\x7fELF"), message());
    let target = targets::ALL.into_iter().find(|target| {
        let machine = target.elf.machine;
        let (data, machine) = match target.elf.big_endian {
            true => (BIG_ENDIAN, machine.to_be_bytes()),
            false => (LITTLE_ENDIAN, machine.to_le_bytes()),
        };
        program.get(5) == Some(&data) && program.get(18..20) == Some(&machine)
    });
    Ok(target.with_context(message)?.arch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(names: &[&str], program: Option<&Path>) -> Arguments {
        let names = names.iter().map(ToString::to_string).collect();
        Arguments { program: program.map(Path::to_owned), args: None, kernel: None, names }
    }

    /// The names of the selected kernels and scenarios.
    fn names(arguments: &Arguments) -> Result<(Vec<&'static str>, Vec<&'static str>)> {
        let Selection { kernels, scenarios, .. } = select(arguments)?;
        Ok((
            kernels.iter().map(|kernel| kernel.name).collect(),
            scenarios.iter().map(|scenario| scenario.name).collect(),
        ))
    }

    #[test]
    fn the_error_for_an_unknown_name_lists_the_known_names() {
        let error = names(&arguments(&["x86_64-6.1", "vax-1.0"], None)).unwrap_err().to_string();
        for part in ["vax-1.0", "hppa-6.1", "memlock-0"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn no_name_selects_all_and_a_repeated_name_counts_once() {
        let all = names(&arguments(&[], None)).unwrap();
        assert_eq!((all.0.len(), all.1.len()), (kernels::ALL.len(), scenarios::ALL.len()));
        let some =
            names(&arguments(&["hppa-6.1", "user", "aarch64-6.1", "hppa-6.1", "user"], None))
                .unwrap();
        assert_eq!(some, (vec!["aarch64-6.1", "hppa-6.1"], vec!["user"]));
    }

    #[test]
    fn kernels_alone_get_the_root_scenario_and_scenarios_alone_get_every_kernel() {
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
        let error = names(&arguments(&["x86_64-6.1"], Some(&file))).unwrap_err().to_string();
        assert!(error.contains("is a program for hppa, and x86_64-6.1 is not"), "{error}");
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        assert!(names(&arguments(&[], Some(&file))).is_err());
    }

    #[test]
    fn containers_are_selected_by_name_and_by_default() {
        let selected = |names: &[&str]| {
            let Selection { kernels, scenarios, containers, .. } =
                select(&arguments(names, None)).unwrap();
            (kernels.len(), scenarios.len(), containers)
        };
        assert_eq!(selected(&["containers"]), (0, 0, true));
        assert_eq!(selected(&["containers", "hppa-6.1"]), (1, 1, true));
        assert_eq!(selected(&["hppa-6.1"]), (1, 1, false));
        assert_eq!(selected(&[]), (kernels::ALL.len(), scenarios::ALL.len(), true));
        let with_arguments = |names: &[&str]| {
            super::select(&Arguments { args: Some("list".into()), ..arguments(names, None) })
        };
        assert!(!with_arguments(&[]).unwrap().containers);
        assert!(
            with_arguments(&["containers"])
                .unwrap_err()
                .to_string()
                .contains("without --program, --args and --kernel")
        );
    }

    #[test]
    fn an_image_needs_one_kernel_for_its_machine() {
        let with = |names: &[&str], image: &str| {
            select(&Arguments { kernel: Some(image.into()), ..arguments(names, None) })
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
