//! The delivered program as PID 1 of real kernels, its report compared with what was written by hand about each of them.

use lab::facts::Facts;
use lab::{delivered, kernels, survey};
use mapprobe::flags::TABLE;

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

/// A quick kernel without its test above would be a skip that nobody sees; the others are booted by `cargo lab`.
#[test]
fn every_kernel_has_its_test_and_its_facts() {
    let tests = include_str!("kernels.rs");
    for kernel in kernels::ALL {
        let test = format!("fn boots_{}()", kernel.name.replace(['-', '.'], "_"));
        assert_eq!(tests.contains(&test), kernel.quick, "{test}");
        let facts = Facts::of(kernel.name).unwrap();
        let rows: Vec<&str> = TABLE.iter().map(|flag| flag.name).collect();
        for row in &rows {
            assert!(facts.flags.contains_key(*row), "{}: no fact about {row}", kernel.name);
        }
        for name in facts.flags.keys() {
            assert!(rows.contains(&name.as_str()), "{}: {name} is no row of the table", kernel.name);
        }
        for flag in TABLE {
            let absent = facts.flags[flag.name].verdict == "absent";
            assert_eq!(flag.value(kernel.arch).is_none(), absent, "{}: {}", kernel.name, flag.name);
        }
    }
}
