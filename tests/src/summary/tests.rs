//! The summary of invented entries.

use super::*;
use crate::cache_entry::Provenance;
use crate::expectations::Expectations;
use crate::expectations::since::Basis;
use crate::{kernels, scenarios};
use serde_json::json;

/// A completed boot whose report has one verdict.
pub fn entry(kernel: &str, scenario: &str, verdict: &str) -> Entry {
    let flags = json!([{"name": "MAP_SHARED", "verdict": verdict}]);
    let document = json!({
        "schema": "mapprobe.report", "kernel": {"release": "6.1.0"}, "process": {"euid": 0},
        "flags": flags
    });
    let differences = Expectations::of(kernel).unwrap().compare(&document);
    let differences =
        differences.into_iter().filter(|difference| difference.flag == "MAP_SHARED").collect();
    let provenance = Provenance {
        recipe: "a".into(),
        package: "linux".into(),
        version: "6.1-1".into(),
        sha256: "abc".into(),
    };
    let completed = Completed {
        time: Duration::from_millis(1500),
        exit: 0,
        text: document.to_string(),
        file: "target/lab/a.txt".into(),
        origin: Origin { provenance, suite: Some("bookworm"), emulator: "QEMU 7".into() },
        document: Some(document),
        compared: Some((Basis::Expectations, differences)),
    };
    Entry { outcome: Outcome::Completed(Box::new(completed)), ..failed(kernel, scenario) }
}

/// A failed boot.
pub fn failed(kernel: &str, scenario: &str) -> Entry {
    let (kernel, scenario) = (kernels::named(kernel).unwrap(), scenarios::named(scenario).unwrap());
    Entry { kernel, scenario, query: Query::Report, outcome: Outcome::Failed("It hung.".into()) }
}

fn completed(entry: &mut Entry) -> &mut Completed {
    match &mut entry.outcome {
        Outcome::Completed(completed) => completed,
        other => panic!("{other:?}"),
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn verdicts_differences_and_times_are_shown() {
    let entries = [entry("x86_64-6.1", "root", "honored"), entry("x86_64-6.12", "root", "ignored")];
    let text = text(&entries, &[], Duration::from_secs(3));
    let row = |start: &str| words(text.lines().find(|line| line.starts_with(start)).unwrap());
    assert_eq!(row("MAP_SHARED "), ["MAP_SHARED", "honored", "ignored*"]);
    assert!(text.contains("x86_64-6.12 root: MAP_SHARED: expected honored, got ignored"), "{text}");
    assert_eq!(row("x86_64-6.1 "), ["x86_64-6.1", "1.5", "linux", "6.1-1"]);
    assert_eq!(row("x86_64-6.12 "), ["x86_64-6.12", "1.5*", "linux", "6.1-1"]);
    assert!(text.ends_with("\n2 run: 1 passed, 1 failed; 0 skipped; 3 s\n"), "{text}");
}

#[test]
fn every_scenario_has_a_column_and_only_the_plain_one_a_table_of_verdicts() {
    let free = Entry { query: Query::FreeBits, ..entry("hppa-6.1", "root", "honored") };
    let entries = [entry("hppa-6.1", "user", "honored"), free];
    let text = text(&entries, &[], Duration::ZERO);
    assert!(!text.contains("FLAG"), "{text}");
    let head = text.lines().find(|line| line.starts_with("SECONDS")).unwrap();
    assert_eq!(words(head), ["SECONDS", "user", "free-bits"]);
    assert!(text.contains("slowest: hppa-6.1 user 1.5 s, hppa-6.1 root free-bits 1.5 s"), "{text}");
}

#[test]
fn builds_in_containers_are_counted_and_printed() {
    use crate::containers::{Build, Outcome};
    let skipped = |name| Build { name, outcome: Outcome::Skipped("no podman".into()) };
    let built = Outcome::Built { time: Duration::from_millis(61_500), findings: "static".into() };
    let builds = [
        Build { name: "docker hppa", outcome: built },
        Build { name: "cross x86_64", outcome: Outcome::Failed("It hung.".into()) },
    ];
    let summary = text(&[], &builds, Duration::ZERO);
    assert!(
        summary.starts_with("CONTAINERS")
            && summary.contains("\ndocker hppa              61.5  static\n"),
        "{summary}"
    );
    assert!(summary.contains("\ncross x86_64: failed: It hung.\n"), "{summary}");
    assert!(summary.ends_with("\n2 run: 1 passed, 1 failed; 0 skipped; 0 s\n"), "{summary}");
    let summary = text(&[], &[skipped("docker hppa"), skipped("cross x86_64")], Duration::ZERO);
    let expected = "skipped: containers: docker hppa, cross x86_64: no podman\n\
                    0 run: 0 passed, 0 failed; 2 skipped; 0 s\n";
    assert_eq!(summary, expected);
}

#[test]
fn every_skip_is_counted_and_listed_with_its_reason() {
    let skipped =
        |kernel| Entry { outcome: Outcome::Skipped("unsupported"), ..failed(kernel, "dax") };
    let entries = [skipped("hppa-6.1"), skipped("hppa-5.10"), failed("x86_64-6.1", "dax")];
    let text = text(&entries, &[], Duration::ZERO);
    assert!(text.contains("\nskipped: dax on hppa-6.1, hppa-5.10: unsupported\n"), "{text}");
    assert!(text.contains("x86_64-6.1 dax: failed: It hung."), "{text}");
    assert!(text.ends_with("\n1 run: 0 passed, 1 failed; 2 skipped; 0 s\n"), "{text}");
}

#[test]
fn new_kernels_other_output_and_exit_codes_have_a_line() {
    let mut new = entry("x86_64-7.x", "root", "honored");
    completed(&mut new).compared = Some((Basis::New((8, 0)), Vec::new()));
    let mut other = entry("hppa-6.1", "root", "honored");
    (completed(&mut other).document, completed(&mut other).compared, completed(&mut other).exit) =
        (None, None, 2);
    let text = text(&[new, other], &[], Duration::ZERO);
    assert!(
        text.contains(
            "x86_64-7.x root: compared with the flag table, since the series 8.0 is new\n"
        ),
        "{text}"
    );
    assert!(text.contains("hppa-6.1 root: no report; output in target/lab/a.txt\n"), "{text}");
    assert!(text.contains("hppa-6.1 root: exit code 2\n"), "{text}");
    assert!(text.ends_with("2 run: 1 passed, 1 failed; 0 skipped; 0 s\n"), "{text}");
}
