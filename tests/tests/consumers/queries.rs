//! A query that a format cannot print is rejected before any system call.

use super::*;
use lab::host_packages;

/// Arguments with their error messages.
fn rejected() -> Vec<(Vec<&'static str>, &'static str)> {
    let others = formats().filter(|format| !["json", "jsonl"].contains(format));
    let queries = others.flat_map(|format| {
        ["sweep", "free-bits"]
            .map(|query| (vec![query, "--format", format], "needs --format json or jsonl"))
    });
    let unnamed = formats().filter(|format| !["macros", "shell"].contains(format));
    let prefixes = unnamed.map(|format| {
        (vec!["--prefix", "X_", "--format", format], "--prefix needs --format macros or shell")
    });
    let wrong = ["9A", "A-", "A B", "$(x)", "\u{e4}", "A=", "'"];
    let wrong = wrong
        .map(|prefix| (vec!["--format", "macros", "--prefix", prefix], "letters, digits and _"));
    queries.chain(prefixes).chain(wrong).collect()
}

#[test]
fn a_query_that_a_format_cannot_print_is_an_error() {
    let rejected = rejected();
    assert!(rejected.len() > 20);
    for (arguments, message) in rejected {
        let run = mapprobe(&arguments);
        let output = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(
            (run.status.code(), run.stdout.is_empty()),
            (Some(2), true),
            "{arguments:?}: {run:?}"
        );
        assert!(
            output.starts_with("mapprobe: ")
                && output.contains(message)
                && output.lines().count() == 1,
            "{output}"
        );
    }
}

/// The query can come from a recording.
#[test]
fn a_recorded_sweep_cannot_be_printed_as_shell() {
    let recording = dist::workspace::root().join("probe/tests/recordings/lab/x86_64-6.1.sweep.txt");
    let run = mapprobe(&["--format", "shell", "--replay", recording.to_str().unwrap()]);
    let output = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!((run.status.code(), run.stdout.is_empty()), (Some(2), true), "{run:?}");
    assert_eq!(output, "mapprobe: sweep needs --format json or jsonl\n");
}

#[test]
fn a_rejected_query_makes_no_system_calls() {
    host_packages::need(host_packages::TRACING).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("trace");
    for arguments in [&["sweep", "--format", "ktap"][..], &["--format", "shell", "--prefix", "9"]] {
        let run = Command::new("strace")
            .arg("-o")
            .arg(&log)
            .arg(program())
            .args(arguments)
            .output()
            .expect("strace runs");
        assert_eq!(run.status.code(), Some(2), "{run:?}");
        let text = fs::read_to_string(&log).unwrap();
        let calls: Vec<&str> =
            text.lines().filter_map(|line| line.split_once('(')).map(|(name, _)| name).collect();
        assert_eq!(
            calls,
            ["execve", "getpid", "rt_sigaction", "rt_sigaction", "write", "exit_group"],
            "{arguments:?}: {text}"
        );
    }
}
