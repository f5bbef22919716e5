//! The rules of ARCHITECTURE.md and of style, checked in the project's own files.

use std::fs;
use std::path::{Path, PathBuf};

/// The only files with unsafe code.
const UNSAFE_FILES: [&str; 4] =
    ["kernel/src/linux.rs", "kernel/src/wasm.rs", "kernel/tests/linux.rs", "probe/src/rt.rs"];
/// The maximum number of lines of a file, except for the flag table.
const MAX_LINES: usize = 500;
const TABLE: &str = "probe/src/flags.rs";
/// Directories without sources.
const GENERATED_DIRECTORIES: [&str; 3] = [".git", "target", "dist/out"];
/// Directories of the kernel's source tree. Documents name their files, too.
const KERNEL_DIRECTORIES: [&str; 11] = [
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

/// A document that `cargo atlas page` writes: its lines are as long as its data.
const GENERATED_DOCUMENT: &str = "docs/atlas.md";
/// The maximum length of a line of Rust or of Markdown prose.
const MAX_COLUMNS: usize = 100;
/// Words that comments and documents must not contain, each with its replacement.
const BANNED: [(&str, &str); 5] = [
    ("whoever", "the subject by its name"),
    ("folder", "directory"),
    ("liar", "impostor kernel, hostile environment"),
    ("bench", "fixture"),
    ("made of rules", "simulated"),
];
/// Comments that say nothing.
const EMPTY: [&str; 2] = ["It alone.", "The same."];
/// The crate of benchmarks.
const BENCHMARKS: &str = "bench/";

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
            if !GENERATED_DIRECTORIES.contains(&path.as_str()) {
                collect(root, &path, endings, files);
            }
        } else if endings.iter().any(|ending| path.ends_with(ending)) {
            files.push((path.clone(), fs::read_to_string(root.join(&path)).unwrap()));
        }
    }
}

/// The lines that fit, as `file:line: text`.
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

/// Whether a line of code has a word outside of comments and strings.
fn has_word(line: &str, word: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let code: String = code.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

#[test]
fn unsafe_code_stays_in_its_files() {
    let found = lines(&files(&[".rs"]), |path, line| {
        !UNSAFE_FILES.contains(&path) && has_word(line, "unsafe")
    });
    assert_none(
        &found,
        "Unsafe code belongs in the live kernels, their test, and the start of the program:",
    );
    assert!(has_word(concat!("    un", "safe { *at } // valid"), "unsafe"));
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
    assert_none(&found, "Finish or remove:");
}

#[test]
fn files_are_short() {
    let long: Vec<String> = files(&[".rs", ".c", ".h"])
        .iter()
        .filter(|(path, text)| path != TABLE && text.lines().count() > MAX_LINES)
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    assert_none(&long, &format!("Files with more than {MAX_LINES} lines:"));
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
    assert_none(&bare, "Lints without a reason = \"...\":");
}

/// Whether a line is too long and could be broken; a URL cannot.
fn is_too_long(line: &str) -> bool {
    line.chars().count() > MAX_COLUMNS && !line.contains("://")
}

/// The lines of Markdown outside of code blocks and tables; the others are replaced by empty lines.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if !fenced && !fence && !line.trim_start().starts_with('|') {
            prose.push_str(line);
        }
        prose.push('\n');
    }
    prose
}

/// The comment in a line of Rust, without its marker.
fn comment(line: &str) -> Option<&str> {
    let is_code = |at: &usize| line[..*at].matches('"').count().is_multiple_of(2);
    let start = match line.trim_start().starts_with("//") {
        true => line.find("//")?,
        false => line.find(" // ").filter(is_code)? + 1,
    };
    Some(line[start..].trim_start_matches(['/', '!']).trim())
}

/// Why a comment or a line of prose is rejected, if it is. Text between backticks is not prose.
fn fault(path: &str, text: &str) -> Option<String> {
    if EMPTY.contains(&text) {
        return Some("the comment says nothing".into());
    }
    let plain: Vec<&str> = text.split('`').step_by(2).collect();
    let words: Vec<String> = plain
        .join(" ")
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.to_lowercase().trim_end_matches('s').to_owned())
        .collect();
    let (_, replacement) = BANNED.into_iter().find(|(banned, _)| {
        let banned: Vec<&str> = banned.split(' ').map(|word| word.trim_end_matches('s')).collect();
        let found = words.windows(banned.len()).any(|window| window == banned.as_slice());
        found && !(banned == ["bench"] && path.starts_with(BENCHMARKS))
    })?;
    Some(format!("write: {replacement}"))
}

/// The Markdown files, reduced to prose.
fn documents() -> Vec<(String, String)> {
    files(&[".md"]).into_iter().map(|(path, text)| (path, prose(&text))).collect()
}

#[test]
fn lines_have_at_most_100_columns() {
    let mut found = lines(&files(&[".rs"]), |_, line| is_too_long(line));
    found.extend(lines(&documents(), |path, line| path != GENERATED_DOCUMENT && is_too_long(line)));
    assert_none(&found, "Lines over 100 columns:");
}

#[test]
fn comments_and_documents_use_the_terms_of_the_field() {
    let is_banned = |path: &str, text: &str| fault(path, text).is_some();
    let mut found = lines(&files(&[".rs"]), |path, line| {
        comment(line).is_some_and(|comment| is_banned(path, comment))
    });
    found.extend(lines(&documents(), |path, line| is_banned(path, line.trim())));
    assert_none(&found, &format!("Empty comments, or words of this list: {BANNED:?}"));
}

#[test]
fn long_lines_are_recognized() {
    let long = "word ".repeat(21);
    assert!(is_too_long(&long) && !is_too_long(&long[..MAX_COLUMNS]));
    assert!(!is_too_long(&format!("{long}https://example.org/")));
    let text = format!("```\n{long}\n```\n| {long} |\n{long}\n");
    assert_eq!(lines(&[("a.md".into(), prose(&text))], |_, line| is_too_long(line)).len(), 1);
}

#[test]
fn banned_words_are_recognized() {
    let found = |path: &str, line: &str| comment(line).and_then(|text| fault(path, text));
    for wrong in [
        "/// Some Folders.",
        "    //! The same.",
        "x(); // a kernel made of rules",
        "// It alone.",
        "// the bench of a test",
    ] {
        assert!(found("a.rs", wrong).is_some(), "{wrong}");
    }
    for right in
        ["/// A field `folder`.", "let folder = \"folder\";", "// The same file.", "// a workbench"]
    {
        assert_eq!(found("a.rs", right), None, "{right}");
    }
    assert_eq!(found("bench/src/lib.rs", "// a bench"), None);
}

/// The files and directories of this project that a text names between backticks.
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
            let made = GENERATED_DIRECTORIES.iter().any(|made| word.starts_with(made));
            named && (place || top) && !made && !KERNEL_DIRECTORIES.contains(&first)
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

/// The version in the first heading with one: `## 1.2.3 ...` or `## [1.2.3] ...`.
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
