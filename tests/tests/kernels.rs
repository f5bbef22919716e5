//! The released program as PID 1 of real kernels: the report against the expectations.

use lab::expectations::Expectations;
use lab::expectations::since::Basis;
use lab::run::{self, BootSpec};
use lab::{artifacts, kernels, library, report, scenarios};
use mapprobe::flags::Flag;
use std::path::Path;

/// Boots a kernel in a scenario; the report must be as expected.
#[track_caller]
fn boots_in(name: &str, scenario: &str) {
    let (kernel, scenario) = (kernels::named(name).unwrap(), scenarios::named(scenario).unwrap());
    let program = artifacts::program(kernel.arch).unwrap();
    let output = BootSpec::of(kernel, scenario)
        .boot(&program)
        .unwrap_or_else(|error| panic!("{name}: {error:#}"));
    assert_eq!(output.exit, 0, "{name}: the exit code");
    let report = output.document().unwrap().expect("without arguments the program prints a report");
    let (basis, differences) = run::compare(&report, kernel, scenario).unwrap();
    assert_eq!(basis, Basis::Expectations, "{name}: the series of the expectations");
    let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    let count = differences.len();
    assert_eq!(
        count,
        0,
        "{name}: {count} differences from the expectations:\n{}",
        differences.join("\n")
    );
}

fn boots(name: &str) {
    boots_in(name, "root");
}

#[test]
fn boots_x86_64_6_1() {
    boots("x86_64-6.1");
}

#[test]
fn boots_aarch64_6_1() {
    boots("aarch64-6.1");
}

#[test]
fn boots_hppa_6_1() {
    boots("hppa-6.1");
}

/// One scenario besides the plain one for each architecture. `cargo lab` boots all of them.
#[test]
fn x86_64_without_locked_memory() {
    boots_in("x86_64-6.1", "memlock-0");
}

#[test]
fn aarch64_without_mincore() {
    boots_in("aarch64-6.1", "seccomp");
}

#[test]
fn hppa_without_overcommit() {
    boots_in("hppa-6.1", "overcommit-2");
}

/// The recordings of every kernel of the lab, without a boot.
#[test]
fn recorded_runs_agree_with_the_expectations() {
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../probe/tests/recordings/lab");
    for kernel in kernels::ALL {
        let recording =
            std::fs::read(recordings.join(format!("{}.report.txt", kernel.name))).unwrap();
        let replayed = library::replay(&recording, false).unwrap();
        let report = report::parse(library::json(&replayed).as_bytes()).unwrap();
        let expectations = Expectations::in_scenario(kernel.name, "root").unwrap();
        let differences: Vec<String> =
            expectations.compare(&report).iter().map(ToString::to_string).collect();
        assert_eq!(differences.len(), 0, "{}:\n{}", kernel.name, differences.join("\n"));
    }
}

/// Every quick kernel has its test above. `cargo lab` boots the others.
#[test]
fn every_kernel_has_its_test_and_its_expectations() {
    let tests = include_str!("kernels.rs");
    for kernel in kernels::ALL {
        let test = format!("fn boots_{}()", kernel.name.replace(['-', '.'], "_"));
        assert_eq!(tests.contains(&test), kernel.quick, "{test}");
        let expectations = Expectations::of(kernel.name).unwrap();
        let rows: Vec<&str> = library::flag_names().collect();
        for row in &rows {
            assert!(
                expectations.flags.contains_key(*row),
                "{}: no expectation for {row}",
                kernel.name
            );
        }
        for name in expectations.flags.keys() {
            assert!(
                rows.contains(&name.as_str()),
                "{}: {name} is not a row of the table",
                kernel.name
            );
        }
        for flag in Flag::ALL {
            let absent = expectations.flags[flag.name()].verdict == "absent";
            assert_eq!(
                flag.value(kernel.arch).is_none(),
                absent,
                "{}: {}",
                kernel.name,
                flag.name()
            );
        }
    }
}
