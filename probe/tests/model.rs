//! Whole runs on kernels made of rules: what they really do is known, so the verdicts are too.

use mapprobe::arch::Arch;
use mapprobe::command;
use mapprobe::errno::Errno;
use mapprobe::flags::TABLE;
use mapprobe::kernel::model::{Model, Rules};
use mapprobe::report::sentence::flags;
use mapprobe::report::{FORMATS, Report};
use mapprobe::run::probe;

fn run(arch: Arch, rules: Rules) -> Report {
    let mut model = Model::new(rules);
    let report = probe(&mut model, arch, TABLE, 2);
    assert_eq!((model.mapped(), model.open()), (0, 0), "something is left behind");
    assert_eq!(report.rows.len(), TABLE.len());
    assert!(report.complete);
    report
}

fn verdict(report: &Report, name: &str) -> &'static str {
    report.rows.iter().find(|row| row.flag.name == name).expect("every row has a finding").finding.0.word()
}

#[track_caller]
fn expect(report: &Report, expected: &[(&str, &str)]) {
    for (word, names) in expected {
        for name in names.split_whitespace() {
            let row = report.rows.iter().find(|row| row.flag.name == name).expect("a row");
            assert_eq!(verdict(report, name), *word, "{name}: {:?}\n{:?}", row.finding, report.calls(&row.calls));
        }
    }
}

/// The flags whose effect is proved.
const PROVED: &str =
    "MAP_SHARED MAP_PRIVATE MAP_SHARED_VALIDATE MAP_FIXED MAP_ANONYMOUS MAP_LOCKED MAP_POPULATE MAP_FIXED_NOREPLACE";

#[test]
fn x86_6_1() {
    let report = run(Arch::X86_64, Rules::x86_6_1());
    expect(
        &report,
        &[
            ("honored", PROVED),
            ("accepted", "MAP_32BIT MAP_GROWSDOWN MAP_DENYWRITE MAP_EXECUTABLE MAP_NORESERVE MAP_NONBLOCK MAP_STACK"),
            ("accepted", "MAP_HUGETLB MAP_UNINITIALIZED MAP_HUGE_2MB MAP_HUGE_1GB"),
            ("unknown", "MAP_ABOVE4G MAP_DROPPABLE"),
            ("inconclusive", "MAP_SYNC"),
            ("unavailable", "MAP_HUGE_64KB MAP_HUGE_16GB"),
        ],
    );
    let (validation, _) = report.validation.expect("it could be asked");
    assert_eq!((validation.present, validation.validating), (Some(true), Some(true)));
    assert_eq!(validation.type_mask, Some(0x0f));
    assert!(!validation.emulated && report.environment.is_empty());
}

#[test]
fn parisc_6_1() {
    let report = run(Arch::Hppa, Rules::parisc_6_1());
    expect(
        &report,
        &[
            ("honored", PROVED),
            ("accepted", "MAP_GROWSDOWN MAP_DENYWRITE MAP_EXECUTABLE MAP_NORESERVE MAP_NONBLOCK MAP_STACK"),
            ("absent", "MAP_32BIT MAP_ABOVE4G MAP_SYNC MAP_UNINITIALIZED"),
            ("unknown", "MAP_DROPPABLE"),
            ("unavailable", "MAP_HUGETLB MAP_HUGE_2MB"),
        ],
    );
    assert_eq!(report.validation.expect("it could be asked").0.type_mask, Some(0x2b));
}

/// Before 4.15 nobody looks at unknown bits: what is not proved by its effect cannot be told.
#[test]
fn before_validation_nothing_is_called_known_or_unknown() {
    let old = Rules { validate: false, noreplace: false, ..Rules::x86_6_1() };
    let report = run(Arch::X86_64, old.clone());
    expect(
        &report,
        &[
            ("honored", "MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS MAP_LOCKED MAP_POPULATE"),
            ("unknown", "MAP_SHARED_VALIDATE MAP_DROPPABLE"),
            ("ignored", "MAP_FIXED_NOREPLACE"),
            ("inconclusive", "MAP_ABOVE4G MAP_STACK MAP_SYNC MAP_HUGETLB MAP_HUGE_2MB MAP_UNINITIALIZED"),
        ],
    );
    assert_eq!(report.validation.expect("it could be asked").0.present, Some(false));

    let parisc = Rules { validate: false, noreplace: false, ..Rules::parisc_6_1() };
    let report = run(Arch::Hppa, parisc);
    assert_eq!(report.validation.expect("it could be asked").0.type_mask, Some(0x03), "MAP_TYPE before 4.15");
}

#[test]
fn newer_kernels_know_more() {
    let newer = Rules { above4g: true, droppable: Some(Ok(())), ..Rules::x86_6_1() };
    expect(&run(Arch::X86_64, newer), &[("accepted", "MAP_ABOVE4G MAP_DROPPABLE")]);
    for errno in [Errno::ENOTSUPP, Errno::EOPNOTSUPP] {
        let narrow = Rules { droppable: Some(Err(errno)), ..Rules::parisc_6_1() };
        expect(&run(Arch::Hppa, narrow), &[("unavailable", "MAP_DROPPABLE")]);
    }
}

#[test]
fn a_limit_on_locked_memory_is_not_a_no() {
    for errno in [Errno::EPERM, Errno::EAGAIN] {
        let limited = Rules { lock_refusal: Some(errno), ..Rules::x86_6_1() };
        expect(&run(Arch::X86_64, limited), &[("unavailable", "MAP_LOCKED"), ("honored", "MAP_POPULATE")]);
    }
}

/// Everything looks locked and populated then, with or without the flags.
#[test]
fn a_process_that_locks_everything_cannot_tell() {
    let locking = Rules { locks_everything: true, ..Rules::x86_6_1() };
    expect(&run(Arch::X86_64, locking), &[("inconclusive", "MAP_LOCKED MAP_POPULATE"), ("honored", "MAP_FIXED")]);
}

#[test]
fn a_flag_that_is_taken_and_forgotten_is_ignored() {
    let forgetful = Rules { drops: 0x8000 | 0x2000, ..Rules::x86_6_1() };
    expect(&run(Arch::X86_64, forgetful), &[("ignored", "MAP_POPULATE MAP_LOCKED"), ("honored", "MAP_FIXED")]);
}

#[test]
fn without_a_memfd_the_rest_is_still_told() {
    let poor = Rules { no_memfd: true, ..Rules::x86_6_1() };
    let report = run(Arch::X86_64, poor);
    expect(
        &report,
        &[
            ("honored", "MAP_FIXED MAP_FIXED_NOREPLACE MAP_LOCKED MAP_POPULATE MAP_SHARED_VALIDATE"),
            ("accepted", "MAP_STACK MAP_HUGETLB MAP_HUGE_2MB"),
            ("unknown", "MAP_ABOVE4G MAP_DROPPABLE"),
            ("inconclusive", "MAP_SHARED MAP_PRIVATE MAP_ANONYMOUS"),
        ],
    );
    let (validation, _) = report.validation.expect("the pipe validates");
    assert_eq!((validation.validating, validation.type_mask), (Some(true), Some(0x0f)));
    assert!(validation.bits.iter().all(|bit| bit.bit > 3), "the type field is not swept as if it were flags");
}

#[test]
fn larger_pages_change_nothing() {
    let large = Rules { page_size: 65536, ..Rules::x86_6_1() };
    expect(&run(Arch::X86_64, large), &[("honored", PROVED)]);
}

#[test]
fn the_same_evidence_gives_the_same_bytes() {
    for format in FORMATS {
        let [one, other] = [(); 2].map(|()| (format.write)(&run(Arch::X86_64, Rules::x86_6_1())));
        assert_eq!(one, other);
        assert!(one.ends_with('\n') && one.is_ascii(), "{}", format.name);
    }
}

#[test]
fn a_run_from_the_command_line_says_what_was_asked_for() {
    for (arguments, code, begins) in [
        (&["mapprobe", "--version"][..], 0, concat!("mapprobe ", env!("CARGO_PKG_VERSION"), "\n")),
        (&["mapprobe", "--help"], 0, "Usage: mapprobe "),
        (&["mapprobe", "--format", "xml"], 2, "mapprobe: Error parsing option '--format' with value 'xml': "),
        (&["mapprobe", "stray"], 2, "mapprobe: Unrecognized argument: stray"),
        (&["mapprobe"], 0, "{\n  \"schema\": \"mapprobe.report\",\n"),
        (&[], 0, "{\n  \"schema\": \"mapprobe.report\",\n"),
    ] {
        let mut model = Model::new(Rules::x86_6_1());
        assert_eq!(command::main(&mut model, arguments, &[]), code, "{arguments:?}");
        let said = String::from_utf8(model.output).expect("text");
        assert!(said.starts_with(begins) && said.ends_with('\n'), "{arguments:?}: {said}");
    }
}

#[test]
fn flags_are_written_with_their_names() {
    for (arch, value, expected) in [
        (Arch::X86_64, 0x02, "MAP_PRIVATE"),
        (Arch::X86_64, 0x8032, "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS|MAP_POPULATE"),
        (Arch::Hppa, 0x8003, "MAP_SHARED_VALIDATE|MAP_GROWSDOWN"),
        (Arch::X86_64, 0x5404_0003, "MAP_SHARED_VALIDATE|MAP_HUGETLB|MAP_HUGE_2MB"),
        // Bit 26 is a flag of its own only where it is no part of a size.
        (Arch::X86_64, 0x0400_0001, "MAP_SHARED|MAP_UNINITIALIZED"),
        (Arch::X86_64, 0x3504_0003, "MAP_SHARED_VALIDATE|MAP_HUGETLB|0x35000000"),
        (Arch::Aarch64, 0x9, "0x9"),
        (Arch::Aarch64, 0, "0x0"),
    ] {
        let mut out = String::new();
        flags(&mut out, arch, value);
        assert_eq!(out, expected, "{value:#x} on {}", arch.name());
    }
}

#[test]
fn the_table_fits_eighty_columns() {
    let poor = Rules { no_memfd: true, ..Rules::x86_6_1() };
    for rules in [Rules::x86_6_1(), poor] {
        let text = (FORMATS[1].write)(&run(Arch::X86_64, rules));
        for line in text.lines() {
            assert!(line.len() <= 80, "{line}");
        }
    }
}
