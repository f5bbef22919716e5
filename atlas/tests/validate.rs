//! `atlas validate` accepts valid documents and names the location of every violation.

use documents::{Output, all, atlas, envelope, report, write};
use mapprobe::request::Query;
use serde_json::{Value, json};
use std::fs;

mod documents;

#[test]
fn documents_of_mapprobe_are_valid() {
    let directory = tempfile::tempdir().unwrap();
    let documents = all();
    for arch in ["x86_64", "aarch64", "hppa"] {
        for schema in ["mapprobe.report", "mapprobe.sweep", "mapprobe.free-bits"] {
            let fits = |value: &Value| {
                value["document"]["tool"]["arch"] == arch && value["document"]["schema"] == schema
            };
            assert!(documents.iter().any(fits), "{arch} {schema}");
        }
    }
    let lines = write(directory.path(), "lab.ndjson", &documents);
    let bare = directory.path().join("report.json");
    fs::write(&bare, serde_json::to_string_pretty(&report("x86_64-5.10")).unwrap()).unwrap();
    let Output { exit, stdout, stderr } = atlas(&["validate"], &[&lines, &bare]);
    let expected = format!("{} documents, all valid\n", documents.len() + 1);
    assert_eq!((exit, stdout, stderr.as_str()), (0, expected, ""));
}

#[test]
fn violations_are_named_with_file_line_and_pointer() {
    let directory = tempfile::tempdir().unwrap();
    let good = envelope("hppa-5.10", Query::Report);
    let with = |pointer: &str, value: Value| {
        let mut broken = good.clone();
        *broken.pointer_mut(pointer).unwrap() = value;
        broken
    };
    let without = |key: &str| {
        let mut broken = good.clone();
        broken.as_object_mut().unwrap().remove(key);
        broken
    };
    let cases = [
        (with("/document/flags/3/verdict", json!("maybe")), "/document/flags/3/verdict: \"maybe\""),
        (
            with("/document/flags/0/contexts/1/outcome", json!("perhaps")),
            "/document/flags/0/contexts/1/outcome: \"perhaps\"",
        ),
        (with("/document/schema_version", json!("2.0")), "/document/schema_version: \"2.0\""),
        (with("/document/validation/type_mask", json!(15)), "/document/validation/type_mask: 15"),
        (with("/made", json!("guess")), "/made: \"guess\""),
        (with("/origin/sha256", json!("abc")), "/origin/sha256: \"abc\""),
        (without("guest"), "/: \"guest\" is a required property"),
    ];
    for (broken, expected) in cases {
        let file = write(directory.path(), "lab.ndjson", &[good.clone(), broken, good.clone()]);
        let Output { exit, stdout, stderr } = atlas(&["validate"], &[&file]);
        assert_eq!((exit, stderr.as_str()), (1, ""), "{stdout}");
        let lines: Vec<&str> = stdout.lines().collect();
        assert!(lines[0].starts_with(&format!("{}:2: {expected}", file.display())), "{stdout}");
        assert_eq!(lines.last(), Some(&"3 documents, 1 not valid"));
    }
    // Without an envelope, pointers start at the document itself.
    let mut bare = good["document"].clone();
    bare["flags"][1]["evidence"] = json!([]);
    bare["flags"][2]["value"] = json!(null);
    let Output { exit, stdout, .. } =
        atlas(&["validate"], &[&write(directory.path(), "bare.ndjson", &[bare])]);
    assert!(
        exit == 1
            && stdout.contains(":1: /flags/1/evidence: ")
            && stdout.contains(":1: /flags/2/verdict: "),
        "{stdout}"
    );
}

#[test]
fn documents_that_cannot_be_checked_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    let good = envelope("hppa-5.10", Query::FreeBits).to_string();
    let cases = [
        (String::new(), "is empty"),
        ("\n \n".into(), "is empty"),
        (format!("{good}\nnothing\n"), ":2: invalid JSON"),
        (good[..good.len() - 2].into(), ":1: invalid JSON"),
        ("{\n \"schema\": \n".into(), ": invalid JSON: EOF"),
        (
            "{\"a\":1}".into(),
            ":1: no schema is named; the key schema must be one of mapprobe.report",
        ),
        (good.replacen("mapprobe.lab", "mapprobe.map", 1), "there is no schema \"mapprobe.map\""),
        (
            good.replace("mapprobe.free-bits", "mapprobe.bits"),
            "the key /document/schema must be one of",
        ),
    ];
    for (text, expected) in cases {
        fs::write(&file, &text).unwrap();
        let Output { exit, stdout, stderr } = atlas(&["validate"], &[&file]);
        assert!(exit == 2 && stderr.contains(expected), "{stdout}{stderr}");
        assert!(
            stderr.starts_with("cargo atlas: ") && stderr.contains(&file.display().to_string()),
            "{stderr}"
        );
    }
    let missing = atlas(&["validate"], &[&directory.path().join("missing")]);
    assert!(
        missing.exit == 2 && missing.stderr.contains("missing cannot be read: "),
        "{missing:?}"
    );
    assert_eq!(atlas(&["validate"], &[]).exit, 2);
    assert_eq!(atlas(&["value"], &[]).exit, 2);
    // An error does not hide the violations of other documents.
    let mut broken: Value = serde_json::from_str(&good).unwrap();
    broken["document"]["complete"] = json!("yes");
    fs::write(&file, format!("nothing\n{broken}\n")).unwrap();
    let Output { exit, stdout, stderr } = atlas(&["validate"], &[&file]);
    assert!(
        exit == 2 && stdout.contains(":2: /document/complete: ") && stderr.contains(":1: "),
        "{stdout}{stderr}"
    );
}
