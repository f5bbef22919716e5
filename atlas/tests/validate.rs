//! `atlas validate`: good documents pass, broken ones are named with their place.

use documents::{all, atlas, envelope, report, write};
use mapprobe::cli::What;
use serde_json::{Value, json};
use std::fs;

mod documents;

#[test]
fn what_mapprobe_writes_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let documents = all();
    for arch in ["x86_64", "aarch64", "hppa"] {
        for schema in ["mapprobe.report", "mapprobe.sweep", "mapprobe.free-bits"] {
            let fits = |value: &Value| {
                value["document"]["tool"]["arch"] == arch && value["document"]["schema"] == schema
            };
            assert!(documents.iter().any(fits), "{arch} {schema}");
        }
    }
    let lines = write(folder.path(), "lab.ndjson", &documents);
    let bare = folder.path().join("report.json");
    fs::write(&bare, serde_json::to_string_pretty(&report("x86_64-5.10")).unwrap()).unwrap();
    let (exit, said, complained) = atlas(&["validate"], &[&lines, &bare]);
    assert_eq!(
        (exit, said, complained.as_str()),
        (0, format!("{} documents, all valid\n", documents.len() + 1), "")
    );
}

#[test]
fn what_does_not_fit_is_named_with_file_line_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let good = envelope("hppa-5.10", What::Report);
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
    for (broken, complaint) in cases {
        let file = write(folder.path(), "lab.ndjson", &[good.clone(), broken, good.clone()]);
        let (exit, said, complained) = atlas(&["validate"], &[&file]);
        assert_eq!((exit, complained.as_str()), (1, ""), "{said}");
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].starts_with(&format!("{}:2: {complaint}", file.display())), "{said}");
        assert_eq!(lines.last(), Some(&"3 documents, 1 not valid"));
    }
    // A bare document has no envelope before its places.
    let mut bare = good["document"].clone();
    bare["flags"][1]["evidence"] = json!([]);
    bare["flags"][2]["value"] = json!(null);
    let (exit, said, _) = atlas(&["validate"], &[&write(folder.path(), "bare.ndjson", &[bare])]);
    assert!(
        exit == 1
            && said.contains(":1: /flags/1/evidence: ")
            && said.contains(":1: /flags/2/verdict: "),
        "{said}"
    );
}

#[test]
fn what_cannot_be_checked_is_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let good = envelope("hppa-5.10", What::FreeBits).to_string();
    let cases = [
        (String::new(), "is empty"),
        ("\n \n".into(), "is empty"),
        (format!("{good}\nnothing\n"), ":2: this is not JSON"),
        (good[..good.len() - 2].into(), ":1: this is not JSON"),
        ("{\n \"schema\": \n".into(), ": this is not JSON: EOF"),
        (
            "{\"a\":1}".into(),
            ":1: no schema is named; the key schema should be one of mapprobe.report",
        ),
        (good.replacen("mapprobe.lab", "mapprobe.map", 1), "there is no schema \"mapprobe.map\""),
        (
            good.replace("mapprobe.free-bits", "mapprobe.bits"),
            "the key /document/schema should be one of",
        ),
    ];
    for (text, complaint) in cases {
        fs::write(&file, &text).unwrap();
        let (exit, said, complained) = atlas(&["validate"], &[&file]);
        assert!(exit == 2 && complained.contains(complaint), "{said}{complained}");
        assert!(
            complained.starts_with("cargo atlas: ")
                && complained.contains(&file.display().to_string()),
            "{complained}"
        );
    }
    let (exit, _, complained) = atlas(&["validate"], &[&folder.path().join("none")]);
    assert!(exit == 2 && complained.contains("none cannot be read: "), "{complained}");
    assert_eq!(atlas(&["validate"], &[]).0, 2);
    assert_eq!(atlas(&["value"], &[]).0, 2);
    // Trouble in one place does not hide what is wrong in another.
    let mut broken: Value = serde_json::from_str(&good).unwrap();
    broken["document"]["complete"] = json!("yes");
    fs::write(&file, format!("nothing\n{broken}\n")).unwrap();
    let (exit, said, complained) = atlas(&["validate"], &[&file]);
    assert!(
        exit == 2 && said.contains(":2: /document/complete: ") && complained.contains(":1: "),
        "{said}{complained}"
    );
}
