//! The page as text: every flag on every kernel has its cell, the numbers are right, and nothing from outside becomes markup.

use atlas::publish::{PAGE, TEXT};
use documents::{all, atlas, envelope, report, write};
use mapprobe::cli::What;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::slice::from_ref;

mod documents;

/// What is written about some documents: page and Markdown.
fn published(folder: &Path, documents: &[Value]) -> (String, String) {
    let file = write(folder, "documents", documents);
    let (exit, _, complained) = atlas(&["page", "--out", folder.to_str().unwrap()], &[&file]);
    assert_eq!((exit, complained.as_str()), (0, ""));
    let read = |name| fs::read_to_string(folder.join(name)).unwrap();
    (read(PAGE), read(TEXT))
}

/// The text between two others, as often as it occurs.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).map(|rest| rest.split(end).next().unwrap()).collect()
}

/// The matrix of a page: the heads of its columns, and per flag the words.
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
fn every_flag_on_every_kernel_has_its_cell() {
    let folder = tempfile::tempdir().unwrap();
    let documents = all();
    let (page, text) = published(folder.path(), &documents);
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
        (documents::KERNELS.len() + 2, mapprobe::flags::TABLE.len())
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
    // Each word once more in the legend.
    assert_eq!(cells, compared + counts.len());
}

#[test]
fn the_older_kernels_come_first_in_whatever_order() {
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
    // The same document twice is the same as once.
    documents.push(documents[0].clone());
    assert!(published(other.path(), &documents) == first, "the order of the input shows");
}

/// The page needs nothing but itself, and is no burden.
#[test]
fn it_is_whole_and_light() {
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = published(folder.path(), &all());
    for outside in [
        "http://",
        "https://",
        "src=",
        "@import",
        "url(",
        "<link rel=\"stylesheet\"",
        "fetch(",
        "innerHTML",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.len() < 200_000, "{} bytes for 8 kernels", page.len());
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "the documents, the page and the text: {left:?}");
}

#[test]
fn what_mapprobe_found_is_in_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let document = envelope("hppa64-6.12", What::Report);
    let (page, _) = published(folder.path(), from_ref(&document));
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
fn where_a_kernel_comes_from_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut document = envelope("x86_64-5.10", What::Report);
    let sum = "0123456789abcdef".repeat(4);
    document["origin"] = json!({"package": "linux-image-5", "version": "5.10.223-1", "sha256": sum, "suite": "bullseye", "emulator": "QEMU 7.2"});
    document["made"] = json!("boot");
    document["document"]["process"]["time"] = json!(1_795_373_128);
    document["document"]["environment"] =
        json!([{"name": "a filter", "evidence": "seccomp said so"}]);
    let (page, text) = published(folder.path(), &[document]);
    for word in [
        "linux-image-5 5.10.223-1",
        &sum,
        "bullseye",
        "QEMU 7.2",
        "2026-11-22",
        "a filter: seccomp said so",
    ] {
        assert!(page.contains(word) && text.contains(word), "{word}");
    }
    assert!(page.contains("as root, boot") && page.contains("see note"));
}

#[test]
fn what_comes_from_outside_is_never_markup() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "</script><img src=x onerror=alert(1)>|`[x](y)`\"'&";
    let mut documents =
        vec![envelope("x86_64-5.10", What::Report), envelope("x86_64-5.10", What::FreeBits)];
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
    let (page, text) = published(folder.path(), &documents);
    for written in [&page, &text] {
        assert!(
            !written.contains("<img") && !written.contains("onerror=alert(1)>"),
            "markup from outside"
        );
    }
    // Escaped, and there: in the table, in the cards, and twice in a script.
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(page.matches("&#60;img src=x").count() + page.matches("&lt;img src=x").count() > 5);
    assert!(page.contains("\\u003c/script\\u003e\\u003cimg src=x"));
    assert!(text.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;\\|"));
}

#[test]
fn bare_reports_are_named_by_their_kernel() {
    let folder = tempfile::tempdir().unwrap();
    let mut user = report("x86_64-5.10");
    user["process"]["euid"] = json!(1000);
    let (page, text) = published(folder.path(), &[report("x86_64-5.10"), user]);
    let release = report("x86_64-5.10")["kernel"]["release"].as_str().unwrap().to_owned();
    assert_eq!(matrix(&page).0, [format!("x86_64-{release}"), format!("x86_64-{release}")]);
    assert!(
        page.contains("<option value=\"root\">root</option><option value=\"user\">user</option>")
    );
    assert_eq!(page.matches("data-guest=\"user\" hidden").count(), 1);
    // The numbers are those of the guest that is shown.
    assert!(page.contains("33 flags on 1 kernel,") && !text.contains("as user"));
}

#[test]
fn what_makes_no_page_is_trouble_and_leaves_none() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut other = envelope("hppa-5.10", What::Report);
    other["document"]["flags"][0]["verdict"] = json!("ignored");
    let mut broken = envelope("hppa-5.10", What::Report);
    broken["document"]["flags"][0]["verdict"] = json!("perhaps");
    let cases = [
        (
            vec![envelope("hppa-5.10", What::Report), other],
            ":2: a second mapprobe.report of hppa-5.10 as root",
        ),
        (vec![broken], ":1: /document/flags/0/verdict: \"perhaps\""),
        (vec![envelope("hppa-5.10", What::FreeBits)], "No file has a mapprobe.report"),
        (vec![json!({"schema": "other"})], "there is no schema \"other\""),
    ];
    for (documents, complaint) in cases {
        let file = write(folder.path(), "documents", &documents);
        let (exit, said, complained) = atlas(&["page", "--out", out.to_str().unwrap()], &[&file]);
        assert!(exit == 2 && said.is_empty() && complained.contains(complaint), "{complained}");
        assert!(!out.exists(), "{complaint}");
    }
    assert_eq!(atlas(&["page", "--out", out.to_str().unwrap()], &[]).0, 2);
    let good = write(folder.path(), "documents", &[envelope("hppa-5.10", What::Report)]);
    assert_eq!(atlas(&["page"], &[&good]).0, 2);
    // A folder that is a file.
    let (exit, _, complained) = atlas(&["page", "--out", good.to_str().unwrap()], &[&good]);
    assert!(exit == 2 && complained.contains("cannot be made"), "{complained}");
}

#[test]
fn the_models_come_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(
        folder.path(),
        "documents",
        &[envelope("hppa-5.10", What::Report), envelope("hppa-5.10", What::Sweep)],
    );
    let (exit, _, complained) =
        atlas(&["page", "--models", "--out", folder.path().to_str().unwrap()], &[&file]);
    assert_eq!((exit, complained.as_str()), (0, ""));
    let page = fs::read_to_string(folder.path().join(PAGE)).unwrap();
    assert_eq!(matrix(&page).0, ["x86_64-4.10", "hppa-4.10", "hppa-5.10"]);
    let card = between(&page, "<h3>bit 0x08", "</article>")[0];
    assert!(card.contains("on hppa, today MAP_DROPPABLE"), "{card}");
    assert!(
        card.contains("hppa-4.10 (model), with MAP_SHARED, MAP_PRIVATE")
            && card.contains("hppa-5.10 (recording)"),
        "{card}"
    );
}
