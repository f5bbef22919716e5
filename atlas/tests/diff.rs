//! `atlas diff` prints every change and only changes.

use documents::{Output, atlas, envelope, report, write};
use mapprobe::request::Query;
use serde_json::{Value, json};
use std::fs;
use std::slice::from_ref;

mod documents;

/// The exit code and the output lines for two documents.
fn compare(old: &Value, new: &Value) -> (i32, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let files = [
        write(directory.path(), "old", from_ref(old)),
        write(directory.path(), "new", from_ref(new)),
    ];
    let output = atlas(&["diff"], &[&files[0], &files[1]]);
    assert_eq!(output.stderr, "");
    (output.exit, output.stdout.lines().map(str::to_owned).collect())
}

#[test]
fn process_id_time_and_envelope_are_ignored() {
    let old = report("aarch64-6.1");
    let mut new = old.clone();
    new["process"]["pid"] = json!(4711);
    new["process"]["time"] = json!(null);
    assert_ne!(old, new);
    assert_eq!(compare(&old, &new), (0, vec![]));
    assert_eq!(compare(&old, &envelope("aarch64-6.1", Query::Report)), (0, vec![]));
}

#[test]
fn every_change_is_one_line() {
    let old = report("x86_64-5.10");
    let mut new = old.clone();
    new["kernel"]["release"] = json!("9.9");
    new["process"]["euid"] = json!(1000);
    new["environment"] = json!([{"name": "a filter", "evidence": "seccomp"}]);
    let flags = new["flags"].as_array_mut().unwrap();
    let names: Vec<String> =
        flags.iter().map(|flag| flag["name"].as_str().unwrap().to_owned()).collect();
    flags[4]["verdict"] = json!("ignored");
    flags[4]["reason_code"] = json!("effect_absent");
    flags[4]["available"] = json!("yes");
    flags[4]["contexts"][1]["outcome"] = json!("EPERM");
    flags[5]["evidence"].as_array_mut().unwrap().push(json!("mmap(MAP_SHARED, memfd): EPERM"));
    flags[6]["evidence"].as_array_mut().unwrap().reverse();
    flags.remove(7);
    let (exit, lines) = compare(&old, &new);
    let context = &old["flags"][4]["contexts"][1];
    let context = format!(
        "{} of {}",
        context["type"].as_str().unwrap(),
        context["backing"].as_str().unwrap()
    );
    let expected = [
        format!("kernel.release: {} -> \"9.9\"", old["kernel"]["release"]),
        "process.euid: 0 -> 1000".into(),
        "environment: +{\"name\":\"a filter\",\"evidence\":\"seccomp\"}".into(),
        format!("{}: verdict: honored -> ignored", names[4]),
        format!("{}: reason_code: effect_seen -> effect_absent", names[4]),
        format!("{}: available: not asked -> yes", names[4]),
        format!("{}: {context}: accepted -> EPERM", names[4]),
        format!(
            "{}: evidence: 0 calls only in the first report, 1 call only in the second",
            names[5]
        ),
        format!("{}: evidence: the same calls in another order", names[6]),
        format!("{}: only in the first report", names[7]),
    ];
    assert_eq!((exit, lines), (1, expected.to_vec()));
    let (exit, lines) = compare(&new, &old);
    assert_eq!((exit, lines.len()), (1, expected.len()));
    assert!(lines.contains(&format!("{}: only in the second report", names[7])), "{lines:?}");
}

#[test]
fn a_new_flag_is_a_change_between_two_kernels() {
    let (exit, lines) = compare(&report("x86_64-5.10"), &report("x86_64-7.x"));
    assert_eq!(exit, 1);
    for change in [
        "MAP_DROPPABLE: verdict: unknown -> honored",
        "MAP_DROPPABLE: MAP_DROPPABLE of anonymous: EINVAL -> accepted",
    ] {
        assert!(lines.iter().any(|line| line == change), "{lines:?}");
    }
    assert!(!lines.iter().any(|line| line.starts_with("MAP_FIXED: verdict")), "{lines:?}");
    let flags: Vec<&str> = lines.iter().filter_map(|line| Some(line.split_once(':')?.0)).collect();
    let mut seen = flags.clone();
    seen.dedup();
    let count = |name| seen.iter().filter(|seen| **seen == name).count();
    assert!(
        flags.iter().all(|name| count(*name) == 1),
        "the lines of a flag are not adjacent: {flags:?}"
    );
}

#[test]
fn files_without_exactly_one_report_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let one = write(directory.path(), "one", &[report("hppa-5.10")]);
    let mut broken = report("hppa-5.10");
    broken["flags"][0]["verdict"] = json!("perhaps");
    let empty = directory.path().join("empty");
    fs::write(&empty, "").unwrap();
    let cases = [
        (
            write(directory.path(), "two", &[report("hppa-5.10"), report("hppa64-6.12")]),
            "two has 2 documents",
        ),
        (
            write(directory.path(), "sweep", &[envelope("hppa-5.10", Query::Sweep)]),
            "sweep is a mapprobe.sweep",
        ),
        (write(directory.path(), "broken", &[broken]), "broken:1: /flags/0/verdict: \"perhaps\""),
        (
            write(directory.path(), "other", &[json!({"schema": "other"})]),
            "there is no schema \"other\"",
        ),
        (directory.path().join("missing"), "missing cannot be read"),
        (empty, "empty is empty"),
    ];
    for (file, expected) in &cases {
        for files in [[&one, file], [file, &one]] {
            let Output { exit, stdout, stderr } =
                atlas(&["diff"], &files.map(|file| file.as_path()));
            assert_eq!((exit, stdout.as_str()), (2, ""), "{stderr}");
            assert!(stderr.contains(expected) && stderr.lines().count() == 1, "{stderr}");
        }
    }
    assert_eq!(atlas(&["diff"], &[&one]).exit, 2);
}
