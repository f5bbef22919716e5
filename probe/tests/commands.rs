//! Commands that ask no kernel (`list`, `explain`, `decode`), and the help of each command.

use mapprobe::cli::QueryRequest;
use mapprobe::request::Format;
use program::command_line::{fails, output, run, split, wrong_argument};
use program::flag_names::FLAG_NAMES;

mod program {
    pub mod command_line;
    pub mod flag_names;
}

const COMMANDS: [&str; 7] =
    ["report", "sweep", "free-bits", "require", "list", "explain", "decode"];
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
    let old_type = "  MAP_TYPE was 0x3 up to 4.15; it is 0x2b on 5.10 and in the header of 4.19\n";
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
        ("0x1000001 --arch x86_64", "MAP_SHARED|0x1000000\n  0x1000000 is not a flag of x86_64\n"),
        ("0x4000001 --arch hppa", "MAP_SHARED|0x4000000\n  0x4000000 is not a flag of hppa\n"),
        ("0x42 --arch aarch64", "MAP_PRIVATE|0x40\n  0x40 is not a flag of aarch64\n"),
        ("0x42 --arch x86_64", "MAP_PRIVATE|MAP_32BIT\n"),
        ("0x25 --arch x86_64", "MAP_ANONYMOUS|0x5\n  0x5 is not a map type of x86_64\n"),
        (
            "0x1000025 --arch x86_64",
            "MAP_ANONYMOUS|0x1000005\n  0x5 is not a map type of x86_64\n  \
             0x1000000 is not a flag of x86_64\n",
        ),
        // MAP_TYPE of parisc is 0x2b; up to 4.15 it was 0x03.
        ("0x22 --arch hppa", &format!("0x22\n  0x22 is not a map type of hppa\n{old_type}")),
        ("0x18 --arch hppa", &format!("MAP_DROPPABLE|MAP_ANONYMOUS\n{old_type}")),
        ("0x42 --arch hppa", "MAP_PRIVATE|0x40\n  0x40 is not a flag of hppa\n"),
        (
            "0x8000000000000001 --arch x86_64",
            "MAP_SHARED|0x8000000000000000\n  0x8000000000000000 is not a flag of x86_64\n",
        ),
    ] {
        assert_eq!(output(&format!("decode {arguments}")), expected, "{arguments}");
    }
    let largest = output("decode 18446744073709551615 --arch x86_64");
    assert!(largest.ends_with(" is not a flag of x86_64\n"), "{largest}");
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
        let message = wrong_argument("requirement", argument, &problem);
        fails(&["require", argument], &message);
        fails(&["require", "MAP_FIXED", argument], &message);
        let with_path = format!("{argument}:/tmp/a:b");
        fails(&["require", &with_path], &wrong_argument("requirement", &with_path, &problem));
    }
    for argument in ["", "banana", "MAP_", "x", "MAP_ANON", "MAP_SHR", "\u{fc}\u{fc}\u{fc}\u{fc}"] {
        let problem = format!("no flag {argument}; `mapprobe list` lists them");
        fails(&["explain", argument], &wrong_argument("flag", argument, &problem));
        fails(&["require", argument], &wrong_argument("requirement", argument, &problem));
    }
    let long = "x".repeat(100_000);
    assert_eq!(run(&["explain", &long]).0, 2);
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
        for option in ["--allow-inconclusive", "--support-only"] {
            assert_eq!(names(&help, option), command == "require", "{command} {option}");
        }
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
