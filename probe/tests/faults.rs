//! Fault injection: one call of a run returns a wrong result. No single wrong result may cause a
//! wrong `honored`, `ignored` or `unknown`, nor `accepted` for a flag that the kernel does not
//! recognize, nor end the run, nor leave anything behind that the run could still remove.

use kernel::{Errno, Op};
use program::fault_injection::{FalseResult, FaultyRun, LoggedCall, Setup, TrueRun, mapping_range};
use program::findings::Findings;
use program::flag_names::FLAG_NAMES;
use simulator::{Hugetlb, Machine, Rules};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

mod program {
    pub mod fault_injection;
    pub mod findings;
    pub mod flag_names;
    pub mod machine;
    pub mod panics;
    pub mod query;
}

/// The errors of `mmap(2)`.
const MMAP_ERRORS: [Errno; 14] = [
    Errno::EACCES,
    Errno::EAGAIN,
    Errno::EBADF,
    Errno::EEXIST,
    Errno::EINVAL,
    Errno::ENFILE,
    Errno::ENODEV,
    Errno::ENOMEM,
    Errno::EOVERFLOW,
    Errno::EPERM,
    Errno::ETXTBSY,
    Errno::EOPNOTSUPP,
    Errno::ENOSYS,
    Errno::ENOTSUPP,
];
/// Errors of other calls.
const OTHER_ERRORS: [Errno; 5] =
    [Errno::EFAULT, Errno::EBUSY, Errno::EIO, Errno::EINTR, Errno::ENOENT];

/// An address where nothing is ever mapped.
const UNMAPPED: usize = 0x7000_0000;

/// The wrong results of an operation.
fn false_results(op: Op) -> Vec<FalseResult> {
    let mut results: Vec<FalseResult> = MMAP_ERRORS.map(FalseResult::Failure).into();
    match op {
        Op::Mmap => {
            results.extend([FalseResult::Success(UNMAPPED), FalseResult::RequestedAddress]);
        }
        // A wrong value of the auxiliary vector or the clock cannot be noticed, nor can it do harm.
        Op::PageSize | Op::Euid | Op::Pid | Op::Time | Op::Uname => results.truncate(1),
        _ => {
            results.extend(OTHER_ERRORS.map(FalseResult::Failure));
            results.extend([FalseResult::Success(0), FalseResult::Success(1)]);
        }
    }
    results
}

/// Whether the wrong result itself kept the run from removing this.
fn is_excusable(leftover: &str, call: LoggedCall) -> bool {
    let [first, second] = call.args;
    match call.op {
        Op::Munmap => mapping_range(leftover).is_some_and(|(start, end)| {
            first <= start && end <= first + second.next_multiple_of(1 << 16)
        }),
        Op::Close => leftover.starts_with(&format!("descriptor {first}:")),
        Op::Unlink => leftover.starts_with("file "),
        _ => false,
    }
}

/// Whether a verdict claims no more than the true one: `inconclusive` and `unavailable` always, and
/// `accepted` if the kernel recognizes the flag.
fn is_weaker(setup: &Setup, flag: &str, truth: &str, verdict: &str) -> bool {
    // A validating map type recognizes these flags, though they have no effect.
    let is_validated = truth == "ignored" && flag != "MAP_FIXED_NOREPLACE"
        || ["MAP_ANONYMOUS", "MAP_SHARED_VALIDATE"].contains(&flag);
    let is_recognized = truth == "honored" || setup.rules.validate && is_validated;
    truth == verdict
        || truth != "absent" && ["inconclusive", "unavailable"].contains(&verdict)
        || is_recognized && verdict == "accepted"
}

/// The results of runs with a fault each.
#[derive(Default)]
struct Summary {
    faults: usize,
    /// How often a verdict turned into another one.
    changed: BTreeMap<(&'static str, &'static str), usize>,
    /// The operations with the wrong results that they returned.
    tried: BTreeSet<(&'static str, String)>,
    /// Mistakes, each with their number and the first fault that caused one.
    mistakes: BTreeMap<String, (usize, String)>,
}

impl Summary {
    fn add_mistake(&mut self, mistake: String, fault: &str) {
        self.mistakes.entry(mistake).or_insert_with(|| (0, fault.to_owned())).0 += 1;
    }

    /// Runs with a fault, and compares with the true findings.
    fn inject(
        &mut self,
        setup: &Setup,
        truth: &Findings,
        number: usize,
        call: LoggedCall,
        false_result: FalseResult,
    ) {
        self.faults += 1;
        self.tried.insert((call.op.name(), format!("{false_result:?}")));
        let (op, [first, second]) = (call.op, call.args);
        let fault = format!(
            "{}: call {number}, {op:?}({first:#x}, {second:#x}): {false_result:?}",
            setup.name
        );
        let FaultyRun { findings, leftovers } =
            match setup.run_with_fault(number, call, false_result) {
                Ok(run) => run,
                Err(panic) => return self.add_mistake(format!("panic: {panic}"), &fault),
            };
        for leftover in leftovers.iter().filter(|leftover| !is_excusable(leftover, call)) {
            let kind = leftover.split(' ').next().unwrap_or_default();
            self.add_mistake(format!("left behind after {op:?}: {kind}"), &fault);
        }
        match findings {
            Ok(findings) => self.compare(setup, truth, &findings, &fault),
            // A path that cannot be opened ends the run.
            Err(_) if [Op::Open, Op::Unlink].contains(&op) => {}
            Err(error) => self.add_mistake(error.to_string(), &fault),
        }
    }

    fn compare(&mut self, setup: &Setup, truth: &Findings, findings: &Findings, fault: &str) {
        if !findings.complete || !findings.rows.iter().map(|row| row.0).eq(FLAG_NAMES) {
            self.add_mistake("rows are missing".to_owned(), fault);
        }
        for (&(flag, truth, _), &(_, verdict, code)) in truth.rows.iter().zip(&findings.rows) {
            if truth != verdict {
                *self.changed.entry((truth, verdict)).or_default() += 1;
            }
            if !is_weaker(setup, flag, truth, verdict) {
                self.add_mistake(format!("{flag}: {verdict} ({code}) instead of {truth}"), fault);
            }
        }
    }

    fn add(&mut self, other: Summary) {
        self.faults += other.faults;
        self.tried.extend(other.tried);
        for (change, count) in other.changed {
            *self.changed.entry(change).or_default() += count;
        }
        for (mistake, (count, fault)) in other.mistakes {
            self.mistakes.entry(mistake).or_insert((0, fault)).0 += count;
        }
    }
}

/// Kernels of every kind.
fn setups() -> Vec<Setup> {
    let setup = |name, rules| Setup { name, rules, paths: &[], thorough: false };
    let x86_6_12 = || Rules::new(Machine::X86, (6, 12));
    let x86_4_10 = || Rules::new(Machine::X86, (4, 10));
    vec![
        setup("x86_64 6.1", Rules::x86_6_1()),
        setup("x86_64 6.12", x86_6_12()),
        setup("x86_64 4.10", x86_4_10()),
        setup("parisc 6.1", Rules::parisc_6_1()),
        setup("parisc 6.12", Rules::new(Machine::Parisc, (6, 12))),
        setup("parisc 4.10", Rules::new(Machine::Parisc, (4, 10))),
        setup("parisc64 6.12", Rules::new(Machine::Parisc64, (6, 12))),
        setup("arm64 6.12", Rules::new(Machine::Arm64, (6, 12))),
        setup("arm64 5.10", Rules::new(Machine::Arm64, (5, 10))),
        setup("no memfd", Rules { no_memfd: true, ..x86_6_12() }),
        setup("no memfd, 4.10", Rules { no_memfd: true, ..x86_4_10() }),
        setup("everything is locked", Rules { locks_everything: true, ..x86_6_12() }),
        setup("no right to lock", Rules { lock_error: Some(Errno::EPERM), ..x86_6_12() }),
        setup(
            "POPULATE and LOCKED are ignored",
            Rules { ignored_flags: 0xa000, ..Rules::x86_6_1() },
        ),
        Setup {
            name: "thorough, with paths",
            rules: x86_6_12(),
            paths: &["/dax/file", "/disk", "/ext4/file"],
            thorough: true,
        },
    ]
}

/// One in so many faults is injected; another tenth on each kernel.
const ONE_IN: usize = 10;
/// Every fault is injected into operations with at most so many calls.
const FEW_CALLS: usize = 12;

fn inject_faults(index: usize, setup: &Setup) -> Summary {
    let TrueRun { findings, calls } = setup.run();
    let mut summary = Summary::default();
    for (number, &call) in calls.iter().enumerate() {
        let is_rare = calls.iter().filter(|other| other.op == call.op).count() <= FEW_CALLS;
        for (choice, &false_result) in false_results(call.op).iter().enumerate() {
            let has_address = false_result != FalseResult::RequestedAddress || call.args[0] != 0;
            let is_chosen = is_rare || (number + choice + index).is_multiple_of(ONE_IN);
            if has_address && is_chosen {
                summary.inject(setup, &findings, number, call, false_result);
            }
        }
    }
    summary
}

#[test]
fn one_wrong_result() {
    let (setups, start) = (setups(), Instant::now());
    let (next, total) = (Mutex::new(setups.iter().enumerate()), Mutex::new(Summary::default()));
    let take_next = || next.lock().expect("the next kernel").next();
    let work = || {
        while let Some((index, setup)) = take_next() {
            let summary = inject_faults(index, setup);
            let (seconds, changed) = (start.elapsed().as_secs_f32(), &summary.changed);
            println!("{seconds:5.1} s: {}: {} faults: {changed:?}", setup.name, summary.faults);
            total.lock().expect("the summary").add(summary);
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let total = total.into_inner().expect("the summary");
    println!(
        "{} faults in {:.1} s; {} pairs of operation and wrong result; {} verdicts changed: {:?}",
        total.faults,
        start.elapsed().as_secs_f32(),
        total.tried.len(),
        total.changed.values().sum::<usize>(),
        total.changed
    );
    for op in setups.iter().flat_map(|setup| setup.run().calls).map(|call| call.op) {
        for false_result in false_results(op) {
            let pair = (op.name(), format!("{false_result:?}"));
            assert!(total.tried.contains(&pair), "{pair:?} was never tried");
        }
    }
    let mistakes: Vec<String> = total
        .mistakes
        .iter()
        .map(|(mistake, (count, fault))| format!("{count:6} {mistake}\n       {fault}"))
        .collect();
    assert!(mistakes.is_empty(), "mistakes:\n{}", mistakes.join("\n"));
}

/// The results of calls about one huge page that could change the answer whether one can be had.
fn false_results_about_a_page(call: LoggedCall) -> Vec<FalseResult> {
    match call.op {
        Op::Mmap if call.args[0] == 0 => vec![FalseResult::Failure(Errno::ENOMEM)],
        Op::Mmap => vec![FalseResult::Failure(Errno::ENOMEM), FalseResult::RequestedAddress],
        Op::Munmap | Op::Store | Op::Load | Op::Read | Op::Write => vec![
            FalseResult::Failure(Errno::EFAULT),
            FalseResult::Failure(Errno::EINVAL),
            FalseResult::Success(1),
        ],
        _ => Vec::new(),
    }
}

/// Whether one huge page can be had: a yes needs a byte that was stored and loaded, or a large page
/// that cannot be split; a no needs two attempts.
#[test]
fn one_wrong_result_causes_no_wrong_answer_about_a_page() {
    let filled = Hugetlb { other_pools: 4, ..Hugetlb::default() };
    let (mut injected, mut mistakes) = (0, Vec::new());
    for (name, pool, hugetlb) in [
        ("empty", 0, Hugetlb::default()),
        ("filled", 4, filled),
        ("max 0", 4, Hugetlb { max: Some(0), ..filled }),
        ("rsvd.max 0", 4, Hugetlb { rsvd_max: Some(0), ..filled }),
    ] {
        let rules = Rules { pool, hugetlb, ..Rules::new(Machine::X86, (6, 12)) };
        let setup = Setup { name, rules, paths: &[], thorough: false };
        let TrueRun { findings: truth, calls } = setup.run();
        for (number, &call) in calls.iter().enumerate() {
            for result in false_results_about_a_page(call) {
                let run = setup.run_with_fault(number, call, result).expect("a run");
                let findings = run.findings.expect("findings");
                injected += 1;
                for ((_, is), (flag, was)) in findings.pages.iter().zip(&truth.pages) {
                    let (answer, _) = is.split_once(':').expect("an answer");
                    // The verdict may be weaker, and the answer with it.
                    let is_weaker = answer == "unknown" || is.ends_with("the verdict is a no");
                    if !was.starts_with(answer) && !is_weaker {
                        mistakes.push(format!("{name}: {number} {call:?} {result:?}: {flag} {is}"));
                    }
                }
            }
        }
    }
    assert!(injected > 1000, "{injected}");
    assert!(mistakes.is_empty(), "mistakes:\n{}", mistakes.join("\n"));
}
