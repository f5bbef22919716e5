//! What each format makes of a report: where things stand, what a prefix changes, and what becomes of characters that mean something there.

use mapprobe::command;
use mapprobe::errno::Errno;
use mapprobe::flags::TABLE;
use mapprobe::frame;
use mapprobe::kernel::model::{Machine, Model, Rules};
use mapprobe::kernel::{Answer, Call, Kernel, Op};
use mapprobe::report::{self, Report};
use mapprobe::run;
use program::findings::{Console, arch, options};
use program::oracle::NAMES;

mod program;

/// The machine the program was built for.
const NATIVE: Machine = if cfg!(target_arch = "x86_64") { Machine::X86 } else { Machine::Arm64 };
/// Every character that means something in a format.
const STRANGE: &str = "6'1\"*/\\\n\u{7f}\u{e4}%s";

fn report() -> Report {
    report_of(NATIVE)
}

fn report_of(machine: Machine) -> Report {
    let mut model = Model::new(Rules::new(machine, (6, 12)));
    run::probe(&mut model, arch(machine), TABLE, &[], &options(&["--reproducible"]), &mut |_| {})
}

fn strange() -> Report {
    let mut strange = report();
    strange.kernel.release = STRANGE.into();
    strange
}

/// A report in a format.
#[track_caller]
fn print(report: &Report, format: &str) -> String {
    let format = report::format(report.what, &options(&["--format", format]), &mut String::new())
        .expect("a format");
    (format.write)(report)
}

/// Exit code, standard output and standard error of a run with these words.
fn run(words: &[&str]) -> (i32, String, String) {
    let mut console = Console::on(Rules::new(NATIVE, (6, 12)));
    let code = console.run(words);
    let (said, complained) = console.said();
    (code, said, complained)
}

#[test]
fn strange_characters_are_spelled_as_the_format_does() {
    let strange = strange();
    for (format, spelled) in [
        ("json", "\n    \"release\": \"6'1\\\"*/\\\\\\u000a\\u007f\\u00e4%s\",\n"),
        ("shell", "\nMAPPROBE_KERNEL_RELEASE='6'\\''1\"*/\\\n\u{7f}\u{e4}%s'\n"),
        ("prometheus", ",release=\"6'1\\\"*/\\\\\\n\u{7f}\u{e4}%s\"} 1\n"),
        ("macros", " 6'1\\\"\\u002a/\\\\\\u000a\\u007f\\u00e4%s ***/\n"),
        ("ktap", " 6'1\\\"*/\\\\\\u000a\\u007f\\u00e4%s\n"),
        ("nfd", " 6'1\\\"*/\\\\\\u000a\\u007f\\u00e4%s\n"),
        ("table", " 6'1\\\"*/\\\\\\u000a\\u007f\\u00e4%s\n"),
    ] {
        let printed = print(&strange, format);
        assert!(
            printed.contains(spelled),
            "{format}: {}",
            printed.lines().take(12).collect::<Vec<_>>().join("\n")
        );
    }
}

/// The forms of JSON differ by ends of lines only, and what is flat in one stays so.
#[test]
fn a_line_of_json_is_the_object() {
    let (object, line) = (print(&strange(), "json"), print(&strange(), "jsonl"));
    let joined: String = object.lines().map(|line| line.trim_start().replace(",", ",\n")).collect();
    assert_eq!(joined.replace(['\n', ' '], "") + "\n", line.replace(' ', ""));
    assert_eq!(line.lines().count(), 1);
    assert!(
        line.starts_with(
            "{\"schema\": \"mapprobe.report\", \"schema_version\": \"1.0\", \"tool\": {\"name\": "
        ),
        "{line}"
    );
    for part in [
        "\n  \"environment\": [],\n",
        ", 61, 62, 63],\n",
        "\n        {\"type\": \"MAP_PRIVATE\", \"backing\": \"memfd\", \"outcome\": \"accepted\"},\n",
        "\n      \"evidence\": [\n        \"mmap(",
        "\n  ],\n  \"complete\": true\n}\n",
    ] {
        assert!(object.contains(part), "{part}: {object}");
    }
}

#[test]
fn a_run_that_could_ask_nothing_is_not_complete() {
    let (_, rules) = Rules::liars()
        .into_iter()
        .find(|(name, _)| name == "filter: pipe is EPERM")
        .expect("a filter");
    for (question, complete) in [("report", true), ("sweep", false), ("free-bits", false)] {
        let mut console = Console::on(Rules { machine: NATIVE, ..rules.clone() });
        assert_eq!(console.run(&[question]), 0);
        let (said, _) = console.said();
        assert!(
            said.ends_with(&format!("\n  \"complete\": {complete}\n}}\n")),
            "{question}: {said}"
        );
    }
    let mut report = report();
    assert!(!print(&report, "table").contains("incomplete"));
    report.complete = false;
    assert!(print(&report, "table").ends_with("\nincomplete: not every flag could be asked\n"));
}

#[test]
fn names_begin_with_the_prefix() {
    for (words, prefix) in
        [(&["--prefix", "_My2"][..], "_My2"), (&["--prefix", ""], ""), (&[], "MAPPROBE_")]
    {
        let (code, macros, _) = run(&[&["--format", "macros"], words].concat());
        let defined = |line: &&str| {
            line.starts_with(&format!("#define {prefix}HAVE_MAP_"))
                || line.starts_with(&format!("#define {prefix}NO_HAVE_MAP_"))
        };
        assert_eq!((code, macros.lines().filter(defined).count()), (0, NAMES.len()), "{macros}");
        let (code, shell, _) = run(&[&["--format", "shell"], words].concat());
        let assigned = |line: &&str| line.starts_with(&format!("{prefix}MAP_"));
        assert_eq!((code, shell.lines().filter(assigned).count()), (0, NAMES.len()), "{shell}");
        assert!(shell.starts_with(&format!("{prefix}VERSION='")), "{shell}");
    }
    let rule =
        "mapprobe: --prefix is for macros and shell: letters, digits and _, no digit first\n";
    for words in [
        ["macros", "2A"],
        ["shell", "A-B"],
        ["shell", "\u{e4}"],
        ["json", "A_"],
        ["ktap", "A_"],
        ["table", "A_"],
    ] {
        let words = ["--format", words[0], "--prefix", words[1]];
        assert_eq!(run(&words), (2, String::new(), rule.into()), "{words:?}");
    }
    for question in ["sweep", "free-bits"] {
        for format in ["table", "ktap", "shell", "macros", "prometheus", "nfd"] {
            let complaint = format!("mapprobe: {question}: as json or jsonl only\n");
            assert_eq!(run(&[question, "--format", format]), (2, String::new(), complaint));
        }
    }
}

/// Rows that are required and not met, and those that are not asked, by hand.
#[test]
fn a_test_report_counts_from_one() {
    for machine in [NATIVE, Machine::Parisc] {
        counts_from_one(report_of(machine));
    }
}

#[track_caller]
fn counts_from_one(mut report: Report) {
    report.required = !0;
    let required = print(&report, "ktap");
    report.required = 0;
    let plain = print(&report, "ktap");
    assert!(
        plain.starts_with(&format!("KTAP version 1\n1..{}\n# mapprobe ", NAMES.len())),
        "{plain}"
    );
    for (text, is_required) in [(plain, false), (required, true)] {
        let results: Vec<&str> =
            text.lines().filter(|line| !line.starts_with('#')).skip(2).collect();
        assert_eq!(results.len(), NAMES.len(), "{text}");
        for (at, (row, result)) in report.rows.iter().zip(results).enumerate() {
            let (name, verdict) = (row.flag.name.plain(), row.finding.0.word().plain());
            let missed =
                is_required && ["ignored", "unknown", "unavailable", "absent"].contains(&verdict);
            let skipped = !missed && ["absent", "inconclusive"].contains(&verdict);
            let ok = if missed { "not ok" } else { "ok" };
            let line = format!("{ok} {} {name}", at + 1);
            assert!(
                if skipped {
                    result.starts_with(&format!("{line} # SKIP {verdict}: "))
                } else {
                    result == line
                },
                "{result}"
            );
        }
    }
}

/// Colours take no room, and end with their word.
#[test]
fn colours_change_nothing_else() {
    let mut report = report();
    let plain = print(&report, "table");
    report.style.colour = true;
    let coloured = print(&report, "table");
    let mut parts = coloured.split('\x1b');
    let mut stripped = parts.next().expect("what is before the first").to_string();
    let mut numbers = Vec::new();
    for part in parts {
        let (number, text) =
            part.strip_prefix('[').and_then(|part| part.split_once('m')).expect("a colour");
        numbers.push(number);
        stripped += text;
    }
    assert_eq!(stripped, plain);
    assert_eq!(numbers.len(), 2 * NAMES.len());
    assert!(numbers.chunks(2).all(|pair| pair[0] != "0" && pair[1] == "0"), "{numbers:?}");
    assert!(
        !plain.contains('\x1b')
            && coloured.contains("\x1b[32mhonored\x1b[0m      its effect was seen\n"),
        "{coloured}"
    );
}

/// On standard error too, in lines that are numbered, with the exit code at the end.
#[test]
fn framed_the_report_comes_twice() {
    for (words, exit) in
        [(&["--reproducible"][..], 0), (&["require", "MAP_DENYWRITE", "--format", "json"], 1)]
    {
        let plain = run(words);
        let (code, said, aside) = run(&[words, &["--framed"]].concat());
        let mut framed = plain.2.clone();
        frame::lines(&said, exit, &mut |line| framed.push_str(line));
        assert_eq!((code, aside), (exit, framed), "{words:?}");
        assert!(!said.is_empty());
    }
}

#[test]
fn a_reproducible_report_has_neither_process_nor_time() {
    let is_there =
        |words: &[&str], what: &str| run(words).1.contains(&format!("\n    \"{what}\": null"));
    for what in ["pid", "time"] {
        assert!(!is_there(&[], what) && is_there(&["--reproducible"], what), "{what}");
    }
}

/// What the program prints is what the format makes of the whole report, also where that is written row by row.
#[test]
fn every_format_comes_from_the_command_line() {
    let report = report();
    for format in ["json", "jsonl", "table", "ktap", "shell", "macros", "prometheus", "nfd"] {
        let (code, said, complained) = run(&["--reproducible", "--format", format]);
        assert_eq!((code, complained.as_str()), (0, ""), "{format}");
        assert!(said == print(&report, format), "{format}: {said}");
    }
}

#[test]
fn a_line_has_eighty_characters_and_no_more() {
    let mut report = report();
    report.kernel.release = String::new();
    let title = print(&report, "table").lines().next().expect("a title").len();
    for (room, lines) in [(80, 1), (81, 2)] {
        report.kernel.release = "x".repeat(room - title);
        let table = print(&report, "table");
        assert_eq!(
            table.lines().take_while(|line| !line.is_empty()).count(),
            lines,
            "{room}: {table}"
        );
    }
}

/// A console that may be a terminal, of a user who may want no colours.
struct Screen {
    console: Console,
    is_terminal: bool,
    no_color: bool,
    is_asked: bool,
}

impl Kernel for Screen {
    fn call(&mut self, call: &mut Call) -> Answer {
        self.is_asked |= call.op == Op::Terminal;
        match call.op {
            Op::Terminal if self.is_terminal && call.args[0] == 1 => Answer::value(0),
            Op::Terminal => Answer::failed(Errno::ENOTTY),
            Op::NoColor => Answer::value(u64::from(self.no_color)),
            _ => self.console.call(call),
        }
    }
}

#[test]
fn colours_are_for_people_on_terminals() {
    for (is_terminal, no_color, format) in [
        (true, false, "table"),
        (true, true, "table"),
        (false, false, "table"),
        (true, false, "json"),
        (true, false, "shell"),
    ] {
        let console = Console::on(Rules::new(NATIVE, (6, 12)));
        let mut screen = Screen { console, is_terminal, no_color, is_asked: false };
        assert_eq!(command::main(&mut screen, &["mapprobe", "--format", format], TABLE), 0);
        let expected = is_terminal && !no_color && format == "table";
        assert_eq!(
            screen.console.said().0.contains('\x1b'),
            expected,
            "{is_terminal} {no_color} {format}"
        );
        assert_eq!(screen.is_asked, format == "table", "{format}: nothing is asked in vain");
    }
}
