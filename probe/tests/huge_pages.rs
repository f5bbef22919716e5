//! Whether this process can have a huge page now, on simulated kernels: the answer, every format,
//! and `require`. The expected answers are derived by hand from [`Rules`].

use program::attempts::attempt;
use program::console::Console;
use simulator::{Hugetlb, Machine, Rules};

mod program {
    pub mod attempts;
    pub mod console;
    pub mod findings;
    pub mod machine;
    pub mod panics;
    pub mod query;
}

const EMPTY: &str = "no: the pool has no free page";
const TOUCHED: &str = "yes: reserved and touched";
const RESERVED: &str = "yes: reserved, not touched";
const SIGBUS: &str = "no: reserved, but a touch fails: a program gets SIGBUS";
const LIMIT: &str = "no: 4 pages are free, yet mmap fails with ENOMEM: a limit such as a cgroup's";
const IS_NO: &str = "no: the verdict is a no";
const LOCKED: &str = "unknown: not asked: mmap itself would touch a large page";
const MADE: &str = "unknown: not asked: the kernel might make a large page";
const NO_MAPPING: &str = "unknown: not asked: no huge page was mapped";

fn new() -> Rules {
    Rules::new(Machine::X86, (6, 12))
}

/// Four pages in the pool of every size.
fn filled() -> Rules {
    Rules { pool: 4, hugetlb: Hugetlb { other_pools: 4, ..Hugetlb::default() }, ..new() }
}

fn limited(change: impl Fn(&mut Hugetlb)) -> Rules {
    let mut rules = filled();
    change(&mut rules.hugetlb);
    rules
}

/// The answer about a flag, in a run that must leave nothing behind.
#[track_caller]
fn page(rules: &Rules, flag: &str) -> String {
    let findings = attempt(rules, &[], false).expect("findings");
    let mut pages = findings.pages.into_iter();
    pages.find(|(name, _)| *name == flag).expect("an answer").1
}

#[track_caller]
fn expect(rules: &Rules, answers: [&str; 3]) {
    for (flag, answer) in ["MAP_HUGETLB", "MAP_HUGE_2MB", "MAP_HUGE_1GB"].iter().zip(answers) {
        assert_eq!(page(rules, flag), answer, "{flag}");
    }
}

#[test]
fn the_pool_and_the_cgroup_decide() {
    expect(&new(), [EMPTY; 3]);
    expect(&filled(), [TOUCHED, TOUCHED, RESERVED]);
    // Each size has its own pool.
    expect(&Rules { pool: 1, ..new() }, [TOUCHED, TOUCHED, EMPTY]);
    // A reservation is not counted by hugetlb.*.max.
    expect(&limited(|limits| limits.max = Some(0)), [SIGBUS, SIGBUS, RESERVED]);
    expect(&limited(|limits| limits.rsvd_max = Some(0)), [LIMIT; 3]);
    let enough = |limits: &mut Hugetlb| (limits.max, limits.rsvd_max) = (Some(1), Some(1));
    expect(&limited(enough), [TOUCHED, TOUCHED, RESERVED]);
}

/// A cause is named only where the pool was read, and no large page is reserved where it was not.
#[test]
fn without_sysfs_only_the_error_is_named() {
    let rules = limited(|limits| (limits.rsvd_max, limits.no_sys) = (Some(0), true));
    let refused = "no: mmap fails with ENOMEM";
    expect(&rules, [refused, refused, MADE]);
    let rules = Rules { hugetlb: Hugetlb { no_sys: true, ..Hugetlb::default() }, ..new() };
    expect(&rules, [refused, refused, MADE]);
    let made = Hugetlb { no_sys: true, overcommit: 1, ..Hugetlb::default() };
    expect(&Rules { hugetlb: made, ..new() }, [TOUCHED, TOUCHED, MADE]);
}

/// `hugetlb_acct_memory`, `mm/hugetlb.c`: free pages that others reserved cannot be had.
#[test]
fn pages_that_others_reserved_are_no_limit() {
    let rules = limited(|limits| limits.reserved_elsewhere = 4);
    expect(&rules, ["no: every free page of the pool is reserved"; 3]);
    let rules = limited(|limits| (limits.reserved_elsewhere, limits.rsvd_max) = (1, Some(0)));
    expect(&rules, [&*LIMIT.replace('4', "3"); 3]);
}

/// With `nr_overcommit_hugepages` a reservation makes a page where the pool has none.
#[test]
fn a_large_page_is_never_made() {
    let overcommit = Hugetlb { overcommit: 1, ..Hugetlb::default() };
    expect(&Rules { hugetlb: overcommit, ..new() }, [TOUCHED, TOUCHED, MADE]);
    expect(&limited(|limits| limits.overcommit = 1), [TOUCHED, TOUCHED, RESERVED]);
    // The default size is 32 MiB.
    let arm64 = |pool| Rules { pool, ..Rules::new(Machine::Arm64Large, (6, 12)) };
    assert_eq!(page(&arm64(4), "MAP_HUGETLB"), RESERVED);
    assert_eq!(page(&arm64(4), "MAP_HUGE_2MB"), EMPTY);
    assert_eq!(page(&Rules { hugetlb: overcommit, ..arm64(0) }, "MAP_HUGETLB"), MADE);
}

/// With `mlockall(MCL_FUTURE)` mmap touches what it maps.
#[test]
fn a_large_page_is_never_locked() {
    expect(&Rules { locks_everything: true, ..filled() }, [TOUCHED, TOUCHED, LOCKED]);
}

#[test]
fn a_flag_that_is_not_honored_has_no_page() {
    assert_eq!(page(&filled(), "MAP_HUGE_16GB"), IS_NO);
    expect(&Rules { huge_sizes: Vec::new(), ..filled() }, [IS_NO; 3]);
    expect(&Rules::gvisor(), [IS_NO; 3]);
    assert_eq!(page(&Rules::nommu(), "MAP_HUGETLB"), NO_MAPPING);
    let parisc64 = |pool| Rules { pool, ..Rules::new(Machine::Parisc64, (6, 12)) };
    assert_eq!(page(&parisc64(1), "MAP_HUGETLB"), TOUCHED);
    assert_eq!(page(&parisc64(0), "MAP_HUGETLB"), EMPTY);
}

fn run(rules: &Rules, arguments: &str) -> (i32, String) {
    let mut console = Console::on(rules.clone());
    let exit = console.run(&arguments.split(' ').collect::<Vec<_>>());
    (exit, console.take_output().0)
}

#[test]
#[cfg(target_arch = "x86_64")]
fn require_names_the_cause_and_what_may_help() {
    let of_2mb = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
    for (rules, flag, exit, line) in [
        (new(), "MAP_HUGETLB", 1, format!("{EMPTY}; may help: vm.nr_hugepages")),
        (new(), "MAP_HUGE_2MB", 1, format!("{EMPTY}; may help: {of_2mb}")),
        (
            limited(|limits| limits.rsvd_max = Some(0)),
            "MAP_HUGE_1GB",
            1,
            format!("{LIMIT}; may help: the hugetlb cgroup's rsvd.max"),
        ),
        (
            limited(|limits| limits.max = Some(0)),
            "MAP_HUGE_2MB",
            1,
            format!("{SIGBUS}; may help: the hugetlb cgroup's max"),
        ),
        (
            Rules { hugetlb: Hugetlb { no_sys: true, ..Hugetlb::default() }, ..new() },
            "MAP_HUGETLB",
            1,
            "no: mmap fails with ENOMEM".into(),
        ),
        (Rules { locks_everything: true, ..filled() }, "MAP_HUGE_1GB", 3, LOCKED.into()),
    ] {
        let line = line.replacen("no: ", "no page can be had now: ", 1).replacen(
            "unknown: ",
            "whether a page can be had now is unknown: ",
            1,
        );
        let expected = format!("{flag}: honored, but {line}\n");
        assert_eq!(run(&rules, &format!("require {flag}")), (exit, expected));
        let met = (0, String::new());
        assert_eq!(run(&rules, &format!("require --support-only {flag}")), met, "{flag}");
        if exit == 3 {
            assert_eq!(run(&rules, &format!("require {flag} --allow-inconclusive")), met);
        }
    }
    let requirements = "MAP_HUGETLB MAP_HUGE_2MB MAP_HUGE_1GB";
    assert_eq!(run(&filled(), &format!("require {requirements}")), (0, String::new()));
    // What the kernel does not support stays a no.
    assert_eq!(run(&filled(), "require --support-only MAP_HUGE_16GB").0, 1);
}

/// Each format, with a page that can be had, one that cannot, and one that was not asked for.
#[test]
#[cfg(target_arch = "x86_64")]
fn every_format_has_the_answer() {
    let mut rules = limited(|limits| limits.max = Some(0));
    rules.locks_everything = true;
    for (format, parts) in [
        (
            "json",
            &[
                "\n      \"available\": null,\n      \"available_reason\": null,\n",
                "\n      \"available\": \"no\",\n      \"available_reason\": \"reserved, ",
                "\n      \"available\": \"unknown\",\n      \"available_reason\": \"not ",
            ][..],
        ),
        ("jsonl", &["\"available\": \"no\", \"available_reason\": \"reserved, but a touch fails"]),
        ("table", &["effect observed; a page now: no\n", "effect observed; a page now:\n"]),
        (
            "ktap",
            &[
                "# MAP_HUGE_2MB: verdict=honored: effect observed; a page now: no (reserved, but ",
                "# MAP_HUGE_16GB: verdict=unavailable: not offered by this machine\n",
            ],
        ),
        (
            "shell",
            &[
                "\nMAPPROBE_AVAILABLE_MAP_HUGE_2MB='no'\n",
                "\nMAPPROBE_AVAILABLE_MAP_HUGE_1GB='unknown'\n",
            ],
        ),
        (
            "macros",
            &[
                "\n#define MAPPROBE_NO_AVAILABLE_MAP_HUGE_2MB /* reserved, but a touch fails",
                "\n/* MAPPROBE_AVAILABLE_MAP_HUGE_1GB: not asked: mmap ",
            ],
        ),
        (
            "prometheus",
            &["\nmapprobe_huge_page_available{flag=\"MAP_HUGE_2MB\",answer=\"no\"} 1\n"],
        ),
        ("nfd", &["\nmapprobe.feature.node.kubernetes.io/MAP_HUGE_2MB.available=no\n"]),
    ] {
        let (exit, text) = run(&rules, &format!("--format {format}"));
        assert_eq!(exit, 0);
        for part in parts {
            assert!(text.contains(part), "{format}: {part:?} is not in\n{text}");
        }
    }
    let yes = run(&filled(), "--format macros").1;
    assert!(yes.contains("\n#define MAPPROBE_AVAILABLE_MAP_HUGE_2MB /* reserved and touched */\n"));
    // A required flag without a page fails.
    let ktap =
        |options: &str| run(&rules, &format!("require MAP_HUGE_2MB --format ktap{options}")).1;
    assert!(ktap("").contains("\nnot ok "), "{}", ktap(""));
    assert!(!ktap(" --support-only").contains("\nnot ok "));
}
