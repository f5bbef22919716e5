//! System calls that end the process: by a system call filter, or by a crash inside the kernel. A
//! report comes all the same and names the calls, and no verdict claims more than without them.

use kernel::{Call, Errno, Fd, Kernel, Op, SIGNALED, SysResult, str_or_replacement};
use mapprobe::error::Error;
use mapprobe::output::{STDERR, STDOUT};
use mapprobe::{app, init, supervisor};
use program::findings::{Findings, probe};
use program::flag_names::FLAG_NAMES;
use program::processes::{self, Caller};
use simulator::{Machine, Rules, SimulatedKernel};
use std::collections::BTreeMap;

mod program {
    pub mod findings;
    pub mod flag_names;
    pub mod machine;
    pub mod processes;
    pub mod query;
}

/// `include/uapi/asm-generic/signal.h`.
const SIGKILL: u8 = 9;
const SIGBUS: u8 = 7;
const SIGTERM: u8 = 15;
const SIGSYS: u8 = 31;

/// What distinguishes a call for a filter: the operation, and the flags, the advice or the mode.
fn key(call: &Call) -> (Op, usize) {
    let [first, _, third, fourth, _] = call.args;
    let detail = match call.op {
        Op::Mmap => fourth,
        Op::Madvise => third,
        Op::Open => first,
        _ => 0,
    };
    (call.op, detail)
}

/// Makes no system call.
fn is_no_system_call(op: Op) -> bool {
    [Op::FatalCalls, Op::PageSize, Op::Euid].contains(&op)
}

struct Logger {
    simulated: SimulatedKernel,
    calls: Vec<(Op, usize)>,
}

impl Kernel for Logger {
    fn call(&mut self, call: &mut Call) -> SysResult {
        if !self.calls.contains(&key(call)) && !is_no_system_call(call.op) {
            self.calls.push(key(call));
        }
        self.simulated.call(call)
    }
}

/// What is probed, on which kernel.
struct Setup {
    name: &'static str,
    rules: Rules,
    paths: &'static [&'static str],
}

fn setups() -> Vec<Setup> {
    let setup = |name, rules| Setup { name, rules, paths: &[] };
    vec![
        setup("x86_64 6.12", Rules::new(Machine::X86, (6, 12))),
        setup("x86_64 4.10", Rules::new(Machine::X86, (4, 10))),
        setup("parisc 6.12", Rules::new(Machine::Parisc, (6, 12))),
        setup("parisc 4.10", Rules::new(Machine::Parisc, (4, 10))),
        setup("parisc64 6.12", Rules::new(Machine::Parisc64, (6, 12))),
        setup("arm64 5.10", Rules::new(Machine::Arm64, (5, 10))),
        setup("no memfd", Rules { no_memfd: true, ..Rules::new(Machine::X86, (6, 12)) }),
        setup("everything is locked", Rules { locks_everything: true, ..Rules::x86_6_1() }),
        Setup {
            name: "arm64 6.12, with paths",
            rules: Rules::new(Machine::Arm64, (6, 12)),
            paths: &["/dax/file", "/disk"],
        },
    ]
}

impl Setup {
    fn kernel(&self) -> SimulatedKernel {
        SimulatedKernel::new(self.rules.clone())
    }

    /// The findings without a fatal call, and the calls that lead to them, each once.
    fn truth(&self) -> (Findings, Vec<(Op, usize)>) {
        let mut logger = Logger { simulated: self.kernel(), calls: Vec::new() };
        let findings = probe(&mut logger, self.rules.machine, self.paths, false);
        (findings.expect("findings"), logger.calls)
    }

    /// The findings where some calls end the process, and the names of the fatal calls.
    fn run(
        &self,
        signal: u8,
        is_fatal: &dyn Fn((Op, usize)) -> bool,
    ) -> Result<(Result<Findings, Error>, String), Error> {
        let mut found = None;
        let kills = |_: Caller, call: &Call| is_fatal(key(call)).then_some(signal);
        let mut program = |kernel: &mut dyn Kernel| {
            supervisor::run(kernel, &mut |kernel| {
                let names = kernel.fatal_calls();
                found = Some((probe(kernel, self.rules.machine, self.paths, false), names));
                0
            })
        };
        let (result, _) = processes::run(&|| self.kernel(), |_, _| {}, &kills, &mut program);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).map(|code| {
            assert_eq!(code, 0);
            found.expect("findings")
        })
    }

    /// What is wrong with the findings of a run with fatal calls.
    fn mistakes(
        &self,
        truth: &Findings,
        name: &str,
        signal: u8,
        is_fatal: &dyn Fn((Op, usize)) -> bool,
    ) -> Vec<String> {
        let (findings, names) = match self.run(signal, is_fatal) {
            Ok((Ok(findings), names)) => (findings, names),
            // A path that cannot be opened ends the run.
            Ok((Err(_), _)) if !self.paths.is_empty() && name == "openat" => return Vec::new(),
            Ok((Err(error), _)) | Err(error) => return vec![error.to_string()],
        };
        let mut mistakes = Vec::new();
        if !findings.rows.iter().map(|row| row.0).eq(FLAG_NAMES) {
            mistakes.push(String::from("rows are missing"));
        }
        if !names.contains(name) {
            mistakes.push(format!("{name} is not among {names:?}"));
        }
        if !findings.environment.contains(&"system call filter") {
            mistakes.push(format!("not among {:?}", findings.environment));
        }
        for (&(flag, truth, _), &(_, verdict, code)) in truth.rows.iter().zip(&findings.rows) {
            if !is_weaker(truth, verdict) {
                mistakes.push(format!("{flag}: {verdict} ({code}) instead of {truth}"));
            }
        }
        mistakes
    }
}

/// Whether a verdict claims no more than the true one. A certain no must be the true one.
fn is_weaker(truth: &str, verdict: &str) -> bool {
    truth == verdict
        || truth != "absent" && verdict == "inconclusive"
        || truth == "honored" && verdict == "accepted"
}

/// The name of the system call in the report.
fn system_call(op: Op) -> &'static str {
    match op {
        Op::Store => "read",
        Op::Load => "write",
        Op::Pread => "pread64",
        Op::Open => "openat",
        Op::Unlink => "unlinkat",
        Op::Pipe => "pipe2",
        Op::Memory => "sysinfo",
        Op::Time => "clock_gettime",
        Op::Touch => "clone",
        Op::FileSystemType | Op::BlockSize => "fstatfs",
        op => op.name(),
    }
}

#[track_caller]
fn assert_none(mistakes: &BTreeMap<String, usize>) {
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

#[test]
fn every_call_of_a_run_may_end_the_process() {
    let mut mistakes: BTreeMap<String, usize> = BTreeMap::new();
    for setup in setups() {
        let (truth, calls) = setup.truth();
        println!("{}: {} calls", setup.name, calls.len());
        for (op, detail) in calls {
            let name = system_call(op);
            // Without write(2) nothing can be printed.
            if op == Op::Write {
                continue;
            }
            for mistake in setup.mistakes(&truth, name, SIGSYS, &|call| call == (op, detail)) {
                *mistakes.entry(format!("{op:?} {detail:#x}: {mistake}")).or_default() += 1;
            }
        }
    }
    assert_none(&mistakes);
}

/// Filters that kill for every `mmap` with a bit, and for every operation whatever its arguments.
#[test]
fn every_bit_and_every_operation_may_end_the_process() {
    let mut mistakes: BTreeMap<String, usize> = BTreeMap::new();
    for setup in setups() {
        let (truth, calls) = setup.truth();
        for bit in 0..32 {
            let is_fatal = |(op, flags): (Op, usize)| op == Op::Mmap && flags & 1 << bit != 0;
            if calls.iter().any(|&call| is_fatal(call)) {
                for mistake in setup.mistakes(&truth, "mmap with", SIGKILL, &is_fatal) {
                    *mistakes.entry(format!("bit {bit}: {mistake}")).or_default() += 1;
                }
            }
        }
        for &op in Op::ALL {
            if op != Op::Write && calls.iter().any(|&(called, _)| called == op) {
                let name = system_call(op);
                for mistake in setup.mistakes(&truth, name, SIGSYS, &|(other, _)| other == op) {
                    *mistakes.entry(format!("{op:?}: {mistake}")).or_default() += 1;
                }
            }
        }
    }
    assert_none(&mistakes);
}

/// A filter that allows a list of flags, as sandboxes of browsers have, kills for every other bit.
#[test]
fn each_bit_that_a_filter_does_not_allow_is_found_once() {
    let setup = &setups()[0];
    let (truth, _) = setup.truth();
    // MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MAP_NORESERVE, MAP_STACK.
    let allowed = 0x24033;
    let is_fatal = |(op, flags): (Op, usize)| op == Op::Mmap && flags & !allowed != 0;
    assert_eq!(setup.mistakes(&truth, "mmap with", SIGSYS, &is_fatal), [""; 0]);
    let (_, names) = setup.run(SIGSYS, &is_fatal).expect("a run");
    // MAP_LOCKED, MAP_POPULATE, MAP_HUGETLB.
    for bit in ["0x2000,", "0x8000,", "0x40000,"] {
        assert_eq!(names.matches(bit).count(), 1, "{bit}: {names}");
    }
}

/// A filter ends the children that store a byte.
struct NoStore(SimulatedKernel);

impl Kernel for NoStore {
    fn call(&mut self, call: &mut Call) -> SysResult {
        match call.op {
            Op::Touch => SysResult::success(SIGNALED | usize::from(SIGSYS)),
            _ => self.0.call(call),
        }
    }
}

/// Under QEMU a mapping grows for the program's own stores only.
#[test]
fn a_child_that_a_filter_ends_shows_nothing_about_its_store() {
    for (rules, verdict) in [
        (Rules::qemu_user(Machine::Arm64), "inconclusive"),
        (Rules::new(Machine::X86, (6, 12)), "accepted"),
    ] {
        let machine = rules.machine;
        let mut kernel = NoStore(SimulatedKernel::new(rules));
        let findings = probe(&mut kernel, machine, &[], false).expect("findings");
        let row = findings.rows.iter().find(|row| row.0 == "MAP_GROWSDOWN").expect("a row");
        assert_eq!(row.1, verdict, "{machine:?}");
    }
}

#[test]
fn the_signal_is_named_unless_it_is_that_of_a_filter() {
    let setup = &setups()[0];
    let names = |signal| {
        let is_fatal = |(op, _): (Op, usize)| [Op::Mincore, Op::Uname].contains(&op);
        setup.run(signal, &is_fatal).expect("a run").1
    };
    assert_eq!(names(SIGSYS), "uname, mincore");
    assert_eq!(names(SIGKILL), "uname (SIGKILL), mincore (SIGKILL)");
    assert_eq!(names(SIGBUS), "uname (signal 7), mincore (signal 7)");
}

/// Somebody ends the run: that is no property of a system call.
#[test]
fn a_signal_from_outside_ends_the_run() {
    let error = setups()[0].run(SIGTERM, &|(op, _)| op == Op::Mincore);
    let message = error.err().map(|error| error.to_string());
    assert_eq!(message.as_deref(), Some("ended by signal 15 during mincore"));
}

/// The program from its start, with a filter, on a simulated kernel that keeps what is printed.
struct Terminal {
    simulated: SimulatedKernel,
    stdout: String,
    stderr: String,
    /// Whether standard output accepts a part of the report only.
    is_slow: bool,
    /// The result of `fork(2)`, where it fails.
    fork: Option<Errno>,
}

impl Kernel for Terminal {
    fn call(&mut self, call: &mut Call) -> SysResult {
        let text = str_or_replacement(call.input);
        match (call.op, call.args[0] as Fd) {
            (Op::Write, STDOUT) if self.is_slow && !self.stdout.is_empty() => {
                return SysResult::failure(Errno::EAGAIN);
            }
            (Op::Write, STDOUT) if self.is_slow => {
                let accepted = text.get(..10).unwrap_or(text);
                self.stdout.push_str(accepted);
                return SysResult::success(accepted.len());
            }
            (Op::Write, STDOUT) => self.stdout.push_str(text),
            (Op::Write, STDERR) => self.stderr.push_str(text),
            // A filter is in force.
            (Op::FilterMode, _) => return SysResult::success(2),
            (Op::Fork, _) => return SysResult::failure(self.fork.unwrap_or(Errno::ENOSYS)),
            _ => {}
        }
        self.simulated.call(call)
    }
}

/// Exit code, standard output and standard error of a run in which an operation is fatal.
fn start(is_slow: bool, arguments: &[&str], fatal: &[Op]) -> (i32, String, String) {
    let make = || Terminal {
        simulated: SimulatedKernel::new(Rules::new(Machine::X86, (6, 12))),
        stdout: String::new(),
        stderr: String::new(),
        is_slow,
        fork: None,
    };
    let share = |child: &Terminal, parent: &mut Terminal| {
        parent.stdout.clone_from(&child.stdout);
        parent.stderr.clone_from(&child.stderr);
    };
    let kills = |_: Caller, call: &Call| fatal.contains(&call.op).then_some(SIGSYS);
    let arguments = [&["mapprobe"], arguments].concat();
    let mut program = |kernel: &mut dyn Kernel| init::start(kernel, &arguments);
    let (code, terminal) = processes::run(&make, share, &kills, &mut program);
    let code = code.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    (code, terminal.stdout, terminal.stderr)
}

/// From the first call on, whichever it is.
#[test]
fn the_program_survives_a_filter_for_every_operation_before_the_run() {
    for op in [
        Op::Pid,
        Op::MayReboot,
        Op::FileInode,
        Op::FilterMode,
        Op::IgnoreSignals,
        Op::Terminal,
        Op::Pipe,
        Op::Read,
    ] {
        let (code, stdout, stderr) = start(false, &["--format", "table"], &[op]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{op:?}");
        assert_eq!(stdout.matches("\nMAP_FIXED_NOREPLACE").count(), 1, "{op:?}: {stdout}");
        let is_made = ![Op::Pid, Op::MayReboot, Op::FileInode].contains(&op);
        assert_eq!(stdout.contains("killed by "), is_made || op == Op::Pid, "{op:?}: {stdout}");
    }
}

#[test]
fn the_exit_code_is_that_of_the_child() {
    let requirements = ["require", "MAP_FIXED", "MAP_POPULATE"];
    assert_eq!(start(false, &requirements, &[]), (0, String::new(), String::new()));
    let (code, stdout, _) = start(false, &requirements, &[Op::Mincore]);
    assert_eq!(code, 3, "{stdout}");
    assert!(stdout.contains("system call filter"), "{stdout}");
    let (code, _, stderr) = start(false, &["--path", "/missing"], &[Op::Mincore]);
    assert_eq!((code, stderr.as_str()), (2, "mapprobe: /missing: cannot be opened: ENOENT\n"));
}

#[test]
fn nothing_is_printed_twice() {
    let (code, stdout, stderr) = start(true, &["report"], &[Op::Sleep]);
    assert_eq!((code, stdout.len()), (app::FAILURE, 10), "{stdout}");
    assert_eq!(stderr, "mapprobe: ended by SIGSYS during nanosleep\n");
}

/// Where no child can be made, the program runs in its own process.
#[test]
fn without_children_the_program_runs_alone() {
    for errno in [Errno::EAGAIN, Errno::ENOMEM, Errno::ENOSYS, Errno::EPERM] {
        let mut terminal = Terminal {
            simulated: SimulatedKernel::new(Rules::new(Machine::X86, (6, 12))),
            stdout: String::new(),
            stderr: String::new(),
            is_slow: false,
            fork: Some(errno),
        };
        assert_eq!(init::start(&mut terminal, &["mapprobe", "report"]), 0, "{errno:?}");
        assert!(terminal.stdout.contains("MAP_FIXED_NOREPLACE"), "{errno:?}");
    }
}
