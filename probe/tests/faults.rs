//! A kernel that lies once: no single wrong answer of `mmap` may turn into a wrong `honored`, `ignored` or `unknown`, nor into an
//! `accepted` of what is not even known.

use mapprobe::arch::Arch;
use mapprobe::errno::Errno;
use mapprobe::flags::TABLE;
use mapprobe::kernel::Answer;
use mapprobe::kernel::model::{Model, Rules};
use mapprobe::report::Report;
use mapprobe::run::probe;
use std::collections::BTreeMap;

/// The errors of `mmap(2)`, and two that only others give.
const ERRORS: [Errno; 13] = [
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
];

fn run(arch: Arch, rules: &Rules, fault: Option<(usize, Answer)>) -> (Report, usize) {
    let mut model = Model::new(rules.clone());
    model.fault = fault;
    (probe(&mut model, arch, TABLE, 2), model.calls)
}

#[track_caller]
fn survives(arch: Arch, rules: Rules) {
    let (truth, calls) = run(arch, &rules, None);
    let (mut injected, mut changed, mut wrong) = (0, BTreeMap::new(), Vec::new());
    let elsewhere = Answer::value(0x7000_0000);
    for at in 0..calls {
        for answer in ERRORS.map(Answer::failed).into_iter().chain([elsewhere]) {
            injected += 1;
            let (report, _) = run(arch, &rules, Some((at, answer)));
            assert_eq!(report.rows.len(), TABLE.len());
            for (was, is) in truth.rows.iter().zip(&report.rows) {
                let (was, is, flag) = (was.finding.0.word(), is.finding.0.word(), is.flag.name);
                if was == is {
                    continue;
                }
                *changed.entry((was, is)).or_insert(0) += 1;
                // Accepted is true of what is honored, of what a validator knows though nothing comes of it, and of flags that every
                // kernel with that validator knows.
                let validated = was == "ignored" || ["MAP_ANONYMOUS", "MAP_SHARED_VALIDATE"].contains(&flag);
                let known = was == "honored" || rules.validate && validated;
                let weaker = ["inconclusive", "unavailable"].contains(&is) || known && is == "accepted";
                if !weaker {
                    wrong.push(format!("call {at} answers {answer:?}: {flag} is {was}, and is called {is}"));
                }
            }
        }
    }
    println!("{injected} faults: {changed:?}");
    assert!(
        wrong.is_empty(),
        "{} of {injected} faults: {changed:?}\n{}",
        wrong.len(),
        wrong[..wrong.len().min(30)].join("\n")
    );
}

#[test]
fn one_wrong_answer_on_x86_6_1() {
    survives(Arch::X86_64, Rules::x86_6_1());
}

#[test]
fn one_wrong_answer_on_parisc_6_1() {
    survives(Arch::Hppa, Rules::parisc_6_1());
}

#[test]
fn one_wrong_answer_before_4_15() {
    survives(Arch::X86_64, Rules { validate: false, noreplace: false, ..Rules::x86_6_1() });
    survives(Arch::Hppa, Rules { validate: false, noreplace: false, ..Rules::parisc_6_1() });
}

#[test]
fn one_wrong_answer_on_newer_kernels() {
    survives(Arch::X86_64, Rules { above4g: true, droppable: Some(Ok(())), ..Rules::x86_6_1() });
    survives(Arch::Hppa, Rules { droppable: Some(Err(Errno::ENOTSUPP)), ..Rules::parisc_6_1() });
}

#[test]
fn one_wrong_answer_where_something_else_is_wrong() {
    survives(Arch::X86_64, Rules { no_memfd: true, ..Rules::x86_6_1() });
    survives(Arch::X86_64, Rules { locks_everything: true, ..Rules::x86_6_1() });
    survives(Arch::X86_64, Rules { lock_refusal: Some(Errno::EPERM), ..Rules::x86_6_1() });
    survives(Arch::X86_64, Rules { drops: 0xa000, ..Rules::x86_6_1() });
}
