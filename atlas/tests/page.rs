//! The page as text: all verdicts are in the table, the counts are right, and documents cannot
//! inject markup.

use atlas::publish::{PAGE, TEXT};
use documents::{Output, all, atlas, envelope, report, write};
use mapprobe::request::Query;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::slice::from_ref;

mod documents;

/// Runs `atlas page` and returns the page and the Markdown file.
fn published(directory: &Path, documents: &[Value]) -> (String, String) {
    let file = write(directory, "documents", documents);
    let output = atlas(&["page", "--out", directory.to_str().unwrap()], &[&file]);
    assert_eq!((output.exit, output.stderr.as_str()), (0, ""));
    let read = |name| fs::read_to_string(directory.join(name)).unwrap();
    (read(PAGE), read(TEXT))
}

/// Every text between a start and the next end.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).map(|rest| rest.split(end).next().unwrap()).collect()
}

/// The table of a page: the heads of the columns, and the verdicts by flag.
fn matrix(page: &str) -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let table = between(page, "<table id=\"matrix\"", "</table>")[0];
    let heads =
        between(between(table, "<thead>", "</thead>")[0], "<th scope=\"col\" data-arch", "</th>");
    let name =
        |head: &&str| {
            let parts = between(head, "<span class=\"family\">", "</span>")
                .into_iter()
                .chain(between(head, "<span class=\"series\">", "</span>"));
            parts.collect::<Vec<_>>().join("-")
        };
    let rows = between(between(table, "<tbody>", "</tbody>")[0], "<tr>", "</tr>");
    let row = |row: &&str| {
        let cells = between(row, "<td ", "</td>")
            .into_iter()
            .map(|cell| between(cell, "tabindex=\"-1\">", "<")[0].to_owned());
        (between(row, "<code>", "</code>")[0].to_owned(), cells.collect())
    };
    (heads.iter().map(name).collect(), rows.iter().map(row).collect())
}

#[test]
fn every_verdict_is_in_the_table() {
    let directory = tempfile::tempdir().unwrap();
    let documents = all();
    let (page, text) = published(directory.path(), &documents);
    let (heads, rows) = matrix(&page);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut compared = 0;
    for value in documents.iter().filter(|value| value["document"]["schema"] == "mapprobe.report") {
        let kernel = value["kernel"].as_str().unwrap();
        let at = heads
            .iter()
            .position(|head| head == kernel)
            .unwrap_or_else(|| panic!("{kernel}: {heads:?}"));
        for flag in value["document"]["flags"].as_array().unwrap() {
            let (name, verdict) =
                (flag["name"].as_str().unwrap(), flag["verdict"].as_str().unwrap());
            assert_eq!(rows[name][at], verdict, "{name} on {kernel}");
            *counts.entry(verdict.to_owned()).or_default() += 1;
            compared += 1;
        }
    }
    assert_eq!(compared, heads.len() * rows.len());
    assert_eq!(
        (heads.len(), rows.len()),
        (documents::KERNELS.len() + 2, mapprobe::flags::Flag::ALL.len())
    );
    assert!(counts.len() > 5, "{counts:?}");
    for (verdict, count) in &counts {
        assert!(
            page.contains(&format!("<td class=\"count\" data-verdict=\"{verdict}\">{count}</td>")),
            "{verdict} {count}"
        );
        assert!(page.contains(&format!("{verdict} <b>{count}</b>")), "{verdict} {count}");
        assert!(text.contains(&format!("| {verdict} | {count} | ")), "{verdict} {count}");
    }
    let cells: usize =
        counts.keys().map(|verdict| text.matches(&format!("| {verdict} ")).count()).sum();
    // The legend contains each verdict once more.
    assert_eq!(cells, compared + counts.len());
}

#[test]
fn kernels_are_sorted_by_version() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut documents = all();
    let first = published(one.path(), &documents);
    let expected = [
        "x86_64-4.10",
        "x86_64-5.10",
        "x86_64-7.x",
        "aarch64-6.1",
        "aarch64-7.x-16k",
        "hppa-4.10",
        "hppa-5.10",
        "hppa64-6.12",
    ];
    assert_eq!(matrix(&first.0).0, expected);
    documents.reverse();
    // Duplicates do not matter.
    documents.push(documents[0].clone());
    assert!(
        published(other.path(), &documents) == first,
        "the page depends on the order of the input"
    );
}

#[test]
fn the_page_is_self_contained_and_small() {
    let directory = tempfile::tempdir().unwrap();
    let (page, _) = published(directory.path(), &all());
    for reference in [
        "http://",
        "https://",
        "src=",
        "@import",
        "url(",
        "<link rel=\"stylesheet\"",
        "fetch(",
        "innerHTML",
    ] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.len() < 200_000, "{} bytes for 8 kernels", page.len());
    let files: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files.len(), 3, "the documents, the page and the Markdown file: {files:?}");
}

#[test]
fn the_page_contains_all_evidence() {
    let directory = tempfile::tempdir().unwrap();
    let document = envelope("hppa64-6.12", Query::Report);
    let (page, _) = published(directory.path(), from_ref(&document));
    let data: Value =
        serde_json::from_str(between(&page, "id=\"evidence\">", "</script>")[0]).unwrap();
    let text = |number: &Value| data["texts"][number.as_u64().unwrap() as usize].clone();
    for (at, flag) in document["document"]["flags"].as_array().unwrap().iter().enumerate() {
        let found = &data["columns"][0]["flags"][at];
        let words: Vec<Value> = found[0].as_array().unwrap().iter().map(text).collect();
        assert_eq!(
            words[2..],
            [&flag["verdict"], &flag["reason_code"], &flag["reason"]].map(Value::clone)
        );
        let calls: Vec<Value> = found[2].as_array().unwrap().iter().map(text).collect();
        assert_eq!(json!(calls), flag["evidence"]);
        let contexts = found[1].as_array().unwrap().iter().map(|context| {
            let [map_type, backing, outcome] = [0, 1, 2].map(|at| text(&context[at]));
            json!({"type": map_type, "backing": backing, "outcome": outcome})
        });
        assert_eq!(contexts.collect::<Value>(), flag["contexts"]);
    }
}

#[test]
fn package_date_and_interference_are_shown() {
    let directory = tempfile::tempdir().unwrap();
    let mut document = envelope("x86_64-5.10", Query::Report);
    let sum = "0123456789abcdef".repeat(4);
    document["origin"] = json!({
        "package": "linux-image-5",
        "version": "5.10.223-1",
        "sha256": sum,
        "suite": "bullseye",
        "emulator": "QEMU 7.2",
    });
    document["made"] = json!("boot");
    document["document"]["process"]["time"] = json!(1_795_373_128);
    document["document"]["environment"] = json!([{"name": "a filter", "evidence": "mmap: EPERM"}]);
    let (page, text) = published(directory.path(), &[document]);
    for word in [
        "linux-image-5 5.10.223-1",
        &sum,
        "bullseye",
        "QEMU 7.2",
        "2026-11-22",
        "a filter: mmap: EPERM",
    ] {
        assert!(page.contains(word) && text.contains(word), "{word}");
    }
    assert!(page.contains("as root, boot") && page.contains("see note"));
}

#[test]
fn documents_cannot_inject_markup() {
    let directory = tempfile::tempdir().unwrap();
    let hostile = "</script><img src=x onerror=alert(1)>|`[x](y)`\"'&";
    let mut documents =
        vec![envelope("x86_64-5.10", Query::Report), envelope("x86_64-5.10", Query::FreeBits)];
    for value in &mut documents {
        value["kernel"] = json!(format!("x86_64-{hostile}"));
        value["guest"] = json!(hostile);
        for key in ["package", "version", "suite", "emulator"] {
            value["origin"][key] = json!(hostile);
        }
        for key in ["sysname", "release", "version", "machine"] {
            value["document"]["kernel"][key] = json!(hostile);
        }
        value["document"]["environment"] = json!([{"name": hostile, "evidence": hostile}]);
    }
    documents[0]["document"]["flags"][0]["reason"] = json!(hostile);
    documents[0]["document"]["flags"][0]["contexts"][0]["backing"] = json!(hostile);
    documents[0]["document"]["flags"][0]["evidence"][0] = json!(format!("mmap({hostile}): EINVAL"));
    let (page, text) = published(directory.path(), &documents);
    for written in [&page, &text] {
        assert!(
            !written.contains("<img") && !written.contains("onerror=alert(1)>"),
            "injected markup"
        );
    }
    // The escaped text is in the table, in the cards and in the evidence.
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(page.matches("&#60;img src=x").count() + page.matches("&lt;img src=x").count() > 5);
    assert!(page.contains("\\u003c/script\\u003e\\u003cimg src=x"));
    assert!(text.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;\\|"));
}

#[test]
fn reports_without_envelope_are_named_by_release() {
    let directory = tempfile::tempdir().unwrap();
    let mut user = report("x86_64-5.10");
    user["process"]["euid"] = json!(1000);
    let (page, text) = published(directory.path(), &[report("x86_64-5.10"), user]);
    let release = report("x86_64-5.10")["kernel"]["release"].as_str().unwrap().to_owned();
    assert_eq!(matrix(&page).0, [format!("x86_64-{release}"), format!("x86_64-{release}")]);
    assert!(
        page.contains("<option value=\"root\">root</option><option value=\"user\">user</option>")
    );
    assert_eq!(page.matches("data-guest=\"user\" hidden").count(), 1);
    // The counts are those of the scenario that is shown.
    assert!(page.contains("33 flags on 1 kernel,") && !text.contains("as user"));
}

#[test]
fn errors_leave_no_page() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let mut other = envelope("hppa-5.10", Query::Report);
    other["document"]["flags"][0]["verdict"] = json!("ignored");
    let mut broken = envelope("hppa-5.10", Query::Report);
    broken["document"]["flags"][0]["verdict"] = json!("perhaps");
    let cases = [
        (
            vec![envelope("hppa-5.10", Query::Report), other],
            ":2: a second mapprobe.report of hppa-5.10 as root",
        ),
        (vec![broken], ":1: /document/flags/0/verdict: \"perhaps\""),
        (vec![envelope("hppa-5.10", Query::FreeBits)], "No file has a mapprobe.report"),
        (vec![json!({"schema": "other"})], "there is no schema \"other\""),
    ];
    for (documents, expected) in cases {
        let file = write(directory.path(), "documents", &documents);
        let Output { exit, stdout, stderr } =
            atlas(&["page", "--out", out.to_str().unwrap()], &[&file]);
        assert!(exit == 2 && stdout.is_empty() && stderr.contains(expected), "{stderr}");
        assert!(!out.exists(), "{expected}");
    }
    assert_eq!(atlas(&["page", "--out", out.to_str().unwrap()], &[]).exit, 2);
    let good = write(directory.path(), "documents", &[envelope("hppa-5.10", Query::Report)]);
    assert_eq!(atlas(&["page"], &[&good]).exit, 2);
    // The output directory is a file.
    let output = atlas(&["page", "--out", good.to_str().unwrap()], &[&good]);
    assert!(output.exit == 2 && output.stderr.contains("cannot be created"), "{output:?}");
}

#[test]
fn simulated_kernels_are_marked() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(
        directory.path(),
        "documents",
        &[envelope("hppa-5.10", Query::Report), envelope("hppa-5.10", Query::Sweep)],
    );
    let out = directory.path().to_str().unwrap();
    let page_with = |option| {
        let output = atlas(&["page", option, "--out", out], &[&file]);
        assert_eq!((output.exit, output.stderr.as_str()), (0, ""));
        fs::read_to_string(directory.path().join(PAGE)).unwrap()
    };
    let page = page_with("--simulated");
    assert!(page_with("--models") == page, "the former name of the option has another effect");
    assert_eq!(matrix(&page).0, ["x86_64-4.10", "hppa-4.10", "hppa-5.10"]);
    let card = between(&page, "<h3>bit 0x08", "</article>")[0];
    assert!(card.contains("on hppa, today MAP_DROPPABLE"), "{card}");
    assert!(
        card.contains("hppa-4.10 (simulated), with MAP_SHARED, MAP_PRIVATE")
            && card.contains("hppa-5.10 (recording)"),
        "{card}"
    );
}

/// Recordings of a directory are columns like those of files, marked with their origin.
#[test]
fn recordings_of_a_directory_are_added() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../probe/tests/recordings");
    let run = |recordings: &Path| {
        let out = tempfile::tempdir().unwrap();
        let directories = [out.path(), recordings].map(|path| path.to_str().unwrap());
        let [out_path, recordings] = directories;
        let output = atlas(&["page", "--out", out_path, "--recordings", recordings], &[]);
        (output, fs::read_to_string(out.path().join(TEXT)).unwrap_or_default())
    };
    let (output, text) = run(&root.join("old"));
    assert_eq!((output.exit, output.stderr.as_str()), (0, ""));
    for line in [
        "- x86_64-2.6.32, as root, recording.",
        "| Flag | x86_64-2.6.32 (recording) | x86_64-4.4 (recording) | x86_64-4.14 (recording) |",
        "| hppa-4.15 (recording) | 3, 5–10, 21–25 | none | 0x0",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line}\n{text}");
    }
    // The directory above has other files.
    let (output, _) = run(&root);
    assert_eq!(output.exit, 2);
    assert!(output.stderr.contains("the name ends neither in .report.txt"), "{}", output.stderr);
}
