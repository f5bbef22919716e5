//! Whole runs on what is not what it seems: emulators, filters, and circumstances that change what calls show. What is said is true of
//! what a program gets there, what cannot be told is left open, and what was noticed is named. Every row of every one is written down
//! by hand, from what [`Rules::liars`] says they do.

use mapprobe::kernel::model::Rules;
use program::findings::{Findings, attempt};
use program::oracle::NAMES;

mod program;

/// Verdicts, and the flags they are about, without `MAP_`; what comes later counts. `*` is every flag, `SIZES` every huge page size.
type Said = [(&'static str, &'static str)];

/// Linux 6.12 on x86_64: on most of what follows, most is said as it is there.
const X86_6_12: &Said = &[
    (
        "honored",
        "SHARED PRIVATE SHARED_VALIDATE DROPPABLE FIXED ANONYMOUS 32BIT GROWSDOWN LOCKED NORESERVE",
    ),
    ("honored", "POPULATE NONBLOCK STACK HUGETLB FIXED_NOREPLACE"),
    ("accepted", "ABOVE4G"),
    ("ignored", "DENYWRITE EXECUTABLE UNINITIALIZED"),
    ("unavailable", "SYNC SIZES"),
    ("honored", "HUGE_2MB HUGE_1GB"),
];

/// Linux 4.10 on x86_64.
const X86_4_10: &Said = &[
    (
        "honored",
        "SHARED PRIVATE FIXED ANONYMOUS 32BIT GROWSDOWN LOCKED NORESERVE POPULATE NONBLOCK HUGETLB",
    ),
    ("unknown", "SHARED_VALIDATE DROPPABLE"),
    ("ignored", "DENYWRITE EXECUTABLE UNINITIALIZED FIXED_NOREPLACE"),
    ("inconclusive", "ABOVE4G STACK SYNC"),
    ("unavailable", "SIZES"),
    ("honored", "HUGE_2MB HUGE_1GB"),
];

/// Flags that QEMU drops are ignored, whatever the kernel below would do; what type 3 and 8 mean is divided in QEMU's own way.
/// It refuses huge pages, and lets nothing grow.
const QEMU: &Said = &[
    ("honored", "SHARED PRIVATE FIXED ANONYMOUS LOCKED NORESERVE"),
    ("ignored", "DENYWRITE EXECUTABLE POPULATE STACK FIXED_NOREPLACE UNINITIALIZED"),
    ("inconclusive", "SHARED_VALIDATE DROPPABLE NONBLOCK SYNC"),
    ("unavailable", "GROWSDOWN HUGETLB SIZES"),
    ("absent", "32BIT ABOVE4G"),
];

/// Its `mincore` is blind, its memory without bounds; it forgets most flags.
const GVISOR: &Said = &[
    ("honored", "SHARED PRIVATE FIXED ANONYMOUS 32BIT GROWSDOWN"),
    ("ignored", "DENYWRITE EXECUTABLE STACK HUGETLB SIZES FIXED_NOREPLACE UNINITIALIZED"),
    ("inconclusive", "ABOVE4G LOCKED NORESERVE POPULATE NONBLOCK SYNC"),
    ("unknown", "SHARED_VALIDATE DROPPABLE"),
];

/// What it does not do it refuses like what nobody knows, whatever the type.
const WSL1: &Said = &[
    ("honored", "SHARED PRIVATE FIXED ANONYMOUS 32BIT NORESERVE POPULATE NONBLOCK"),
    ("accepted", "STACK"),
    ("ignored", "DENYWRITE EXECUTABLE"),
    ("unknown", "DROPPABLE ABOVE4G GROWSDOWN LOCKED UNINITIALIZED"),
    ("inconclusive|unknown", "HUGETLB SIZES"),
    ("inconclusive", "SHARED_VALIDATE SYNC FIXED_NOREPLACE"),
];

/// No fixed addresses, no advice, no `mincore`; what is left is what a store does to a file.
const NOMMU: &Said = &[
    ("inconclusive", "*"),
    ("honored", "SHARED PRIVATE ANONYMOUS"),
    ("unknown", "SHARED_VALIDATE DROPPABLE"),
    ("ignored", "DENYWRITE EXECUTABLE UNINITIALIZED"),
    ("absent", "32BIT ABOVE4G"),
];

/// A liar: what must be named, what is said as on which kernel, and what is not.
struct Liar(&'static str, &'static [&'static str], &'static Said, &'static Said);

const FILTER: &str = "system call filter";
/// Without a memfd nobody sees what stores do to a file, nor whether it can be written while it is mapped.
const NO_MEMFD: &Said =
    &[("inconclusive", "SHARED PRIVATE ANONYMOUS"), ("accepted", "DENYWRITE EXECUTABLE")];
/// The control bits are how a validator refuses. Huge sizes are told by their geometry then.
const NO_CONTROLS: &Said = &[("inconclusive", "SHARED_VALIDATE")];
/// What advice tells is not told; what else knows the flag is.
const NO_ADVICE: &Said = &[("inconclusive", "DROPPABLE LOCKED"), ("accepted", "NORESERVE STACK")];
const NO_PAGES_SEEN: &Said = &[("inconclusive", "POPULATE NONBLOCK")];
const NO_SYNC: &Said = &[("inconclusive", "SYNC")];
const NOTHING: &Said = &[("inconclusive", "*")];

#[rustfmt::skip]
const LIARS: [Liar; 40] = [
    Liar("qemu-user, arm64", &["system call emulator"], QEMU, &[]),
    Liar("qemu-user, hppa", &["system call emulator"], QEMU, &[("absent", "SYNC UNINITIALIZED"), ("unavailable|inconclusive", "HUGE_1GB HUGE_2GB HUGE_16GB")]),
    Liar("gVisor", &["blind mincore", "vm.overcommit_memory=1"], GVISOR, &[]),
    Liar("WSL1", &["not Linux"], WSL1, &[]),
    Liar("nommu", &["no MMU"], NOMMU, &[]),
    Liar("nommu, uninitialized", &["no MMU"], NOMMU, &[("honored", "UNINITIALIZED")]),
    Liar("filter: LOCKED is EPERM", &[], X86_6_12, &[("unavailable", "LOCKED")]),
    Liar("filter: HUGETLB is ENOSYS", &[], X86_6_12, &[("inconclusive", "HUGETLB SIZES")]),
    Liar("filter: SYNC is EPERM", &[], X86_6_12, NO_SYNC),
    Liar("filter: FIXED_NOREPLACE is EPERM", &[], X86_6_12, &[("inconclusive", "FIXED_NOREPLACE")]),
    Liar("filter: unknown bits are EPERM", &[FILTER], X86_6_12, NO_CONTROLS),
    Liar("filter: unknown bits are ENOSYS", &[FILTER], X86_6_12, NO_CONTROLS),
    Liar("filter: unknown bits are EINVAL", &["not Linux"], X86_6_12, NO_CONTROLS),
    Liar("filter: mmap is EPERM", &[], NOTHING, &[]),
    Liar("filter: mincore is EPERM", &[FILTER], X86_6_12, NO_PAGES_SEEN),
    Liar("filter: mincore is ENOSYS", &[FILTER], X86_6_12, NO_PAGES_SEEN),
    Liar("filter: madvise is EPERM", &[FILTER], X86_6_12, NO_ADVICE),
    Liar("filter: madvise is ENOSYS", &[FILTER], X86_6_12, NO_ADVICE),
    Liar("filter: memfd_create is EPERM", &[FILTER, "no memfd"], X86_6_12, NO_MEMFD),
    Liar("filter: memfd_create is ENOSYS", &["no memfd"], X86_6_12, NO_MEMFD),
    Liar("filter: pipe is EPERM", &[], NOTHING, &[]),
    Liar("no memfd", &["no memfd"], X86_6_12, NO_MEMFD),
    Liar("no memfd, before 4.15", &["no memfd"], X86_4_10, &[("inconclusive", "SHARED PRIVATE ANONYMOUS DENYWRITE EXECUTABLE")]),
    Liar("no /proc", &["no /proc"], X86_6_12, NO_SYNC),
    Liar("smaps of a stranger", &[], X86_6_12, NO_SYNC),
    Liar("smaps of a host: everything set", &[], X86_6_12, NO_SYNC),
    Liar("smaps of a host: nothing set", &[], X86_6_12, NO_SYNC),
    Liar("everything is locked", &["mlockall(MCL_FUTURE)"], X86_6_12, &[("inconclusive", "LOCKED POPULATE NONBLOCK"), ("accepted", "NORESERVE")]),
    Liar("everything is locked, before 4.15", &["mlockall(MCL_FUTURE)"], X86_4_10, &[("inconclusive", "LOCKED POPULATE NONBLOCK"), ("accepted", "NORESERVE")]),
    Liar("overcommit always", &["vm.overcommit_memory=1"], X86_6_12, &[("accepted", "NORESERVE")]),
    Liar("overcommit never", &["vm.overcommit_memory=2"], X86_6_12, &[("inconclusive", "NORESERVE")]),
    Liar("unprivileged", &[], X86_6_12, &[]),
    Liar("no right to lock", &[], X86_6_12, &[("unavailable", "LOCKED")]),
    Liar("too much locked", &[], X86_6_12, &[("unavailable", "LOCKED")]),
    Liar("one page of stack", &[], X86_6_12, &[("unavailable", "GROWSDOWN")]),
    Liar("no huge pages configured", &[], X86_6_12, &[("unavailable", "HUGETLB SIZES")]),
    Liar("no transparent huge pages", &[], X86_6_12, &[("accepted", "STACK")]),
    Liar("a pool of huge pages", &[], X86_6_12, &[]),
    Liar("DENYWRITE is honored", &[], X86_6_12, &[("honored", "DENYWRITE")]),
    Liar("DROPPABLE is EOPNOTSUPP", &[], X86_6_12, &[("unavailable", "DROPPABLE")]),
];

impl Liar {
    /// What is to be said of a flag.
    fn expected(&self, name: &str) -> &'static str {
        let name = name.strip_prefix("MAP_").expect("a flag");
        let about = |what: &str| {
            what == name || what == "*" || what == "SIZES" && name.starts_with("HUGE_")
        };
        let mut said = self.2.iter().chain(self.3).rev();
        said.find(|(_, names)| names.split(' ').any(about))
            .expect("something is said of every flag")
            .0
    }

    /// Everything that is said otherwise.
    fn wrong(&self, found: &Findings, with_a_path: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        for &(name, word, code) in &found.rows {
            let mut expected = self.expected(name);
            if with_a_path && name == "MAP_SYNC" {
                expected = self.sync_of_a_path();
            }
            if !expected.split('|').any(|expected| expected == word) {
                wrong.push(format!(
                    "{}: {name} is called {word} ({code}), and is {expected}",
                    self.0
                ));
            }
        }
        if found.environment != self.1 {
            wrong.push(format!(
                "{}: {:?} is named instead of {:?}",
                self.0, found.environment, self.1
            ));
        }
        let asked = found.rows.iter().map(|row| row.0);
        if !found.complete
            || !asked.eq(NAMES)
            || found.validation.is_none() != std::ptr::eq(self.2, NOTHING)
        {
            wrong.push(format!("{}: {found:?}", self.0));
        }
        wrong
    }

    /// What is said of `MAP_SYNC` where a file on DAX can be asked about, and one on ext4 without: it is given, unless somebody stands
    /// before the file system. Without an MMU there is no type 3 to ask with; the refusal is there.
    fn sync_of_a_path(&self) -> &'static str {
        match self.expected("MAP_SYNC") {
            "absent" => "absent",
            _ if self.2 == NOMMU => "unavailable",
            _ if self.2 != X86_6_12 || self.0 == "filter: SYNC is EPERM" => "inconclusive",
            _ => "honored",
        }
    }
}

/// The names of those whose runs are other than written down are in the message.
#[track_caller]
fn each(wanted: fn(&Liar) -> bool, paths: &[&str]) {
    let (rules, mut wrong) = (Rules::liars(), Vec::new());
    assert_eq!(
        rules.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        LIARS.map(|liar| liar.0)
    );
    for ((_, rules), liar) in rules.iter().zip(&LIARS).filter(|(_, liar)| wanted(liar)) {
        match attempt(rules, paths, false) {
            Ok(found) => wrong.extend(liar.wrong(&found, !paths.is_empty())),
            Err(complaint) => wrong.push(format!("{}: {complaint}", liar.0)),
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_only_looks_like_linux() {
    each(|liar| ![X86_6_12, X86_4_10].contains(&liar.2), &[]);
}

#[test]
fn filters_of_system_calls() {
    each(|liar| liar.0.starts_with("filter"), &[]);
}

#[test]
fn circumstances() {
    each(|liar| [X86_6_12, X86_4_10].contains(&liar.2) && !liar.0.starts_with("filter"), &[]);
}

/// A file that could be mapped with `MAP_SYNC` changes that row alone.
#[test]
fn with_a_path() {
    each(|_| true, &["/dax/file", "/ext4/file"]);
    each(|liar| liar.2 == WSL1 || liar.2 == GVISOR || liar.2 == QEMU, &["/ext4/file"]);
}
