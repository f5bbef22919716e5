//! `prometheus`, served by Prometheus' node exporter and fetched from it.

use super::*;
use lab::node_exporter::NodeExporter;
use std::collections::BTreeSet;

fn write(directory: &Path, text: &str) {
    // Renamed, so that a reader never sees an incomplete file.
    fs::write(directory.join("new"), text).unwrap();
    fs::rename(directory.join("new"), directory.join("mapprobe.prom")).unwrap();
}

#[test]
fn the_node_exporter_serves_the_verdicts_of_json() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = NodeExporter::start(directory.path()).unwrap();
    for kernel in kernels() {
        write(directory.path(), &kernel.text(&["--format", "prometheus"]));
        let page = exporter.fetch().unwrap();
        let has = |line: &str| page.lines().any(|have| have == line);
        assert!(has("node_textfile_scrape_error 0"), "{}: {page}", kernel.name);
        for metric in ["info", "flag_verdict", "huge_page_available"] {
            assert!(has(&format!("# TYPE mapprobe_{metric} gauge")), "{page}");
        }
        let served: BTreeSet<&str> = page
            .lines()
            .filter(|line| line.starts_with("mapprobe_") && line.contains('{'))
            .collect();
        // The exporter sorts the labels.
        let verdicts = kernel.verdicts().into_iter();
        let verdicts = verdicts.map(|(flag, verdict)| {
            format!("mapprobe_flag_verdict{{flag={flag:?},verdict={verdict:?}}} 1")
        });
        let pages = kernel.pages().into_iter();
        let pages = pages.map(|(flag, answer)| {
            format!("mapprobe_huge_page_available{{answer={answer:?},flag={flag:?}}} 1")
        });
        let interference = kernel
            .environment()
            .into_iter()
            .map(|name| format!("mapprobe_environment{{name={name:?}}} 1"));
        let release =
            kernel.release().replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let (arch, version) =
            (kernel.json["tool"]["arch"].as_str().unwrap(), env!("CARGO_PKG_VERSION"));
        let info = format!(
            "mapprobe_info{{arch=\"{arch}\",release=\"{release}\",version=\"{version}\"}} 1"
        );
        let wanted: BTreeSet<String> =
            verdicts.chain(pages).chain(interference).chain([info]).collect();
        assert_eq!(served, wanted.iter().map(String::as_str).collect(), "{}", kernel.name);
    }
    // The exporter does parse the files.
    let text = kernels()[0].text(&["--format", "prometheus"]);
    for wrong in [text.replacen("} 1\n", "} 1 1700000000000\n", 1), text.replacen("=\"", "=", 1)] {
        write(directory.path(), &wrong);
        let page = exporter.fetch().unwrap();
        assert!(page.lines().any(|line| line == "node_textfile_scrape_error 1"), "{page}");
    }
}
