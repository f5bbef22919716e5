//! The shell completions, in these shells: the candidates are exactly the arguments that the
//! command line accepts.

use lab::shells::{CompletionDirectory, Shell};
use lab::{artifacts, library, usage};
use mapprobe::arch::Arch;
use std::collections::BTreeSet;

const FILES: [&str; 3] = ["directory/", "directory/inside.txt", "file.txt"];
/// A name that needs quotes on a terminal.
const ODD: [&str; 1] = ["with space/"];

fn directory(files: &[&str]) -> CompletionDirectory {
    let program = &artifacts::of(Arch::native()).unwrap().path;
    CompletionDirectory::create(&dist::workspace::root().join("dist/completions"), program, files)
        .unwrap()
}

fn set<T: Into<String>>(words: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    words.into_iter().map(Into::into).collect()
}

/// The options that are valid with a command, or without one.
fn options(command: Option<&str>) -> BTreeSet<String> {
    let options = usage::options().into_iter();
    set(options.filter(|option| usage::accepts(command, option)))
}

/// Lines, with the candidates at their ends.
fn expected() -> Vec<(String, BTreeSet<String>)> {
    let (commands, nothing) = (usage::commands(), BTreeSet::new());
    let flags = library::flag_names;
    let begin = |start: &str| set(flags().filter(|name| name.starts_with(start)));
    let mut lines = vec![
        ("mapprobe ".into(), set(commands.clone())),
        ("mapprobe --".into(), options(None)),
        ("mapprobe --format ".into(), set(usage::formats())),
        ("mapprobe --reproducible sweep --format js".into(), set(["json", "jsonl"])),
        ("mapprobe list --arch ".into(), set(usage::architectures())),
        ("mapprobe decode 0x1 --arch ".into(), set(usage::architectures())),
        ("mapprobe decode 0x1 --".into(), set(["--arch", "--help"])),
        ("mapprobe sweep --format ".into(), set(["json", "jsonl"])),
        ("mapprobe --format json free-bits --".into(), options(Some("free-bits"))),
        ("mapprobe decode ".into(), nothing.clone()),
        ("mapprobe --prefix rep".into(), nothing.clone()),
        ("mapprobe --format rep".into(), nothing.clone()),
        ("mapprobe explain ".into(), set(flags())),
        ("mapprobe explain MAP_HUGE".into(), begin("MAP_HUGE")),
        ("mapprobe explain MAP_FIXED ".into(), nothing.clone()),
        ("mapprobe decode 0x1 ".into(), nothing),
        ("mapprobe require ".into(), set(flags())),
        ("mapprobe require MAP_FIXED MAP_S".into(), begin("MAP_S")),
        ("mapprobe require MAP_SYNC:".into(), set(["file.txt", "directory"])),
        ("mapprobe require MAP_FIXED MAP_SYNC:fi".into(), set(["file.txt"])),
        ("mapprobe require MAP_SYNC:directory/".into(), set(["inside.txt"])),
    ];
    for option in ["--path", "--record", "--replay"] {
        lines.push((format!("mapprobe {option} "), set(["file.txt", "directory"])));
        lines.push((format!("mapprobe sweep {option} di"), set(["directory"])));
    }
    lines.extend(commands.iter().map(|command| {
        // After a command with operands, options are candidates only behind a hyphen.
        (format!("mapprobe {command} --"), options(Some(command)))
    }));
    lines
}

/// A candidate without the part of the argument before the last colon or slash, and without a
/// trailing slash: only some shells print these.
fn bare(candidate: &str) -> String {
    let candidate = candidate.rsplit(':').next().unwrap_or_default().trim_end_matches('/');
    candidate.rsplit('/').next().unwrap_or_default().into()
}

#[test]
fn the_candidates_are_what_the_program_accepts() {
    let directory = directory(&FILES);
    let (lines, expected): (Vec<String>, Vec<BTreeSet<String>>) = expected().into_iter().unzip();
    let mut wrong = Vec::new();
    for shell in Shell::ALL {
        for ((line, expected), candidates) in
            lines.iter().zip(&expected).zip(directory.candidates(shell, &lines).unwrap())
        {
            let candidates: BTreeSet<String> =
                candidates.iter().map(|candidate| bare(candidate)).collect();
            if candidates != *expected {
                wrong.push(format!(
                    "{shell:?} at the end of `{line}`: {candidates:?} instead of {expected:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} lines in {} shells", lines.len(), Shell::ALL.len());
}

/// The line as a user sees it: keys are pressed on a terminal.
#[test]
fn tab_completes_the_line() {
    let directory = directory(&[&FILES[..], &ODD].concat());
    let lines = [
        ("mapprobe exp", "mapprobe explain "),
        ("mapprobe explain MAP_FIXED_", "mapprobe explain MAP_FIXED_NOREPLACE "),
        ("mapprobe --format k", "mapprobe --format ktap "),
        ("mapprobe list --arch h", "mapprobe list --arch hppa "),
        ("mapprobe require --al", "mapprobe require --allow-inconclusive "),
        ("mapprobe require MAP_SYNC:fi", "mapprobe require MAP_SYNC:file.txt "),
        ("mapprobe require MAP_SYNC:w", "mapprobe require MAP_SYNC:with\\ space/"),
        ("mapprobe --replay fi", "mapprobe --replay file.txt "),
        ("mapprobe --path w", "mapprobe --path with\\ space/"),
        ("mapprobe --path di", "mapprobe --path directory/"),
        ("mapprobe nothing", "mapprobe nothing"),
    ];
    let typed: Vec<String> = lines.iter().map(|line| line.0.into()).collect();
    for shell in [Shell::Bash, Shell::Zsh] {
        let seen = directory.typed(shell, "", &typed).unwrap();
        assert_eq!(seen, lines.map(|line| line.1), "{shell:?}");
    }
}

#[test]
fn bash_completion_finds_the_file() {
    assert_eq!(directory(&[]).loaded_by_bash().unwrap().trim(), "complete -F _mapprobe mapprobe");
}

/// In bash a colon divides words, unless COMP_WORDBREAKS is changed.
#[test]
fn a_colon_may_be_part_of_a_word() {
    let directory = directory(&[&FILES[..], &ODD].concat());
    let lines = [
        ("mapprobe require MAP_SYNC:fi", "mapprobe require MAP_SYNC:file.txt "),
        ("mapprobe require MAP_SYNC:di", "mapprobe require MAP_SYNC:directory/"),
        ("mapprobe require MAP_SYNC:directory/", "mapprobe require MAP_SYNC:directory/inside.txt "),
        ("mapprobe require MAP_SYNC:w", "mapprobe require MAP_SYNC:with\\ space/"),
    ];
    let typed = lines.map(|line| line.0.into());
    let seen =
        directory.typed(Shell::Bash, "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}", &typed).unwrap();
    assert_eq!(seen, lines.map(|line| line.1));
}
