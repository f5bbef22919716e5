//! System call filters that kill the program on this machine, and small resource limits. A report
//! comes all the same, it names the call, and no verdict claims more than without the filter.

use lab::{artifacts, host_packages, process, report};
use mapprobe::arch::Arch;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use tempfile::TempDir;

/// `scenarios/killing.c`, compiled.
static KILLING: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    host_packages::need(host_packages::COMPILER).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("killing");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/killing.c");
    let mut compiler = Command::new("gcc");
    compiler.args(["-static", "-O", "-Wall", "-Werror", "-o"]).args([&program, &source]);
    process::run(&mut compiler).unwrap();
    (directory, program)
});

fn program() -> &'static Path {
    &artifacts::of(Arch::X86_64).unwrap().path
}

/// Runs the program with arguments, under a filter that kills for these calls.
fn run(calls: &[&str], arguments: &[&str]) -> Output {
    let mut command = Command::new(&KILLING.1);
    command.args(calls).arg("--").arg(program()).args(arguments);
    command.output().unwrap()
}

/// The report of a run that succeeds.
#[track_caller]
fn report_of(run: &Output) -> Value {
    let messages = String::from_utf8_lossy(&run.stderr);
    assert_eq!((run.status.code(), &*messages), (Some(0), ""), "{run:?}");
    report::parse(&run.stdout).unwrap()
}

fn verdicts(report: &Value) -> BTreeMap<String, String> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let flags = report["flags"].as_array().unwrap().iter();
    flags.map(|flag| (word(&flag["name"]), word(&flag["verdict"]))).collect()
}

/// What was observed of the filter.
fn evidence(report: &Value) -> &str {
    let environment = report["environment"].as_array().unwrap();
    let filter = environment.iter().find(|observed| observed["name"] == "system call filter");
    filter.map_or("", |filter| filter["evidence"].as_str().unwrap())
}

/// A verdict claims no more than the one without the filter.
#[track_caller]
fn assert_weaker(calls: &[&str], truth: &Value, found: &Value) {
    for ((name, truth), (_, found)) in verdicts(truth).iter().zip(&verdicts(found)) {
        let is_weaker = found == truth
            || truth != "absent" && found == "inconclusive"
            || truth == "honored" && found == "accepted";
        assert!(is_weaker, "{calls:?}: {name}: {found} instead of {truth}");
    }
}

#[test]
fn a_report_names_the_call_that_kills() {
    let truth = report_of(&run(&[], &[]));
    for call in [
        "memfd_create",
        "mincore",
        "madvise",
        "msync",
        "pipe2",
        "openat",
        "uname",
        "sysinfo",
        "getpid",
        "munmap",
        "close",
        "read",
        "pread64",
        "clock_gettime",
        "rt_sigaction",
        "prctl",
    ] {
        let found = report_of(&run(&[call], &[]));
        assert_eq!(evidence(&found), format!("killed by {call}"));
        assert_weaker(&[call], &truth, &found);
    }
    // Calls that a run does not make here.
    for call in ["reboot", "newfstatat", "unlinkat"] {
        assert_eq!(evidence(&report_of(&run(&[call], &[]))), "", "{call}");
    }
    let calls = ["uname", "mincore", "memfd_create"];
    let found = report_of(&run(&calls, &[]));
    assert_eq!(evidence(&found), "killed by uname, memfd_create, mincore");
    assert_weaker(&["memfd_create"], &truth, &found);
}

/// MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MAP_DENYWRITE, MAP_LOCKED, MAP_NORESERVE and
/// MAP_STACK, as in the filter of Chromium's renderers (`RestrictMmapFlags`,
/// `sandbox/linux/seccomp-bpf-helpers/syscall_parameters_restrictions.cc`).
const CHROMIUM: &str = "mmap=0x26833";

#[test]
fn flags_that_kill_are_found_bit_by_bit() {
    let (truth, found) = (report_of(&run(&[], &[])), report_of(&run(&[CHROMIUM], &[])));
    assert_weaker(&[CHROMIUM], &truth, &found);
    let evidence = evidence(&found);
    // MAP_32BIT, MAP_POPULATE, MAP_HUGETLB, and a bit without a meaning.
    for bit in ["0x40", "0x8000", "0x40000", "0x1000000"] {
        let named = evidence.split([' ', ',']).filter(|word| *word == bit).count();
        assert_eq!(named, 1, "{bit}: {evidence}");
    }
    let found = verdicts(&found);
    for flag in ["MAP_FIXED", "MAP_LOCKED", "MAP_NORESERVE", "MAP_PRIVATE", "MAP_SHARED"] {
        assert_eq!(found[flag], "honored", "{flag}");
    }
    for flag in ["MAP_POPULATE", "MAP_HUGETLB", "MAP_GROWSDOWN", "MAP_32BIT"] {
        assert_eq!(found[flag], "inconclusive", "{flag}");
    }
}

#[test]
fn no_mmap_at_all() {
    let found = report_of(&run(&["mmap"], &[]));
    assert!(evidence(&found).starts_with("killed by mmap with 0x"), "{found:#}");
    assert!(verdicts(&found).values().all(|verdict| verdict == "inconclusive"), "{found:#}");
}

#[test]
fn every_command_survives_the_filter() {
    let filter = &[CHROMIUM, "mincore"];
    let required = run(filter, &["require", "MAP_FIXED", "MAP_LOCKED"]);
    assert_eq!((required.status.code(), required.stdout.len()), (Some(0), 0), "{required:?}");
    let required = run(filter, &["require", "MAP_FIXED", "MAP_POPULATE"]);
    let lines = String::from_utf8_lossy(&required.stdout);
    assert_eq!(required.status.code(), Some(3), "{required:?}");
    assert!(lines.starts_with("MAP_POPULATE: inconclusive: "), "{lines}");
    assert_eq!(lines.matches('\n').count(), 1, "{lines}");
    let wrong = run(filter, &["--no-such-option"]);
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0), "{wrong:?}");
    for command in ["sweep", "free-bits"] {
        let swept = run(filter, &[command]);
        assert!(evidence(&report_of(&swept)).contains("0x1000000"), "{command}: {swept:?}");
    }
    // No bit is known to fail, because the filter kills before the kernel validates it.
    let free = report_of(&run(&["mmap=0x26833"], &["free-bits"]));
    assert!(!free.to_string().contains("\"0x1000000\""), "{free:#}");
    let framed = run(filter, &["--framed"]);
    let lines = String::from_utf8_lossy(&framed.stderr);
    assert_eq!((framed.status.code(), lines.matches("begin").count()), (Some(0), 1), "{lines}");
    report::parse(&framed.stdout).unwrap();
}

#[test]
fn a_recording_replays_to_the_same_report() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("recording");
    let path = path.to_str().unwrap();
    let recorded = run(&["mincore", "memfd_create"], &["--record", path, "--reproducible"]);
    let replayed = Command::new(program()).args(["--replay", path, "--reproducible"]).output();
    let replayed = replayed.unwrap();
    assert_eq!(evidence(&report_of(&replayed)), "killed by memfd_create, mincore");
    assert_eq!(recorded.stdout, replayed.stdout);
}

/// Runs the program with a limit of util-linux's `prlimit`; standard output is a pipe.
fn limited(limit: &str, arguments: &[&str]) -> Output {
    Command::new("prlimit").arg(limit).arg(program()).args(arguments).output().unwrap()
}

#[test]
fn small_limits_leave_a_report() {
    let truth = report_of(&run(&[], &[]));
    for limit in ["--fsize=0", "--nofile=8", "--nofile=4", "--nofile=3", "--as=16777216", "--cpu=1"]
    {
        let found = report_of(&limited(limit, &[]));
        for ((name, truth), (_, found)) in verdicts(&truth).iter().zip(&verdicts(&found)) {
            let is_weaker = truth == found || found == "inconclusive";
            assert!(is_weaker, "{limit}: {name}: {found} instead of {truth}");
        }
    }
}

/// The signal of the limit, SIGXFSZ, does not end the program.
#[test]
fn a_file_beyond_the_limit_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("recording");
    let message = format!("mapprobe: {}: cannot be written: EFBIG\n", path.display());
    let recorded = limited("--fsize=4096", &["--record", path.to_str().unwrap()]);
    assert_eq!(recorded.status.code(), Some(2), "{recorded:?}");
    assert_eq!(String::from_utf8_lossy(&recorded.stderr), message);
    let stdout = fs::File::create(&path).unwrap();
    let mut command = Command::new("prlimit");
    let redirected = command.arg("--fsize=4096").arg(program()).stdout(stdout).output().unwrap();
    let message = "mapprobe: standard output: cannot be written: EFBIG\n";
    assert_eq!(redirected.status.code(), Some(2), "{redirected:?}");
    assert_eq!(String::from_utf8_lossy(&redirected.stderr), message);
}

/// A process that may not fork runs alone.
#[test]
fn without_children_the_program_runs_alone() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("mapprobe");
    fs::copy(program(), &copy).unwrap();
    let mut command = Command::new("prlimit");
    command.arg("--nproc=0");
    if host_packages::is_root() {
        process::run(Command::new("chmod").arg("755").arg(directory.path())).unwrap();
        // The limit does not hold for root.
        command.args(["setpriv", "--reuid=65534", "--clear-groups"]);
    }
    let found = report_of(&command.arg(&copy).output().unwrap());
    assert_eq!(verdicts(&found)["MAP_FIXED"], "honored");
}
