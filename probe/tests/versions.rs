//! Every kernel made of rules, in every era, from every place a process may stand: what is said of every flag is what the kernel does,
//! as far as it can be seen from there.

use mapprobe::errno::Errno;
use mapprobe::kernel::model::{MIB, Proc, Rules};
use program::findings::{Findings, attempt, verdicts};
use program::oracle::{self, Asked, NAMES};

mod program;

/// Where a process may stand.
fn circumstances(rules: &Rules) -> Vec<(&'static str, Rules)> {
    let like = || rules.clone();
    vec![
        ("as it comes", like()),
        ("unprivileged", Rules { root: false, ..like() }),
        ("no right to lock", Rules { root: false, lock_refusal: Some(Errno::EPERM), ..like() }),
        ("too much locked", Rules { root: false, lock_refusal: Some(Errno::EAGAIN), ..like() }),
        ("no /proc", Rules { proc: Proc::Missing, ..like() }),
        ("no memfd", Rules { no_memfd: true, ..like() }),
        ("a pool of huge pages", Rules { pool: 4, ..like() }),
        ("4 MiB of memory", Rules { memory: 4 * MIB, ..like() }),
        ("64 GiB of memory", Rules { memory: 65536 * MIB, ..like() }),
        (
            "64 GiB of memory and no /proc",
            Rules { memory: 65536 * MIB, proc: Proc::Missing, ..like() },
        ),
        ("overcommit always", Rules { overcommit: 1, ..like() }),
        ("overcommit always and no /proc", Rules { overcommit: 1, proc: Proc::Missing, ..like() }),
        ("overcommit never", Rules { overcommit: 2, ..like() }),
        ("one page of stack", Rules { stack_limit: 4096, ..like() }),
        ("everything is locked", Rules { locks_everything: true, ..like() }),
        ("no transparent huge pages", Rules { collapse: None, ..like() }),
        (
            "nothing at all",
            Rules {
                root: false,
                lock_refusal: Some(Errno::EPERM),
                proc: Proc::Missing,
                no_memfd: true,
                memory: 16 * MIB,
                ..like()
            },
        ),
    ]
}

/// What else is to be named: what lies in the way.
fn environment(rules: &Rules) -> Vec<&'static str> {
    let all = [
        (rules.locks_everything, "mlockall(MCL_FUTURE)"),
        (rules.overcommit == 1, "vm.overcommit_memory=1"),
        (rules.overcommit == 2, "vm.overcommit_memory=2"),
        (rules.proc == Proc::Missing, "no /proc"),
        (rules.no_memfd, "no memfd"),
    ];
    all.iter().filter(|(holds, _)| *holds).map(|(_, name)| *name).collect()
}

/// The codes that may stand beside a verdict.
fn codes(word: &str) -> &'static [&'static str] {
    match word {
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

/// What is wrong with what was found out; a line each.
fn wrong(asked: Asked, found: &Findings) -> Vec<String> {
    let Asked { rules, .. } = asked;
    let mut wrong = Vec::new();
    for &(name, word, code) in &found.rows {
        let expected = oracle::verdict(asked, name);
        if !expected.split('|').any(|expected| expected == word) {
            wrong.push(format!("{name} is called {word} ({code}), and is {expected}"));
        } else if !codes(word).contains(&code) {
            wrong.push(format!("{name} is called {word} because of {code}"));
        }
    }
    let locked = found.rows.iter().find(|row| row.0 == "MAP_LOCKED").map(|row| row.2);
    let limit = match rules.lock_refusal {
        Some(Errno::EPERM) => Some("not_permitted"),
        Some(_) => Some("over_limit"),
        None => locked,
    };
    let types = rules.type_mask();
    let validation = Some((Some(rules.validate), rules.validate.then_some(true), Some(types)));
    for (what, holds) in [
        ("the reason why nothing is locked", locked == limit),
        ("the rows", found.rows.iter().map(|row| row.0).eq(NAMES)),
        ("the environment", found.environment == environment(rules)),
        ("the validation", found.validation == validation),
        ("complete", found.complete),
    ] {
        if !holds {
            wrong.push(format!("{what}: {:?} {:?}", found.environment, found.validation));
        }
    }
    wrong
}

/// Asks all of them; every row of each is compared.
#[track_caller]
fn agree(runs: impl Iterator<Item = (String, Rules)>, paths: &[&str], thorough: bool) {
    let (mut asked, mut differ) = (0, Vec::new());
    for (name, rules) in runs {
        asked += 1;
        let wrong = match attempt(&rules, paths, thorough) {
            Ok(found) => wrong(Asked { rules: &rules, paths, thorough }, &found),
            Err(complaint) => vec![complaint],
        };
        differ.extend(wrong.into_iter().map(|line| format!("{name} {paths:?}: {line}")));
    }
    println!("{asked} runs, {} cells", asked * NAMES.len());
    assert!(
        asked > 0 && differ.is_empty(),
        "{} cells differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
}

/// Every kernel in all circumstances, or in those with these names.
fn everywhere(only: &[&str]) -> impl Iterator<Item = (String, Rules)> {
    Rules::all().into_iter().flat_map(move |(name, rules)| {
        let wanted = circumstances(&rules)
            .into_iter()
            .filter(|(place, _)| only.is_empty() || only.contains(place));
        wanted.map(|(place, rules)| (format!("{name}, {place}"), rules)).collect::<Vec<_>>()
    })
}

#[test]
fn every_flag_in_every_era() {
    agree(everywhere(&[]), &[], false);
}

#[test]
fn thoroughly() {
    agree(everywhere(&[]), &[], true);
}

#[test]
fn with_a_path() {
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
        &["/proc/self/smaps"],
        &["/disk/file", "/tmpfs", "/dev/null", "/ext4/file", "/dax/file", "/readonly/file"],
        &["/tmpfs/file", "/dax", "/ext4"],
    ] {
        let proc = paths.contains(&"/proc/self/smaps");
        agree(
            everywhere(if proc {
                &["as it comes"]
            } else {
                &["as it comes", "no /proc", "no memfd"]
            }),
            paths,
            false,
        );
    }
}

/// A file of huge pages cannot be placed as others can.
#[test]
fn with_a_file_of_huge_pages() {
    for path in ["/hugetlbfs/file", "/hugetlbfs"] {
        agree(everywhere(&["as it comes", "a pool of huge pages"]), &[path], false);
    }
}

/// The same in the smallest form, one run each.
mod alone {
    use super::*;

    /// Without a memfd a pipe is left to ask; kernels before 3.17 are like that.
    #[test]
    fn shared_validate_is_unknown_without_a_memfd() {
        let rules = Rules { no_memfd: true, validate: false, ..Rules::x86_6_1() };
        assert_eq!(verdicts(&rules, &[], false).verdict("MAP_SHARED_VALIDATE"), "unknown");
    }

    /// What is resident with `MAP_POPULATE|MAP_NONBLOCK` says nothing where it is resident without either.
    #[test]
    fn nonblock_cannot_be_told_where_everything_is_resident() {
        let rules = Rules { locks_everything: true, ..Rules::x86_6_1() };
        assert_eq!(verdicts(&rules, &[], false).verdict("MAP_NONBLOCK"), "inconclusive");
        assert_eq!(verdicts(&Rules::gvisor(), &[], false).verdict("MAP_NONBLOCK"), "inconclusive");
    }

    /// Pages of a file of huge pages are unmapped as a whole, or not at all.
    #[test]
    fn a_file_of_huge_pages_is_unmapped() {
        verdicts(&Rules { pool: 4, ..Rules::x86_6_1() }, &["/hugetlbfs/file"], false);
    }

    /// Where the kernel chooses an address for them, one kernel dies of it.
    #[test]
    fn a_file_of_huge_pages_is_placed() {
        let parisc64 = Rules::all()
            .into_iter()
            .find(|(name, _)| name.ends_with("parisc64 6.1"))
            .expect("it is there");
        verdicts(&Rules { pool: 4, ..parisc64.1 }, &["/hugetlbfs/file"], false);
    }
}
