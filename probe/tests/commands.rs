//! Commands, options and error messages, without a kernel: `list`, `explain` and `decode`, the help
//! of each command, and arguments that make no request.

use kernel::{Call, Kernel, Op, SysResult};
use mapprobe::app;
use mapprobe::cli::{QueryRequest, Request, Require, parse};
use mapprobe::flags::Flag;
use mapprobe::output::{STDERR, STDOUT};
use mapprobe::request::{Format, ProbeOptions, Query};
use mapprobe::requirement::Requirement;
use program::flag_names::FLAG_NAMES;

mod program {
    pub mod flag_names;
}

const COMMANDS: [&str; 7] =
    ["report", "sweep", "free-bits", "require", "list", "explain", "decode"];
/// Commands that ask the kernel and need no argument.
const QUERIES: [&str; 3] = ["report", "sweep", "free-bits"];
/// Commands that do not ask the kernel, with their arguments.
const WITHOUT_KERNEL: [&[&str]; 3] = [&["list"], &["explain", "MAP_SYNC"], &["decode", "0x16"]];

/// The options of a query.
const QUERY_OPTIONS: [&str; 8] = [
    "--format",
    "--prefix",
    "--path",
    "--record",
    "--replay",
    "--thorough",
    "--reproducible",
    "--framed",
];
/// Those that take no value.
const SWITCHES: [&str; 3] = ["--thorough", "--reproducible", "--framed"];

/// A kernel that fails the test at any call but those of every start and output.
#[derive(Default)]
struct OutputOnly {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Kernel for OutputOnly {
    fn call(&mut self, call: &mut Call) -> SysResult {
        match (call.op, call.args[0] as i32) {
            (Op::IgnoreSigpipe, _) => return SysResult::success(0),
            (Op::Write, STDOUT) => self.stdout.extend_from_slice(call.input),
            (Op::Write, STDERR) => self.stderr.extend_from_slice(call.input),
            (other, _) => panic!("unexpected call: {other:?}"),
        }
        SysResult::success(call.input.len())
    }
}

/// Exit code, standard output and standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let mut kernel = OutputOnly::default();
    let exit = app::run(&mut kernel, &[&["mapprobe"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (exit, text(kernel.stdout), text(kernel.stderr))
}

/// The arguments in a line.
fn split(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// The output of a command that succeeds.
#[track_caller]
fn output(line: &str) -> String {
    let (exit, stdout, stderr) = run(&split(line));
    assert_eq!((exit, stderr.as_str()), (0, ""), "{line}");
    stdout
}

/// The command fails with this message and prints nothing else.
#[track_caller]
fn fails(arguments: &[&str], message: &str) {
    let expected = (2, String::new(), format!("mapprobe: {message}\n"));
    assert_eq!(run(arguments), expected, "{arguments:?}");
}

/// argh's message about a value of an option.
fn wrong_value(option: &str, value: &str, problem: &str) -> String {
    format!("Error parsing option '{option}' with value '{value}': {problem}")
}

/// argh's message about an argument.
fn wrong_argument(name: &str, value: &str, problem: &str) -> String {
    format!("Error parsing positional argument '{name}' with value '{value}': {problem}")
}

/// The query that the arguments in a line make.
#[track_caller]
fn query(line: &str) -> QueryRequest {
    query_of(&split(line))
}

#[track_caller]
fn query_of(arguments: &[&str]) -> QueryRequest {
    match parse(arguments) {
        Ok(Request::Query(query)) => query,
        other => panic!("{arguments:?} make no query: {other:?}"),
    }
}

#[test]
fn list_prints_a_line_per_flag() {
    for arch in ["x86_64", "aarch64", "hppa"] {
        let list = output(&format!("list --arch {arch}"));
        let rows: Vec<Vec<&str>> = list.lines().map(split).collect();
        assert!(rows.iter().all(|row| row.len() == 3), "{list}");
        assert!(rows.iter().map(|row| row[0]).eq(FLAG_NAMES), "{list}");
        assert!(list.lines().all(|line| line.len() <= 80 && line.starts_with("MAP_")), "{list}");
        let columns = list.lines().map(|line| {
            let value = line.find("0x").or(line.find(" - "));
            (line.find(' '), value)
        });
        assert!(columns.into_iter().all(|(gap, value)| gap < value), "{list}");
    }
    let native = if cfg!(target_arch = "x86_64") { "x86_64" } else { "aarch64" };
    assert_eq!(output("list"), output(&format!("list --arch {native}")));
    // From arch/parisc/include/uapi/asm/mman.h and arch/x86/include/uapi/asm/mman.h.
    let hppa = output("list --arch hppa");
    for line in ["MAP_FIXED            0x4         always", "MAP_SYNC             -           4.15"]
    {
        assert!(hppa.lines().any(|row| row == line), "{line}: {hppa}");
    }
    assert!(output("list --arch x86_64").contains("MAP_32BIT            0x40        2.4.20\n"));
}

#[test]
fn explain_explains_every_flag() {
    for name in FLAG_NAMES {
        let text = output(&format!("explain {name}"));
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(name));
        assert!(text.lines().all(|line| line.len() <= 80 && line == line.trim_end()), "{text}");
        let labels = lines.filter_map(|line| line.get(..9)).map(str::trim);
        let labels: Vec<&str> = labels.filter(|label| !label.is_empty()).collect();
        assert_eq!(labels, ["since", "values", "promise", "proof", "beware"], "{text}");
        for arch in ["x86_64", "aarch64", "hppa"] {
            let list = output(&format!("list --arch {arch}"));
            let row = list.lines().map(split).find(|row| row[0] == name).expect("a row");
            assert!(text.contains(&format!("{arch} {}", row[1])), "{text}");
            assert!(text.contains(&format!("\nsince    {}\n", row[2])), "{text}");
        }
    }
    let sync = split(&output("explain MAP_SYNC")).join(" ");
    let start = "MAP_SYNC since 4.15 values x86_64 0x80000, aarch64 0x80000, hppa - promise ";
    assert!(sync.starts_with(start), "{sync}");
    assert!(sync.contains("beware Files on DAX only."), "{sync}");
    // Each flag has its own text.
    assert!(output("explain MAP_LOCKED").contains("MADV_DONTNEED"));
    assert!(output("explain MAP_HUGE_16GB").contains("2^13"));
    assert!(output("explain MAP_EXECUTABLE").contains("ETXTBSY"));
    assert!(output("explain MAP_UNINITIALIZED").contains("MMU"));
}

/// The expected names are from the kernel's headers (`include/uapi/asm-generic/mman-common.h`,
/// `arch/parisc/include/uapi/asm/mman.h`).
#[test]
fn decode_names_the_flags_in_a_number() {
    let anonymous = "MAP_PRIVATE|MAP_ANONYMOUS";
    let before_4_15 = "  before Linux 4.15 MAP_TYPE was 0x3 there\n";
    for (arguments, expected) in [
        ("0x8003 --arch x86_64", "MAP_SHARED_VALIDATE|MAP_POPULATE\n"),
        ("32771 --arch aarch64", "MAP_SHARED_VALIDATE|MAP_POPULATE\n"),
        ("0100003 --arch x86_64", "MAP_SHARED_VALIDATE|MAP_POPULATE\n"),
        ("0X8003 --arch hppa", "MAP_SHARED_VALIDATE|MAP_GROWSDOWN\n"),
        ("--arch hppa 0x16", "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS\n"),
        ("0x22 --arch x86_64", "MAP_PRIVATE|MAP_ANONYMOUS\n"),
        ("0x32 --arch aarch64", "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS\n"),
        ("0 --arch x86_64", "0x0\n"),
        ("0x54040022 --arch x86_64", &format!("{anonymous}|MAP_HUGETLB|MAP_HUGE_2MB\n")),
        ("0x54080012 --arch hppa", &format!("{anonymous}|MAP_HUGETLB|MAP_HUGE_2MB\n")),
        ("0x54000022 --arch x86_64", &format!("{anonymous}|MAP_HUGE_2MB\n")),
        ("0x4000022 --arch x86_64", &format!("{anonymous}|MAP_UNINITIALIZED\n")),
        (
            "0x34040022 --arch x86_64",
            &format!("{anonymous}|MAP_HUGETLB|13<<MAP_HUGE_SHIFT\n  huge pages of 2^13 bytes\n"),
        ),
        (
            "0x4040002 --arch x86_64",
            "MAP_PRIVATE|MAP_HUGETLB|1<<MAP_HUGE_SHIFT\n  huge pages of 2^1 bytes\n",
        ),
        ("0x8000002 --arch x86_64", "MAP_PRIVATE|2<<MAP_HUGE_SHIFT\n  huge pages of 2^2 bytes\n"),
        ("0x1000001 --arch x86_64", "MAP_SHARED|0x1000000\n  0x1000000 is no flag of x86_64\n"),
        ("0x4000001 --arch hppa", "MAP_SHARED|0x4000000\n  0x4000000 is no flag of hppa\n"),
        ("0x42 --arch aarch64", "MAP_PRIVATE|0x40\n  0x40 is no flag of aarch64\n"),
        ("0x42 --arch x86_64", "MAP_PRIVATE|MAP_32BIT\n"),
        ("0x25 --arch x86_64", "MAP_ANONYMOUS|0x5\n  0x5 is no map type of x86_64\n"),
        (
            "0x1000025 --arch x86_64",
            "MAP_ANONYMOUS|0x1000005\n  0x5 is no map type of x86_64\n  \
             0x1000000 is no flag of x86_64\n",
        ),
        // The type field of parisc is 0x2b; before 4.15 it was 0x03.
        ("0x22 --arch hppa", &format!("0x22\n  0x22 is no map type of hppa\n{before_4_15}")),
        ("0x18 --arch hppa", &format!("MAP_DROPPABLE|MAP_ANONYMOUS\n{before_4_15}")),
        ("0x42 --arch hppa", "MAP_PRIVATE|0x40\n  0x40 is no flag of hppa\n"),
        (
            "0x8000000000000001 --arch x86_64",
            "MAP_SHARED|0x8000000000000000\n  0x8000000000000000 is no flag of x86_64\n",
        ),
    ] {
        assert_eq!(output(&format!("decode {arguments}")), expected, "{arguments}");
    }
    let largest = output("decode 18446744073709551615 --arch x86_64");
    assert!(largest.ends_with(" is no flag of x86_64\n"), "{largest}");
    assert_eq!(output("decode 0xffffffff --arch hppa").lines().count(), 5);
}

#[test]
fn decode_rejects_what_is_no_number_of_the_architecture() {
    for argument in [
        "",
        "0x",
        "0xg",
        "09",
        "8003h",
        "1.5",
        "+1",
        "1_000",
        "\u{665}",
        "0x1ffffffffffffffff",
        "18446744073709551616",
    ] {
        let problem = "expected a number of at most 64 bits, such as 0x8003, 32771 or 0100003";
        fails(&["decode", argument], &wrong_argument("number", argument, problem));
    }
    let too_large = "0x100000000 is too large: a flags argument of hppa has 32 bits";
    fails(&["decode", "0x100000000", "--arch", "hppa"], too_large);
    fails(&["decode", "-1"], "unknown option -1; see mapprobe --help");
}

#[test]
fn the_nearest_flag_is_suggested() {
    for (argument, nearest) in [
        ("MAP_SINC", "MAP_SYNC"),
        ("sync", "MAP_SYNC"),
        ("map_sync", "MAP_SYNC"),
        ("Sync", "MAP_SYNC"),
        ("MAP_SYN", "MAP_SYNC"),
        ("MAP_SYNCC", "MAP_SYNC"),
        ("MAP_SYNC_", "MAP_SYNC"),
        ("MAP_FIXED_NO_REPLACE", "MAP_FIXED_NOREPLACE"),
        ("MAP_FIXED_NOREPLCAE", "MAP_FIXED_NOREPLACE"),
        ("NORESERV", "MAP_NORESERVE"),
        ("MAP_HUGE_2Mb", "MAP_HUGE_2MB"),
        ("MAP_HUGE_64K", "MAP_HUGE_64KB"),
        ("MAP_ANONYMUS", "MAP_ANONYMOUS"),
        ("MAP_HUGETBL", "MAP_HUGETLB"),
        // At most a third of the word differs: three characters removed, inserted, replaced.
        ("MAP_NORSRV", "MAP_NORESERVE"),
        ("MAP_SSYNNCC", "MAP_SYNC"),
        ("MAP_XXXRED", "MAP_SHARED"),
        // The first of those that are equally near.
        ("MAP_HUGE_3MB", "MAP_HUGE_1MB"),
    ] {
        let problem = format!("no flag {argument}; did you mean {nearest}?");
        fails(&["explain", argument], &wrong_argument("flag", argument, &problem));
        let message = wrong_argument("requirements", argument, &problem);
        fails(&["require", argument], &message);
        fails(&["require", "MAP_FIXED", argument], &message);
        let with_path = format!("{argument}:/tmp/a:b");
        fails(&["require", &with_path], &wrong_argument("requirements", &with_path, &problem));
    }
    for argument in ["", "banana", "MAP_", "x", "MAP_ANON", "MAP_SHR", "\u{fc}\u{fc}\u{fc}\u{fc}"] {
        let problem = format!("no flag {argument}; `mapprobe list` lists them");
        fails(&["explain", argument], &wrong_argument("flag", argument, &problem));
        fails(&["require", argument], &wrong_argument("requirements", argument, &problem));
    }
    let long = "x".repeat(100_000);
    assert_eq!(run(&["explain", &long]).0, 2);
}

#[test]
fn an_unknown_command_names_the_nearest_or_the_help() {
    for (argument, nearest) in [
        ("lst", "list"),
        ("LIST", "list"),
        ("reprot", "report"),
        ("swep", "sweep"),
        ("freebits", "free-bits"),
        ("free_bits", "free-bits"),
        ("requires", "require"),
        ("expain", "explain"),
        ("decod", "decode"),
    ] {
        let message = format!("unknown command {argument}; did you mean {nearest}?");
        fails(&[argument], &message);
        fails(&[argument, "MAP_SYNC"], &message);
        fails(&["--thorough", "--path", "/tmp", argument], &message);
    }
    for argument in ["", "banana", "x", "MAP_SYNC", "/tmp"] {
        fails(&[argument], &format!("unknown command {argument}; see mapprobe --help"));
    }
}

#[test]
fn an_unknown_option_names_the_nearest_or_the_help() {
    for (line, message) in [
        ("--fromat json", "unknown option --fromat; did you mean --format?"),
        ("--fromat=json", "unknown option --fromat; did you mean --format?"),
        ("--fromat json sweep", "unknown option --fromat; did you mean --format?"),
        ("report --fromat json", "unknown option --fromat; did you mean --format?"),
        ("sweep --pat /tmp", "unknown option --pat; did you mean --path?"),
        ("require MAP_SYNC --thorogh", "unknown option --thorogh; did you mean --thorough?"),
        ("list --arc hppa", "unknown option --arc; did you mean --arch?"),
        ("decode 1 --ach=hppa", "unknown option --ach; did you mean --arch?"),
        ("--FORMAT json", "unknown option --FORMAT; did you mean --format?"),
        ("require MAP_SYNC --allow", "unknown option --allow; see mapprobe --help"),
        ("--no-such-option", "unknown option --no-such-option; see mapprobe --help"),
        ("list --no-such-option", "unknown option --no-such-option; see mapprobe --help"),
        ("explain MAP_SYNC -x", "unknown option -x; see mapprobe --help"),
        ("-x", "unknown option -x; see mapprobe --help"),
        ("-", "unknown option -; see mapprobe --help"),
    ] {
        fails(&split(line), message);
    }
}

#[test]
fn a_command_that_does_not_ask_the_kernel_has_no_option_of_a_query() {
    for command in WITHOUT_KERNEL {
        for option in [
            &["--format", "json"][..],
            &["--format=json"],
            &["--prefix", "A_"],
            &["--path=/tmp"],
            &["--path", "--"],
            &["--record", "-"],
            &["--replay=/recording"],
            &["--thorough"],
            &["--reproducible"],
            &["--framed"],
        ] {
            let name = option[0].split('=').next().expect("a name");
            let message = format!("{name} is no option of {}", command[0]);
            fails(&[option, command].concat(), &message);
            fails(&[command, option].concat(), &message);
            fails(&[&command[..1], option, &command[1..]].concat(), &message);
        }
    }
}

#[test]
fn an_option_of_another_command_is_rejected() {
    for (line, option) in [
        ("explain MAP_SYNC --arch hppa", "--arch"),
        ("--arch hppa explain MAP_SYNC", "--arch"),
        ("report --arch hppa", "--arch"),
        ("--arch hppa", "--arch"),
        ("sweep --arch=hppa", "--arch"),
        ("require MAP_SYNC --arch hppa", "--arch"),
        ("--allow-inconclusive", "--allow-inconclusive"),
        ("sweep --allow-inconclusive", "--allow-inconclusive"),
        ("list --allow-inconclusive", "--allow-inconclusive"),
        ("list --version", "--version"),
        ("sweep --version", "--version"),
        // The options of a command stand behind it.
        ("--arch hppa list", "--arch"),
        ("--arch=hppa decode 0x16", "--arch"),
        ("--allow-inconclusive require MAP_SYNC", "--allow-inconclusive"),
    ] {
        fails(&split(line), &format!("{option} does not fit this command"));
    }
}

#[test]
fn missing_arguments_are_named() {
    let missing = |argument| format!("Required positional arguments not provided:\n    {argument}");
    let needs_value = |option: &str| format!("{option} needs a value");
    let no_value = |option| format!("No value provided for option '{option}'.");
    let no_requirement = String::from("require needs at least one FLAG or FLAG:PATH");
    for (line, message) in [
        ("require", no_requirement.clone()),
        ("require --allow-inconclusive", no_requirement.clone()),
        ("require --path /tmp", no_requirement.clone()),
        ("require --", no_requirement),
        ("explain", missing("FLAG")),
        ("explain --", missing("FLAG")),
        ("decode", missing("NUMBER")),
        ("decode --arch hppa", missing("NUMBER")),
        ("list --arch", no_value("--arch")),
        ("decode 1 --arch", no_value("--arch")),
        ("--path", needs_value("--path")),
        ("--format", needs_value("--format")),
        ("--record", needs_value("--record")),
        ("--replay", needs_value("--replay")),
        ("--prefix", needs_value("--prefix")),
        ("--thorough --path /a --path", needs_value("--path")),
    ] {
        fails(&split(line), &message);
    }
}

#[test]
fn surplus_arguments_are_named() {
    for (line, argument) in [
        ("explain MAP_SYNC MAP_FIXED", "MAP_FIXED"),
        ("decode 1 2", "2"),
        ("list MAP_SYNC", "MAP_SYNC"),
        ("list lst", "lst"),
        ("report sweep", "sweep"),
        ("free-bits MAP_SYNC", "MAP_SYNC"),
        ("--thorough sweep list", "list"),
        ("sweep --path /a /b", "/b"),
        ("--help nonsense", "nonsense"),
    ] {
        fails(&split(line), &format!("unknown argument {argument}; see mapprobe --help"));
    }
    fails(&["sweep", "sweep"], "sweep does not fit this command");
    fails(&["--version", "stray"], "unknown argument stray; see mapprobe --help");
}

#[test]
fn values_that_are_no_choice_name_the_choices() {
    let formats = "json, jsonl, table, ktap, shell, macros, prometheus, nfd";
    for value in ["xml", "JSON", "jso", "", "--path"] {
        let message = wrong_value("--format", value, &format!("expected one of {formats}"));
        fails(&["--format", value], &message);
        fails(&["sweep", "--format", value], &message);
        fails(&["sweep", &format!("--format={value}")], &message);
    }
    for value in ["m68k", "X86_64", "parisc", ""] {
        let message = wrong_value("--arch", value, "expected one of x86_64, aarch64, hppa");
        fails(&["list", "--arch", value], &message);
        fails(&["decode", &format!("--arch={value}"), "1"], &message);
    }
}

#[test]
fn an_option_with_one_value_is_given_once() {
    for (line, option, second) in [
        ("--format json --format json", "--format", "json"),
        ("--format=json sweep --format jsonl", "--format", "jsonl"),
        ("--prefix A --prefix B --format shell", "--prefix", "B"),
        ("--record /a --record /b", "--record", "/b"),
        ("--replay /a --replay=/a", "--replay", "/a"),
        ("list --arch hppa --arch aarch64", "--arch", "aarch64"),
    ] {
        fails(&split(line), &wrong_value(option, second, "duplicate values provided"));
    }
    assert_eq!(query("--path /a --path /b --path /a").options.paths, ["/a", "/b", "/a"]);
    assert_eq!(query("--path /a sweep --path /b").options.paths, ["/a", "/b"]);
    for switch in SWITCHES {
        assert_eq!(query_of(&[switch, "sweep", switch]), query_of(&["sweep", switch]));
    }
}

#[test]
fn options_that_exclude_each_other_are_rejected() {
    let conflict = "--record and --replay exclude each other";
    for command in ["", "report", "sweep", "free-bits", "require MAP_SYNC"] {
        fails(&split(&format!("{command} --record /a --replay /b")), conflict);
        fails(&split(&format!("--replay=/b {command} --record=-")), conflict);
    }
    for command in ["sweep", "free-bits"] {
        for format in Format::ALL.map(Format::name) {
            let arguments = [command, "--format", format];
            match format {
                "json" | "jsonl" => assert!(parse(&arguments).is_ok(), "{arguments:?}"),
                _ => fails(&arguments, &format!("{command} needs --format json or jsonl")),
            }
        }
    }
}

#[test]
fn a_prefix_needs_a_format_that_defines_names() {
    let default = QueryRequest::default().style().prefix;
    assert_eq!(default, "MAPPROBE_");
    for format in Format::ALL.map(Format::name) {
        let arguments = ["--format", format, "--prefix", "A_"];
        match format {
            "shell" | "macros" => assert!(parse(&arguments).is_ok(), "{format}"),
            _ => fails(&arguments, "--prefix needs --format macros or shell"),
        }
    }
    fails(&["--prefix", "A_"], "--prefix needs --format macros or shell");
    let rule = "expected letters, digits and _, not starting with a digit";
    for prefix in ["2A", "A-B", "A B", "\u{e4}", "-"] {
        for format in ["macros", "shell"] {
            let arguments = ["--format", format, "--prefix", prefix];
            fails(&arguments, &wrong_value("--prefix", prefix, rule));
        }
    }
}

/// The query with every option that takes a value, and switches.
fn everything(query: Query) -> QueryRequest {
    QueryRequest {
        options: ProbeOptions {
            query,
            paths: vec!["/a".into(), "/b".into()],
            thorough: true,
            reproducible: true,
        },
        format: Some(Format::Json),
        record: Some("-".into()),
        framed: true,
        ..QueryRequest::default()
    }
}

#[test]
fn options_may_stand_before_and_behind_the_command() {
    let options = "--path /a --thorough --reproducible --format json --record - --framed --path /b";
    for command in QUERIES {
        let kind = Query::ALL.into_iter().find(|query| query.command() == command);
        let expected = everything(kind.expect("a query"));
        for line in [
            format!("{options} {command}"),
            format!("{command} {options}"),
            format!(
                "--path /a --thorough {command} --reproducible --format json --path /b \
                     --record - --framed"
            ),
        ] {
            assert_eq!(query(&line), expected, "{line}");
        }
    }
    assert_eq!(query(options), everything(Query::Report));
    assert_eq!(query(""), QueryRequest::default());
    assert_eq!(query("report"), QueryRequest::default());

    let expected = query("require MAP_SYNC MAP_FIXED --thorough --allow-inconclusive");
    for line in [
        "--thorough require MAP_SYNC MAP_FIXED --allow-inconclusive",
        "--thorough require --allow-inconclusive MAP_SYNC MAP_FIXED",
        "require MAP_SYNC --thorough MAP_FIXED --allow-inconclusive",
    ] {
        assert_eq!(query(line), expected, "{line}");
    }
    assert_eq!(output("decode 0x16 --arch hppa"), output("decode --arch hppa 0x16"));
}

#[test]
fn a_value_may_follow_an_equals_sign() {
    for command in QUERIES {
        for (option, value) in [
            ("--format", "jsonl"),
            ("--path", "/a=b"),
            ("--path", "--framed"),
            ("--path", "list"),
            ("--path", ""),
            ("--record", "--replay=x"),
            ("--record", "-"),
            ("--replay", "/recording"),
        ] {
            let expected = parse(&[command, option, value]);
            assert!(expected.is_ok(), "{expected:?}");
            let joined = format!("{option}={value}");
            assert_eq!(parse(&[command, &joined]), expected, "{command} {joined}");
            assert_eq!(parse(&[&joined, command]), expected, "{joined} {command}");
            assert_eq!(parse(&[option, value, command]), expected, "{option} {value} {command}");
        }
    }
    for format in ["shell", "macros"] {
        for prefix in ["A_", ""] {
            let expected = parse(&["--format", format, "--prefix", prefix]);
            assert!(expected.is_ok(), "{expected:?}");
            let (format, prefix) = (format!("--format={format}"), format!("--prefix={prefix}"));
            assert_eq!(parse(&[&prefix, &format]), expected, "{format} {prefix}");
            assert_eq!(parse(&["report", &format, &prefix]), expected, "{format} {prefix}");
            assert_eq!(parse(&[&prefix, "report", &format]), expected, "{format} {prefix}");
        }
    }
    for command in [&["list"][..], &["decode", "0x16"]] {
        let expected = parse(&[command, &["--arch", "hppa"]].concat());
        assert!(expected.is_ok(), "{expected:?}");
        assert_eq!(parse(&[command, &["--arch=hppa"]].concat()), expected, "{command:?}");
    }
}

/// What looks like `--option=value` may be a value or an argument itself.
#[test]
fn values_and_arguments_are_not_taken_apart() {
    for value in ["--record=x", "--format=json", "--path=y", "a=b", "--", "--help", "-h", "help"] {
        assert_eq!(query_of(&["--path", value]).options.paths, [value]);
        assert_eq!(query_of(&["sweep", &format!("--path={value}")]).options.paths, [value]);
    }
    let requirements = query("require MAP_SYNC:/a=b MAP_SYNC:--path=x").require;
    let paths = requirements.expect("requirements").requirements.into_iter();
    assert!(paths.map(|one| one.path.expect("a path")).eq(["/a=b", "--path=x"]));
}

#[test]
fn a_switch_takes_no_value() {
    for switch in SWITCHES {
        for value in ["yes", "no", "1", ""] {
            let switch_and_value = format!("{switch}={value}");
            for command in QUERIES {
                let (exit, stdout, stderr) = run(&[command, &switch_and_value]);
                assert_eq!((exit, stdout.as_str()), (2, ""), "{command} {switch_and_value}");
                assert!(stderr.contains(switch), "{command} {switch_and_value}: {stderr}");
            }
            let (exit, stdout, _) = run(&[&switch_and_value]);
            assert_eq!((exit, stdout.as_str()), (2, ""), "{switch_and_value}");
        }
    }
    let (exit, stdout, _) = run(&["require", "MAP_SYNC", "--allow-inconclusive=1"]);
    assert_eq!((exit, stdout.as_str()), (2, ""));
}

#[test]
fn two_dashes_end_the_options() {
    for (with, without) in [
        ("list --", "list"),
        ("-- list", "list"),
        ("list --arch hppa --", "list --arch hppa"),
        ("explain -- MAP_SYNC", "explain MAP_SYNC"),
        ("decode -- 0x16", "decode 0x16"),
        ("decode --arch hppa -- 0x16", "decode --arch hppa 0x16"),
    ] {
        assert_eq!(output(with), output(without), "{with}");
    }
    assert_eq!(query("--thorough --"), query("--thorough"));
    assert_eq!(query("sweep --"), query("sweep"));
    assert_eq!(query("--thorough -- sweep"), query("sweep --thorough"));
    assert_eq!(query("require --thorough -- MAP_SYNC"), query("require MAP_SYNC --thorough"));
}

/// An option is an argument there: a flag or a number that does not exist, a surplus argument, or an
/// unknown command.
#[test]
fn nothing_is_an_option_after_two_dashes() {
    let options = [
        "--format",
        "--format=json",
        "--prefix=A",
        "--path",
        "--path=/tmp",
        "--record=-",
        "--replay",
        "--thorough",
        "--reproducible",
        "--framed",
        "--allow-inconclusive",
        "--arch",
        "--arch=hppa",
        "--version",
        "--help",
        "-h",
        "help",
        "--",
    ];
    for option in options {
        let no_flag = format!("no flag {option}; `mapprobe list` lists them");
        let message = wrong_argument("requirements", option, &no_flag);
        fails(&["require", "--", option], &message);
        fails(&["require", "MAP_SYNC", "--", option], &message);
        fails(&["--thorough", "require", "--", "MAP_SYNC", option], &message);
        fails(&["explain", "--", option], &wrong_argument("flag", option, &no_flag));
        let problem = "expected a number of at most 64 bits, such as 0x8003, 32771 or 0100003";
        fails(&["decode", "--", option], &wrong_argument("number", option, problem));
        for before in [&[][..], &["--thorough"], &["report"], &["sweep"], &["list"]] {
            let arguments = [before, &["--", option]].concat();
            let (exit, stdout, stderr) = run(&arguments);
            assert_eq!((exit, stdout.as_str()), (2, ""), "{arguments:?}");
            assert!(stderr.contains(option), "{arguments:?}: {stderr}");
        }
    }
    let request = query_of(&["require", "--", "MAP_SYNC:--path=/tmp", "MAP_FIXED:--thorough"]);
    assert_eq!(request.options.paths, ["--path=/tmp", "--thorough"]);
    assert!(!request.options.thorough);
}

#[test]
fn a_requirement_names_a_flag_and_perhaps_a_path() {
    let of = |flag, path: Option<&str>| Requirement { flag, path: path.map(String::from) };
    let request = query("require MAP_SYNC:/a:b MAP_FIXED MAP_SYNC: --path /c MAP_LOCKED:/a:b");
    let requirements = vec![
        of(Flag::MAP_SYNC, Some("/a:b")),
        of(Flag::MAP_FIXED, None),
        of(Flag::MAP_SYNC, Some("")),
        of(Flag::MAP_LOCKED, Some("/a:b")),
    ];
    let allow_inconclusive = false;
    assert_eq!(request.require, Some(Require { requirements, allow_inconclusive }));
    // Required paths are probed, each once.
    assert_eq!(request.options.paths, ["/c", "/a:b", ""]);
}

#[test]
fn every_command_has_its_own_help() {
    let mut seen = Vec::new();
    for command in COMMANDS {
        let help = output(&format!("{command} --help"));
        for line in [
            format!("{command} -h"),
            format!("{command} help"),
            format!("help {command}"),
            format!("--help {command}"),
            format!("-h {command}"),
        ] {
            assert_eq!(output(&line), help, "{line}");
        }
        assert!(help.starts_with(&format!("Usage: mapprobe {command}")), "{help}");
        assert!(help.lines().all(|line| line.len() <= 80 && line == line.trim_end()), "{help}");
        assert!(help.ends_with('\n'), "{help}");
        assert!(!seen.contains(&help), "{command} has the help of another command");
        seen.push(help);
    }
    // Options in front of it do not keep help away.
    assert_eq!(output("--path /a --help"), output("--help"));
    assert_eq!(output("--path /a sweep --help"), output("sweep --help"));
    assert_eq!(output("list --arch hppa --help"), output("list --help"));
    assert_eq!(output("require MAP_SYNC --help"), output("require --help"));
    assert_eq!(output("list --help --thorough"), output("list --help"));
    let options_behind_help = "Trailing arguments are not allowed after `help`.";
    fails(&["list", "--help", "--arch", "hppa"], options_behind_help);
}

#[test]
fn the_help_of_a_command_names_its_arguments() {
    let names = |help: &str, option: &str| help.contains(option);
    for command in COMMANDS {
        let help = output(&format!("{command} --help"));
        for option in QUERY_OPTIONS {
            assert!(!names(&help, option), "{command} {option}");
        }
        assert_eq!(names(&help, "--allow-inconclusive"), command == "require", "{command}");
        assert_eq!(names(&help, "--arch"), ["list", "decode"].contains(&command), "{command}");
        // The description of the command.
        let description = help.split("\n\n").nth(1).expect("a description");
        assert!(description.ends_with('.') && split(description).len() > 3, "{help}");
        let description = split(description).join(" ");
        assert!(split(&output("--help")).join(" ").contains(&description), "{help}");
    }
    for arch in ["x86_64", "aarch64", "hppa"] {
        assert!(output("list --help").contains(arch), "{arch}");
        assert!(output("decode --help").contains(arch), "{arch}");
    }
    for (command, operand) in
        [("require", "FLAG[:PATH]"), ("explain", "FLAG"), ("decode", "NUMBER")]
    {
        let help = output(&format!("{command} --help"));
        let usage = help.lines().next().expect("a usage line");
        assert!(usage.contains(operand), "{command}: {usage}");
        assert!(help.lines().any(|line| split(line).first() == Some(&operand)), "{command}");
    }
}

#[test]
fn the_help_of_the_program_names_every_command_option_and_exit_code() {
    let help = output("--help");
    assert_eq!([output("help"), output("-h")], [help.clone(), help.clone()]);
    assert!(help.starts_with("Usage: mapprobe [COMMAND] [OPTIONS]\n"), "{help}");
    let begins_a_line = |word| help.lines().any(|line| split(line).first() == Some(&word));
    for word in COMMANDS.iter().chain(&QUERY_OPTIONS).chain(&["--version", "0", "1", "2", "3"]) {
        assert!(begins_a_line(word), "{word}: {help}");
    }
    for format in Format::ALL.map(Format::name) {
        assert!(help.contains(format), "{format}: {help}");
    }
    assert!(help.contains(&QueryRequest::default().style().prefix), "{help}");
    assert!(help.contains("`mapprobe COMMAND --help`"), "{help}");
    assert!(help.lines().all(|line| line.len() <= 80 && line == line.trim_end()), "{help}");
}

#[test]
fn the_version_is_printed() {
    let version = concat!("mapprobe ", env!("CARGO_PKG_VERSION"), "\n");
    for line in ["--version", "--thorough --version", "--version --path /a sweep"] {
        assert_eq!(output(line), version, "{line}");
    }
}
