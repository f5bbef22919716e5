//! Whole runs in environments that only resemble Linux: emulators, seccomp filters, and settings
//! that change what the same calls return. A verdict states what a program gets there, what cannot
//! be observed is inconclusive, and the report names the interference. The expected rows are
//! derived by hand from [`Rules::hostile`].

use program::attempts::attempt;
use program::findings::Findings;
use program::flag_names::FLAG_NAMES;
use simulator::Rules;

mod program {
    pub mod attempts;
    pub mod findings;
    pub mod flag_names;
    pub mod machine;
    pub mod panics;
    pub mod query;
}

/// Verdicts, each with the flags that have it, without `MAP_`. The last entry about a flag counts.
/// `*` stands for every flag, `SIZES` for every huge page size.
type Verdicts = [(&'static str, &'static str)];

/// Linux 6.12 on x86_64.
const X86_6_12: &Verdicts = &[
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
const X86_4_10: &Verdicts = &[
    ("honored", "SHARED PRIVATE FIXED ANONYMOUS 32BIT LOCKED NORESERVE POPULATE NONBLOCK HUGETLB"),
    // A program's own store is killed.
    ("accepted", "GROWSDOWN"),
    ("unknown", "SHARED_VALIDATE DROPPABLE"),
    ("ignored", "DENYWRITE EXECUTABLE UNINITIALIZED FIXED_NOREPLACE"),
    // Their effects came later than MAP_SHARED_VALIDATE.
    ("ignored", "ABOVE4G STACK SYNC"),
    ("unavailable", "SIZES"),
    ("honored", "HUGE_2MB HUGE_1GB"),
];

/// QEMU drops many flags, and the huge page size, which are ignored whatever its host does. It
/// treats map types 3 and 8 in its own way. A mapping grows for the program, but not for system
/// calls.
const QEMU: &Verdicts = &[
    ("honored", "SHARED PRIVATE FIXED ANONYMOUS LOCKED NORESERVE HUGETLB"),
    ("ignored", "DENYWRITE EXECUTABLE POPULATE STACK FIXED_NOREPLACE UNINITIALIZED SIZES"),
    ("inconclusive", "SHARED_VALIDATE DROPPABLE NONBLOCK SYNC GROWSDOWN"),
    ("absent", "32BIT ABOVE4G"),
];

/// Since 8.1 QEMU validates flags itself and passes more of them on. It drops the huge page size.
const QEMU_10: &Verdicts = &[
    ("honored", "SHARED PRIVATE SHARED_VALIDATE FIXED ANONYMOUS LOCKED NORESERVE POPULATE"),
    ("honored", "NONBLOCK HUGETLB FIXED_NOREPLACE"),
    ("unknown", "DROPPABLE"),
    ("ignored", "DENYWRITE EXECUTABLE STACK UNINITIALIZED SIZES"),
    ("inconclusive", "SYNC GROWSDOWN"),
    ("absent", "32BIT ABOVE4G"),
];

/// gVisor ignores most flags. Its `mincore` shows every page as resident, and it does not count
/// memory. A mapping does not grow near another one, even one without access.
const GVISOR: &Verdicts = &[
    ("honored", "SHARED PRIVATE FIXED ANONYMOUS 32BIT"),
    ("unavailable", "GROWSDOWN"),
    ("ignored", "DENYWRITE EXECUTABLE STACK HUGETLB SIZES FIXED_NOREPLACE UNINITIALIZED"),
    ("ignored", "ABOVE4G SYNC"),
    ("inconclusive", "LOCKED NORESERVE POPULATE NONBLOCK"),
    ("unknown", "SHARED_VALIDATE DROPPABLE"),
];

/// WSL1 rejects flags that it does not implement as it rejects unassigned bits, under every map
/// type.
const WSL1: &Verdicts = &[
    ("honored", "SHARED PRIVATE FIXED ANONYMOUS 32BIT NORESERVE POPULATE NONBLOCK"),
    ("accepted", "STACK"),
    ("ignored", "DENYWRITE EXECUTABLE"),
    ("unknown", "DROPPABLE ABOVE4G GROWSDOWN LOCKED UNINITIALIZED"),
    ("inconclusive|unknown", "HUGETLB SIZES"),
    ("inconclusive", "SHARED_VALIDATE SYNC FIXED_NOREPLACE"),
];

/// Without an MMU there are no fixed addresses, no `madvise` and no `mincore`. Only the effect of
/// stores on a file can be observed.
const NOMMU: &Verdicts = &[
    ("inconclusive", "*"),
    ("honored", "SHARED PRIVATE ANONYMOUS"),
    ("unknown", "SHARED_VALIDATE DROPPABLE"),
    ("ignored", "DENYWRITE EXECUTABLE UNINITIALIZED STACK SYNC"),
    ("absent", "32BIT ABOVE4G"),
];

/// Nothing can be probed.
const NOTHING: &Verdicts = &[("inconclusive", "*")];

/// A file shows whether a mapped file can be written. What a store does is seen in a child process.
const NO_FILE_TO_WRITE: &Verdicts = &[("inconclusive", "DENYWRITE EXECUTABLE")];
/// Unassigned bits show how the kernel rejects unknown flags.
const NO_CONTROLS: &Verdicts = &[("inconclusive", "SHARED_VALIDATE")];
/// The effects of these flags are measured at fixed addresses. The others of them are recognized.
const NO_FIXED: &Verdicts = &[
    ("inconclusive", "FIXED GROWSDOWN POPULATE NONBLOCK SYNC"),
    ("accepted", "STACK HUGETLB HUGE_2MB HUGE_1GB"),
];
/// `madvise` shows the effect of these flags. Every kernel since 4.15 recognizes `MAP_STACK`
/// (`LEGACY_MAP_MASK`), and those before 6.7 ignore it. `msync` shows locked memory as well.
const NO_ADVICE: &Verdicts = &[("inconclusive", "DROPPABLE STACK")];
/// `mincore` shows the effect of these flags.
const NO_MINCORE: &Verdicts = &[("inconclusive", "POPULATE NONBLOCK")];
const NO_SYNC: &Verdicts = &[("inconclusive", "SYNC")];
/// All memory is locked and resident without a flag.
const LOCKED: &Verdicts =
    &[("inconclusive", "LOCKED POPULATE NONBLOCK"), ("accepted", "NORESERVE")];

/// The expected findings in an environment.
#[derive(Clone, Copy)]
struct Expected {
    environment: &'static str,
    interference: &'static [&'static str],
    base: &'static Verdicts,
    /// The verdicts that differ from `base`.
    except: &'static Verdicts,
}

const fn on(environment: &'static str, base: &'static Verdicts) -> Expected {
    Expected { environment, interference: &[], base, except: &[] }
}

const fn on_6_12(environment: &'static str) -> Expected {
    on(environment, X86_6_12)
}

const fn on_4_10(environment: &'static str) -> Expected {
    on(environment, X86_4_10)
}

impl Expected {
    const fn named(self, interference: &'static [&'static str]) -> Expected {
        Expected { interference, ..self }
    }

    const fn except(self, except: &'static Verdicts) -> Expected {
        Expected { except, ..self }
    }
}

const EMULATOR: &[&str] = &["system call emulator"];
const NOT_LINUX: &[&str] = &["not Linux"];
const FILTER: &[&str] = &["system call filter"];
const MLOCKALL: &[&str] = &["mlockall(MCL_FUTURE)"];

/// In the order of [`Rules::hostile`].
const EXPECTED: [Expected; 67] = [
    on("qemu-user, arm64", QEMU).named(EMULATOR),
    on("qemu-user, hppa", QEMU).named(EMULATOR).except(&[
        ("absent", "SYNC UNINITIALIZED"),
        ("unavailable", "GROWSDOWN"),
        // There is no room for so many bytes.
        ("ignored|inconclusive", "HUGE_1GB HUGE_2GB HUGE_16GB"),
    ]),
    on("qemu-user 10, arm64", QEMU_10).named(EMULATOR),
    on("qemu-user 10, hppa", QEMU_10).named(EMULATOR).except(&[
        ("absent", "SYNC UNINITIALIZED"),
        ("unavailable", "GROWSDOWN"),
        // There is no room for so many bytes.
        ("ignored|inconclusive", "HUGE_1GB HUGE_2GB HUGE_16GB"),
    ]),
    on("qemu-user, arm64, no children", QEMU).named(EMULATOR),
    on("gVisor", GVISOR).named(&["not Linux", "blind mincore", "unlimited memory"]),
    on("WSL1", WSL1).named(NOT_LINUX),
    on("nommu", NOMMU).named(&["no MMU"]),
    on("nommu, uninitialized", NOMMU).named(&["no MMU"]).except(&[("honored", "UNINITIALIZED")]),
    on_6_12("filter: LOCKED is EPERM").except(&[("unavailable", "LOCKED")]),
    on_6_12("filter: HUGETLB is ENOSYS").except(&[("inconclusive", "HUGETLB SIZES")]),
    on_6_12("filter: SYNC is EPERM").except(NO_SYNC),
    on_6_12("filter: FIXED_NOREPLACE is EPERM").except(&[("inconclusive", "FIXED_NOREPLACE")]),
    on_6_12("filter: unknown bits are EPERM").named(FILTER).except(NO_CONTROLS),
    on_6_12("filter: unknown bits are ENOSYS").named(FILTER).except(NO_CONTROLS),
    on_6_12("filter: unknown bits are EINVAL").named(FILTER).except(NO_CONTROLS),
    on_6_12("filter: FIXED is EINVAL").named(FILTER).except(NO_FIXED),
    on("filter: mmap is EPERM", NOTHING),
    on_6_12("filter: mincore is EPERM").named(FILTER).except(NO_MINCORE),
    on_6_12("filter: mincore is ENOSYS").named(FILTER).except(NO_MINCORE),
    on_6_12("filter: madvise is EPERM").named(FILTER).except(NO_ADVICE),
    on_6_12("filter: madvise is ENOSYS").named(FILTER).except(NO_ADVICE),
    on_6_12("filter: madvise is EPERM, everything is locked")
        .named(&["system call filter", "mlockall(MCL_FUTURE)"])
        .except(&[
            ("inconclusive", "DROPPABLE STACK LOCKED POPULATE NONBLOCK"),
            ("accepted", "NORESERVE"),
        ]),
    on_6_12("filter: madvise is EPERM, everything is locked, no /proc")
        .named(&["refused calls", "no /proc"])
        .except(&[("inconclusive", "DROPPABLE STACK LOCKED POPULATE NONBLOCK NORESERVE SYNC")]),
    // The memory might be locked: then the measurement would fill it.
    on_6_12("filter: madvise is EPERM, no /proc")
        .named(&["refused calls", "no /proc"])
        .except(&[("inconclusive", "DROPPABLE STACK NORESERVE SYNC")]),
    on_6_12("filter: msync is EPERM"),
    // smaps shows that the kernel recognizes the flag.
    on_6_12("filter: madvise and msync are ENOSYS")
        .named(FILTER)
        .except(&[("inconclusive", "DROPPABLE STACK"), ("accepted", "LOCKED")]),
    // A file in a directory decides as a memfd does.
    on_6_12("filter: memfd_create is EPERM").named(&["system call filter", "no memfd"]),
    on_6_12("filter: memfd_create is ENOSYS").named(&["no memfd"]),
    on("filter: pipe is EPERM", NOTHING),
    // Only system calls show that the mapping grows.
    on_6_12("no children").except(&[("accepted", "GROWSDOWN")]),
    on_6_12("no memfd").named(&["no memfd"]),
    on_4_10("no memfd, before 4.15").named(&["no memfd"]),
    on_6_12("no memfd, no /dev/shm").named(&["no memfd"]),
    on_6_12("no file to write").named(&["no memfd"]).except(NO_FILE_TO_WRITE),
    on_6_12("no file").named(&["no memfd"]).except(NO_FILE_TO_WRITE),
    on_4_10("no file, before 4.15").named(&["no memfd"]).except(NO_FILE_TO_WRITE),
    on_6_12("no bytes in a file").except(NO_FILE_TO_WRITE),
    on_6_12("no bytes in a file, no other file").except(NO_FILE_TO_WRITE),
    on_6_12("no /proc").named(&["no /proc"]).except(NO_SYNC),
    on_6_12("smaps is EMFILE").named(&["no smaps"]).except(NO_SYNC),
    on_6_12("smaps is ENOENT").named(&["no smaps"]).except(NO_SYNC),
    on_6_12("no /proc, filter: mincore is EPERM")
        .named(&["refused calls", "no /proc"])
        .except(&[("inconclusive", "SYNC POPULATE NONBLOCK")]),
    on_6_12("smaps of another process").except(NO_SYNC),
    on_6_12("smaps of a host: everything set").except(NO_SYNC),
    on_6_12("smaps of a host: nothing set").except(NO_SYNC),
    on_6_12("everything is locked").named(MLOCKALL).except(LOCKED),
    on_4_10("everything is locked, before 4.15").named(MLOCKALL).except(LOCKED),
    on_6_12("overcommit always")
        .named(&["vm.overcommit_memory=1"])
        .except(&[("accepted", "NORESERVE")]),
    on_6_12("overcommit never")
        .named(&["vm.overcommit_memory=2"])
        .except(&[("ignored", "NORESERVE")]),
    on_6_12("overcommit never, no /proc")
        .named(&["limited memory", "no /proc"])
        .except(&[("inconclusive", "NORESERVE SYNC")]),
    on_6_12("everything is locked, no /proc")
        .named(&["locked memory", "no /proc"])
        .except(&[("inconclusive", "LOCKED POPULATE NONBLOCK SYNC NORESERVE")]),
    on_6_12("unprivileged"),
    on_6_12("no right to lock").except(&[("unavailable", "LOCKED")]),
    on_6_12("too much locked").except(&[("unavailable", "LOCKED")]),
    on_6_12("one page of stack").except(&[("unavailable", "GROWSDOWN")]),
    on_6_12("no huge pages configured").except(&[("unavailable", "HUGETLB SIZES")]),
    on_6_12("no transparent huge pages").except(&[("accepted", "STACK")]),
    on_6_12("a pool of huge pages"),
    on_6_12("hugetlb cgroup, max 0"),
    on_6_12("hugetlb cgroup, rsvd.max 0"),
    on_6_12("a pool that others reserved"),
    on_6_12("huge pages that are made"),
    on_6_12("a pool, no /sys"),
    on_6_12("a pool, all is locked").named(MLOCKALL).except(LOCKED),
    on_6_12("DENYWRITE is honored").except(&[("honored", "DENYWRITE")]),
    on_6_12("DROPPABLE is EOPNOTSUPP").except(&[("unavailable", "DROPPABLE")]),
];

impl Expected {
    fn verdict(&self, flag: &str, has_paths: bool) -> &'static str {
        if has_paths && flag == "MAP_SYNC" {
            self.sync_of_paths()
        } else {
            self.without_paths(flag)
        }
    }

    fn without_paths(&self, flag: &str) -> &'static str {
        let name = flag.strip_prefix("MAP_").expect("a flag");
        let is_about = |entry: &str| match entry {
            "*" => true,
            "SIZES" => name.starts_with("HUGE_"),
            entry => entry == name,
        };
        let mut verdicts = self.base.iter().chain(self.except).rev();
        verdicts
            .find(|(_, flags)| flags.split(' ').any(is_about))
            .expect("a verdict for each flag")
            .0
    }

    /// The verdict about `MAP_SYNC` with a file on DAX, where it works, and a file on ext4 without
    /// DAX, unless the environment rejects the flag before the file system sees it. Without an MMU
    /// there is no map type 3, and ext4 still rejects the flag.
    fn sync_of_paths(&self) -> &'static str {
        match self.without_paths("MAP_SYNC") {
            "absent" => "absent",
            "ignored" if self.base != NOMMU => "ignored",
            _ if self.base == NOMMU => "unavailable",
            _ if self.base == QEMU_10 => "honored",
            _ if self.base != X86_6_12 || self.environment == "filter: SYNC is EPERM" => {
                "inconclusive"
            }
            _ => "honored",
        }
    }

    /// Whether the environment is Linux behind no seccomp filter.
    fn is_setting(&self) -> bool {
        [X86_6_12, X86_4_10].contains(&self.base) && !self.is_filter()
    }

    fn is_filter(&self) -> bool {
        self.environment.starts_with("filter: ")
    }

    /// The mistakes in findings, a line each.
    fn mistakes(&self, found: &Findings, has_paths: bool) -> Vec<String> {
        let mut mistakes = Vec::new();
        for &(name, verdict, code) in &found.rows {
            let expected = self.verdict(name, has_paths);
            if !expected.split('|').any(|expected| expected == verdict) {
                mistakes.push(format!("{name}: {verdict} ({code}) instead of {expected}"));
            }
        }
        if found.environment != self.interference {
            let (found, expected) = (&found.environment, self.interference);
            mistakes.push(format!("interference: {found:?} instead of {expected:?}"));
        }
        if !found.complete || !found.rows.iter().map(|row| row.0).eq(FLAG_NAMES) {
            mistakes.push(format!("rows are missing: {found:?}"));
        }
        if found.validation.is_some() == (self.base == NOTHING) {
            mistakes.push(format!("validation: {:?}", found.validation));
        }
        mistakes
    }
}

/// Probes the environments that `is_wanted` selects, and compares every row.
#[track_caller]
fn expect_findings(is_wanted: fn(&Expected) -> bool, paths: &[&str]) {
    let hostile = Rules::hostile();
    let names: Vec<&str> = hostile.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, EXPECTED.map(|expected| expected.environment));
    let mut wrong = Vec::new();
    let wanted = hostile.iter().zip(&EXPECTED).filter(|(_, expected)| is_wanted(expected));
    for ((name, rules), expected) in wanted {
        let mistakes = match attempt(rules, paths, false) {
            Ok(found) => expected.mistakes(&found, !paths.is_empty()),
            Err(message) => vec![message],
        };
        wrong.extend(mistakes.into_iter().map(|mistake| format!("{name}: {mistake}")));
    }
    assert!(wrong.is_empty(), "{} mistakes:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn impostor_kernels() {
    expect_findings(|expected| ![X86_6_12, X86_4_10].contains(&expected.base), &[]);
}

#[test]
fn seccomp_filters() {
    expect_findings(Expected::is_filter, &[]);
}

#[test]
fn settings() {
    expect_findings(Expected::is_setting, &[]);
}

/// Paths change the verdict about `MAP_SYNC` only.
#[test]
fn paths() {
    expect_findings(|_| true, &["/dax/file", "/ext4/file"]);
    expect_findings(|expected| [WSL1, GVISOR, QEMU].contains(&expected.base), &["/ext4/file"]);
}
