//! Every format has the same verdicts for every kernel, and the same exit code.

use super::*;
use std::process::Stdio;

/// Flags and verdicts in a text, in its order.
fn read(format: &str, text: &str) -> Vec<(String, String)> {
    let between = |line: &str, before: &str, middle: &str, behind: &str| {
        let (name, rest) = line.strip_prefix(before)?.split_once(middle)?;
        Some((name.to_owned(), rest.split(behind).next()?.to_owned()))
    };
    let lines = text.lines();
    match format {
        "json" | "jsonl" => verdicts(&report::parse(text.as_bytes()).unwrap()),
        "table" => {
            let rows = lines
                .skip_while(|line| !line.starts_with("FLAG"))
                .skip(1)
                .take_while(|line| !line.is_empty());
            let rows = rows.filter(|line| !line.starts_with(' '));
            let cells =
                rows.map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
            cells.map(|cells| (cells[0].clone(), cells[2].clone())).collect()
        }
        "ktap" => lines
            .filter_map(|line| {
                let skipped = line.split_once(" # SKIP ").map(|(result, reason)| {
                    let word = reason.split(':').next().unwrap();
                    (result.rsplit(' ').next().unwrap().to_owned(), word.to_owned())
                });
                skipped.or_else(|| between(line, "# ", ": verdict=", ":"))
            })
            .collect(),
        "shell" => {
            let assigned = lines.filter(|line| line.starts_with("MAPPROBE_MAP_"));
            assigned.map(|line| between(line, "MAPPROBE_", "='", "'").unwrap()).collect()
        }
        "macros" => lines
            .filter_map(|line| {
                between(line, "#define MAPPROBE_HAVE_", " /* ", " ")
                    .or_else(|| between(line, "#define MAPPROBE_NO_HAVE_", " /* ", ":"))
                    .or_else(|| between(line, "/* MAPPROBE_HAVE_", ": ", ":"))
            })
            .collect(),
        "prometheus" => lines
            .filter_map(|line| {
                between(line, "mapprobe_flag_verdict{flag=\"", "\",verdict=\"", "\"} 1")
            })
            .collect(),
        "nfd" => lines
            .filter(|line| !line.contains(".available="))
            .filter_map(|line| between(line, "mapprobe.feature.node.kubernetes.io/", "=", "\n"))
            .collect(),
        other => panic!("unknown format {other}"),
    }
}

/// Flags about huge pages and whether a page can be had, in a text; `None` where a format has them
/// only for some verdicts.
fn read_pages(format: &str, text: &str) -> Option<Vec<(String, String)>> {
    let between = |line: &str, before: &str, middle: &str, behind: &str| {
        let (name, rest) = line.strip_prefix(before)?.split_once(middle)?;
        Some((name.to_owned(), rest.split(behind).next()?.to_owned()))
    };
    let macro_of = |line: &str, before: &str, answer: &str| {
        let name = line.strip_prefix(before)?.split([' ', ':']).next()?;
        Some((name.to_owned(), answer.to_owned()))
    };
    let read = |line: &str| match format {
        "shell" => between(line, "MAPPROBE_AVAILABLE_", "='", "'"),
        "macros" => macro_of(line, "#define MAPPROBE_AVAILABLE_", "yes")
            .or_else(|| macro_of(line, "#define MAPPROBE_NO_AVAILABLE_", "no"))
            .or_else(|| macro_of(line, "/* MAPPROBE_AVAILABLE_", "unknown")),
        "prometheus" => {
            between(line, "mapprobe_huge_page_available{flag=\"", "\",answer=\"", "\"} 1")
        }
        _ => between(line, "mapprobe.feature.node.kubernetes.io/", ".available=", "\n"),
    };
    match format {
        "json" | "jsonl" => Some(pages(&report::parse(text.as_bytes()).unwrap())),
        "table" | "ktap" => None,
        _ => Some(text.lines().filter_map(read).collect()),
    }
}

#[test]
fn every_format_has_the_same_verdicts_for_every_kernel() {
    for kernel in kernels() {
        for format in formats() {
            let text = kernel.text(&["--format", format]);
            assert_eq!(
                read(format, &text),
                kernel.verdicts(),
                "{} as {format}:\n{text}",
                kernel.name
            );
            if let Some(pages) = read_pages(format, &text) {
                assert_eq!(pages, kernel.pages(), "{} as {format}:\n{text}", kernel.name);
            }
            assert!(text.ends_with('\n') && !text.contains('\r'), "{} as {format}", kernel.name);
        }
    }
}

/// Every format prints the verdicts of the running kernel.
#[test]
fn every_format_has_the_same_verdicts_for_the_running_kernel() {
    let output = |format| {
        let run = mapprobe(&["--format", format]);
        assert_eq!(
            (run.status.code(), run.stderr.is_empty()),
            (Some(0), true),
            "{format}: {run:?}"
        );
        read(format, &String::from_utf8(run.stdout).unwrap())
    };
    let json = output("json");
    assert_eq!(json.len(), library::flag_names().count());
    for format in formats() {
        assert_eq!(output(format), json, "{format}");
    }
}

#[test]
fn a_write_error_is_a_failure_in_every_format() {
    let recording = the_hostile().recording.to_str().unwrap();
    for format in formats() {
        let mut command = Command::new(program());
        command.args(["--format", format, "--replay", recording]);
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let run = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(run.status.code(), Some(2), "{format}: {run:?}");
    }
}

#[test]
fn the_help_names_every_format() {
    let help = String::from_utf8(mapprobe(&["--help"]).stdout).unwrap();
    let words: Vec<&str> = help.split(|letter: char| !letter.is_alphanumeric()).collect();
    for format in formats() {
        assert!(words.contains(&format), "{format}: {help}");
    }
}
