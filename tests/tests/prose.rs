//! Quotations, commands and links in the documents: quotations are in recordings of real kernels,
//! the program accepts the commands, and links lead to files.

use lab::{artifacts, library, report, usage};
use mapprobe::arch::Arch;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Documents that quote recordings.
const QUOTING: [&str; 2] = ["docs/verdicts.md", "docs/unknown-flags.md"];
/// The directory of the recordings, as linked in `docs/`.
const RECORDINGS: &str = "../probe/tests/recordings/";

fn text(path: &str) -> String {
    fs::read_to_string(dist::workspace::root().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every document of the project.
fn documents() -> Vec<String> {
    let directories = ["", "docs/", "probe/tests/recordings/", "tests/console/"];
    let names = directories.iter().flat_map(|directory| {
        let entries = fs::read_dir(dist::workspace::root().join(directory)).unwrap();
        entries.map(move |entry| {
            format!("{directory}{}", entry.unwrap().file_name().to_string_lossy())
        })
    });
    names.filter(|name| name.ends_with(".md")).collect()
}

/// A code block of a document.
struct Block {
    /// The word behind the first fence.
    kind: String,
    /// The paragraph before the block, in one line.
    before: String,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut before, mut open): (Vec<Block>, String, bool) =
        (Vec::new(), String::new(), false);
    let mut is_paragraph_over = false;
    for line in text.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(_), true) => open = false,
            (Some(kind), false) => {
                open = true;
                blocks.push(Block {
                    kind: kind.into(),
                    before: std::mem::take(&mut before),
                    lines: Vec::new(),
                });
            }
            (None, true) => blocks.last_mut().unwrap().lines.push(line.into()),
            (None, false) if line.is_empty() => is_paragraph_over = true,
            (None, false) if before.is_empty() || is_paragraph_over => {
                before = line.into();
                is_paragraph_over = false;
            }
            (None, false) => before += &format!(" {line}"),
        }
    }
    blocks
}

/// The source of a quotation: kernel, package and recording.
struct Source {
    kernel: String,
    package: String,
    path: String,
}

/// `[KERNEL](RECORDING), PACKAGE:`, or `[KERNEL](RECORDING), PACKAGE, and more:`.
fn source(line: &str) -> Option<Source> {
    let (kernel, rest) = line.strip_prefix('[')?.split_once("](")?;
    let (path, package) = rest.strip_prefix(RECORDINGS)?.split_once("), ")?;
    let package = package.strip_suffix(':')?.split(", after ").next()?;
    Some(Source { kernel: kernel.into(), package: package.into(), path: path.into() })
}

/// The quoted lines that are not in the other lines in the same order.
fn missing<'a>(quoted: &'a [String], lines: &[String]) -> Vec<&'a str> {
    let mut lines = lines.iter();
    quoted.iter().filter(|quoted| !lines.any(|line| line == *quoted)).map(String::as_str).collect()
}

/// The lines of a block that are not in the recording.
fn wrong(block: &Block, path: &str) -> Vec<String> {
    let recording = text(&format!("probe/tests/recordings/{path}"));
    let strings = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect::<Vec<String>>();
    let plain =
        |text: &str| strings(text.lines().map(|line| line.trim().trim_end_matches(',')).collect());
    if !recording.starts_with("mapprobe recording") {
        return strings(missing(&block.lines, &plain(&recording)));
    }
    let replayed = library::replay(recording.as_bytes(), true)
        .unwrap_or_else(|message| panic!("{path}: {message}"));
    let print = |format: &str| library::print(&replayed, format).unwrap();
    if block.kind == "json" {
        return strings(missing(&plain(&block.lines.join("\n")), &plain(&print("json"))));
    }
    // A row of the table, and some of its evidence.
    let (row, evidence) = block.lines.split_first().expect("a quotation");
    let json = report::parse(print("json").as_bytes()).unwrap();
    let name = row.split_whitespace().next();
    let flag = json["flags"].as_array().unwrap().iter().find(|flag| flag["name"].as_str() == name);
    let calls = flag
        .and_then(|flag| flag["evidence"].as_array())
        .unwrap_or_else(|| panic!("{path}: {row}"));
    let calls: Vec<String> = calls.iter().map(|call| call.as_str().unwrap().into()).collect();
    let evidence: Vec<String> = evidence.iter().filter(|line| !line.is_empty()).cloned().collect();
    let table = print("table");
    let row = table.lines().all(|line| line != row).then(|| row.clone());
    row.into_iter().chain(strings(missing(&evidence, &calls))).collect()
}

/// Release and version of the kernel in a recording; `None` for a recording of another program.
fn origin(path: &str) -> Option<String> {
    let recording = text(&format!("probe/tests/recordings/{path}"));
    let replayed = library::replay(recording.as_bytes(), true).ok()?;
    Some(format!("{} {}", replayed.kernel.release, replayed.kernel.version))
}

/// The line of the atlas about a kernel.
fn in_atlas(atlas: &str, kernel: &str) -> String {
    let line = atlas.lines().find(|line| line.starts_with(&format!("- {kernel}")));
    line.unwrap_or_else(|| panic!("the atlas has no {kernel}")).to_owned()
}

#[test]
fn quotations_are_in_the_recordings() {
    let atlas = text("docs/atlas.md");
    for document in QUOTING {
        let mut checked = 0;
        for block in blocks(&text(document)) {
            let Some(source) = source(&block.before) else {
                assert!(
                    !usage::invocations(&block.lines.join("\n")).is_empty(),
                    "{document}: the block has no source: {:?}",
                    block.lines
                );
                continue;
            };
            let Source { kernel, package, path } = source;
            let found = wrong(&block, &path);
            assert!(found.is_empty(), "{document}: not in {path}:\n{}", found.join("\n"));
            let file = path.rsplit('/').next().unwrap();
            assert!(file.starts_with(&kernel), "{document}: {file} is not of {kernel}");
            let origin = origin(&path).unwrap_or_else(|| in_atlas(&atlas, &kernel));
            let version = package.rsplit(' ').next().unwrap().split('-').next().unwrap();
            assert!(origin.contains(version), "{document}: {package}, but {path} is of {origin}");
            checked += 1;
        }
        assert!(checked > 6, "{document}: {checked} quotations");
        println!("{document}: {checked} quotations");
    }
}

#[test]
fn each_verdict_has_an_example() {
    let text = text("docs/verdicts.md");
    for word in library::verdict_names() {
        let (_, section) = text
            .split_once(&format!("\n## {word}\n"))
            .unwrap_or_else(|| panic!("no section {word}"));
        let example =
            blocks(section.split("\n## ").next().unwrap()).into_iter().next().expect("an example");
        let shown = example.lines[0].split_whitespace().nth(2);
        assert_eq!(shown, Some(word.as_str()), "{:?}", example.lines);
    }
}

/// The rows of the atlas about bits that no flag could have used.
#[test]
fn quotations_of_the_atlas_are_in_it() {
    let rows = |text: &str| -> Vec<String> {
        let (_, rest) = text.split_once("| Architecture | Value |").expect("the table");
        rest.lines().skip(2).take_while(|line| line.starts_with('|')).map(str::to_owned).collect()
    };
    let quoted = rows(&text("docs/unknown-flags.md"));
    assert_eq!(quoted, rows(&text("docs/atlas.md")));
    assert!(
        !quoted.is_empty() && quoted.iter().all(|row| row.starts_with("| hppa |")),
        "{quoted:#?}"
    );
    // The row about map types agrees with the others: each of its values was used once, and all
    // kernels in it reject the value.
    let row = quoted.iter().find(|row| row.contains("map types")).expect("the row about map types");
    let values = row.split(['|', ',', ' ']).filter_map(|word| word.strip_prefix("0x"));
    let kernels: Vec<&str> = row.rsplit('|').nth(1).unwrap().split(',').map(str::trim).collect();
    let old = text("probe/tests/recordings/hppa-4.10.17.txt");
    for value in values {
        for backing in ["anon", "memfd"] {
            let line = format!("S {backing} t{value:0>2} base ok");
            assert!(old.contains(&line), "{line}");
        }
        for kernel in &kernels {
            let recording = text(&format!("probe/tests/recordings/lab/{kernel}.sweep.txt"));
            let json = library::json(&library::replay(recording.as_bytes(), true).unwrap());
            for backing in ["anonymous", "memfd"] {
                let line = format!(
                    "{{\"type\": \"0x{value}\", \"backing\": \"{backing}\", \
                     \"outcome\": \"EINVAL\"}}"
                );
                assert!(json.contains(&line), "{kernel}: {line}");
            }
        }
    }
    assert_eq!(kernels.len(), 5, "{kernels:?}");
}

/// The program accepts every command line of every document. Those that need no kernel, or replay a
/// recording, are run.
#[test]
fn the_program_accepts_every_command() {
    let (mut understood, mut run) = (0, 0);
    for document in documents() {
        for block in blocks(&text(&document)) {
            for arguments in usage::invocations(&block.lines.join("\n")) {
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                assert!(
                    usage::parse(&arguments).is_ok(),
                    "{document}: {arguments:?}: {:?}",
                    usage::parse(&arguments)
                );
                understood += 1;
                let replays =
                    arguments.iter().any(|word| dist::workspace::root().join(word).is_file());
                if replays
                    || ["list", "explain", "decode"].contains(arguments.first().unwrap_or(&""))
                {
                    let program = &artifacts::of(Arch::native()).unwrap().path;
                    let output = Command::new(program)
                        .args(&arguments)
                        .current_dir(dist::workspace::root())
                        .output()
                        .unwrap();
                    assert!(
                        output.status.success() && output.stderr.is_empty(),
                        "{document}: {arguments:?}: {output:?}"
                    );
                    run += 1;
                }
            }
        }
    }
    println!("{understood} commands, {run} of them run");
    assert!(understood > 10 && run > 1);
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for document in documents() {
        let directory = dist::workspace::root().join(&document);
        let directory = directory.parent().unwrap_or(Path::new(""));
        for link in text(&document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if !link.contains("://") && !file.is_empty() {
                assert!(directory.join(file).exists(), "{document}: {link}");
                links += 1;
            }
        }
    }
    assert!(links > 20, "{links}");
}
