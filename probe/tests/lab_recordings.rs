//! The kernel made of rules against recordings of real kernels, cell by cell: every bit of the flags argument under every map type and
//! backing, every value of the type field, and what follows for the verdicts. How the recordings were made is in
//! `recordings/README.md`.

use mapprobe::arch::Arch;
use mapprobe::evidence::{Backing, Outcome};
use mapprobe::flags::{Kind, TABLE};
use mapprobe::kernel::model::{Machine, Model, Rules};
use mapprobe::recording::replay;
use mapprobe::report::Report;
use mapprobe::run;
use program::findings::{arch, options};
use std::path::Path;

mod program;

/// A recorded kernel, and the rules it follows.
struct Recorded {
    name: &'static str,
    machine: Machine,
    era: (u8, u8),
    /// What this machine and configuration change.
    change: fn(&mut Rules),
}

const fn recorded(name: &'static str, machine: Machine, era: (u8, u8)) -> Recorded {
    Recorded { name, machine, era, change: |_| {} }
}

/// QEMU's default processor has no huge pages of 1 GiB.
const fn x86(name: &'static str, era: (u8, u8)) -> Recorded {
    Recorded {
        change: |rules| rules.huge_sizes.retain(|&size| size == 21),
        ..recorded(name, Machine::X86, era)
    }
}

const RECORDED: [Recorded; 14] = [
    x86("x86_64-5.10", (5, 10)),
    x86("x86_64-6.1", (6, 1)),
    x86("x86_64-6.12", (6, 12)),
    x86("x86_64-7.x", (7, 2)),
    recorded("aarch64-5.10", Machine::Arm64, (5, 10)),
    recorded("aarch64-6.1", Machine::Arm64, (6, 1)),
    recorded("aarch64-6.12", Machine::Arm64, (6, 12)),
    recorded("aarch64-7.x", Machine::Arm64, (7, 2)),
    recorded("aarch64-7.x-16k", Machine::Arm64Large, (7, 2)),
    recorded("hppa-5.10", Machine::Parisc, (5, 10)),
    recorded("hppa-6.1", Machine::Parisc, (6, 1)),
    recorded("hppa-6.12", Machine::Parisc, (6, 12)),
    recorded("hppa64-6.1", Machine::Parisc64, (6, 1)),
    recorded("hppa64-6.12", Machine::Parisc64, (6, 12)),
];

impl Recorded {
    fn replay(&self, what: &str) -> Report {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/recordings/lab/{}.{what}.txt", self.name));
        let recording =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        replay(&recording, TABLE, false)
            .unwrap_or_else(|complaint| panic!("{}: {complaint}", path.display()))
    }

    fn model(&self, what: &str) -> Report {
        let mut rules = Rules::new(self.machine, self.era);
        (self.change)(&mut rules);
        run::report(
            &mut Model::new(rules),
            arch(self.machine),
            &options(&[what]),
            TABLE,
            &mut |_| {},
        )
        .expect("a report")
    }
}

#[test]
fn every_cell_of_every_sweep() {
    let (mut compared, mut differ) = (0, Vec::new());
    for recorded in &RECORDED {
        let (real, model) = (recorded.replay("sweep").sweep, recorded.model("sweep").sweep);
        assert_eq!(
            (&real.contexts, real.bits, real.named),
            (&model.contexts, model.bits, model.named)
        );
        let cells = |answers: &[Outcome]| answers.to_vec();
        for (at, (real, model)) in
            cells(&real.answers).into_iter().zip(cells(&model.answers)).enumerate()
        {
            compared += 1;
            if real != model {
                differ.push(format!(
                    "{} cell {at}: {real:?}, and the model says {model:?}",
                    recorded.name
                ));
            }
        }
        assert_eq!(real.answers.len(), model.answers.len());
        assert!(real.contexts.iter().any(|context| context.1 == Backing::PIPE));
    }
    println!("{compared} cells of {} kernels", RECORDED.len());
    assert!(
        differ.is_empty(),
        "{} of {compared} cells differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
}

#[test]
fn every_verdict() {
    let (mut compared, mut differ) = (0, Vec::new());
    for recorded in &RECORDED {
        let (real, model) = (recorded.replay("report"), recorded.model("report"));
        for (real, model) in real.rows.iter().zip(&model.rows) {
            compared += 1;
            let (said, expected) = (real.finding.0.word().plain(), model.finding.0.word().plain());
            if said != expected {
                differ.push(format!(
                    "{}: {} is {said}, and on the model {expected}",
                    recorded.name,
                    real.flag.name.plain()
                ));
            }
        }
        assert_eq!(real.rows.len(), TABLE.len());
        assert_eq!(real.environment, 0, "{}", recorded.name);
    }
    println!("{compared} verdicts");
    assert!(
        differ.is_empty(),
        "{} of {compared} verdicts differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
}

/// What a new flag could be detected by: the bits that `MAP_SHARED_VALIDATE` refuses (`LEGACY_MAP_MASK`, `include/linux/mman.h`) and no
/// header of the architecture names, and the values of its type field without a name (`MAP_TYPE`).
#[test]
fn what_is_guaranteed_to_fail() {
    let high: Vec<u64> = [9, 10, 21, 22, 23, 24, 25].into_iter().chain(32..64).collect();
    for recorded in &RECORDED {
        let report = recorded.replay("sweep");
        let bits = |mask: u64| (0..64).filter(|bit| mask >> bit & 1 == 1).collect::<Vec<u64>>();
        let named = TABLE
            .iter()
            .filter(|flag| flag.kind == Kind::Bit)
            .filter_map(|flag| flag.value(report.arch));
        let named = named.fold(0, |all, bits| all | bits)
            | 0x3f << 26
            | report.validation.as_ref().unwrap().0.type_mask.unwrap();
        let free = bits(report.sweep.refused() & !named);
        let expected: Vec<u64> = match report.arch {
            Arch::X86_64 => high.clone(),
            Arch::Aarch64 => [6, 7].into_iter().chain(high.clone()).collect(),
            Arch::Hppa => vec![6, 7, 8, 9, 10, 21, 22, 23, 24, 25],
        };
        assert_eq!(free, expected, "{}", recorded.name);
        assert_eq!(
            report.sweep.failing() & !named,
            0,
            "{}: MAP_SHARED and MAP_PRIVATE look at no flag",
            recorded.name
        );
        assert_eq!(
            report.sweep.passed() & !named,
            0,
            "{}: a flag that the table does not name",
            recorded.name
        );
    }
    // Before 4.15 nothing is: on parisc bit 0x08 is taken and forgotten, and could have carried no new flag.
    let old = Recorded { era: (4, 10), ..recorded("hppa-4.10", Machine::Parisc, (4, 10)) }
        .model("sweep")
        .sweep;
    // Huge pages are not configured: bit 19 has a name, and is refused.
    assert_eq!((old.refused(), old.failing()), (0, 1 << 19));
    let private =
        old.contexts.iter().position(|context| *context == (2, Backing::ANONYMOUS)).unwrap();
    let (_, base, answers) = old.of(private).unwrap();
    assert_eq!((base, answers[3]), (Outcome::THERE, Outcome::THERE));
}
