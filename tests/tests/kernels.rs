//! The delivered program as PID 1 of real kernels, its report compared with what was written by hand about each of them.

use lab::facts::Facts;
use lab::{delivered, kernels, report, survey};
use mapprobe::flags::TABLE;
use mapprobe::recording;
use mapprobe::report::FORMATS;
use std::path::Path;

fn boots(name: &str) {
    let kernel = kernels::named(name).unwrap();
    let program = delivered::program(kernel.arch).unwrap();
    let visit = survey::visit(kernel, &program, "").unwrap_or_else(|error| panic!("{name}: {error:#}"));
    assert_eq!(visit.exit, 0, "{name}: what the run would have ended with");
    let report = visit.report().unwrap().expect("without arguments the program prints a report");
    let differences: Vec<String> = Facts::of(name).unwrap().compare(&report).iter().map(ToString::to_string).collect();
    let count = differences.len();
    assert_eq!(count, 0, "{name}: {count} verdicts are not those of the facts:\n{}", differences.join("\n"));
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

/// Every kernel of the lab, from its recording: no boot needed.
#[test]
fn recorded_runs_agree_with_the_facts() {
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../probe/tests/recordings/lab");
    for kernel in kernels::ALL {
        let recording = std::fs::read(recordings.join(format!("{}.report.txt", kernel.name))).unwrap();
        let replayed = recording::replay(&recording, TABLE).unwrap();
        let report = report::parse((FORMATS[0].write)(&replayed).as_bytes()).unwrap();
        let facts = Facts::of(kernel.name).unwrap();
        let differences: Vec<String> = facts.compare(&report).iter().map(ToString::to_string).collect();
        assert_eq!(differences.len(), 0, "{}:\n{}", kernel.name, differences.join("\n"));
    }
}

/// A quick kernel without its test above would be a skip that nobody sees; the others are booted by `cargo lab`.
#[test]
fn every_kernel_has_its_test_and_its_facts() {
    let tests = include_str!("kernels.rs");
    for kernel in kernels::ALL {
        let test = format!("fn boots_{}()", kernel.name.replace(['-', '.'], "_"));
        assert_eq!(tests.contains(&test), kernel.quick, "{test}");
        let facts = Facts::of(kernel.name).unwrap();
        let rows: Vec<&str> = TABLE.iter().map(|flag| flag.name.plain()).collect();
        for row in &rows {
            assert!(facts.flags.contains_key(*row), "{}: no fact about {row}", kernel.name);
        }
        for name in facts.flags.keys() {
            assert!(rows.contains(&name.as_str()), "{}: {name} is no row of the table", kernel.name);
        }
        for flag in TABLE {
            let absent = facts.flags[flag.name.plain()].verdict == "absent";
            assert_eq!(flag.value(kernel.arch).is_none(), absent, "{}: {}", kernel.name, flag.name.plain());
        }
    }
}
