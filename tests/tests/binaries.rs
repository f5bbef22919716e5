//! The released binaries on this machine: exit codes, error messages, and the system calls they
//! make.

use lab::host_packages;
use lab::{artifacts, report};
use mapprobe::arch::Arch;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn mapprobe() -> Command {
    Command::new(&artifacts::of(Arch::X86_64).unwrap().path)
}

/// Checks that standard error starts with a message of the program that has all of these parts.
#[track_caller]
fn assert_message(run: &Output, parts: &[&str]) {
    let output = String::from_utf8_lossy(&run.stderr);
    let message = output.lines().next().unwrap_or_default();
    assert!(
        message.starts_with("mapprobe: ") && parts.iter().all(|part| message.contains(part)),
        "{run:?}"
    );
}

#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = mapprobe()
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!(closed.status.code(), Some(2), "{closed:?}");
    assert_message(&closed, &["EPIPE"]);

    let full = File::options().write(true).open("/dev/full").unwrap();
    let full =
        mapprobe().stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(full.status.code(), Some(2), "{full:?}");
    assert_message(&full, &["ENOSPC"]);
}

#[test]
fn wrong_arguments_are_a_failure() {
    for wrong in
        [&["--no-such-option"][..], &["stray"], &["--format"], &["--format", "no-such-format"]]
    {
        let run = mapprobe().args(wrong).output().unwrap();
        assert_eq!(
            (run.status.code(), run.stdout.is_empty()),
            (Some(2), true),
            "{wrong:?}: {run:?}"
        );
        assert_message(&run, &[wrong[wrong.len() - 1]]);
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    for (argument, part) in [("--help", "--format"), ("--version", env!("CARGO_PKG_VERSION"))] {
        let run = mapprobe().arg(argument).output().unwrap();
        assert_eq!((run.status.code(), run.stderr.is_empty()), (Some(0), true), "{run:?}");
        assert!(String::from_utf8_lossy(&run.stdout).contains(part), "{run:?}");
    }
}

/// The system calls of a program, one per line, and its standard output.
fn trace(program: &Path) -> (Vec<String>, Vec<u8>) {
    host_packages::need(host_packages::TRACING).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("trace");
    let run = Command::new("strace")
        .arg("-f")
        .arg("-o")
        .arg(&log)
        .arg(program)
        .output()
        .expect("strace runs");
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let text = fs::read_to_string(&log).unwrap();
    // "PID call(..) = result"; "PID +++ exited with 0 +++" is not a call.
    let calls = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(_, call)| call.trim_start().to_owned());
    (
        calls.filter(|call| !call.starts_with("+++") && !call.starts_with("---")).collect(),
        run.stdout,
    )
}

#[test]
fn the_report_is_one_write() {
    let (calls, report) = trace(&artifacts::of(Arch::X86_64).unwrap().path);
    let writes: Vec<&String> = calls
        .iter()
        .filter(|call| ["write(1,", "writev(1,"].iter().any(|name| call.starts_with(name)))
        .collect();
    assert_eq!(writes.len(), 1, "{writes:#?}");
    assert!(
        writes[0].ends_with(&format!(" = {}", report.len())),
        "{writes:?}: {} bytes",
        report.len()
    );
    report::parse(&report).unwrap();
}

#[test]
fn starting_and_ending_takes_at_most_eight_calls() {
    let (calls, report) = trace(&artifacts::example(Arch::X86_64, "empty_table").unwrap());
    assert!(calls[0].starts_with("execve("), "{calls:#?}");
    assert!(calls.len() <= 8, "{} calls: {calls:#?}", calls.len());
    assert!(!report.is_empty(), "the report is empty");
}

#[test]
fn reports_of_every_architecture_fit_the_schema() {
    host_packages::need(host_packages::EMULATORS).unwrap();
    for arch in Arch::ALL {
        let program = &artifacts::of(arch).unwrap().path;
        let mut command = match targets::of(arch).emulator {
            Some(emulator) => Command::new(emulator),
            None => Command::new("env"),
        };
        let run = command.arg(program).output().unwrap();
        assert_eq!(
            (run.status.code(), run.stderr.is_empty()),
            (Some(0), true),
            "{}: {run:?}",
            arch.name()
        );
        let report = report::parse(&run.stdout).unwrap();
        assert_eq!(report["schema"], "mapprobe.report");
    }
}

/// A root directory that has only the program: no /proc, /dev or /tmp.
#[test]
fn an_empty_root_is_enough_for_a_complete_report() {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(&artifacts::of(Arch::X86_64).unwrap().path, directory.path().join("mapprobe"))
        .unwrap();
    let mut command = Command::new("unshare");
    if !host_packages::is_root() {
        command.arg("--map-root-user");
    }
    let run = command
        .arg("--root")
        .arg(directory.path())
        .arg("/mapprobe")
        .output()
        .expect("unshare runs");
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let report = report::parse(&run.stdout).unwrap();
    assert_eq!(report["complete"], true, "{report:#}");
    let left: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["mapprobe"], "files are left");
}

/// The limit for locked memory is 0, without privileges: `EPERM` still shows that the kernel knows
/// the flag.
#[test]
fn a_limit_does_not_make_a_flag_unknown() {
    let program = &artifacts::of(Arch::X86_64).unwrap().path;
    // A directory that an unprivileged user can reach.
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    let copy = directory.path().join("mapprobe");
    fs::copy(program, &copy).unwrap();
    let mut command = Command::new("prlimit");
    command.arg("--memlock=0:0");
    if host_packages::is_root() {
        command.args([
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--bounding-set=-all",
        ]);
    }
    let run = command.arg(copy).output().expect("prlimit runs");
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let report = report::parse(&run.stdout).unwrap();
    let found = |name: &str| {
        report["flags"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone()
    };
    let locked = found("MAP_LOCKED");
    assert_eq!(
        (&locked["verdict"], &locked["reason_code"]),
        (&"unavailable".into(), &"not_permitted".into()),
        "{locked:#}"
    );
    assert_eq!(found("MAP_FIXED")["verdict"], "honored");
}
