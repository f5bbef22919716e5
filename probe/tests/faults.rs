//! A kernel that lies once, about any call: no single wrong answer may turn into a wrong `honored`, `ignored` or `unknown`, nor into an
//! `accepted` of what is not even known; nor end the run, nor leave more behind than it itself took away the means to undo.

use mapprobe::errno::Errno;
use mapprobe::kernel::Op;
use mapprobe::kernel::model::{Machine, Rules};
use program::findings::Findings;
use program::liar::{Asked, Lie, Run, range};
use program::oracle::NAMES;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

mod program;

/// The errors of `mmap(2)`, and what its flags are told by.
const ERRORS: [Errno; 14] = [
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
/// What only other calls fail with.
const OTHER_ERRORS: [Errno; 5] =
    [Errno::EFAULT, Errno::EBUSY, Errno::EIO, Errno::EINTR, Errno::ENOENT];

/// An address at which nothing is ever mapped.
const ELSEWHERE: u64 = 0x7000_0000;

/// What a call may be answered with in place of the truth.
fn lies(op: Op) -> Vec<Lie> {
    let fails =
        |errnos: &[Errno]| errnos.iter().map(|&errno| Lie::Fails(errno)).collect::<Vec<_>>();
    let mut lies = fails(&ERRORS);
    match op {
        Op::Mmap => lies.extend([Lie::Gives(ELSEWHERE), Lie::GivesAsAsked]),
        // The auxiliary vector and the clock have no other values than true ones.
        Op::PageSize | Op::Euid | Op::Pid | Op::Time | Op::Uname => lies.truncate(1),
        _ => {
            lies.extend(fails(&OTHER_ERRORS));
            lies.extend([Lie::Gives(0), Lie::Gives(1)]);
        }
    }
    lies
}

/// Whether what is left is what the lie itself kept from being undone.
fn fair(left: &str, (op, first, second): Asked) -> bool {
    match op {
        Op::Munmap => range(left).is_some_and(|(start, end)| {
            first <= start && end <= first + second.next_multiple_of(1 << 16)
        }),
        Op::Close => left.starts_with(&format!("descriptor {first}:")),
        Op::Unlink => left.starts_with("file "),
        _ => false,
    }
}

/// Whether what is said after a lie is no more than is said without: nothing, or that it cannot be had, or that it is known where it is.
fn weaker(run: &Run, flag: &str, was: &str, is: &str) -> bool {
    // What a validator knows though nothing comes of it, and flags that every kernel with a validator knows.
    let validated = was == "ignored" && flag != "MAP_FIXED_NOREPLACE"
        || ["MAP_ANONYMOUS", "MAP_SHARED_VALIDATE"].contains(&flag);
    let known = was == "honored" || run.rules.validate && validated;
    was == is
        || was != "absent" && ["inconclusive", "unavailable"].contains(&is)
        || known && is == "accepted"
}

/// What became of the runs with one lie each.
#[derive(Default)]
struct Outcome {
    lies: usize,
    /// How often a verdict turned into another.
    turned: BTreeMap<(&'static str, &'static str), usize>,
    /// Calls and answers that occurred.
    pairs: BTreeSet<(String, String)>,
    /// What is wrong, by flag and verdicts or by what is left, and the first lie that showed it.
    wrong: BTreeMap<String, (usize, String)>,
}

impl Outcome {
    fn complain(&mut self, what: String, lie: &str) {
        self.wrong.entry(what).or_insert_with(|| (0, lie.to_string())).0 += 1;
    }

    /// Runs with one lie, and compares.
    fn tell(&mut self, run: &Run, truth: &Findings, at: usize, asked: Asked, lie: Lie) {
        self.lies += 1;
        self.pairs.insert((format!("{:?}", asked.0), format!("{lie:?}")));
        let about = format!(
            "{}: call {at}, {:?}({:#x}, {:#x}): {lie:?}",
            run.name, asked.0, asked.1, asked.2
        );
        let (found, left) = match run.with(at, asked, lie) {
            Ok(ended) => ended,
            Err(panic) => return self.complain(format!("the run ends: {panic}"), &about),
        };
        for left in left.iter().filter(|left| !fair(left, asked)) {
            self.complain(
                format!(
                    "left behind after {:?}: {}",
                    asked.0,
                    left.split(' ').next().unwrap_or("")
                ),
                &about,
            );
        }
        let found = match found {
            Ok(found) => found,
            Err(_) if [Op::Open, Op::Unlink].contains(&asked.0) => return,
            Err(complaint) => return self.complain(complaint, &about),
        };
        if !found.complete || !found.rows.iter().map(|row| row.0).eq(NAMES) {
            self.complain("rows are missing".to_string(), &about);
        }
        for (&(flag, was, _), &(_, is, code)) in truth.rows.iter().zip(&found.rows) {
            if was != is {
                *self.turned.entry((was, is)).or_insert(0) += 1;
            }
            if !weaker(run, flag, was, is) {
                self.complain(format!("{flag} is {was}, and is called {is} ({code})"), &about);
            }
        }
    }

    fn join(&mut self, other: Outcome) {
        self.lies += other.lies;
        self.pairs.extend(other.pairs);
        for (turned, count) in other.turned {
            *self.turned.entry(turned).or_insert(0) += count;
        }
        for (what, (count, lie)) in other.wrong {
            self.wrong.entry(what).or_insert((0, lie)).0 += count;
        }
    }
}

/// Kernels of every kind, and what is asked of them.
fn runs() -> Vec<Run> {
    let plain = |name, rules| Run { name, rules, paths: &[], thorough: false };
    let new = |machine, era| Rules::new(machine, era);
    vec![
        plain("x86_64 6.1", Rules::x86_6_1()),
        plain("x86_64 6.12", new(Machine::X86, (6, 12))),
        plain("x86_64 4.10", new(Machine::X86, (4, 10))),
        plain("parisc 6.1", Rules::parisc_6_1()),
        plain("parisc 6.12", new(Machine::Parisc, (6, 12))),
        plain("parisc 4.10", new(Machine::Parisc, (4, 10))),
        plain("parisc64 6.12", new(Machine::Parisc64, (6, 12))),
        plain("arm64 6.12", new(Machine::Arm64, (6, 12))),
        plain("arm64 5.10", new(Machine::Arm64, (5, 10))),
        plain("no memfd", Rules { no_memfd: true, ..new(Machine::X86, (6, 12)) }),
        plain("no memfd 4.10", Rules { no_memfd: true, ..new(Machine::X86, (4, 10)) }),
        plain(
            "everything is locked",
            Rules { locks_everything: true, ..new(Machine::X86, (6, 12)) },
        ),
        plain(
            "no right to lock",
            Rules { lock_refusal: Some(Errno::EPERM), ..new(Machine::X86, (6, 12)) },
        ),
        plain("POPULATE and LOCKED are dropped", Rules { drops: 0xa000, ..Rules::x86_6_1() }),
        Run {
            name: "thorough, with paths",
            rules: new(Machine::X86, (6, 12)),
            paths: &["/dax/file", "/disk", "/ext4/file"],
            thorough: true,
        },
    ]
}

/// One in so many lies is told on each kernel; which ones differs from kernel to kernel, so that each is told of every kind of call. Of
/// calls that are made a few times only, all are.
const ONE_IN: usize = 10;
const A_FEW: usize = 12;

#[test]
fn one_wrong_answer() {
    let (runs, begun) = (runs(), std::time::Instant::now());
    let (next, all) = (Mutex::new(0), Mutex::new(Outcome::default()));
    let work = || {
        loop {
            let number = {
                let mut next = next.lock().expect("the number of the next kernel");
                *next += 1;
                *next - 1
            };
            let Some(run) = runs.get(number) else { return };
            let (honest, mut outcome) = (run.honest(), Outcome::default());
            for (at, &asked) in honest.calls.iter().enumerate() {
                let rare = honest.calls.iter().filter(|(op, ..)| *op == asked.0).count() <= A_FEW;
                for (which, &lie) in lies(asked.0).iter().enumerate() {
                    let told = lie != Lie::GivesAsAsked || asked.1 != 0;
                    if told && (rare || (at + which + number).is_multiple_of(ONE_IN)) {
                        outcome.tell(run, &honest.findings, at, asked, lie);
                    }
                }
            }
            let seconds = begun.elapsed().as_secs_f32();
            println!("{seconds:5.1} s: {} lies, {}: {:?}", outcome.lies, run.name, outcome.turned);
            all.lock().expect("what became of it").join(outcome);
        }
    };
    std::thread::scope(|scope| {
        [scope.spawn(work), scope.spawn(work)].map(|thread| thread.join().expect("no panic"))
    });
    let all = all.into_inner().expect("what became of it");
    println!(
        "{} lies in {:.1} s, {} verdicts turned: {:?}",
        all.lies,
        begun.elapsed().as_secs_f32(),
        all.turned.values().sum::<usize>(),
        all.turned
    );
    println!("{} pairs of a kind of call and a lie", all.pairs.len());
    let ops: Vec<Op> = runs.iter().flat_map(|run| run.honest().calls).map(|(op, ..)| op).collect();
    for op in ops {
        for lie in lies(op) {
            let pair = (format!("{op:?}"), format!("{lie:?}"));
            assert!(all.pairs.contains(&pair), "{pair:?} was never tried");
        }
    }
    let wrong =
        all.wrong.iter().map(|(what, (count, lie))| format!("{count:6} {what}\n       {lie}"));
    assert!(all.wrong.is_empty(), "wrong:\n{}", wrong.collect::<Vec<_>>().join("\n"));
}
