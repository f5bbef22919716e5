//! Whole runs of the released program on this machine: they leave nothing behind, and a recording
//! replays to the same output.

use lab::{artifacts, host_packages, library, report};
use mapprobe::arch::Arch;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn mapprobe(arguments: &[&str]) -> Output {
    Command::new(&artifacts::of(Arch::X86_64).unwrap().path).args(arguments).output().unwrap()
}

#[track_caller]
fn output(run: &Output) -> &[u8] {
    assert_eq!((run.status.code(), run.stderr.is_empty()), (Some(0), true), "{run:?}");
    &run.stdout
}

fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

/// The example compares its mappings and open files before and after.
#[test]
fn nothing_is_left_behind() {
    let program = artifacts::example(Arch::X86_64, "left_behind").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "content").unwrap();
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    let [directory_name, file_name] =
        [directory.path(), file.as_path()].map(|path| path.to_str().unwrap());
    for arguments in [
        &[][..],
        &["sweep"],
        &["free-bits"],
        &[
            "--path",
            directory_name,
            "--path",
            file_name,
            "--path",
            "/dev/zero",
            "--path",
            "/proc/self/maps",
        ],
        &["sweep", "--path", directory_name, "--path", file_name],
    ] {
        let run = Command::new(&program).args(arguments).output().unwrap();
        assert_eq!(
            run.status.code(),
            Some(0),
            "{arguments:?} leaves behind: {}",
            String::from_utf8_lossy(&run.stdout)
        );
    }
    assert_eq!(names(directory.path()), ["file"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "content");
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
}

#[test]
fn a_recording_replays_to_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let recording = directory.path().join("recording");
    let recording = recording.to_str().unwrap();
    for arguments in [&[][..], &["sweep"], &["free-bits", "--path", "/tmp"], &["--format", "table"]]
    {
        let recorded = mapprobe(&[arguments, &["--record", recording]].concat());
        let form: Vec<&str> =
            arguments.iter().copied().filter(|word| ["--format", "table"].contains(word)).collect();
        let replayed = mapprobe(&[&form[..], &["--replay", recording]].concat());
        assert_eq!(output(&recorded), output(&replayed), "{arguments:?}");
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let text = fs::read_to_string(recording).unwrap();
        let uname = text.lines().find(|line| line.starts_with("uname")).unwrap();
        assert!(
            uname.contains("Linux%00") && !uname.contains(&format!("%00{}%00", host.trim())),
            "{uname}"
        );
    }
    let printed = mapprobe(&["--record", "-"]);
    assert!(output(&printed).starts_with(b"mapprobe recording 2\n"));
}

#[test]
fn sweeps_and_free_bits_of_every_architecture_fit_their_schemas() {
    host_packages::need(host_packages::EMULATORS).unwrap();
    for arch in Arch::ALL {
        let program = &artifacts::of(arch).unwrap().path;
        for what in ["sweep", "free-bits"] {
            let mut command = Command::new(targets::of(arch).emulator.unwrap_or("env"));
            let run = command.arg(program).arg(what).output().unwrap();
            assert_eq!(
                report::parse(output(&run)).unwrap()["schema"],
                format!("mapprobe.{what}"),
                "{}",
                arch.name()
            );
        }
    }
}

/// A path on a file system without `MAP_SYNC`: every map type rejects the flag, and still it is
/// known.
#[test]
fn every_flag_is_tried_on_a_path() {
    let report = report::parse(output(&mapprobe(&["--path", "/dev/zero"]))).unwrap();
    let rows = report["flags"].as_array().unwrap();
    assert_eq!(rows.len(), library::flag_names().count());
    let contexts = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        row["contexts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|context| context["backing"] == "/dev/zero")
            .count()
    };
    for name in ["MAP_SHARED", "MAP_DROPPABLE"] {
        assert_eq!(contexts(name), 1, "{name}");
    }
    for name in ["MAP_SYNC", "MAP_FIXED_NOREPLACE", "MAP_STACK", "MAP_HUGETLB"] {
        assert_eq!(contexts(name), 3, "{name}");
    }
}

#[test]
fn errors_name_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let damaged = directory.path().join("damaged");
    fs::write(&damaged, "mapprobe recording 2\narch x86_64\nuname = -1\n").unwrap();
    let damaged = damaged.to_str().unwrap();
    for (arguments, parts) in [
        (&["--path", "/no/such/path"][..], &["/no/such/path", "ENOENT"][..]),
        (&["--replay", "/no/such/path"], &["/no/such/path", "ENOENT"]),
        (&["--record", "/no/such/path"], &["/no/such/path", "ENOENT"]),
        (&["--replay", "/etc/hostname"], &["/etc/hostname", "not a recording"]),
        (&["--replay", damaged], &["line 4", "getpid"]),
        (&["--replay", damaged, "--record", "-"], &["--record and --replay exclude each other"]),
        (&["swep"], &["unknown command swep; did you mean sweep?"]),
    ] {
        let run = mapprobe(arguments);
        let message = String::from_utf8_lossy(&run.stderr);
        assert_eq!(
            (run.status.code(), run.stdout.is_empty()),
            (Some(2), true),
            "{arguments:?}: {run:?}"
        );
        assert!(parts.iter().all(|part| message.contains(part)), "{arguments:?}: {message}");
    }
}

/// qemu-user acts as the kernel: it uses its own type field and drops flags. The report must not
/// present that as the kernel's behavior.
#[test]
fn an_emulator_is_reported_and_its_behavior_is_not_taken_for_the_kernels() {
    host_packages::need(host_packages::EMULATORS).unwrap();
    for (arch, memory) in [(Arch::Aarch64, "honored"), (Arch::Hppa, "honored|inconclusive")] {
        let emulator = targets::of(arch).emulator.unwrap();
        let run = Command::new(emulator).arg(&artifacts::of(arch).unwrap().path).output().unwrap();
        let report = report::parse(output(&run)).unwrap();
        assert_eq!(report["environment"][0]["name"], "system call emulator", "{report:#}");
        for (words, names) in [
            ("honored", "MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS"),
            // A dropped flag is ignored from the program's point of view.
            ("ignored", "MAP_POPULATE MAP_FIXED_NOREPLACE MAP_DENYWRITE MAP_EXECUTABLE"),
            ("inconclusive", "MAP_SHARED_VALIDATE MAP_DROPPABLE MAP_NONBLOCK"),
            (memory, "MAP_LOCKED MAP_NORESERVE"),
            ("inconclusive|absent", "MAP_SYNC"),
            // The size field is dropped. The host may have no huge pages, and 32 bits no room.
            (
                "ignored|unavailable|inconclusive",
                "MAP_HUGE_16KB MAP_HUGE_8MB MAP_HUGE_512MB MAP_HUGE_2GB MAP_HUGE_16GB",
            ),
        ] {
            for name in names.split(' ') {
                let row = report["flags"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|row| row["name"] == name)
                    .unwrap();
                let verdict = row["verdict"].as_str().unwrap();
                assert!(
                    words.split('|').any(|word| word == verdict),
                    "{}: {name}: {row:#}",
                    arch.name()
                );
            }
        }
    }
}

/// The programs of three compilers replay a recording to the same bytes. PA-RISC's went through
/// WebAssembly and C, so this finds miscompilations.
#[test]
fn a_recording_replays_to_the_same_bytes_on_every_architecture() {
    host_packages::need(host_packages::EMULATORS).unwrap();
    let directory = dist::workspace::root().join("probe/tests/recordings/lab");
    let mut compared = 0;
    for name in names(&directory) {
        let path = directory.join(&name);
        // Only a report has the format table.
        let forms = ["json", if name.ends_with(".report.txt") { "table" } else { "jsonl" }];
        let here =
            forms.map(|form| mapprobe(&["--format", form, "--replay", path.to_str().unwrap()]));
        for arch in [Arch::Aarch64, Arch::Hppa] {
            // A 32-bit program reads no 64-bit recording.
            if arch == Arch::Hppa && !name.starts_with("hppa") {
                continue;
            }
            for (form, here) in forms.iter().zip(&here) {
                let mut there = Command::new(targets::of(arch).emulator.unwrap());
                there
                    .arg(&artifacts::of(arch).unwrap().path)
                    .args(["--format", form, "--replay"])
                    .arg(&path);
                assert!(
                    output(&there.output().unwrap()) == output(here),
                    "{name} as {form} in {}'s program",
                    arch.name()
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= 2 * (28 + 10), "{compared}");
}
