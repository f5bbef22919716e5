//! System calls that end the process: by a system call filter, or by a crash inside the kernel. A
//! report comes all the same and names the calls, and no verdict claims more than without them.

use kernel::{Call, Kernel, Op, SysResult};
use mapprobe::app;
use mapprobe::error::Error;
use mapprobe::init;
use mapprobe::output::STDOUT;
use mapprobe::supervisor;
use program::findings::{Findings, probe};
use program::flag_names::FLAG_NAMES;
use program::processes::{self, Caller};
use simulator::{FlagNumbers, Machine, Rules, SimulatedKernel};
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
            // Whether a mapped file can be written is observed on a memfd.
            let is_excused =
                name == "memfd_create" && ["MAP_DENYWRITE", "MAP_EXECUTABLE"].contains(&flag);
            if !is_weaker(truth, verdict) && !(is_excused && verdict == "accepted") {
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
