//! Whole runs on simulated kernels: the memory they take, what they leave behind, and their output.

use mapprobe::arch::Arch;
use mapprobe::report::wording::push_flags;
use program::attempts::attempt;
use program::console::Console;
use program::findings::Findings;
use program::oracle::{Setup, page, verdict};
use program::report_text::report_text;
use simulator::{MIB, Machine, Rules, SimulatedKernel};

mod program {
    pub mod attempts;
    pub mod console;
    pub mod findings;
    pub mod machine;
    pub mod oracle;
    pub mod panics;
    pub mod query;
    pub mod report_text;
}

/// A file of every kind, and directories on every file system where a file can be created, except
/// hugetlbfs.
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

/// Every query.
const QUERIES: [&[&str]; 4] = [&[], &["--thorough"], &["sweep"], &["free-bits"]];

/// Pages in a huge page of 2 MiB.
const HUGE_PAGE: usize = 512;

/// The largest memory use of a run at any time, in pages.
#[derive(Clone, Copy, Debug)]
struct MemoryUse {
    pages: usize,
    pages_in_huge_pages: usize,
}

/// Runs a query, which must leave nothing behind.
#[track_caller]
fn memory_use(name: &str, rules: &Rules, arguments: &[&str]) -> MemoryUse {
    let mut kernel = SimulatedKernel::new(rules.clone());
    report_text(&mut kernel, rules.machine, arguments);
    assert_eq!(kernel.leftovers(), Vec::<String>::new(), "{name} {arguments:?}: left behind");
    MemoryUse { pages: kernel.max_resident, pages_in_huge_pages: kernel.max_huge }
}

fn every_kernel() -> impl Iterator<Item = (String, Rules)> {
    Rules::all().into_iter().chain(Rules::hostile())
}

fn findings(rules: &Rules) -> Findings {
    attempt(rules, &[], false).expect("findings")
}

/// On every kernel, every query uses at most 32 pages at a time, a page more for each path, and one
/// huge page of 2 MiB.
#[test]
fn a_run_takes_little_memory_and_leaves_nothing_behind() {
    let every_path: Vec<&str> = PATHS.iter().flat_map(|path| ["--path", path]).collect();
    let (mut max_pages, mut max_huge, mut runs, mut wrong) = (0, 0, 0, Vec::new());
    for (number, (name, rules)) in every_kernel().enumerate() {
        // With mlockall(MCL_FUTURE) memory is resident before it becomes a huge page.
        let locked = if rules.locks_everything { HUGE_PAGE } else { 0 };
        let one_path = ["--path", PATHS[number % PATHS.len()]];
        for query in QUERIES {
            for paths in [&[][..], &one_path, &every_path] {
                let used = memory_use(&name, &rules, &[query, paths].concat());
                let path_count = paths.len() / 2;
                if used.pages > 32 + locked + path_count || used.pages_in_huge_pages > HUGE_PAGE {
                    wrong.push(format!("{name} {query:?}, {path_count} paths: {used:?}"));
                }
                max_pages = max_pages.max(used.pages);
                max_huge = max_huge.max(used.pages_in_huge_pages);
                runs += 1;
            }
        }
    }
    println!("{runs} runs, at most {max_pages} pages and {max_huge} pages in huge pages");
    assert!(max_pages > 16 && max_huge == HUGE_PAGE, "nothing was measured");
    assert!(wrong.is_empty(), "{} of {runs} runs:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_kind_of_path_on_every_kernel() {
    for (name, rules) in Rules::all() {
        for path in PATHS {
            for query in [&[][..], &["sweep"]] {
                memory_use(&name, &rules, &[query, &["--path", path]].concat());
            }
        }
    }
}

#[test]
fn a_file_of_huge_pages_takes_little_memory() {
    let rules = Rules { pool: 4, ..Rules::x86_6_1() };
    for query in QUERIES {
        let arguments = [query, &["--path", "/hugetlbfs/file"]].concat();
        let used = memory_use("x86_64 6.1", &rules, &arguments);
        assert!(used.pages <= 32 && used.pages_in_huge_pages <= HUGE_PAGE, "{query:?}: {used:?}");
    }
}

/// A kernel that ignores a flag which its version has: the verdict is `ignored`, and the others
/// stay.
#[test]
fn a_flag_without_effect_is_ignored() {
    let rules = Rules::new(Machine::X86, (6, 12));
    let (numbers, usual) = (rules.numbers, findings(&rules));
    for (ignored_flags, ignored) in [
        (numbers.populate | numbers.locked, &["MAP_POPULATE", "MAP_LOCKED"][..]),
        (numbers.nonblock, &["MAP_NONBLOCK"]),
        (numbers.map_32bit, &["MAP_32BIT"]),
        (numbers.growsdown, &["MAP_GROWSDOWN"]),
        (numbers.stack, &["MAP_STACK"]),
    ] {
        let found = findings(&Rules { ignored_flags, ..rules.clone() });
        for (row, usual) in found.rows.iter().zip(&usual.rows) {
            // MAP_NONBLOCK prevents the effect of MAP_POPULATE, and has no other.
            let depends = row.0 == "MAP_NONBLOCK" && ignored.contains(&"MAP_POPULATE");
            let expected = match ignored.contains(&row.0) {
                true => "ignored",
                false if depends => "inconclusive",
                false => usual.1,
            };
            assert_eq!(row.1, expected, "{row:?} without {ignored:?}");
        }
    }
}

/// With pages of 64 KiB the huge pages are larger, too.
#[test]
fn verdicts_do_not_depend_on_the_page_size() {
    for version in [(4, 10), (5, 10), (6, 12)] {
        let base = Rules::new(Machine::Arm64, version);
        let collapse = base.collapse.map(|_| 512 * MIB);
        let rules = Rules { page_size: 65536, huge_sizes: vec![29, 21, 34], collapse, ..base };
        let Findings { rows, pages, .. } = findings(&rules);
        for (name, found, code) in rows {
            let expected = verdict(Setup { rules: &rules, paths: &[], thorough: false }, name);
            assert!(
                expected.split('|').any(|expected| expected == found),
                "{name} of {version:?}: {found} ({code}) instead of {expected}"
            );
            if let Some((_, answer)) = pages.iter().find(|row| row.0 == name) {
                let expected = page(&rules, name, found);
                assert!(answer.starts_with(expected), "{name} of {version:?}: {answer}");
            }
        }
    }
}

#[test]
fn equal_runs_print_equal_bytes() {
    for (name, rules) in Rules::all() {
        for arguments in [&[][..], &["--format", "table"], &["sweep"], &["free-bits"]] {
            let print = || {
                let mut kernel = SimulatedKernel::new(rules.clone());
                report_text(&mut kernel, rules.machine, arguments)
            };
            let (one, other) = (print(), print());
            assert!(one == other, "{name} {arguments:?}");
            assert!(one.ends_with('\n') && one.is_ascii(), "{name} {arguments:?}");
        }
    }
}

/// Output on standard output, error messages on standard error.
#[test]
fn the_command_line() {
    let version = concat!("mapprobe ", env!("CARGO_PKG_VERSION"), "\n");
    let report = "{\n  \"schema\": \"mapprobe.report\",\n";
    for (arguments, exit, beginning) in [
        (&["--version"][..], 0, version),
        (&["--help"], 0, "Usage: mapprobe "),
        (
            &["--format", "xml"],
            2,
            "mapprobe: Error parsing option '--format' with value 'xml': expected one of json, ",
        ),
        (&["-"], 2, "mapprobe: unknown option -; see mapprobe --help\n"),
        (&["swep"], 2, "mapprobe: unknown command swep; did you mean sweep?\n"),
        (&["stray"], 2, "mapprobe: unknown command stray; see mapprobe --help\n"),
        (&[], 0, report),
    ] {
        let mut console = Console::on(Rules::x86_6_1());
        assert_eq!(console.run(arguments), exit, "{arguments:?}");
        let (output, messages) = console.take_output();
        let (expected, other) = if exit == 0 { (output, messages) } else { (messages, output) };
        assert!(
            expected.starts_with(beginning) && expected.ends_with('\n'),
            "{arguments:?}: {expected}"
        );
        assert_eq!(other, "", "{arguments:?}");
    }
}

#[test]
fn flags_are_written_by_name() {
    for (arch, value, expected) in [
        (Arch::X86_64, 0x02, "MAP_PRIVATE"),
        (Arch::X86_64, 0x8032, "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS|MAP_POPULATE"),
        (Arch::Hppa, 0x8003, "MAP_SHARED_VALIDATE|MAP_GROWSDOWN"),
        (Arch::X86_64, 0x5404_0003, "MAP_SHARED_VALIDATE|MAP_HUGETLB|MAP_HUGE_2MB"),
        // Bit 26 is part of the huge page size with MAP_HUGETLB, and otherwise a flag.
        (Arch::X86_64, 0x0400_0001, "MAP_SHARED|MAP_UNINITIALIZED"),
        (Arch::X86_64, 0x3504_0003, "MAP_SHARED_VALIDATE|MAP_HUGETLB|0x35000000"),
        (Arch::Hppa, 0x5400_0002, "MAP_PRIVATE|0x54000000"),
        // Unnamed bits among the low eight belong to the map type.
        (Arch::Hppa, 0x22, "0x22"),
        (Arch::Hppa, 0x103, "MAP_SHARED_VALIDATE|0x100"),
        (Arch::Aarch64, 0x9, "0x9"),
        (Arch::Aarch64, 0, "0x0"),
    ] {
        let mut out = String::new();
        push_flags(&mut out, arch, value);
        assert_eq!(out, expected, "{value:#x} on {}", arch.name());
    }
}

#[test]
fn the_table_fits_eighty_columns() {
    for (name, rules) in every_kernel() {
        let mut kernel = SimulatedKernel::new(rules.clone());
        for line in report_text(&mut kernel, rules.machine, &["--format", "table"]).lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}
