//! Arguments: where options may stand, what makes a request, and the messages about what does not.

use mapprobe::cli::{QueryRequest, Request, parse};
use mapprobe::flags::Flag;
use mapprobe::request::{Format, ProbeOptions, Query, RecordingVersion};
use mapprobe::requirement::{Require, Requirement};
use program::command_line::{fails, output, run, split, wrong_argument};

mod program {
    pub mod command_line;
}

/// Commands that ask the kernel and need no argument.
const QUERIES: [&str; 3] = ["report", "sweep", "free-bits"];
/// Commands that do not ask the kernel, with their arguments.
const WITHOUT_KERNEL: [&[&str]; 3] = [&["list"], &["explain", "MAP_SYNC"], &["decode", "0x16"]];
/// Those that take no value.
const SWITCHES: [&str; 3] = ["--thorough", "--reproducible", "--framed"];

/// argh's message about a value of an option.
fn wrong_value(option: &str, value: &str, problem: &str) -> String {
    format!("Error parsing option '{option}' with value '{value}': {problem}")
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
        other => panic!("{arguments:?} are not a query: {other:?}"),
    }
}

/// The query with every option that takes a value, and switches.
fn everything(query: Query) -> QueryRequest {
    QueryRequest {
        options: ProbeOptions {
            recording_version: RecordingVersion::Two,
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
        ("--fromat=json", "unknown option --fromat=json; did you mean --format?"),
        ("--fromat json sweep", "unknown option --fromat; did you mean --format?"),
        ("report --fromat json", "unknown option --fromat; did you mean --format?"),
        ("sweep --pat /tmp", "unknown option --pat; did you mean --path?"),
        ("require MAP_SYNC --thorogh", "unknown option --thorogh; did you mean --thorough?"),
        ("list --arc hppa", "unknown option --arc; did you mean --arch?"),
        ("decode 1 --ach=hppa", "unknown option --ach=hppa; did you mean --arch?"),
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
            let message = format!("{name} is not an option of {}", command[0]);
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
        ("--support-only", "--support-only"),
        ("list --support-only", "--support-only"),
        ("list --version", "--version"),
        ("sweep --version", "--version"),
        // The options of a command stand behind it.
        ("--arch hppa list", "--arch"),
        ("--arch=hppa decode 0x16", "--arch"),
        ("--allow-inconclusive require MAP_SYNC", "--allow-inconclusive"),
    ] {
        fails(&split(line), &format!("{option} does not fit here; see mapprobe --help"));
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
        ("sweep --path", needs_value("--path")),
        ("sweep --format", needs_value("--format")),
        ("require MAP_SYNC --replay", needs_value("--replay")),
        ("list --record", needs_value("--record")),
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
    fails(&["sweep", "sweep"], "sweep does not fit here; see mapprobe --help");
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
    let paths = requirements.expect("requirement").requirements.into_iter();
    assert!(paths.map(|one| one.path.expect("a path")).eq(["/a=b", "--path=x"]));
}

#[test]
fn a_switch_takes_no_value() {
    for switch in SWITCHES {
        for value in ["yes", "no", "1", ""] {
            let argument = format!("{switch}={value}");
            let message = format!("unknown option {argument}; did you mean {switch}?");
            fails(&[&argument], &message);
            for command in QUERIES {
                fails(&[command, &argument], &message);
                fails(&[&argument, command], &message);
            }
        }
    }
    let argument = "--allow-inconclusive=MAP_SYNC";
    let message = format!("unknown option {argument}; did you mean --allow-inconclusive?");
    fails(&["require", argument], &message);
    fails(&["require", "MAP_SYNC", argument], &message);
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

/// An option is an argument there: a flag or a number that does not exist, a surplus argument, or
/// an unknown command.
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
        "--support-only",
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
        let message = wrong_argument("requirement", option, &no_flag);
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
    for arguments in ["-- list --arch", "-- list --help", "-- list help", "-- sweep --thorough"] {
        assert_eq!(run(&split(arguments)).0, 2, "{arguments}");
    }
    let require = ["--", "require", "MAP_FIXED", "--allow-inconclusive"];
    fails(
        &require,
        &wrong_argument(
            "requirement",
            require[3],
            "no flag --allow-inconclusive; `mapprobe list` lists them",
        ),
    );
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
    let expected = Require { requirements, allow_inconclusive: false, support_only: false };
    assert_eq!(request.require, Some(expected));
    // Required paths are probed, each once.
    assert_eq!(request.options.paths, ["/c", "/a:b", ""]);
}
