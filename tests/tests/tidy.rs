//! House rules, read from the project's own files.

use std::fs;
use std::path::{Path, PathBuf};

/// The only places where the compiler's checks may be switched off.
const UNCHECKED: [&str; 3] =
    ["probe/src/kernel/linux.rs", "probe/src/kernel/wasm.rs", "probe/src/start.rs"];
/// Files may have so many lines; the flag table may have more.
const LINES: usize = 400;
const TABLE: &str = "probe/src/flags.rs";
/// Directories with nothing that people wrote.
const MADE: [&str; 3] = [".git", "target", "dist/out"];
/// Directories of the kernel's source tree, whose files documents name too.
const KERNEL: [&str; 11] = [
    "arch",
    "block",
    "Documentation",
    "drivers",
    "fs",
    "include",
    "ipc",
    "kernel",
    "lib",
    "mm",
    "scripts",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project's directory").to_owned()
}

/// Every file of the project with one of these endings: its path from the root, and its text.
fn files(endings: &[&str]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&root(), "", endings, &mut files);
    assert!(files.len() > 1, "no files with {endings:?} below {}", root().display());
    files
}

fn collect(root: &Path, directory: &str, endings: &[&str], files: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(root.join(directory)).unwrap().map(Result::unwrap);
    let mut entries: Vec<_> =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), entry)).collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, entry) in entries {
        let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            if !MADE.contains(&path.as_str()) {
                collect(root, &path, endings, files);
            }
        } else if endings.iter().any(|ending| path.ends_with(ending)) {
            files.push((path.clone(), fs::read_to_string(root.join(&path)).unwrap()));
        }
    }
}

/// The places, as `file:line: text`, where a line fits.
fn lines(files: &[(String, String)], fits: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let numbered = files
        .iter()
        .flat_map(|(path, text)| text.lines().enumerate().map(move |line| (path, line)));
    let found = numbered.filter(|(path, (_, line))| fits(path, line));
    found.map(|(path, (number, line))| format!("{path}:{}: {}", number + 1, line.trim())).collect()
}

#[track_caller]
fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}\n{}", found.join("\n"));
}

/// Whether a line of code, its comment and its strings left aside, has this word.
fn has_word(line: &str, word: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let code: String = code.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

#[test]
fn unsafe_code_stays_in_its_files() {
    let found = lines(&files(&[".rs"]), |path, line| {
        !UNCHECKED.contains(&path) && has_word(line, "unsafe")
    });
    assert_none(
        &found,
        "Only the live kernels and the start of the program may do without the compiler's checks:",
    );
    assert!(has_word(concat!("    un", "safe { *at } // as promised"), "unsafe"));
    assert!(!has_word(concat!("#![deny(un", "safe_code)] // un", "safe"), "unsafe"));
}

#[test]
fn nothing_is_unfinished_or_disabled() {
    let marks = [
        concat!("to", "do!"),
        concat!("unimplemented", "!"),
        concat!("FIX", "ME"),
        concat!("#[", "ignore"),
    ];
    let found =
        lines(&files(&[".rs", ".c", ".h"]), |_, line| marks.iter().any(|mark| line.contains(mark)));
    assert_none(&found, "Finish it, or take it out:");
}

#[test]
fn files_are_short() {
    let long: Vec<String> = files(&[".rs", ".c", ".h"])
        .iter()
        .filter(|(path, text)| path != TABLE && text.lines().count() > LINES)
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    assert_none(&long, &format!("More than {LINES} lines: split them by what they are about."));
}

#[test]
fn every_allowed_lint_has_its_reason() {
    let mut bare = Vec::new();
    for (path, text) in files(&[".rs"]) {
        for mark in [concat!("#[", "allow("), concat!("#![", "allow("), concat!("#[", "expect(")] {
            for attribute in text.split(mark).skip(1) {
                let attribute = attribute.split(")]").next().unwrap_or_default();
                if !attribute.contains("reason =") {
                    bare.push(format!("{path}: {mark}{attribute})]"));
                }
            }
        }
    }
    assert_none(&bare, "Say why the lint is wrong here: reason = \"...\"");
}

/// What stands between backticks and looks like a file or a directory of this project.
fn mentioned(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let plain = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    let quoted = plain.flat_map(|line| line.split('`').skip(1).step_by(2));
    quoted
        .filter(|word| {
            let first = word.split('/').next().unwrap_or_default();
            let named = word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c))
                && !word.starts_with('/');
            let file = [".rs", ".md", ".toml", ".c", ".h", ".json", ".config", ".sh"]
                .iter()
                .any(|end| word.ends_with(end));
            let place =
                word.contains('/') && (file || word.ends_with('/') || root().join(first).is_dir());
            let top = !word.contains('/')
                && (word.ends_with(".md") || ["Cargo.toml", "Cross.toml"].contains(word));
            let made = MADE.iter().any(|made| word.starts_with(made));
            named && (place || top) && !made && !KERNEL.contains(&first)
        })
        .collect()
}

#[test]
fn documents_name_files_that_exist() {
    let mut gone = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(root().join(document))
            .unwrap_or_else(|error| panic!("{document}: {error}"));
        gone.extend(
            mentioned(&text)
                .into_iter()
                .filter(|path| !root().join(path).exists())
                .map(|path| format!("{document}: {path}")),
        );
    }
    assert_none(&gone, "No such file or directory:");
}

#[test]
fn names_of_files_are_recognized() {
    let text = "`probe/src/no.rs` `atlas/` `GONE.md`, `cargo run`, `mm/mmap.c`, \
        `/proc/self/maps`, `dist/out/mapprobe-hppa`\n\
                ```\n`probe/inside.rs`\n```\n`x/y` `probe/src` `MAP_FIXED` `mapprobe.rs` \
                `include/uapi/linux/mman.h`\n";
    assert_eq!(mentioned(text), ["probe/src/no.rs", "atlas/", "GONE.md", "probe/src"]);
}

/// The version of the first heading that has one: `## 1.2.3 ...` or `## [1.2.3] ...`.
fn newest(changelog: &str) -> Option<&str> {
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    let versions = headings.filter_map(|heading| heading.split_whitespace().next());
    versions
        .map(|word| word.trim_matches(['[', ']', 'v']))
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

#[test]
fn the_changelog_begins_with_this_version() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md"))
        .unwrap_or_else(|error| panic!("CHANGELOG.md: {error}"));
    assert_eq!(newest(&changelog), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(
        newest("# Changes\n\n## Unreleased\n\n## [1.2.3] - today\n\n## 1.2.2\n"),
        Some("1.2.3")
    );
}
