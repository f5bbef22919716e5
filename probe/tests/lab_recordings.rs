//! The simulated kernel against recordings of real kernels: every bit of the flags argument under
//! every map type and backing, every value of the type field, and every verdict.
//! `recordings/README.md` describes how the recordings were made.

use mapprobe::arch::Arch;
use mapprobe::environment::Observed;
use mapprobe::flags::{Flag, HUGE_SIZE_FIELD, flag_bits};
use mapprobe::outcome::{Backing, Context, Outcome};
use mapprobe::probe;
use mapprobe::replay::replay;
use mapprobe::report::Report;
use mapprobe::request::RecordingVersion;
use mapprobe::verdict::Verdict;
use program::machine::arch;
use program::query::query;
use simulator::{Machine, Rules, SimulatedKernel, Version};
use std::path::Path;

mod program {
    pub mod machine;
    pub mod query;
}

/// A recorded kernel, and the rules that it follows.
struct Recorded {
    /// The beginning of the names of its files.
    name: &'static str,
    machine: Machine,
    version: Version,
    /// QEMU's default processor for x86_64 has no huge pages of 1 GiB.
    has_1gb_pages: bool,
}

const fn recorded(name: &'static str, machine: Machine, version: Version) -> Recorded {
    Recorded { name, machine, version, has_1gb_pages: !matches!(machine, Machine::X86) }
}

/// Kernels that no package has any more come first.
const RECORDED: [Recorded; 20] = [
    recorded("old/x86_64-2.6.32", Machine::X86, (2, 6)),
    recorded("old/x86_64-4.4", Machine::X86, (4, 4)),
    recorded("old/x86_64-4.14", Machine::X86, (4, 14)),
    recorded("old/x86_64-4.15", Machine::X86, (4, 15)),
    recorded("old/hppa-4.14", Machine::Parisc, (4, 14)),
    recorded("old/hppa-4.15", Machine::Parisc, (4, 15)),
    recorded("lab/x86_64-5.10", Machine::X86, (5, 10)),
    recorded("lab/x86_64-6.1", Machine::X86, (6, 1)),
    recorded("lab/x86_64-6.12", Machine::X86, (6, 12)),
    recorded("lab/x86_64-7.x", Machine::X86, (7, 2)),
    recorded("lab/aarch64-5.10", Machine::Arm64, (5, 10)),
    recorded("lab/aarch64-6.1", Machine::Arm64, (6, 1)),
    recorded("lab/aarch64-6.12", Machine::Arm64, (6, 12)),
    recorded("lab/aarch64-7.x", Machine::Arm64, (7, 2)),
    recorded("lab/aarch64-7.x-16k", Machine::Arm64Large, (7, 2)),
    recorded("lab/hppa-5.10", Machine::Parisc, (5, 10)),
    recorded("lab/hppa-6.1", Machine::Parisc, (6, 1)),
    recorded("lab/hppa-6.12", Machine::Parisc, (6, 12)),
    recorded("lab/hppa64-6.1", Machine::Parisc64, (6, 1)),
    recorded("lab/hppa64-6.12", Machine::Parisc64, (6, 12)),
];

/// The report of a query on a simulated kernel, by the calls of a version of recordings.
fn simulate(rules: Rules, command: &str, version: RecordingVersion) -> Box<Report> {
    let arch = arch(rules.machine);
    let mut kernel = SimulatedKernel::new(rules);
    let mut options = query(&[command]).options;
    options.recording_version = version;
    probe::run(&mut kernel, arch, Flag::ALL, &options, &mut |_| {}).expect("a report")
}

impl Recorded {
    fn read(&self, command: &str) -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/recordings/{}.{command}.txt", self.name));
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn replay(&self, command: &str) -> Box<Report> {
        replay(&self.read(command), false)
            .unwrap_or_else(|problem| panic!("{} {command}: {problem}", self.name))
    }

    /// The version of the recording, whose calls the simulated kernel gets.
    fn version_of_recording(&self, command: &str) -> RecordingVersion {
        match self.read(command).split(|&byte| byte == b'\n').next() {
            Some(b"mapprobe recording 1") => RecordingVersion::One,
            _ => RecordingVersion::Two,
        }
    }

    fn simulate(&self, command: &str) -> Box<Report> {
        let mut rules = Rules::new(self.machine, self.version);
        if !self.has_1gb_pages {
            rules.huge_sizes.retain(|&log2| log2 != 30);
        }
        simulate(rules, command, self.version_of_recording(command))
    }
}

/// The bits outside [`named_bits`] that are set in a mask.
fn unnamed_bits(mask: usize, report: &Report) -> Vec<usize> {
    let unnamed = mask & !named_bits(report);
    (0..64).filter(|bit| unnamed >> bit & 1 == 1).collect()
}

/// The bits that the headers of the architecture name, the huge page size field, and the measured
/// type field.
fn named_bits(report: &Report) -> usize {
    let (validation, _) = report.validation.as_ref().expect("a validation");
    flag_bits(report.arch) | HUGE_SIZE_FIELD | validation.type_mask.expect("a type field")
}

/// Every outcome of a sweep.
fn cells(report: &Report) -> Vec<(Context, Option<usize>, Outcome)> {
    let mut cells = Vec::new();
    for of_context in &report.sweep.contexts {
        cells.push((of_context.context, None, of_context.base));
        let bits = of_context.bits.iter().enumerate();
        cells.extend(bits.map(|(bit, &outcome)| (of_context.context, Some(bit), outcome)));
    }
    cells.extend(report.sweep.types.iter().map(|&(context, outcome)| (context, None, outcome)));
    cells
}

#[test]
fn every_cell_of_every_sweep() {
    let (mut compared, mut differ) = (0, Vec::new());
    for recorded in &RECORDED {
        let real = cells(&recorded.replay("sweep"));
        let simulated = cells(&recorded.simulate("sweep"));
        assert_eq!(real.len(), simulated.len(), "{}", recorded.name);
        assert!(real.iter().any(|(context, ..)| context.backing == Backing::Pipe));
        compared += real.len();
        for (real, simulated) in real.into_iter().zip(simulated) {
            if real != simulated {
                differ.push(format!("{}: {real:?}, simulated {simulated:?}", recorded.name));
            }
        }
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
        let (real, simulated) = (recorded.replay("report"), recorded.simulate("report"));
        assert!(real.rows.iter().map(|row| row.flag).eq(Flag::ALL.iter().copied()));
        assert_eq!(real.rows.len(), simulated.rows.len());
        // memfd_create came with 3.17.
        let environment: &[&str] = if recorded.version < (3, 17) { &["no memfd"] } else { &[] };
        for report in [&real, &simulated] {
            let names: Vec<&str> = report.environment.iter().map(Observed::name).collect();
            assert_eq!(names, environment, "{}", recorded.name);
        }
        compared += real.rows.len();
        for (real, simulated) in real.rows.iter().zip(&simulated.rows) {
            let (verdict, simulated) = (real.finding.verdict, simulated.finding.verdict);
            if verdict != simulated {
                let flag = real.flag.name();
                differ.push(format!(
                    "{} {flag}: {}, simulated {}",
                    recorded.name,
                    verdict.word(),
                    simulated.word()
                ));
            }
        }
    }
    println!("{compared} verdicts");
    assert!(
        differ.is_empty(),
        "{} of {compared} verdicts differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
}

/// A recording of version 1 has only touches by system calls, and on x86 before 5.0 those alone
/// make a mapping grow. So it does not show that a program gets the effect.
#[test]
fn growth_without_a_programs_own_store_is_accepted() {
    let mut grown = 0;
    for recorded in &RECORDED {
        let report = recorded.replay("report");
        let one = recorded.version_of_recording("report") == RecordingVersion::One;
        for row in report.rows.iter().filter(|row| row.flag == Flag::MAP_GROWSDOWN) {
            let reason = row.finding.reason;
            let expected = match (report.arch, one) {
                // Stacks grow upwards.
                (Arch::Hppa, _) => (Verdict::Unavailable, None),
                (_, true) => (Verdict::Accepted, Some("a program's own store was not tried")),
                (_, false) => (Verdict::Honored, None),
            };
            grown += usize::from(report.arch != Arch::Hppa);
            assert_eq!((row.finding.verdict, reason.remark), expected, "{}", recorded.name);
        }
    }
    assert_eq!(grown, 13);
}

/// A new flag can be detected by a bit that `MAP_SHARED_VALIDATE` rejects (`LEGACY_MAP_MASK`,
/// `include/linux/mman.h`) and no header of the architecture names.
#[test]
fn bits_that_are_guaranteed_to_fail() {
    let common = || [9, 10, 21, 22, 23, 24, 25].into_iter();
    for recorded in RECORDED.iter().filter(|recorded| recorded.version >= (4, 15)) {
        let report = recorded.replay("sweep");
        let expected: Vec<usize> = match report.arch {
            Arch::X86_64 => common().chain(32..64).collect(),
            Arch::Aarch64 => [6, 7].into_iter().chain(common()).chain(32..64).collect(),
            // 0x08 and 0x20 are not part of the map type yet.
            Arch::Hppa if recorded.version == (4, 15) => {
                [3, 5, 6, 7, 8].into_iter().chain(common()).collect()
            }
            Arch::Hppa => [6, 7, 8].into_iter().chain(common()).collect(),
        };
        let unnamed = |mask| unnamed_bits(mask, &report);
        assert_eq!(unnamed(report.sweep.rejected()), expected, "{}", recorded.name);
        // MAP_SHARED and MAP_PRIVATE ignore unknown flags.
        assert_eq!(unnamed(report.sweep.failing()), [], "{}", recorded.name);
        // The table names every flag that the kernel accepts.
        assert_eq!(unnamed(report.sweep.accepted()), [], "{}", recorded.name);
    }
}

/// Before 4.15 no kernel validates flags. parisc accepts and ignores bit 3, which therefore cannot
/// carry a new flag. Bit 19, `MAP_HUGETLB`, fails because huge pages are not configured.
#[test]
fn no_bit_is_guaranteed_to_fail_before_4_15() {
    for recorded in RECORDED.iter().filter(|recorded| recorded.version < (4, 15)) {
        assert_eq!(recorded.replay("sweep").sweep.rejected(), 0, "{}", recorded.name);
    }
    let sweep =
        simulate(Rules::new(Machine::Parisc, (4, 10)), "sweep", RecordingVersion::Two).sweep;
    assert_eq!((sweep.rejected(), sweep.failing()), (0, 1 << 19));
    let private_anonymous = Context { map_type: 0x02, backing: Backing::Anonymous };
    let mut contexts = sweep.contexts.iter();
    let found = contexts.find(|answers| answers.context == private_anonymous).expect("a context");
    assert_eq!((found.base, found.bits[3]), (Outcome::MappedThere, Outcome::MappedThere));
}

/// On parisc `MAP_TYPE` is 0x03 in 4.14 and still in 4.15, beside a working `MAP_SHARED_VALIDATE`
/// (`arch/parisc/include/uapi/asm/mman.h` of 4.15.0), and 0x2b in 5.10. So 4.15 accepts the map
/// types below, and ignores bit 0x08, which the later mask made part of the type.
#[test]
fn the_type_field_of_parisc() {
    let types = |name: &str| {
        let recorded = RECORDED.iter().find(|recorded| recorded.name == name).expect("a recording");
        let report = recorded.replay("sweep");
        let (validation, _) = report.validation.as_ref().expect("a validation");
        let accepted = |&value: &usize| {
            report.sweep.types.iter().any(|(context, outcome)| {
                *context == Context { map_type: value, backing: Backing::Anonymous }
                    && outcome.succeeded()
            })
        };
        let accepted: Vec<usize> =
            [0x9, 0xa, 0x21, 0x22, 0x29, 0x2a].into_iter().filter(accepted).collect();
        (validation.present, validation.type_mask, accepted)
    };
    let taken = vec![0x9, 0xa, 0x21, 0x22, 0x29, 0x2a];
    assert_eq!(types("old/hppa-4.14"), (Some(false), Some(0x03), taken.clone()));
    assert_eq!(types("old/hppa-4.15"), (Some(true), Some(0x03), taken));
    assert_eq!(types("lab/hppa-5.10"), (Some(true), Some(0x2b), vec![]));
}
