//! The formats of a report: their layout, the effect of a prefix, and how each spells characters
//! that have a meaning in it.

use kernel::{Call, Errno, Kernel, Op, SysResult};
use mapprobe::app;
use mapprobe::flags::Flag;
use mapprobe::frame;
use mapprobe::probe;
use mapprobe::report::json_text::{JsonText, Layout};
use mapprobe::report::{Report, Style, write};
use mapprobe::request::{Format, ProbeOptions};
use program::console::Console;
use program::flag_names::FLAG_NAMES;
use program::machine::arch;
use serde_json::Value;
use simulator::{Machine, Rules, SeccompRule, SimulatedKernel};

mod program {
    pub mod console;
    pub mod flag_names;
    pub mod machine;
}

/// The machine that the program was built for.
const NATIVE: Machine = if cfg!(target_arch = "x86_64") { Machine::X86 } else { Machine::Arm64 };
/// Every character that has a meaning in a format.
const SPECIAL: &str = "6'1\"*/\\\n\u{7f}\u{e4}%s";

fn new() -> Rules {
    Rules::new(NATIVE, (6, 12))
}

fn report() -> Box<Report> {
    report_of(NATIVE)
}

fn report_of(machine: Machine) -> Box<Report> {
    let mut simulated = SimulatedKernel::new(Rules::new(machine, (6, 12)));
    let options = ProbeOptions { reproducible: true, ..ProbeOptions::default() };
    let report = probe::run(&mut simulated, arch(machine), Flag::ALL, &options, &mut |_| {});
    report.expect("a report")
}

/// A report with special characters in it.
fn special() -> Box<Report> {
    let mut report = report();
    report.kernel.release = SPECIAL.into();
    report
}

/// A report in a format, without colours.
fn print(report: &Report, format: Format) -> String {
    write(format, report, &Style::default())
}

/// Exit code, standard output and standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let mut console = Console::on(new());
    let exit = console.run(arguments);
    let (stdout, stderr) = console.take_output();
    (exit, stdout, stderr)
}

/// The output of a run that succeeds.
#[track_caller]
fn output(arguments: &[&str]) -> String {
    let (exit, stdout, stderr) = run(arguments);
    assert_eq!((exit, stderr.as_str()), (0, ""), "{arguments:?}");
    stdout
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).expect("JSON")
}

#[test]
fn special_characters_are_escaped_as_the_format_needs() {
    let report = special();
    for (format, escaped) in [
        (Format::Json, "\n    \"release\": \"6'1\\\"*/\\\\\\u000a\\u007f\\u00e4%s\",\n"),
        (Format::Shell, "\nMAPPROBE_KERNEL_RELEASE='6'\\''1\"*/\\\n\u{7f}\u{e4}%s'\n"),
        (Format::Prometheus, ",release=\"6'1\\\"*/\\\\\\n\u{7f}\u{e4}%s\"} 1\n"),
        (Format::Macros, " 6'1\\\"\\u002a/\\\\\\u000a\\u007f\\u00e4%s ***/\n"),
        (Format::Ktap, " 6'1\\\"*/\\\\\\u000a\\u007f\\u00e4%s\n"),
        (Format::Nfd, " 6'1\\\"*/\\\\\\u000a\\u007f\\u00e4%s\n"),
        (Format::Table, " 6'1\\\"*/\\\\\\u000a\\u007f\\u00e4%s\n"),
    ] {
        let text = print(&report, format);
        let head: Vec<&str> = text.lines().take(12).collect();
        assert!(text.contains(escaped), "{}: {}", format.name(), head.join("\n"));
    }
    let json = parse(&print(&report, Format::Json));
    assert_eq!(json["kernel"]["release"], SPECIAL);
}

/// The two JSON formats differ in line breaks and indentation only.
#[test]
fn jsonl_is_the_json_object_in_one_line() {
    let (object, line) = (print(&special(), Format::Json), print(&special(), Format::JsonLines));
    let without_layout = |text: &str| text.replace(['\n', ' '], "");
    assert_eq!(without_layout(&object), without_layout(&line));
    assert_eq!(parse(&object), parse(&line));
    assert_eq!(line.lines().count(), 1);
    assert!(line.ends_with("}\n"), "{line}");
    let start =
        "{\"schema\": \"mapprobe.report\", \"schema_version\": \"1.1\", \"tool\": {\"name\": ";
    assert!(line.starts_with(start), "{line}");
    for part in [
        "\n  \"environment\": [],\n",
        ", 61, 62, 63],\n",
        concat!(
            "\n        {\"type\": \"MAP_PRIVATE\", \"backing\": \"memfd\", ",
            "\"outcome\": \"accepted\"},\n"
        ),
        "\n      \"evidence\": [\n        \"mmap(",
        "\n  ],\n  \"complete\": true\n}\n",
    ] {
        assert!(object.contains(part), "{part}: {object}");
    }
}

#[test]
fn the_json_of_every_query_parses() {
    for (query, schema) in [
        ("report", "mapprobe.report"),
        ("sweep", "mapprobe.sweep"),
        ("free-bits", "mapprobe.free-bits"),
    ] {
        let arguments = [query, "--reproducible", "--path", "/ext4/file", "--format"];
        let object = output(&[&arguments[..], &["json"]].concat());
        let line = output(&[&arguments[..], &["jsonl"]].concat());
        assert_eq!(line.lines().count(), 1, "{query}");
        let json = parse(&object);
        assert_eq!(json, parse(&line), "{query}");
        assert_eq!(json["schema"], schema);
        assert_eq!(json["complete"], true, "{query}");
    }
}

#[test]
fn json_members_are_laid_out_in_lines_or_in_one() {
    let write = |layout| {
        let mut json = JsonText::new(layout);
        json.open('{');
        json.string("text", "plain");
        json.escaped("escaped", "\"\n");
        json.open_at("empty", '[');
        json.close(']');
        json.open_at("lines", '[');
        for number in [1, 2] {
            json.next();
            json.open_flat('{');
            json.number("number", Some(number));
            json.open_at("inner", '{');
            json.null("nothing");
            json.close('}');
            json.close('}');
        }
        json.close(']');
        json.bits("bits", 0b1010_0001);
        json.bits("none", 0);
        json.hex("hex", Some(255));
        json.hex("no_hex", None);
        json.boolean("yes", Some(true));
        json.boolean("unknown", None);
        json.close('}');
        json.out
    };
    let lines = r#"{
  "text": "plain",
  "escaped": "\"\u000a",
  "empty": [],
  "lines": [
    {"number": 1, "inner": {"nothing": null}},
    {"number": 2, "inner": {"nothing": null}}
  ],
  "bits": [0, 5, 7],
  "none": [],
  "hex": "0xff",
  "no_hex": null,
  "yes": true,
  "unknown": null
}"#;
    assert_eq!(write(Layout::Lines), lines);
    let one_line = lines.lines().map(|line| match line.trim_start() {
        line if line.ends_with(',') => format!("{line} "),
        line => line.to_string(),
    });
    assert_eq!(write(Layout::OneLine), one_line.collect::<String>());
    assert_eq!(parse(&write(Layout::OneLine)), parse(lines));
}

#[test]
fn a_sweep_that_could_probe_nothing_is_not_complete() {
    let filter = SeccompRule { op: Op::Pipe, any_flag_of: None, errno: Errno::EPERM };
    for (query, is_complete) in [("report", true), ("sweep", false), ("free-bits", false)] {
        let mut console = Console::on(Rules { seccomp: vec![filter], ..new() });
        assert_eq!(console.run(&[query]), 0);
        let (stdout, _) = console.take_output();
        let end = format!("\n  \"complete\": {is_complete}\n}}\n");
        assert!(stdout.ends_with(&end), "{query}: {stdout}");
        assert_eq!(parse(&stdout)["complete"], is_complete, "{query}");
    }
    let mut report = report();
    assert!(!print(&report, Format::Table).contains("incomplete"));
    report.complete = false;
    let end = "\nincomplete: not every flag could be probed\n";
    assert!(print(&report, Format::Table).ends_with(end));
}

#[test]
fn defined_names_begin_with_the_prefix() {
    for (options, prefix) in
        [(&["--prefix", "_My2"][..], "_My2"), (&["--prefix", ""], ""), (&[], "MAPPROBE_")]
    {
        let macros = output(&[&["--format", "macros"], options].concat());
        let is_defined = |line: &&str| {
            line.starts_with(&format!("#define {prefix}HAVE_MAP_"))
                || line.starts_with(&format!("#define {prefix}NO_HAVE_MAP_"))
        };
        assert_eq!(macros.lines().filter(is_defined).count(), FLAG_NAMES.len(), "{macros}");
        let shell = output(&[&["--format", "shell"], options].concat());
        let is_assigned = |line: &&str| line.starts_with(&format!("{prefix}MAP_"));
        assert_eq!(shell.lines().filter(is_assigned).count(), FLAG_NAMES.len(), "{shell}");
        assert!(shell.starts_with(&format!("{prefix}VERSION='")), "{shell}");
    }
}

#[test]
fn ktap_numbers_every_flag_and_fails_only_required_ones() {
    for machine in [NATIVE, Machine::Parisc] {
        let mut report = report_of(machine);
        let plain = print(&report, Format::Ktap);
        let head = format!("KTAP version 1\n1..{}\n# mapprobe ", FLAG_NAMES.len());
        assert!(plain.starts_with(&head), "{plain}");
        report.required = Flag::ALL.to_vec();
        let required = print(&report, Format::Ktap);
        for (text, is_required) in [(plain, false), (required, true)] {
            expect_ktap_results(&report, &text, is_required);
        }
        // The kernel's support suffices.
        report.support_only = true;
        let failed = print(&report, Format::Ktap).matches("\nnot ok ").count();
        let no = report.rows.iter().filter(|row| row.finding.verdict.is_no()).count();
        assert_eq!(failed, no);
    }
}

#[track_caller]
fn expect_ktap_results(report: &Report, text: &str, is_required: bool) {
    let results: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).skip(2).collect();
    assert_eq!(results.len(), FLAG_NAMES.len(), "{text}");
    for ((row, result), number) in report.rows.iter().zip(results).zip(1..) {
        let (flag, verdict) = (row.flag.name(), row.finding.verdict.word());
        let is_no = ["ignored", "unknown", "unavailable", "absent"].contains(&verdict);
        // The pools are empty.
        let has_no_page = row.availability.is_some();
        let is_failed = is_required && (is_no || has_no_page);
        let is_skipped = !is_failed && ["absent", "inconclusive"].contains(&verdict);
        let start = if is_failed { "not ok" } else { "ok" };
        let line = format!("{start} {number} {flag}");
        if is_skipped {
            assert!(result.starts_with(&format!("{line} # SKIP {verdict}: ")), "{result}");
        } else {
            assert_eq!(result, line);
        }
    }
}

#[test]
fn colours_change_no_column_and_end_with_their_word() {
    let report = report();
    let plain = print(&report, Format::Table);
    let coloured = write(Format::Table, &report, &Style { colour: true, ..Style::default() });
    let mut parts = coloured.split('\x1b');
    let mut stripped = parts.next().expect("the text before the first colour").to_string();
    let mut colours = Vec::new();
    for part in parts {
        let (colour, text) =
            part.strip_prefix('[').and_then(|part| part.split_once('m')).expect("a colour");
        colours.push(colour);
        stripped += text;
    }
    assert_eq!(stripped, plain);
    assert_eq!(colours.len(), 2 * FLAG_NAMES.len());
    assert!(colours.chunks(2).all(|pair| pair[0] != "0" && pair[1] == "0"), "{colours:?}");
    assert!(!plain.contains('\x1b'));
    let green = "\x1b[32mhonored\x1b[0m      effect observed\n";
    assert!(coloured.contains(green), "{coloured}");
}

/// On standard error, in numbered lines, with the exit code at the end.
#[test]
fn a_framed_report_is_printed_twice() {
    for (arguments, exit) in
        [(&["--reproducible"][..], 0), (&["require", "MAP_DENYWRITE", "--format", "json"], 1)]
    {
        let (_, _, messages) = run(arguments);
        let (framed_exit, stdout, stderr) = run(&[arguments, &["--framed"]].concat());
        let mut expected = messages;
        frame::for_each_line(&stdout, exit, &mut |line| expected.push_str(line));
        assert_eq!((framed_exit, stderr), (exit, expected), "{arguments:?}");
        assert!(!stdout.is_empty());
    }
}

#[test]
fn a_reproducible_report_has_neither_process_id_nor_time() {
    for key in ["pid", "time"] {
        let null = format!("\n    \"{key}\": null");
        assert!(!output(&[]).contains(&null), "{key}");
        assert!(output(&["--reproducible"]).contains(&null), "{key}");
    }
}

/// The program writes JSON row by row; the result is the format of the whole report.
#[test]
fn every_format_is_printed_from_the_command_line() {
    let report = report();
    for format in Format::ALL {
        let stdout = output(&["--reproducible", "--format", format.name()]);
        assert!(stdout == print(&report, format), "{}: {stdout}", format.name());
    }
    assert_eq!(output(&["--reproducible"]), print(&report, Format::Json));
}

#[test]
fn a_line_of_the_table_has_at_most_80_characters() {
    let mut report = report();
    report.kernel.release = String::new();
    let title = print(&report, Format::Table).lines().next().expect("a title").len();
    for (width, lines) in [(80, 1), (81, 2)] {
        report.kernel.release = "x".repeat(width - title);
        let table = print(&report, Format::Table);
        let title_lines = table.lines().take_while(|line| !line.is_empty()).count();
        assert_eq!(title_lines, lines, "{width}: {table}");
        assert!(table.lines().all(|line| line.len() <= 80), "{table}");
    }
}

/// A console that may be a terminal, of a user who may have set `NO_COLOR`.
struct Terminal {
    console: Console,
    is_terminal: bool,
    no_color: bool,
    was_checked: bool,
}

impl Kernel for Terminal {
    fn call(&mut self, call: &mut Call) -> SysResult {
        self.was_checked |= call.op == Op::Terminal;
        match call.op {
            Op::Terminal if self.is_terminal && call.args[0] == 1 => SysResult::success(0),
            Op::Terminal => SysResult::failure(Errno::ENOTTY),
            Op::NoColor if self.no_color => SysResult::success(1),
            Op::NoColor => SysResult::success(0),
            _ => self.console.call(call),
        }
    }
}

#[test]
fn colours_need_a_terminal_and_a_format_for_people() {
    for (is_terminal, no_color, format) in [
        (true, false, "table"),
        (true, true, "table"),
        (false, false, "table"),
        (true, false, "json"),
        (true, false, "shell"),
    ] {
        let console = Console::on(new());
        let mut terminal = Terminal { console, is_terminal, no_color, was_checked: false };
        assert_eq!(app::run(&mut terminal, &["mapprobe", "--format", format]), 0);
        let (stdout, _) = terminal.console.take_output();
        let expected = is_terminal && !no_color && format == "table";
        let about = format!("terminal {is_terminal}, NO_COLOR {no_color}, {format}");
        assert_eq!(stdout.contains('\x1b'), expected, "{about}");
        // No call is made in vain.
        assert_eq!(terminal.was_checked, format == "table", "{about}");
    }
}
