//! `cargo lab` as a user runs it: its output and its exit codes.

use lab::{host_packages, kernels, scenarios};
use std::process::{Command, Output};

fn lab(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab")).args(arguments).output().unwrap()
}

#[track_caller]
fn output(run: &Output, code: i32) -> (String, String) {
    let texts = [&run.stdout, &run.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert_eq!(run.status.code(), Some(code), "{}\n{}", texts[0], texts[1]);
    texts.into()
}

/// No kernel is booted.
#[test]
fn the_error_for_wrong_arguments_lists_the_choices() {
    for (arguments, part) in [
        (&["vax-1.0"][..], "x86_64-6.1"),
        (&["vax-1.0"], "memlock-0"),
        (&["--no-such-option"], "--no-such-option"),
        (&["--program", "/no/such/program"], "/no/such/program"),
        (&["user", "--kernel", "/etc/hostname"], "--kernel needs one NAME"),
    ] {
        let (out, message) = output(&lab(arguments), 2);
        assert!(out.is_empty() && message.contains(part), "{arguments:?}: {out}{message}");
    }
    assert!(output(&lab(&["--help"]), 0).0.contains("reports.ndjson"));
}

#[test]
fn for_one_kernel_in_one_scenario_the_report_is_printed() {
    let (report, summary) = output(&lab(&["hppa-6.1", "user", "--args", "--format table"]), 0);
    assert!(report.starts_with("mapprobe ") && report.contains("MAP_FIXED_NOREPLACE"), "{report}");
    assert!(summary.contains("\n1 run: 1 passed, 0 failed; 0 skipped; "), "{summary}");
}

/// A program that exits as PID 1 panics the kernel. This is a failure, printed with the end of the
/// console.
#[test]
fn a_failed_boot_is_counted_and_printed() {
    let program =
        scenarios::test_program(targets::of(kernels::named("hppa-6.1").unwrap().arch)).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), program).unwrap();
    let arguments = ["hppa-6.1", "--args", "exit", "--program", file.path().to_str().unwrap()];
    let (summary, _) = output(&lab(&arguments), 1);
    for part in [
        "hppa-6.1 root: failed: The kernel panicked:",
        scenarios::REACHED,
        "\n1 run: 0 passed, 1 failed; 0 skipped; ",
    ] {
        assert!(summary.contains(part), "{summary}");
    }
}

/// Without root privileges containers are skipped, which is not a failure. In a new user namespace
/// the process has none.
#[test]
fn containers_that_cannot_be_started_are_skipped_by_name() {
    let lab = env!("CARGO_BIN_EXE_lab");
    let mut run =
        if host_packages::is_root() { Command::new("unshare") } else { Command::new(lab) };
    if host_packages::is_root() {
        run.args(["--user", lab]);
    }
    let (summary, _) = output(&run.arg("containers").output().unwrap(), 0);
    let skipped = "skipped: containers: cross x86_64, cross aarch64, docker hppa: only root may";
    assert!(summary.starts_with(skipped), "{summary}");
    assert!(summary.contains("\n0 run: 0 passed, 0 failed; 3 skipped; "), "{summary}");
}

/// A skipped combination is not a failure.
#[test]
fn a_skipped_boot_is_printed_with_its_reason() {
    let (summary, _) = output(&lab(&["hppa-6.1", "dax", "--args", ""]), 0);
    assert!(summary.contains("skipped: dax on hppa-6.1: persistent memory"), "{summary}");
    assert!(summary.contains("\n0 run: 0 passed, 0 failed; 1 skipped; "), "{summary}");
}
