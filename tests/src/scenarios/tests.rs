//! The rows, without booting anything.

use super::*;
use crate::kernels;

#[test]
fn the_plain_scenario_is_first_and_names_are_unique() {
    assert_eq!(ALL[0].name, "root");
    for (at, scenario) in ALL.iter().enumerate() {
        assert!(ALL[..at].iter().all(|other| other.name != scenario.name), "{}", scenario.name);
        assert!(kernels::named(scenario.name).is_err(), "{}: a kernel is called so", scenario.name);
    }
}

/// A reason for a pair that does not exist would never be shown.
#[test]
fn every_skip_is_about_a_pair_and_no_guest_is_left_without_kernels() {
    for skip in SKIPS {
        let scenario =
            named(skip.scenario).unwrap_or_else(|| panic!("{} is no scenario", skip.scenario));
        assert!(
            kernels::ALL.iter().any(|kernel| scenario.skipped(kernel) == Some(skip.reason)),
            "{skip:?}"
        );
    }
    for scenario in ALL {
        assert!(
            kernels::ALL.iter().any(|kernel| scenario.skipped(kernel).is_none()),
            "{}",
            scenario.name
        );
    }
    assert!(
        kernels::ALL.iter().all(|kernel| ALL[0].skipped(kernel).is_none()),
        "the plain scenario is never skipped"
    );
}

/// What a scenario without its own set-up cannot have: nobody would do it.
#[test]
fn the_program_as_pid_1_is_root_without_modules_or_a_disk() {
    for scenario in ALL.iter().filter(|scenario| scenario.setup.is_none()) {
        assert_eq!(
            (scenario.euid, scenario.modules, scenario.disk),
            (0, &[][..], false),
            "{}",
            scenario.name
        );
    }
    for scenario in ALL {
        let drops =
            scenario.setup.unwrap_or_default().iter().find_map(|step| step.strip_prefix("user "));
        assert_eq!(drops.map_or(0, |id| id.parse().unwrap()), scenario.euid, "{}", scenario.name);
    }
}

#[test]
fn memory_is_given_once_more_and_the_last_counts() {
    let kernel = kernels::named("aarch64-7.x-16k").unwrap();
    let prepared = named("small").unwrap().prepare(kernel, b"program", "").unwrap();
    let given: Vec<&String> = prepared.arguments.iter().skip_while(|word| *word != "-m").collect();
    assert_eq!(given.len(), 4, "{:?}", prepared.arguments);
    assert_eq!(given[..2], ["-m", "1024"]);
    assert_ne!(given[3], "1024");
}

#[test]
fn words_for_the_program_follow_its_dashes_where_it_is_pid_1() {
    let kernel = kernels::named("x86_64-6.1").unwrap();
    let prepared = named("hugepages").unwrap().prepare(kernel, b"program", "free-bits").unwrap();
    assert!(prepared.append.ends_with("hugepages=4 -- free-bits"), "{}", prepared.append);
}
