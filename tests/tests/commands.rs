//! Commands that need no kernel, in the released programs of every architecture, and `require` on
//! this machine and as PID 1.

use lab::console::{self, Framed};
use lab::headers::definitions;
use lab::{artifacts, host_packages, kernels, scenarios};
use mapprobe::arch::Arch;
use mapprobe::flags::LEFT_OUT;
use std::process::{Command, Output};

/// Runs the released program of an architecture, in an emulator if necessary.
fn mapprobe(arch: Arch, arguments: &[&str]) -> Output {
    host_packages::need(host_packages::EMULATORS).unwrap();
    let program = &artifacts::of(arch).unwrap().path;
    let mut command = match targets::of(arch).emulator {
        Some(emulator) => Command::new(emulator),
        None => Command::new("env"),
    };
    command.arg(program).args(arguments).output().unwrap()
}

#[track_caller]
fn output(arch: Arch, arguments: &[&str]) -> String {
    let run = mapprobe(arch, arguments);
    assert_eq!(
        (run.status.code(), run.stderr.is_empty()),
        (Some(0), true),
        "{arguments:?}: {run:?}"
    );
    String::from_utf8(run.stdout).unwrap()
}

/// Every flag of `mmap(2)` in the kernel's headers: its name and its value.
fn flags(arch: Arch) -> Vec<(String, u64)> {
    let defined = definitions(arch).unwrap();
    let flag = |name: &str| LEFT_OUT.iter().all(|(left, _)| *left != name);
    let flags: Vec<_> = defined
        .into_iter()
        .map(|(name, of)| (name, of.value))
        .filter(|(name, _)| flag(name))
        .collect();
    assert!(flags.len() > 20, "{flags:?}");
    flags
}

#[test]
fn every_number_of_the_headers_gets_its_name() {
    for arch in Arch::ALL {
        for (name, value) in flags(arch).into_iter().filter(|(_, value)| *value != 0) {
            let numbers = [format!("{value:#x}"), format!("{value}"), format!("0{value:o}")];
            for number in numbers {
                let names = output(Arch::X86_64, &["decode", &number, "--arch", arch.name()]);
                assert_eq!(names.lines().next(), Some(name.as_str()), "{} {number}", arch.name());
            }
        }
        assert_eq!(
            definitions(arch).unwrap()["MAP_TYPE"].value,
            arch.type_mask() as u64,
            "{}",
            arch.name()
        );
    }
}

#[test]
fn the_list_has_every_name_of_the_headers() {
    for arch in Arch::ALL {
        let list = output(Arch::X86_64, &["list", "--arch", arch.name()]);
        let value = |name: &str| {
            let row = list
                .lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>())
                .find(|row| row[0] == name);
            row.map(|row| row[1].to_owned())
        };
        for (name, number) in flags(arch) {
            let expected = if number == 0 { "-".to_owned() } else { format!("{number:#x}") };
            assert_eq!(value(&name), Some(expected), "{} {name}: {list}", arch.name());
        }
    }
}

/// The programs of all architectures print the same; without `--arch` they print their own numbers.
#[test]
fn programs_of_all_architectures_agree() {
    let names: Vec<String> = output(Arch::X86_64, &["list"])
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(names.len(), 33);
    for arch in Arch::ALL {
        for other in Arch::ALL {
            let arguments = ["--arch", other.name()];
            for query in [
                &["list"][..],
                &["decode", "0x8c0c803b"],
                &["decode", "0x54040022"],
                &["decode", "0"],
            ] {
                let arguments: Vec<&str> = query.iter().chain(&arguments).copied().collect();
                assert_eq!(
                    output(arch, &arguments),
                    output(Arch::X86_64, &arguments),
                    "{}: {arguments:?}",
                    arch.name()
                );
            }
        }
        for name in &names {
            assert_eq!(
                output(arch, &["explain", name]),
                output(Arch::X86_64, &["explain", name]),
                "{}",
                arch.name()
            );
        }
        assert_eq!(output(arch, &["list"]), output(arch, &["list", "--arch", arch.name()]));
        let own = output(arch, &["decode", "0x8000"]);
        assert_eq!(own, if arch == Arch::Hppa { "MAP_GROWSDOWN\n" } else { "MAP_POPULATE\n" });
        let wrong = mapprobe(arch, &["explain", "MAP_SINC"]);
        let message = String::from_utf8_lossy(&wrong.stderr);
        assert_eq!((wrong.status.code(), message.lines().count()), (Some(2), 1), "{message}");
        assert!(
            message.starts_with("mapprobe: ")
                && message.ends_with("no flag MAP_SINC; did you mean MAP_SYNC?\n"),
            "{message}"
        );
        assert_eq!(
            mapprobe(arch, &["decode", "0x100000000", "--arch", "hppa"]).status.code(),
            Some(2)
        );
    }
}

/// The program only writes: it maps nothing and opens no file.
#[test]
fn offline_commands_only_write() {
    host_packages::need(host_packages::TRACING).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("trace");
    for arguments in [&["list"][..], &["explain", "MAP_SYNC"], &["decode", "0x8003"]] {
        let program = &artifacts::of(Arch::X86_64).unwrap().path;
        let run = Command::new("strace")
            .arg("-o")
            .arg(&log)
            .arg(program)
            .args(arguments)
            .output()
            .expect("strace runs");
        assert_eq!(run.status.code(), Some(0), "{run:?}");
        let text = std::fs::read_to_string(&log).unwrap();
        let calls: Vec<&str> =
            text.lines().filter_map(|line| line.split_once('(')).map(|(call, _)| call).collect();
        assert_eq!(
            calls,
            ["execve", "getpid", "rt_sigaction", "rt_sigaction", "write", "exit_group"],
            "{arguments:?}: {text}"
        );
    }
}

/// Flags that every Linux honors, and flags that none has honored since 2.6.
#[test]
fn requirements_on_this_machine() {
    let run = |arguments: &[&str]| {
        let run = mapprobe(Arch::X86_64, arguments);
        (
            run.status.code(),
            String::from_utf8(run.stdout).unwrap(),
            String::from_utf8(run.stderr).unwrap(),
        )
    };
    assert_eq!(
        run(&["require", "MAP_FIXED", "MAP_SHARED"]),
        (Some(0), String::new(), String::new())
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let (denies, grows) = ("MAP_DENYWRITE", format!("MAP_GROWSDOWN:{path}"));
    let lines = format!(
        "{denies}: ignored: accepted, no effect\n\
         {grows}: unavailable: on this file, opened read-write: EINVAL\n"
    );
    let arguments = ["require", denies, &grows, "MAP_FIXED"];
    assert_eq!(run(&arguments), (Some(1), lines.clone(), String::new()));
    let (code, report, aside) = run(&[&arguments[..], &["--format", "json"]].concat());
    assert_eq!((code, aside), (Some(1), lines));
    lab::report::parse(report.as_bytes()).unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "files are left");
}

/// The emulator drops flags that the kernel below it would honor. The report names the emulator.
#[test]
fn requirements_under_an_emulator() {
    for arch in [Arch::Aarch64, Arch::Hppa] {
        let run = mapprobe(arch, &["require", "MAP_POPULATE", "MAP_SHARED"]);
        let line =
            "MAP_POPULATE: ignored: accepted, no effect; interference: system call emulator\n";
        assert_eq!(
            (run.status.code(), String::from_utf8_lossy(&run.stdout)),
            (Some(1), line.into()),
            "{}",
            arch.name()
        );
        assert_eq!(
            mapprobe(arch, &["require", "MAP_SHARED_VALIDATE"]).status.code(),
            Some(3),
            "{}",
            arch.name()
        );
        let lenient = mapprobe(arch, &["require", "MAP_SHARED_VALIDATE", "--allow-inconclusive"]);
        assert_eq!(
            (lenient.status.code(), lenient.stdout.is_empty()),
            (Some(0), true),
            "{}",
            arch.name()
        );
    }
}

/// As PID 1 the lines are framed, and the last line has the exit code. A misspelled flag never
/// counts as a missing operand.
#[test]
fn requirements_as_pid_1() {
    let unknown = "MAP_DROPPABLE: unknown: rejected as unknown; may help: Linux >= 6.11\n";
    for (name, arguments, code, expected) in [
        ("x86_64-6.1", "-- require MAP_FIXED MAP_DROPPABLE", 1, Some(unknown)),
        ("hppa-6.1", "-- require MAP_FIXED", 0, Some("")),
        ("x86_64-6.1", "-- require MAP_FIXED MAP_SINC", 2, Some("")),
        ("x86_64-6.1", "-- require MAP_SINC", 2, None),
    ] {
        let kernel = kernels::named(name).unwrap();
        let initramfs =
            scenarios::initramfs(&[("init", &artifacts::program(kernel.arch).unwrap())]);
        let boot = scenarios::boot(kernel, &initramfs, arguments).unwrap();
        let Framed::Whole { report, exit } = console::read(&boot.log).report else {
            panic!("{}", boot.text())
        };
        let report = String::from_utf8(report).unwrap();
        assert_eq!(exit, code, "{arguments}: {}", boot.text());
        match expected {
            Some(lines) => assert_eq!(report, lines, "{arguments}"),
            // The report is still printed.
            None => assert!(report.contains("\"complete\": true"), "{report}"),
        }
        let nearest = boot.text().contains("no flag MAP_SINC; did you mean MAP_SYNC?");
        assert_eq!(nearest, arguments.contains("MAP_SINC"), "{}", boot.text());
    }
}
