//! The rows of the scenarios.

use super::*;
use crate::kernels;

#[test]
fn the_plain_scenario_is_first_and_names_are_unique() {
    assert_eq!(ALL[0].name, "root");
    for (at, scenario) in ALL.iter().enumerate() {
        assert!(ALL[..at].iter().all(|other| other.name != scenario.name), "{}", scenario.name);
        assert!(
            kernels::named(scenario.name).is_err(),
            "{}: a kernel has this name",
            scenario.name
        );
    }
}

/// A skip that applies to no kernel would never be printed.
#[test]
fn every_skip_applies_and_every_scenario_has_a_kernel() {
    for skip in SKIPS {
        let applies = |scenario: &str, pattern: &str| {
            let scenario =
                named(scenario).unwrap_or_else(|| panic!("{scenario} is not a scenario"));
            kernels::ALL.iter().any(|kernel| {
                matches(pattern, kernel.name) && scenario.skipped(kernel) == Some(skip.reason)
            })
        };
        for scenario in skip.scenarios {
            assert!(skip.kernels.iter().any(|kernels| applies(scenario, kernels)), "{scenario}");
        }
        for kernels in skip.kernels {
            assert!(skip.scenarios.iter().any(|scenario| applies(scenario, kernels)), "{kernels}");
        }
    }
    for (scenario, shown) in ALL.iter().filter_map(|one| Some((one, one.shown_on?))) {
        for pattern in shown.kernels {
            let shows = |kernel: &Kernel| {
                matches(pattern, kernel.name) && scenario.skipped(kernel).is_none()
            };
            assert!(kernels::ALL.iter().any(shows), "{} on {pattern}", scenario.name);
        }
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

/// Modules, disks and other users need steps of a setup.
#[test]
fn the_program_as_pid_1_is_root_without_modules_or_a_disk() {
    for scenario in ALL.iter().filter(|scenario| scenario.setup.is_none()) {
        assert_eq!(
            (scenario.euid, scenario.modules.len(), scenario.files, scenario.share),
            (0, 0, &[][..], false),
            "{}",
            scenario.name
        );
    }
    for scenario in ALL {
        let user =
            scenario.setup.unwrap_or_default().iter().find_map(|step| step.strip_prefix("user "));
        assert_eq!(user.map_or(0, |id| id.parse().unwrap()), scenario.euid, "{}", scenario.name);
    }
}

#[test]
fn the_memory_of_a_scenario_follows_the_memory_of_the_kernel() {
    let kernel = kernels::named("aarch64-7.x-16k").unwrap();
    let prepared = named("small").unwrap().prepare(kernel, b"program", "").unwrap();
    let memory: Vec<&String> =
        prepared.qemu.iter().skip_while(|argument| *argument != "-m").collect();
    assert_eq!(memory.len(), 4, "{:?}", prepared.qemu);
    assert_eq!(memory[..2], ["-m", "1024"]);
    assert_ne!(memory[3], "1024");
}

#[test]
fn arguments_of_pid_1_follow_two_dashes() {
    let kernel = kernels::named("x86_64-6.1").unwrap();
    let prepared = named("hugepages").unwrap().prepare(kernel, b"program", "free-bits").unwrap();
    assert!(prepared.append.ends_with("hugepages=4 -- free-bits"), "{}", prepared.append);
}

/// The numbers of the documentation. A boot of the scenario root asks two queries.
#[test]
fn the_documentation_counts_the_boots_and_the_skips() {
    let pairs = ALL.len() * kernels::ALL.len();
    let skips = |scenario: &Scenario| {
        kernels::ALL.iter().filter(|kernel| scenario.skipped(kernel).is_some()).count()
    };
    let skipped: usize = ALL.iter().map(skips).sum();
    let boots = pairs - skipped + kernels::ALL.len();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (file, count) in [
        ("README.md", format!("fourteen kernels in {} scenarios, {boots} boots", ALL.len())),
        ("docs/lab.md", format!("all {boots} boots")),
        ("docs/lab.md", format!("{skipped} of the {pairs} pairs are skipped")),
    ] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        assert!(text.contains(&count), "{file} does not say: {count}");
    }
    for scenario in ALL {
        let text = std::fs::read_to_string(root.join("docs/lab.md")).unwrap();
        assert!(text.contains(&format!("`{}`", scenario.name)), "{}", scenario.name);
    }
}
