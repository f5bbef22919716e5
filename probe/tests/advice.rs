//! The advice of `mapprobe require`: given only where it is not known to be followed already.

use kernel::{Call, Errno, Kernel, Op, SysResult};
use mapprobe::app;
use program::console::Console;
use simulator::{Machine, Proc, Rules, SeccompRule};

mod program {
    pub mod console;
}

/// The machine that the program was built for.
const NATIVE: Machine = if cfg!(target_arch = "x86_64") { Machine::X86 } else { Machine::Arm64 };

const NOT_OFFERED: &str = "unavailable: not offered by this machine";

fn new() -> Rules {
    Rules::new(NATIVE, (6, 12))
}

fn without_proc() -> Rules {
    Rules { proc: Proc::Missing, ..new() }
}

/// Requires a flag that is not honored: the line about it.
#[track_caller]
fn expect_line(rules: Rules, flag: &str, line: &str) {
    let mut console = Console::on(rules);
    let exit = console.run(&["require", flag]);
    let expected = (1, (format!("{flag}: {line}\n"), String::new()));
    assert_eq!((exit, console.take_output()), expected);
}

#[test]
fn advice_depends_on_what_was_observed() {
    // No processor of x86 has pages of 16 GiB, and every one has pages of 2 MiB.
    let x86 = || Rules::new(Machine::X86, (6, 12));
    let without = |sizes: &[u32]| {
        let mut rules = new();
        rules.huge_sizes.retain(|log2| !sizes.contains(log2));
        rules
    };
    if NATIVE == Machine::X86 {
        expect_line(x86(), "MAP_HUGE_16GB", NOT_OFFERED);
        let line = format!("{NOT_OFFERED}; may help: a processor with pages of 1 GiB");
        expect_line(without(&[30]), "MAP_HUGE_1GB", &line);
        expect_line(without(&[21]), "MAP_HUGE_2MB", NOT_OFFERED);
    }
    let line = format!("{NOT_OFFERED}; may help: CONFIG_HUGETLBFS");
    for flag in ["MAP_HUGETLB", "MAP_HUGE_1GB"] {
        expect_line(Rules { huge_sizes: Vec::new(), ..new() }, flag, &line);
    }
    // A filter's EPERM does not come from the limit, which is not 0.
    let locked = Some(new().numbers.locked);
    let filter = SeccompRule { op: Op::Mmap, any_flag_of: locked, errno: Errno::EPERM };
    let line = "unavailable: not permitted";
    expect_line(Rules { seccomp: vec![filter], ..new() }, "MAP_LOCKED", line);
    // Without /proc the error of the call is the only evidence.
    let rules = Rules { lock_error: Some(Errno::EPERM), ..without_proc() };
    let line = "unavailable: not permitted; may help: ulimit -l, CAP_IPC_LOCK";
    expect_line(rules, "MAP_LOCKED", line);
    // The limit of the stack is not known to be too small.
    let line = "unavailable: recognized; no effect observed";
    expect_line(Rules { stack_limit: 4096, ..without_proc() }, "MAP_GROWSDOWN", line);
    // EOPNOTSUPP on a 64-bit kernel.
    let rules = Rules { droppable: Some(Err(Errno::EOPNOTSUPP)), ..new() };
    expect_line(rules, "MAP_DROPPABLE", "unavailable: the kernel has no room");
}

/// A kernel with another release.
struct Released {
    console: Console,
    release: &'static str,
}

impl Kernel for Released {
    fn call(&mut self, call: &mut Call) -> SysResult {
        let result = self.console.call(call);
        if call.op == Op::Uname {
            // The third field of 65 bytes.
            let field = &mut call.output[130..195];
            field.fill(0);
            field[..self.release.len()].copy_from_slice(self.release.as_bytes());
        }
        result
    }
}

/// A newer kernel is advised only to those whose release is older. The verdict does not depend on
/// the release.
#[test]
fn a_newer_kernel_is_advised_by_the_release() {
    for (release, is_older) in [
        ("4.16.18", true),
        ("4.14.0-1-amd64", true),
        ("2.6.32", true),
        ("4.17", false),
        ("4.17.0-rc1", false),
        ("6.18.44-fc-v669", false),
        ("10.0", false),
        ("next-20261127", false),
        ("", false),
        ("4", false),
        ("4.300", false),
    ] {
        let mut kernel = Released { console: Console::on(Rules::new(NATIVE, (4, 14))), release };
        let exit = app::run(&mut kernel, &["mapprobe", "require", "MAP_FIXED_NOREPLACE"]);
        let advice = if is_older { "; may help: Linux >= 4.17" } else { "" };
        let line = format!("MAP_FIXED_NOREPLACE: ignored: accepted, no effect{advice}\n");
        assert_eq!((exit, kernel.console.take_output().0), (1, line), "{release}");
    }
}
