//! What a report says about interference: each condition by name, with what was observed. A cause
//! is named only where it was read. The texts are written by hand, from the rules of the simulated
//! kernel.

use kernel::{Errno, Op};
use mapprobe::flags::Flag;
use mapprobe::probe;
use mapprobe::request::RecordingVersion;
use program::machine::arch;
use program::query::query;
use simulator::{Machine, Overcommit, Proc, Rules, SeccompRule, SimulatedKernel};

mod program {
    pub mod machine;
    pub mod query;
}

const GIVEN: &str = "more memory than sysinfo counts is given without MAP_NORESERVE";
const REFUSED: &str = "more memory than sysinfo counts is given only without access";
const OVERCOMMIT: &str = "/proc/sys/vm/overcommit_memory";
const FILTER: &str = "Seccomp is 2 in /proc/self/status";
const MINCORE: &str = "mincore fails with EPERM";

fn new() -> Rules {
    Rules::new(Machine::X86, (6, 12))
}

fn without_proc(rules: Rules) -> Rules {
    Rules { proc: Proc::Missing, ..rules }
}

/// Calls of an operation fail: all, or those of `mmap` with a flag.
fn filter(op: Op, any_flag_of: Option<usize>, errno: Errno) -> Rules {
    Rules { seccomp: vec![SeccompRule { op, any_flag_of, errno }], ..new() }
}

/// The names in `environment`, with what was observed.
fn observed(rules: Rules, version: RecordingVersion) -> Vec<(&'static str, String)> {
    let arch = arch(rules.machine);
    let mut kernel = SimulatedKernel::new(rules);
    let mut options = query(&[]).options;
    options.recording_version = version;
    let report = probe::run(&mut kernel, arch, Flag::ALL, &options, &mut |_| {}).expect("a report");
    report.environment.iter().map(|one| (one.name(), one.evidence.to_string())).collect()
}

#[track_caller]
fn expect(rules: Rules, expected: &[(&str, &str)]) {
    let found = observed(rules, RecordingVersion::Two);
    let found: Vec<(&str, &str)> =
        found.iter().map(|(name, evidence)| (*name, evidence.as_str())).collect();
    assert_eq!(found, expected);
}

const NO_PROC: (&str, &str) = ("no /proc", "/proc/self/smaps and /proc/self/limits do not exist");

#[test]
fn nothing_is_named_on_linux() {
    for (name, rules) in Rules::all() {
        for version in [RecordingVersion::One, RecordingVersion::Two] {
            let mut found = observed(rules.clone(), version);
            found.retain(|(name, _)| !(rules.no_memfd && *name == "no memfd"));
            assert_eq!(found, [], "{name}");
        }
    }
}

#[test]
fn the_setting_is_named_only_where_it_was_read() {
    let always = || Rules { overcommit: Overcommit::Always, ..new() };
    let never = || Rules { overcommit: Overcommit::Never, ..new() };
    expect(always(), &[("vm.overcommit_memory=1", &format!("{GIVEN}; {OVERCOMMIT} is 1"))]);
    expect(never(), &[("vm.overcommit_memory=2", &format!("{REFUSED}; {OVERCOMMIT} is 2"))]);
    expect(without_proc(always()), &[("unlimited memory", GIVEN), NO_PROC]);
    expect(without_proc(never()), &[("limited memory", REFUSED), NO_PROC]);
    // sysinfo counts less memory than there is, as in gVisor.
    let gvisor = Rules::gvisor();
    let evidence = format!("{GIVEN}; {OVERCOMMIT} is 0");
    let found = observed(gvisor, RecordingVersion::Two);
    assert!(found.contains(&("unlimited memory", evidence)), "{found:?}");
    // A recording of version 1 has no reads of the setting.
    for (rules, name) in [(always(), "unlimited memory"), (never(), "limited memory")] {
        assert_eq!(observed(rules, RecordingVersion::One)[0].0, name);
    }
}

#[test]
fn a_filter_is_named_only_where_the_process_has_one() {
    let mincore = || filter(Op::Mincore, None, Errno::EPERM);
    expect(mincore(), &[("system call filter", &format!("{MINCORE}; {FILTER}"))]);
    expect(without_proc(mincore()), &[("refused calls", MINCORE), NO_PROC]);
    let evidence = format!("memfd_create fails with EPERM; {FILTER}");
    expect(
        filter(Op::MemfdCreate, None, Errno::EPERM),
        &[("system call filter", &evidence), ("no memfd", "memfd_create fails with EPERM")],
    );
    // A limit is no filter.
    expect(
        filter(Op::MemfdCreate, None, Errno::EMFILE),
        &[("no memfd", "memfd_create fails with EMFILE")],
    );
    let unassigned = || Some(!new().numbers.assigned());
    for errno in [Errno::EPERM, Errno::EINVAL, Errno::EOPNOTSUPP] {
        let evidence = format!("mmap with an unassigned bit fails with {errno}");
        let rules = || filter(Op::Mmap, unassigned(), errno);
        expect(rules(), &[("system call filter", &format!("{evidence}; {FILTER}"))]);
        expect(without_proc(rules()), &[("refused calls", &evidence), NO_PROC]);
    }
    // A lack of memory is neither.
    expect(filter(Op::Mmap, unassigned(), Errno::ENOMEM), &[]);
    let fixed = Some(new().numbers.fixed);
    let evidence = format!("mmap with MAP_FIXED fails with EINVAL; {FILTER}");
    expect(filter(Op::Mmap, fixed, Errno::EINVAL), &[("system call filter", &evidence)]);
}

#[test]
fn a_kernel_that_is_not_linux_is_named_with_its_sign() {
    let sign = "mmap with an unassigned bit fails with EOPNOTSUPP under MAP_PRIVATE, which Linux \
                never validates";
    expect(Rules::wsl1(), &[("not Linux", sign)]);
    let mapped = "every page of fresh memory counts as resident before a touch";
    expect(
        Rules::gvisor(),
        &[
            ("not Linux", "bits 2 and 3 of the type field are dropped, which no Linux does"),
            ("blind mincore", mapped),
            ("unlimited memory", &format!("{GIVEN}; {OVERCOMMIT} is 0")),
        ],
    );
    expect(Rules::nommu(), &[("no MMU", "MAP_FIXED fails with EINVAL and madvise with ENOSYS")]);
}

#[test]
fn an_emulator_is_named_with_its_sign() {
    let fixed =
        "MAP_SHARED_VALIDATE is rejected, yet accepted with MAP_FIXED and an unassigned bit";
    let upper = "MAP_SHARED_VALIDATE accepts bits 32 to 63, which no Linux does";
    let size = "MAP_SHARED_VALIDATE rejects bits of the huge page size, which no Linux does";
    for (rules, sign) in [
        (Rules::qemu_user(Machine::Arm64), fixed),
        (Rules::qemu_user(Machine::Parisc), fixed),
        (Rules::qemu_user_10(Machine::Arm64), upper),
        (Rules::qemu_user_10(Machine::Parisc), size),
    ] {
        expect(rules.clone(), &[("system call emulator", sign)]);
        // The signs need no calls that a recording of version 1 does not have.
        let found = observed(rules, RecordingVersion::One);
        assert_eq!(found, [("system call emulator", sign.to_owned())]);
    }
}

#[test]
fn missing_files_are_named_by_the_error() {
    for errno in [Errno::ENOENT, Errno::EMFILE, Errno::EACCES, Errno::EPERM] {
        let evidence = format!("opening /proc/self/smaps fails with {errno}");
        expect(Rules { proc: Proc::NoSmaps(errno), ..new() }, &[("no smaps", &evidence)]);
    }
    expect(without_proc(new()), &[NO_PROC]);
    let evidence = "memfd_create fails with ENOSYS";
    expect(Rules { no_memfd: true, ..new() }, &[("no memfd", evidence)]);
}

#[test]
fn locked_memory_is_named_by_its_cause_where_smaps_shows_it() {
    let locked = || Rules { locks_everything: true, ..new() };
    let shown = "VmFlags of fresh memory in /proc/self/smaps have lo";
    expect(locked(), &[("mlockall(MCL_FUTURE)", shown)]);
    let observed = "madvise(MADV_DONTNEED) of fresh memory fails with EINVAL";
    expect(without_proc(locked()), &[("locked memory", observed), NO_PROC]);
}
