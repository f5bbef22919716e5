//! The page of the atlas in a browser: on a phone and on a desktop, in light and dark colors.
//! Screenshots are written to `target/page/`.

use atlas::publish::{self, Additions};
use atlas::{recordings, simulated};
use lab::browser::{Browser, Key};
use lab::kernels;
use lab::library::Query;
use lab::old_kernels;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const PHONE: (u32, u32) = (375, 812);
const DESKTOP: (u32, u32) = (1440, 900);
/// The kernels of the lab, the old ones, and two simulated ones.
const COLUMNS: usize = kernels::ALL.len() + old_kernels::ALL.len() + 2;

/// The documents of every kernel of the lab and of the old ones, from recordings, and those of the
/// simulated kernels.
fn documents() -> Vec<Value> {
    let directory = dist::workspace::root().join("probe/tests/recordings/lab");
    let recorded = kernels::ALL.iter().flat_map(|kernel| {
        let queries =
            [("report", Query::Report), ("sweep", Query::Sweep), ("sweep", Query::FreeBits)];
        queries.map(|(file, what)| {
            let recording =
                fs::read(directory.join(format!("{}.{file}.txt", kernel.name))).unwrap();
            recordings::document(kernel.name, &recording, what).unwrap().value
        })
    });
    let others = recordings::documents(&old_kernels::directory()).unwrap();
    let others = others.into_iter().chain(simulated::documents().unwrap());
    recorded.chain(others.map(|found| found.value)).collect()
}

/// A page about some documents.
fn page(name: &str, documents: &[Value]) -> PathBuf {
    let directory = dist::workspace::root().join("target/page").join(name);
    fs::create_dir_all(&directory).unwrap();
    let lines: String = documents.iter().map(|document| format!("{document}\n")).collect();
    let file = directory.join("documents.ndjson");
    fs::write(&file, lines).unwrap();
    publish::publish(&[&file], Additions::default(), &directory).unwrap();
    directory.join(publish::PAGE)
}

fn texts(browser: &mut Browser, expression: &str) -> Vec<String> {
    let value = browser.value(expression).unwrap();
    let list = value.as_array().unwrap_or_else(|| panic!("{expression} is {value}"));
    list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The texts of the visible elements of a selector.
fn seen(browser: &mut Browser, selector: &str) -> Vec<String> {
    texts(
        browser,
        &format!(
            "[...document.querySelectorAll({})].filter((it) => it.offsetParent).map((it) => \
                it.innerText.trim())",
            json!(selector)
        ),
    )
}

/// The verdicts in the documents by kernel and flag.
fn verdicts(documents: &[Value]) -> BTreeMap<(String, String), String> {
    let reports = documents.iter().filter(|value| value["document"]["schema"] == "mapprobe.report");
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let of_report = |value: &Value| {
        let kernel = word(&value["kernel"]);
        let flags = value["document"]["flags"].as_array().unwrap().clone();
        flags
            .into_iter()
            .map(move |flag| ((kernel.clone(), word(&flag["name"])), word(&flag["verdict"])))
    };
    reports.flat_map(of_report).collect()
}

#[test]
fn filters_show_the_selected_rows_and_columns() {
    let documents = documents();
    let all = verdicts(&documents);
    let mut browser = Browser::open(&page("filters", &documents)).unwrap();
    browser.set_screen(DESKTOP, false).unwrap();
    let heads = "#matrix thead th[data-arch] a";
    let flags = "#matrix tbody th code";
    let (columns, rows) = (COLUMNS, all.len() / COLUMNS);
    assert_eq!((seen(&mut browser, heads).len(), seen(&mut browser, flags).len()), (columns, rows));

    browser.value("document.querySelector('[data-arch=hppa].chip').click()").unwrap();
    let of_hppa = all.keys().filter(|(kernel, _)| kernel.starts_with("hppa")).count() / rows;
    let left = seen(&mut browser, heads);
    assert!(left.len() == of_hppa && left.iter().all(|name| name.starts_with("hppa")), "{left:?}");
    let cells = seen(&mut browser, "#matrix tbody tr:first-child td");
    assert_eq!(cells.len(), of_hppa);

    browser.value("document.querySelector('[data-verdict=unknown].chip').click()").unwrap();
    let unknown = |(kernel, flag): (&String, &String), word: &String| {
        (kernel.starts_with("hppa") && word == "unknown").then(|| flag.clone())
    };
    let mut expected: Vec<String> =
        all.iter().filter_map(|((kernel, flag), word)| unknown((kernel, flag), word)).collect();
    expected.sort();
    expected.dedup();
    let mut rest = seen(&mut browser, flags);
    rest.sort();
    assert_eq!(rest, expected);
    // Verdicts outside of the filter lose their color.
    let other = seen(&mut browser, "#matrix td.other");
    assert!(!other.is_empty() && !other.contains(&"unknown".to_owned()), "{other:?}");
    let count = seen(&mut browser, "[data-verdict=unknown].chip b");
    let of_hppa = all
        .iter()
        .filter(|((kernel, _), word)| kernel.starts_with("hppa") && *word == "unknown")
        .count();
    assert_eq!(count, [of_hppa.to_string()]);

    browser.value("document.querySelector('#everything').click()").unwrap();
    assert_eq!((seen(&mut browser, heads).len(), seen(&mut browser, flags).len()), (columns, rows));
    assert_eq!(browser.errors, Vec::<String>::new());
}

#[test]
fn another_scenario_can_be_selected() {
    let mut documents = documents();
    let mut other = documents.iter().find(|value| value["kernel"] == "x86_64-6.1").unwrap().clone();
    other["guest"] = json!("user");
    documents.push(other);
    let mut browser = Browser::open(&page("scenarios", &documents)).unwrap();
    browser.set_screen(DESKTOP, false).unwrap();
    let heads = "#matrix thead th[data-arch] a";
    assert_eq!(seen(&mut browser, heads).len(), COLUMNS);
    browser
        .value(
            "(() => { const it = document.querySelector('#by-guest'); it.value = 'user'; \
             it.dispatchEvent(new Event('change')); })()",
        )
        .unwrap();
    assert_eq!(
        seen(&mut browser, heads).iter().map(|name| name.replace('\n', "-")).collect::<Vec<_>>(),
        ["x86_64-6.1-recording"]
    );
    browser.value("document.querySelector('#matrix td:not([hidden]) button').click()").unwrap();
    assert_eq!(seen(&mut browser, "#cell .where"), ["as user, recording"]);
}

/// The finding for a flag on a kernel.
fn finding<'a>(documents: &'a [Value], kernel: &str, flag: &str) -> &'a Value {
    let of_kernel = |value: &&Value| {
        value["kernel"] == kernel && value["document"]["schema"] == "mapprobe.report"
    };
    let report = documents.iter().find(of_kernel).unwrap();
    report["document"]["flags"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["name"] == flag)
        .unwrap()
}

#[test]
fn a_cell_opens_its_own_evidence_from_the_keyboard() {
    let documents = documents();
    let mut browser = Browser::open(&page("evidence", &documents)).unwrap();
    browser.set_screen(DESKTOP, false).unwrap();
    // By Tab from the last button of the filters into the table, then by arrows.
    browser.value("document.querySelector('#by-verdict button:last-child').focus()").unwrap();
    for _ in 0..10 {
        browser.press(Key::Tab).unwrap();
        if browser.value("document.activeElement.matches('#matrix td button')").unwrap() == true {
            break;
        }
    }
    for key in [
        Key::ArrowDown,
        Key::ArrowDown,
        Key::ArrowDown,
        Key::ArrowRight,
        Key::ArrowRight,
        Key::ArrowUp,
        Key::ArrowLeft,
        Key::ArrowDown,
    ] {
        browser.press(key).unwrap();
    }
    let here = include_str!("../browser/focused-cell.js");
    let place = texts(&mut browser, here);
    assert_eq!(place, ["x86_64-4.4", "MAP_DROPPABLE"]);
    // Only this cell can be reached by Tab now.
    let stops = "[...document.querySelectorAll('#matrix [tabindex=\"0\"]')].map((it) => \
                 String(it === document.activeElement))";
    assert_eq!(texts(&mut browser, stops), ["true"]);
    for (kernel, flag) in [("x86_64-4.4", "MAP_DROPPABLE"), ("hppa64-6.12", "MAP_HUGE_16GB")] {
        if texts(&mut browser, here) != [kernel, flag] {
            for _ in 0..40 {
                browser.press(Key::ArrowDown).unwrap();
            }
            browser.press(Key::End).unwrap();
        }
        assert_eq!(texts(&mut browser, here), [kernel, flag]);
        browser.press(Key::Enter).unwrap();
        browser.wait("document.querySelector('#cell').open").unwrap();
        let expected = finding(&documents, kernel, flag);
        let output = |key: &str| expected[key].as_str().unwrap().to_owned();
        assert_eq!(seen(&mut browser, "#cell-title"), [format!("{flag} on {kernel}")]);
        assert_eq!(seen(&mut browser, "#cell .word"), [output("verdict")]);
        assert_eq!(seen(&mut browser, "#cell .reason"), [format!("{}.", output("reason"))]);
        let calls: Vec<String> = serde_json::from_value(expected["evidence"].clone()).unwrap();
        assert_eq!(
            texts(
                &mut browser,
                "[...document.querySelectorAll('#cell .calls li')].map((it) => it.textContent)"
            ),
            calls
        );
        let contexts: Vec<String> = expected["contexts"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|context| {
                ["type", "backing", "outcome"].map(|key| context[key].as_str().unwrap().to_owned())
            })
            .collect();
        assert_eq!(
            texts(
                &mut browser,
                "[...document.querySelectorAll('#cell .contexts td')].map((it) => it.textContent)"
            ),
            contexts
        );
        browser.press(Key::Escape).unwrap();
        browser.wait("!document.querySelector('#cell').open").unwrap();
        // The focus returns to the cell.
        assert_eq!(texts(&mut browser, here), [kernel, flag]);
    }
    assert_eq!(browser.errors, Vec::<String>::new());
}

/// Every visible text with too little contrast to its background.
const FAINT: &str = include_str!("../browser/contrast.js");

#[test]
fn the_page_is_legible_on_every_screen() {
    let documents = documents();
    let file = page("looks", &documents);
    let mut browser = Browser::open(&file).unwrap();
    let directory = file.parent().unwrap().to_owned();
    let mut look = |size: (u32, u32), dark: bool, name: &str| {
        browser.set_screen(size, dark).unwrap();
        browser.value("scrollTo(0, 0)").unwrap();
        screenshot(&mut browser, &directory, name);
        let faint = texts(&mut browser, FAINT);
        assert!(faint[0].parse::<usize>().unwrap() > 500, "too few texts: {faint:?}");
        assert_eq!(faint[1..], Vec::<String>::new(), "{name}");
        let wide = "[document.documentElement.scrollWidth, document.body.scrollWidth].map(String)";
        for width in texts(&mut browser, wide) {
            assert!(
                width.parse::<u32>().unwrap() <= size.0,
                "{name}: the page is {width} pixels wide"
            );
        }
        // Every verdict has its own color.
        let colors = "[...new Set([...document.querySelectorAll('.legend .word')].map((it) => \
            getComputedStyle(it).backgroundColor))]";
        assert_eq!(texts(&mut browser, colors).len(), 7, "{name}");
        browser
            .value(
                "document.querySelectorAll('#matrix tbody tr')[3]\
                 .querySelectorAll('button')[3].click()",
            )
            .unwrap();
        screenshot(&mut browser, &directory, &format!("{name}-cell"));
        assert_eq!(texts(&mut browser, FAINT)[1..], Vec::<String>::new(), "{name}, a cell");
        browser.press(Key::Escape).unwrap();
        browser.wait("!document.querySelector('#cell').open").unwrap();
    };
    for dark in [false, true] {
        let scheme = if dark { "dark" } else { "light" };
        look(PHONE, dark, &format!("phone-{scheme}"));
        look(DESKTOP, dark, &format!("desktop-{scheme}"));
    }
    assert_eq!(browser.errors, Vec::<String>::new());
}

fn screenshot(browser: &mut Browser, directory: &Path, name: &str) {
    browser.screenshot(&directory.join(format!("{name}.png")), false).unwrap();
    if !name.ends_with("-cell") {
        browser.screenshot(&directory.join(format!("{name}-whole.png")), true).unwrap();
    }
}

#[test]
fn headings_stay_visible() {
    let mut browser = Browser::open(&page("heads", &documents())).unwrap();
    browser.set_screen(PHONE, false).unwrap();
    browser.value("document.querySelector('#box').scrollTo(300, 400)").unwrap();
    let distances = include_str!("../browser/headings.js");
    // One pixel is the border.
    assert_eq!(texts(&mut browser, distances), ["1", "1", "1", "1"]);
}

#[test]
fn foreign_strings_are_escaped() {
    let hostile = "</script><script>window.taken = 1</script>\
                   <img src=x onerror='window.taken = 2'>\u{2028}&amp;\"'";
    let mut documents: Vec<Value> =
        documents().into_iter().filter(|value| value["kernel"] == "x86_64-6.1").collect();
    for value in &mut documents {
        value["kernel"] = json!("x86_64-<b onclick=x>6.1</b>");
        value["guest"] = json!("<i>root</i>");
        value["origin"] =
            json!({"package": hostile, "version": hostile, "suite": hostile, "emulator": hostile});
        value["document"]["kernel"]["release"] = json!(hostile);
        value["document"]["kernel"]["version"] = json!(hostile);
        if let Some(flag) = value["document"]["flags"].get_mut(0) {
            flag["reason"] = json!(hostile);
            flag["contexts"][0]["backing"] = json!(hostile);
            flag["evidence"] = json!(["mmap(<img src=x onerror=taken=3>): </script>"]);
        }
    }
    let mut browser = Browser::open(&page("hostile", &documents)).unwrap();
    browser.set_screen(DESKTOP, false).unwrap();
    browser.value("document.querySelector('#matrix td button').click()").unwrap();
    assert_eq!(seen(&mut browser, "#cell .reason").len(), 1);
    assert_eq!(
        texts(&mut browser, "[document.querySelector('#cell .reason').textContent]"),
        [format!("{hostile}.")]
    );
    assert_eq!(
        seen(&mut browser, "#cell .calls li"),
        ["mmap(<img src=x onerror=taken=3>): </script>"]
    );
    assert_eq!(browser.value("typeof window.taken").unwrap(), "undefined");
    assert_eq!(
        browser.value("document.querySelectorAll('img, b[onclick], td i, h3 i').length").unwrap(),
        0
    );
    assert_eq!(browser.value("document.querySelectorAll('script').length").unwrap(), 2);
    assert_eq!(browser.errors, Vec::<String>::new());
}
