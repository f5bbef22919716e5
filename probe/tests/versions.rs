//! Whole runs on every simulated kernel, version by version, under different privileges, limits and
//! settings: each verdict is what the kernel does, as far as a process can observe it.

use kernel::Errno;
use program::attempts::attempt;
use program::findings::{Findings, Validation};
use program::flag_names::FLAG_NAMES;
use program::oracle::{self, Setup, verdict};
use simulator::{Hugetlb, MIB, Overcommit, Proc, Rules};

mod program {
    pub mod attempts;
    pub mod findings;
    pub mod flag_names;
    pub mod machine;
    pub mod oracle;
    pub mod panics;
    pub mod query;
}

/// A kernel with different privileges, limits and settings.
fn variants(rules: &Rules) -> Vec<(&'static str, Rules)> {
    let base = || rules.clone();
    let every_size = Hugetlb { other_pools: 1, ..Hugetlb::default() };
    vec![
        ("default", base()),
        ("unprivileged", Rules { root: false, ..base() }),
        ("no right to lock", Rules { root: false, lock_error: Some(Errno::EPERM), ..base() }),
        ("too much locked", Rules { root: false, lock_error: Some(Errno::EAGAIN), ..base() }),
        ("no /proc", Rules { proc: Proc::Missing, ..base() }),
        ("no memfd", Rules { no_memfd: true, ..base() }),
        ("no file to write", Rules { no_memfd: true, missing: &["/dev/shm", "/tmp"], ..base() }),
        (
            "no file",
            Rules { no_memfd: true, missing: &["/dev/shm", "/tmp", "/proc/self/exe"], ..base() },
        ),
        ("a pool of huge pages", Rules { pool: 4, ..base() }),
        ("a pool of every size", Rules { pool: 1, hugetlb: every_size, ..base() }),
        (
            "a pool of every size, everything is locked",
            Rules { pool: 1, hugetlb: every_size, locks_everything: true, ..base() },
        ),
        ("4 MiB of memory", Rules { memory: 4 * MIB, ..base() }),
        ("64 GiB of memory", Rules { memory: 65536 * MIB, ..base() }),
        (
            "64 GiB of memory and no /proc",
            Rules { memory: 65536 * MIB, proc: Proc::Missing, ..base() },
        ),
        ("overcommit always", Rules { overcommit: Overcommit::Always, ..base() }),
        (
            "overcommit always and no /proc",
            Rules { overcommit: Overcommit::Always, proc: Proc::Missing, ..base() },
        ),
        ("overcommit never", Rules { overcommit: Overcommit::Never, ..base() }),
        ("one page of stack", Rules { stack_limit: 4096, ..base() }),
        ("everything is locked", Rules { locks_everything: true, ..base() }),
        ("no transparent huge pages", Rules { collapse: None, ..base() }),
        (
            "everything missing",
            Rules {
                root: false,
                lock_error: Some(Errno::EPERM),
                proc: Proc::Missing,
                no_memfd: true,
                memory: 16 * MIB,
                ..base()
            },
        ),
    ]
}

/// Every kernel in all variants, or in those with these names.
fn kernels(only: &[&str]) -> Vec<(String, Rules)> {
    let mut kernels = Vec::new();
    for (kernel, rules) in Rules::all() {
        for (variant, rules) in variants(&rules) {
            if only.is_empty() || only.contains(&variant) {
                kernels.push((format!("{kernel}, {variant}"), rules));
            }
        }
    }
    kernels
}

/// The interference that a report must name.
fn expected_environment(rules: &Rules) -> Vec<&'static str> {
    let has_proc = rules.proc != Proc::Missing;
    // Without /proc the cause cannot be read.
    let name = |cause, observed| if has_proc { cause } else { observed };
    let all = [
        // VmFlags have `lo`.
        (rules.locks_everything && rules.vm_flags, name("mlockall(MCL_FUTURE)", "locked memory")),
        (rules.locks_everything && !rules.vm_flags, "locked memory"),
        (
            rules.overcommit == Overcommit::Always,
            name("vm.overcommit_memory=1", "unlimited memory"),
        ),
        (rules.overcommit == Overcommit::Never, name("vm.overcommit_memory=2", "limited memory")),
        (!has_proc, "no /proc"),
        (rules.no_memfd, "no memfd"),
    ];
    all.iter().filter(|(interferes, _)| *interferes).map(|(_, name)| *name).collect()
}

/// The reason codes that are possible for a verdict.
fn possible_codes(verdict: &str) -> &'static [&'static str] {
    match verdict {
        "honored" => &["effect_seen"],
        "accepted" => &["validated", "sign_seen", "offered"],
        "ignored" => &["effect_absent"],
        "unknown" => &["refused_as_unknown"],
        "unavailable" => {
            &["sign_seen", "not_permitted", "over_limit", "no_room", "refused_here", "not_offered"]
        }
        "absent" => &["not_defined"],
        _ => &[
            "control_failed",
            "control_shows_effect",
            "contradictory",
            "not_run",
            "undecided",
            "no_evidence",
        ],
    }
}

/// The reason code of `MAP_LOCKED` if a privilege or a limit prevents it.
fn expected_lock_code(rules: &Rules) -> Option<&'static str> {
    rules.lock_error.map(|errno| match errno {
        Errno::EPERM => "not_permitted",
        _ => "over_limit",
    })
}

/// The mistakes in findings, a line each.
fn mistakes(setup: Setup, found: &Findings) -> Vec<String> {
    let rules = setup.rules;
    let (mut mistakes, found_pages) = (Vec::new(), &found.pages);
    for &(name, found, code) in &found.rows {
        let expected = verdict(setup, name);
        if !expected.split('|').any(|expected| expected == found) {
            mistakes.push(format!("{name}: {found} ({code}) instead of {expected}"));
        } else if !possible_codes(found).contains(&code) {
            mistakes.push(format!("{name}: {found} with reason code {code}"));
        }
        let page = found_pages.iter().find(|page| page.0 == name);
        if let Some((_, page)) = page
            && !page.starts_with(oracle::page(rules, name, found))
        {
            mistakes.push(format!("{name}: {found}, a page now: {page}"));
        }
        if name == "MAP_LOCKED" && expected_lock_code(rules).is_some_and(|limit| limit != code) {
            mistakes.push(format!("{name}: reason code {code}"));
        }
    }
    if !found.rows.iter().map(|row| row.0).eq(FLAG_NAMES) || !found.complete {
        mistakes.push(format!("rows are missing: {:?}", found.rows));
    }
    if found.environment != expected_environment(rules) {
        mistakes.push(format!("environment: {:?}", found.environment));
    }
    let expected_validation = Validation {
        present: Some(rules.validate),
        validating: rules.validate.then_some(true),
        type_mask: Some(rules.type_mask()),
    };
    if found.validation != Some(expected_validation) {
        mistakes.push(format!("validation: {:?}", found.validation));
    }
    mistakes
}

/// Probes every kernel and compares every row.
#[track_caller]
fn expect_right_findings(kernels: &[(String, Rules)], paths: &[&str], thorough: bool) {
    let mut wrong = Vec::new();
    for (name, rules) in kernels {
        let setup = Setup { rules, paths, thorough };
        let mistakes = match attempt(rules, paths, thorough) {
            Ok(found) => mistakes(setup, &found),
            Err(message) => vec![message],
        };
        wrong.extend(mistakes.into_iter().map(|mistake| format!("{name} {paths:?}: {mistake}")));
    }
    println!("{} runs, {} verdicts", kernels.len(), kernels.len() * FLAG_NAMES.len());
    assert!(!kernels.is_empty());
    assert!(wrong.is_empty(), "{} mistakes:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_flag_in_every_version() {
    expect_right_findings(&kernels(&[]), &[], false);
}

#[test]
fn every_flag_thoroughly() {
    expect_right_findings(&kernels(&[]), &[], true);
}

#[test]
fn every_flag_with_paths() {
    for paths in [
        &["/ext4/file"][..],
        &["/ext4/forbidden"],
        &["/ext4"],
        &["/dax/file"],
        &["/dax"],
        &["/tmpfs/file"],
        &["/tmpfs"],
        &["/disk/file"],
        &["/disk"],
        &["/readonly/file"],
        &["/dev/zero"],
        &["/dev/null"],
        &["/disk/file", "/tmpfs", "/dev/null", "/ext4/file", "/dax/file", "/readonly/file"],
        &["/tmpfs/file", "/dax", "/ext4"],
    ] {
        expect_right_findings(&kernels(&["default", "no /proc", "no file to write"]), paths, false);
    }
    expect_right_findings(&kernels(&["default"]), &["/proc/self/smaps"], false);
}

/// A file of huge pages can be mapped at aligned addresses only.
#[test]
fn every_flag_with_a_file_of_huge_pages() {
    for path in ["/hugetlbfs/file", "/hugetlbfs"] {
        expect_right_findings(&kernels(&["default", "a pool of huge pages"]), &[path], false);
    }
}

/// Single cases of the tests above.
mod single {
    use super::*;

    #[track_caller]
    fn findings(rules: &Rules, paths: &[&str]) -> Findings {
        attempt(rules, paths, false).expect("findings")
    }

    #[track_caller]
    fn expect_verdict(rules: &Rules, flag: &str, verdict: &str) {
        let found = findings(rules, &[]);
        let row = found.rows.iter().find(|row| row.0 == flag).expect("a row");
        assert_eq!(row.1, verdict, "{flag}");
    }

    /// Without any file, a pipe can still be probed.
    #[test]
    fn shared_validate_is_unknown_without_a_file() {
        let missing = &["/dev/shm", "/tmp", "/proc/self/exe"];
        let rules = Rules { no_memfd: true, missing, validate: false, ..Rules::x86_6_1() };
        expect_verdict(&rules, "MAP_SHARED_VALIDATE", "unknown");
    }

    /// `MAP_NONBLOCK` prevents what `MAP_POPULATE` does, which does not show where every page is
    /// resident or counts as resident.
    #[test]
    fn nonblock_is_inconclusive_where_every_page_is_resident() {
        let locked = Rules { locks_everything: true, ..Rules::x86_6_1() };
        expect_verdict(&locked, "MAP_NONBLOCK", "inconclusive");
        expect_verdict(&Rules::gvisor(), "MAP_NONBLOCK", "inconclusive");
    }

    /// A mapping of huge pages can be unmapped only by whole huge pages.
    #[test]
    fn a_file_of_huge_pages_is_unmapped() {
        findings(&Rules { pool: 4, ..Rules::x86_6_1() }, &["/hugetlbfs/file"]);
    }

    /// parisc64 crashes when it chooses the address of a mapping of huge pages.
    #[test]
    fn the_address_of_a_file_of_huge_pages_is_chosen_by_the_program() {
        let (_, parisc64) = Rules::all()
            .into_iter()
            .find(|(name, _)| name.ends_with("parisc64 6.1"))
            .expect("parisc64 6.1");
        findings(&Rules { pool: 4, ..parisc64 }, &["/hugetlbfs/file"]);
    }
}
