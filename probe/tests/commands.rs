//! What the program answers without asking the kernel: `list`, `explain`, `decode`; and what it says to words that make no sense.

use mapprobe::command;
use mapprobe::flags::TABLE;
use mapprobe::kernel::{Answer, Call, Kernel, Op};
use program::oracle::NAMES;

mod program;

/// A kernel that ends the test when it is asked for more than to write, and what a program that starts asks for.
#[derive(Default)]
struct Quiet {
    said: [Vec<u8>; 3],
}

impl Kernel for Quiet {
    fn call(&mut self, call: &mut Call) -> Answer {
        match call.op {
            Op::Pid => Answer::value(2),
            Op::IgnoreSigpipe => Answer::value(0),
            Op::Write => {
                self.said[call.args[0] as usize].extend_from_slice(call.input);
                Answer::value(call.input.len() as u64)
            }
            other => panic!("{other:?} is asked"),
        }
    }
}

/// Exit code, standard output and standard error.
fn run(words: &str) -> (i32, String, String) {
    let mut kernel = Quiet::default();
    let words: Vec<&str> =
        ["mapprobe"].into_iter().chain(words.split(' ').filter(|word| !word.is_empty())).collect();
    let code = command::main(&mut kernel, &words, TABLE);
    let [_, said, complained] = kernel.said.map(|bytes| String::from_utf8(bytes).expect("text"));
    (code, said, complained)
}

#[track_caller]
fn said(words: &str) -> String {
    let (code, said, complained) = run(words);
    assert_eq!((code, complained.as_str()), (0, ""), "{words}");
    said
}

/// One sentence, and exit code 2.
#[track_caller]
fn wrong(words: &str, complaint: &str) {
    assert_eq!(run(words), (2, String::new(), format!("mapprobe: {complaint}\n")), "{words}");
}

#[test]
fn a_list_has_a_line_per_flag() {
    for arch in ["x86_64", "aarch64", "hppa"] {
        let list = said(&format!("list --arch {arch}"));
        let rows: Vec<Vec<&str>> =
            list.lines().map(|line| line.split_whitespace().collect()).collect();
        assert!(rows.iter().all(|row| row.len() == 3), "{list}");
        assert!(rows.iter().map(|row| row[0]).eq(NAMES), "{list}");
        assert!(list.lines().all(|line| line.len() <= 80 && line.starts_with("MAP_")), "{list}");
        let columns: Vec<_> = list
            .lines()
            .map(|line| (line.find(' '), line.find("0x").or(line.find(" - "))))
            .collect();
        assert!(columns.iter().all(|(name, value)| name < value), "{list}");
    }
    let own = if cfg!(target_arch = "x86_64") { "x86_64" } else { "aarch64" };
    assert_eq!(said("list"), said(&format!("list --arch {own}")));
    // By hand, from arch/parisc/include/uapi/asm/mman.h and arch/x86/include/uapi/asm/mman.h.
    let hppa = said("list --arch hppa");
    for line in ["MAP_FIXED            0x4         always", "MAP_SYNC             -           4.15"]
    {
        assert!(hppa.lines().any(|row| row == line), "{line}: {hppa}");
    }
    assert!(said("list --arch x86_64").contains("MAP_32BIT            0x40        2.4.20\n"));
}

#[test]
fn every_flag_is_explained() {
    for name in NAMES {
        let text = said(&format!("explain {name}"));
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(name));
        assert!(text.lines().all(|line| line.len() <= 80 && line == line.trim_end()), "{text}");
        let labels: Vec<&str> = lines
            .filter_map(|line| line.get(..9))
            .map(str::trim)
            .filter(|label| !label.is_empty())
            .collect();
        assert_eq!(labels, ["since", "values", "honored", "proof", "beware"], "{text}");
        for arch in ["x86_64", "aarch64", "hppa"] {
            let row = said(&format!("list --arch {arch}"));
            let value = row
                .lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>())
                .find(|row| row[0] == name);
            let value = value.expect("a row");
            assert!(text.contains(&format!("{arch} {}", value[1])), "{text}");
            assert!(text.contains(&format!("\nsince    {}\n", value[2])), "{text}");
        }
    }
    let text = said("explain MAP_SYNC");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.starts_with(
            "MAP_SYNC since 4.15 values x86_64 0x80000, aarch64 0x80000, hppa - honored "
        ),
        "{words}"
    );
    assert!(words.contains("beware DAX only."), "{words}");
    // Each has its own.
    assert!(said("explain MAP_LOCKED").contains("MADV_DONTNEED"));
    assert!(said("explain MAP_HUGE_16GB").contains("2^13"));
    assert!(said("explain MAP_EXECUTABLE").contains("ETXTBSY"));
    assert!(said("explain MAP_UNINITIALIZED").contains("MMU"));
}

/// Numbers and names by hand, from the kernel's headers (`include/uapi/asm-generic/mman-common.h`, `arch/parisc/include/uapi/asm/mman.h`).
#[test]
fn numbers_become_names() {
    for (words, names) in [
        ("0x8003 --arch x86_64", "MAP_SHARED_VALIDATE|MAP_POPULATE\n"),
        ("32771 --arch aarch64", "MAP_SHARED_VALIDATE|MAP_POPULATE\n"),
        ("0100003 --arch x86_64", "MAP_SHARED_VALIDATE|MAP_POPULATE\n"),
        ("0X8003 --arch hppa", "MAP_SHARED_VALIDATE|MAP_GROWSDOWN\n"),
        ("--arch hppa 0x16", "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS\n"),
        ("0x22 --arch x86_64", "MAP_PRIVATE|MAP_ANONYMOUS\n"),
        ("0x32 --arch aarch64", "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS\n"),
        ("0 --arch x86_64", "0x0\n"),
        ("0x54040022 --arch x86_64", "MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|MAP_HUGE_2MB\n"),
        ("0x54080012 --arch hppa", "MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|MAP_HUGE_2MB\n"),
        ("0x54000022 --arch x86_64", "MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGE_2MB\n"),
        ("0x4000022 --arch x86_64", "MAP_PRIVATE|MAP_ANONYMOUS|MAP_UNINITIALIZED\n"),
        (
            "0x34040022 --arch x86_64",
            "MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|13<<MAP_HUGE_SHIFT\n  huge pages of 2^13 bytes\n",
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
            "MAP_ANONYMOUS|0x1000005\n  0x5 is no map type of x86_64\n  0x1000000 is no flag of x86_64\n",
        ),
        // PA-RISC's type field is 0x2b; before 4.15 it was 0x03.
        (
            "0x22 --arch hppa",
            "0x22\n  0x22 is no map type of hppa\n  before Linux 4.15 MAP_TYPE was 0x3 there\n",
        ),
        (
            "0x18 --arch hppa",
            "MAP_DROPPABLE|MAP_ANONYMOUS\n  before Linux 4.15 MAP_TYPE was 0x3 there\n",
        ),
        ("0x42 --arch hppa", "MAP_PRIVATE|0x40\n  0x40 is no flag of hppa\n"),
        (
            "0x8000000000000001 --arch x86_64",
            "MAP_SHARED|0x8000000000000000\n  0x8000000000000000 is no flag of x86_64\n",
        ),
    ] {
        assert_eq!(said(&format!("decode {words}")), names, "{words}");
    }
    for word in [
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
        let (code, said, complained) = run_words(&["decode", word]);
        let complaint =
            format!("mapprobe: {word}: no number such as 0x8003, 32771 or 0100003, or too large\n");
        assert_eq!((code, said.as_str(), complained), (2, "", complaint));
    }
    assert!(
        said("decode 18446744073709551615").ends_with(" is no flag of x86_64\n")
            || !cfg!(target_arch = "x86_64")
    );
    assert_eq!(said("decode 0xffffffff --arch hppa").lines().count(), 5);
    assert_eq!(run("decode 0x100000000 --arch hppa").0, 2);
    assert_eq!(run("decode -1").0, 2);
}

fn run_words(words: &[&str]) -> (i32, String, String) {
    let mut kernel = Quiet::default();
    let words: Vec<&str> = ["mapprobe"].into_iter().chain(words.iter().copied()).collect();
    let code = command::main(&mut kernel, &words, TABLE);
    let [_, said, complained] = kernel.said.map(|bytes| String::from_utf8(bytes).expect("text"));
    (code, said, complained)
}

#[test]
fn the_nearest_name_is_named() {
    for (word, name) in [
        ("MAP_SINC", "MAP_SYNC"),
        ("sync", "MAP_SYNC"),
        ("map_sync", "MAP_SYNC"),
        ("Sync", "MAP_SYNC"),
        ("MAP_SYN", "MAP_SYNC"),
        ("MAP_SYNCC", "MAP_SYNC"),
        ("MAP_FIXED_NO_REPLACE", "MAP_FIXED_NOREPLACE"),
        ("MAP_FIXED_NOREPLCAE", "MAP_FIXED_NOREPLACE"),
        ("NORESERV", "MAP_NORESERVE"),
        ("MAP_HUGE_2Mb", "MAP_HUGE_2MB"),
        ("MAP_HUGE_64K", "MAP_HUGE_64KB"),
        ("MAP_ANONYMUS", "MAP_ANONYMOUS"),
        ("MAP_HUGETBL", "MAP_HUGETLB"),
        // As far as a third of the word: three characters left out, inserted, replaced.
        ("MAP_NORSRV", "MAP_NORESERVE"),
        ("MAP_SSYNNCC", "MAP_SYNC"),
        ("MAP_XXXRED", "MAP_SHARED"),
        // Of those that are equally near the first.
        ("MAP_HUGE_3MB", "MAP_HUGE_1MB"),
    ] {
        let complaint = format!("no flag {word}; nearest is {name}");
        for question in ["explain", "require", "require MAP_FIXED"] {
            wrong(&format!("{question} {word}"), &complaint);
        }
        wrong(&format!("require {word}:/tmp/a:b"), &complaint);
    }
    for word in
        ["banana", "MAP_", "x", "MAP_ANON", "MAP_SHR", "MAP_SYNC_", "\u{fc}\u{fc}\u{fc}\u{fc}"]
    {
        let (code, said, complained) = run_words(&["explain", word]);
        assert_eq!((code, said.as_str()), (2, ""));
        let expected = match word {
            "MAP_SYNC_" => "nearest is MAP_SYNC",
            _ => "`mapprobe list` names them",
        };
        assert_eq!(complained, format!("mapprobe: no flag {word}; {expected}\n"));
    }
    let long = "x".repeat(100_000);
    assert_eq!(run_words(&["explain", &long]).0, 2);
}

#[test]
fn words_that_make_no_sense_are_named() {
    for (words, complaint) in [
        ("require", "require: a word is missing"),
        ("explain", "explain: a word is missing"),
        ("decode --arch hppa", "decode: a word is missing"),
        ("explain MAP_SYNC MAP_FIXED", "MAP_FIXED: one word too many"),
        ("decode 1 2", "2: one word too many"),
        ("list MAP_SYNC", "MAP_SYNC: one word too many"),
        ("report sweep", "sweep: one word too many"),
        ("list --format json", "--format: not for that question"),
        ("explain MAP_SYNC --arch hppa", "--arch: not for that question"),
        ("decode 1 --path /tmp", "--path: not for that question"),
        ("report --arch hppa", "--arch: not for that question"),
        ("require MAP_SYNC --arch hppa", "--arch: not for that question"),
        ("--allow-inconclusive", "--allow-inconclusive: not for that question"),
        ("list --arch", "--arch: its value is missing"),
        ("list --arch m68k", "no architecture m68k; choose one of x86_64 aarch64 hppa"),
        ("list --arch hppa --arch hppa", "--arch: given twice"),
        (
            "lst",
            "no question lst; choose one of report sweep free-bits require list explain decode",
        ),
    ] {
        wrong(words, complaint);
    }
}

#[test]
fn the_help_names_everything_and_fits() {
    let help = said("--help");
    assert_eq!([said("help"), said("-h")], [help.clone(), help.clone()]);
    for word in "require list explain decode --arch --allow-inconclusive FLAG:PATH".split(' ') {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(help.lines().all(|line| line.len() <= 80), "{help}");
    for code in ["0 ", "1 ", "2 ", "3 "] {
        assert!(
            help.lines()
                .last()
                .is_some_and(|line| line.starts_with("Exit code: ") && line.contains(code)),
            "{help}"
        );
    }
}
