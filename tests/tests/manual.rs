//! The manual page: without warnings of the programs that render it, and consistent with the
//! command line.

use lab::{host_packages, library, usage};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

fn path() -> PathBuf {
    dist::workspace::root().join("dist/man/mapprobe.1")
}

fn source() -> String {
    std::fs::read_to_string(path()).unwrap()
}

/// The rendered page and the warnings of a program.
fn read(program: &str, arguments: &[&str]) -> (String, String) {
    host_packages::need(host_packages::MANUALS).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).arg(path()).env("LC_ALL", "C.UTF-8").env("MANWIDTH", "80");
    let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// The page as plain text, with unbroken words.
fn page() -> String {
    let (text, _) = read("mandoc", &["-T", "utf8"]);
    let mut plain = String::new();
    for character in text.chars() {
        // A backspace prints one character over another: bold and underlined.
        match character {
            '\u{8}' => _ = plain.pop(),
            character => plain.push(character),
        }
    }
    plain
}

/// A line of the source without macros, fonts and escapes.
fn plain(line: &str) -> String {
    let line = match line.strip_prefix('.') {
        Some(request) => request.split_once(' ').map_or("", |request| request.1).replace('"', ""),
        None => line.into(),
    };
    ["\\fB", "\\fI", "\\fR", "\\&"]
        .iter()
        .fold(line, |line, escape| line.replace(escape, ""))
        .replace("\\-", "-")
}

/// A section of the source.
fn section(name: &str) -> String {
    let source = source();
    let (_, section) =
        source.split_once(&format!(".SH {name}\n")).unwrap_or_else(|| panic!("no section {name}"));
    section.split(".SH ").next().unwrap_or_default().into()
}

/// The terms that a section defines, each with its operands.
fn heads(name: &str) -> Vec<(String, String)> {
    let section = section(name);
    let lines: Vec<&str> = section.lines().collect();
    let heads =
        lines.windows(2).filter(|pair| pair[0].starts_with(".TP")).map(|pair| plain(pair[1]));
    heads
        .map(|head| {
            head.split_once(' ')
                .map_or((head.clone(), String::new()), |(a, b)| (a.into(), b.trim().into()))
        })
        .collect()
}

fn names(name: &str) -> BTreeSet<String> {
    let (heads, count) = (heads(name), heads(name).len());
    let names: BTreeSet<String> = heads.into_iter().map(|head| head.0).collect();
    assert_eq!(names.len(), count, "{name}: something is defined twice");
    names
}

fn set(words: Vec<String>) -> BTreeSet<String> {
    words.into_iter().collect()
}

#[test]
fn the_page_renders_without_warnings() {
    for warnings in ["--warnings", "--warnings=w"] {
        let (text, errors) = read("man", &[warnings, "-l"]);
        assert_eq!(errors, "", "man {warnings}");
        assert!(text.contains("NAME\n") && text.contains("mmap(2)"), "{text}");
    }
    assert_eq!(read("mandoc", &["-T", "lint"]), (String::new(), String::new()));
}

#[test]
fn the_defined_terms_are_those_of_the_command_line() {
    assert_eq!(names("COMMANDS"), set(usage::commands()));
    assert_eq!(names("OPTIONS"), set(usage::options()));
    assert_eq!(names("FORMATS"), set(usage::formats()));
    assert_eq!(names("VERDICTS"), set(library::verdict_names()));
    assert_eq!(names("EXIT STATUS"), set(usage::exit_codes()));
    for (option, value) in heads("OPTIONS") {
        assert_eq!(!value.is_empty(), usage::has_value(&option), "{option} {value}");
    }
    for (command, value) in heads("COMMANDS") {
        assert_eq!(!value.is_empty(), usage::operand(&command).is_some(), "{command} {value}");
    }
}

/// The text names no unknown option, and the synopsis has every option.
#[test]
fn the_page_names_every_option_and_no_other() {
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| c.is_whitespace() || "[]().,;:|=".contains(c));
        words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
    };
    let page = page();
    assert_eq!(words(&page), set(usage::options()));
    let synopsis: String = section("SYNOPSIS").lines().map(|line| plain(line) + " ").collect();
    assert_eq!(words(&synopsis), set(usage::options()));
    for command in usage::commands() {
        assert!(
            synopsis.split([' ', '|', '[', ']']).any(|word| word == command),
            "{command}: {synopsis}"
        );
    }
    for arch in usage::architectures() {
        assert!(section("OPTIONS").contains(&arch), "{arch}");
    }
    assert!(
        source().contains(&format!("\"{}\"", usage::version())),
        "not of this version: {}",
        usage::version()
    );
}

#[test]
fn the_program_accepts_the_examples() {
    let examples: String =
        section("EXAMPLES").lines().map(|line| plain(&format!("\\&{line}")) + "\n").collect();
    let invocations = usage::invocations(&examples);
    assert_eq!(invocations.len(), examples.matches("$ mapprobe").count());
    assert!(!invocations.is_empty());
    for words in invocations {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert!(usage::parse(&words).is_ok(), "{words:?}: {:?}", usage::parse(&words));
    }
}
