//! Whole runs on kernels made of rules: what they take of a machine, what they leave, and what they print.

use mapprobe::arch::Arch;
use mapprobe::kernel::model::{MIB, Machine, Model, Rules};
use mapprobe::report::sentence::flags;
use program::findings::{Console, text, verdicts};
use program::oracle::{Asked, verdict};

mod program;

/// A file of every kind, and a directory in each place where one may be made; none has huge pages.
const PATHS: [&str; 12] = [
    "/ext4/file",
    "/ext4/forbidden",
    "/ext4",
    "/dax/file",
    "/dax",
    "/tmpfs/file",
    "/tmpfs",
    "/disk/file",
    "/disk",
    "/readonly/file",
    "/dev/zero",
    "/dev/null",
];

/// Everything that can be asked for.
const WORDS: [&[&str]; 4] = [&[], &["--thorough"], &["sweep"], &["free-bits"]];

/// What a run took: pages, and pages of huge pages, at a time.
#[track_caller]
fn taken(name: &str, rules: &Rules, words: &[&str]) -> (usize, usize) {
    let mut model = Model::new(rules.clone());
    text(&mut model, rules.machine, words).expect("a report");
    assert_eq!(model.left(), Vec::<String>::new(), "{name} {words:?}: something is left behind");
    (model.max_resident, model.max_huge)
}

/// At most 32 pages in memory at a time, a page of each of the user's files aside, and one huge page of 2 MiB, on every kernel, whatever
/// is asked; and nothing stays.
#[test]
fn little_is_taken_and_nothing_is_left() {
    let (mut most, mut runs, mut wrong) = ((0, 0), 0, Vec::new());
    for (number, (name, rules)) in Rules::all().into_iter().chain(Rules::liars()).enumerate() {
        // Where the process locks all its memory, the memory that may become a huge page is there before it does.
        let more = if rules.locks_everything { 512 } else { 0 };
        let everything: Vec<&str> = PATHS.iter().flat_map(|path| ["--path", path]).collect();
        let one = ["--path", PATHS[number % PATHS.len()]];
        for words in WORDS {
            for paths in [&[][..], &one, &everything] {
                let all: Vec<&str> = words.iter().chain(paths).copied().collect();
                let (pages, huge) = taken(&name, &rules, &all);
                if pages > 32 + more + paths.len() / 2 || huge > 512 {
                    wrong.push(format!(
                        "{name} {words:?}, {} paths: {pages} pages, {huge} huge",
                        paths.len() / 2
                    ));
                }
                most = (most.0.max(pages), most.1.max(huge));
                runs += 1;
            }
        }
    }
    println!("{runs} runs, at most {most:?}");
    assert!(most.0 > 16 && most.1 == 512, "nothing was measured");
    assert!(
        wrong.is_empty(),
        "{} of {runs} take more:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

#[test]
fn every_kind_of_path_on_every_machine() {
    for (name, rules) in Rules::all() {
        for path in PATHS {
            for words in [&["--path", path][..], &["sweep", "--path", path]] {
                taken(&name, &rules, words);
            }
        }
    }
}

/// A file of huge pages: none of it stays.
#[test]
fn a_file_of_huge_pages() {
    let rules = Rules { pool: 4, ..Rules::x86_6_1() };
    for words in WORDS {
        let words: Vec<&str> =
            words.iter().chain(&["--path", "/hugetlbfs/file"]).copied().collect();
        let (pages, huge) = taken("x86_64 6.1", &rules, &words);
        assert!(pages <= 32 && huge <= 512, "{words:?}: {pages} pages, {huge} huge");
    }
}

/// A flag that a kernel takes and forgets, where another acts on it: that one is ignored, and nothing else changes.
#[test]
fn a_flag_that_is_dropped_is_ignored() {
    let rules = Rules::new(Machine::X86, (6, 12));
    let (layout, usual) = (rules.layout, verdicts(&rules, &[], false));
    for (drops, dropped) in [
        (layout.populate | layout.locked, &["MAP_POPULATE", "MAP_LOCKED"][..]),
        (layout.nonblock, &["MAP_NONBLOCK"]),
        (layout.low, &["MAP_32BIT"]),
        (layout.growsdown, &["MAP_GROWSDOWN"]),
        (layout.stack, &["MAP_STACK"]),
    ] {
        let found = verdicts(&Rules { drops, ..rules.clone() }, &[], false);
        for (row, usual) in found.rows.iter().zip(&usual.rows) {
            // What cancels another flag shows nothing where that one does nothing.
            let cancels = row.0 == "MAP_NONBLOCK" && dropped.contains(&"MAP_POPULATE");
            let expected = match dropped.contains(&row.0) {
                true => "ignored",
                false if cancels => "inconclusive",
                false => usual.1,
            };
            assert_eq!(row.1, expected, "{row:?} without {dropped:?}");
        }
    }
}

/// Pages of 64 KiB, with which the other sizes are larger too.
#[test]
fn larger_pages_change_nothing() {
    for era in [(4, 10), (5, 10), (6, 12)] {
        let like = Rules::new(Machine::Arm64, era);
        let collapse = like.collapse.map(|_| 512 * MIB);
        let rules = Rules { page_size: 65536, huge_sizes: vec![29, 21, 34], collapse, ..like };
        for (name, word, code) in verdicts(&rules, &[], false).rows {
            let expected = verdict(Asked { rules: &rules, paths: &[], thorough: false }, name);
            assert!(
                expected.split('|').any(|one| one == word),
                "{name} of {era:?}: {word} ({code}), not {expected}"
            );
        }
    }
}

#[test]
fn the_same_run_prints_the_same_bytes() {
    for (name, rules) in Rules::all() {
        for words in [&[][..], &["--format", "table"], &["sweep"], &["free-bits"]] {
            let [one, other] = [(); 2].map(|()| {
                let mut model = Model::new(rules.clone());
                text(&mut model, rules.machine, words).expect("a report")
            });
            assert!(one == other, "{name} {words:?}");
            assert!(one.ends_with('\n') && one.is_ascii(), "{name} {words:?}");
        }
    }
}

#[test]
fn a_run_from_the_command_line_says_what_was_asked_for() {
    for (arguments, code, begins) in [
        (&["--version"][..], 0, concat!("mapprobe ", env!("CARGO_PKG_VERSION"), "\n")),
        (&["--help"], 0, "Usage: mapprobe "),
        (
            &["--format", "xml"],
            2,
            "mapprobe: no format xml; choose one of json jsonl table ktap shell macros prometheus nfd\n",
        ),
        (&["-"], 2, "mapprobe: -: no such option; `mapprobe help` names them\n"),
        (&["stray"], 2, "mapprobe: no question stray; choose one of report sweep free-bits"),
        (&[], 0, "{\n  \"schema\": \"mapprobe.report\",\n"),
    ] {
        let mut console = Console::on(Rules::x86_6_1());
        assert_eq!(console.run(arguments), code, "{arguments:?}");
        let (said, complained) = console.said();
        let (told, silent) = if code == 0 { (said, complained) } else { (complained, said) };
        assert!(told.starts_with(begins) && told.ends_with('\n'), "{arguments:?}: {told}");
        assert_eq!(silent, "", "{arguments:?}");
    }
}

#[test]
fn flags_are_written_with_their_names() {
    for (arch, value, expected) in [
        (Arch::X86_64, 0x02, "MAP_PRIVATE"),
        (Arch::X86_64, 0x8032, "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS|MAP_POPULATE"),
        (Arch::Hppa, 0x8003, "MAP_SHARED_VALIDATE|MAP_GROWSDOWN"),
        (Arch::X86_64, 0x5404_0003, "MAP_SHARED_VALIDATE|MAP_HUGETLB|MAP_HUGE_2MB"),
        // Bit 26 is a flag of its own only where it is no part of a size.
        (Arch::X86_64, 0x0400_0001, "MAP_SHARED|MAP_UNINITIALIZED"),
        (Arch::X86_64, 0x3504_0003, "MAP_SHARED_VALIDATE|MAP_HUGETLB|0x35000000"),
        // The field of sizes is one with MAP_HUGETLB only.
        (Arch::Hppa, 0x5400_0002, "MAP_PRIVATE|0x54000000"),
        // What is below the first bit that means nothing anywhere is part of the type.
        (Arch::Hppa, 0x22, "0x22"),
        (Arch::Hppa, 0x103, "MAP_SHARED_VALIDATE|0x100"),
        (Arch::Aarch64, 0x9, "0x9"),
        (Arch::Aarch64, 0, "0x0"),
    ] {
        let mut out = String::new();
        flags(&mut out, arch, value);
        assert_eq!(out, expected, "{value:#x} on {}", arch.name());
    }
}

#[test]
fn the_table_fits_eighty_columns() {
    for (name, rules) in Rules::all().into_iter().chain(Rules::liars()) {
        let mut model = Model::new(rules.clone());
        for line in
            text(&mut model, rules.machine, &["--format", "table"]).expect("a table").lines()
        {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}
