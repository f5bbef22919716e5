//! A run: the flags in order, each with its experiment and its verdict.

use crate::arch::Arch;
use crate::availability::Availability;
use crate::environment;
use crate::error::Error;
use crate::experiment::{Evidence, Trial};
use crate::experiments;
use crate::fixture::{Fixture, SetupFailed};
use crate::flags::{Flag, Kind, MapFlags};
use crate::outcome::Outcome;
use crate::paths::{OpenPath, Paths};
use crate::report::{Process, Report, Row};
use crate::request::{ProbeOptions, Query, RecordingVersion};
use crate::sweep::{self, Sweep};
use crate::validation;
use crate::verdict::{Finding, Reason, ReasonCode, Verdict, judge};
use core::mem::swap;
use kernel::{Errno, Kernel};

/// Opens the user's paths and probes `flags` (all of them: [`Flag::ALL`]), in the numbers of
/// `arch`.
///
/// `each_row` sees the report after every row. It may remove rows and trace entries, so that only a
/// part of the report is in memory.
pub fn run(
    kernel: &mut dyn Kernel,
    arch: Arch,
    flags: &[Flag],
    options: &ProbeOptions,
    each_row: &mut dyn FnMut(&mut Report),
) -> Result<Box<Report>, Error> {
    let paths = Paths::open(kernel, &options.paths)?;
    let report = run_on_files(kernel, arch, flags, paths.files(), options, each_row);
    paths.close(kernel);
    Ok(report)
}

/// As [`run`], with the user's paths already open.
pub fn run_on_files(
    kernel: &mut dyn Kernel,
    arch: Arch,
    flags: &[Flag],
    files: &[OpenPath],
    options: &ProbeOptions,
    each_row: &mut dyn FnMut(&mut Report),
) -> Box<Report> {
    let mut report = empty_report(kernel, arch, options);
    if flags.is_empty() {
        return report;
    }
    match Fixture::new(kernel, arch, files, options) {
        Ok(mut fixture) => {
            report.file = fixture.file().map(|file| file.kind);
            report.no_memfd = fixture.no_memfd();
            report.path_uses = fixture.path_uses();
            let validation = validation::measure(&mut fixture);
            report.environment = environment::detect(&mut fixture, &validation);
            report.validation = Some((validation, 0..fixture.steps.len()));
            match options.query {
                Query::Report => {
                    probe_flags(&mut fixture, flags, &mut report, each_row);
                    if options.recording_version == RecordingVersion::One {
                        decide_small_sizes(&mut report.rows);
                    }
                }
                Query::Sweep | Query::FreeBits => report.sweep = sweep::measure(&mut fixture),
            }
            report.steps = fixture.close();
        }
        Err(SetupFailed(why)) => {
            let killer = environment::killing_filter(kernel, options.recording_version);
            report.environment.extend(killer);
            report.complete = options.query == Query::Report;
            if options.query == Query::Report {
                for &flag in flags {
                    report.rows.push(unprobed_row(flag, arch, why));
                }
            }
        }
    }
    report
}

fn empty_report(kernel: &mut dyn Kernel, arch: Arch, options: &ProbeOptions) -> Box<Report> {
    let uname = kernel.uname();
    let (pid, euid) = (kernel.pid(), kernel.euid());
    let (page_size, time) = (kernel.page_size(), kernel.time());
    let unless_reproducible = |value| (!options.reproducible).then_some(value);
    Box::new(Report {
        query: options.query,
        arch,
        kernel: uname,
        process: Process {
            // 0 where getpid(2) failed.
            pid: unless_reproducible(pid).filter(|&pid| pid != 0),
            euid,
            page_size,
            time: unless_reproducible(time),
        },
        paths: options.paths.clone(),
        path_uses: Vec::new(),
        file: None,
        no_memfd: None,
        environment: Vec::new(),
        validation: None,
        rows: Vec::new(),
        sweep: Sweep::default(),
        steps: Vec::new(),
        complete: true,
        required: Vec::new(),
        support_only: false,
    })
}

fn probe_flags(
    fixture: &mut Fixture,
    flags: &[Flag],
    report: &mut Report,
    each_row: &mut dyn FnMut(&mut Report),
) {
    let mut evidence = Evidence::default();
    for &flag in flags {
        report.rows.push(probe_flag(fixture, flag, &mut evidence));
        // Meanwhile the report holds the trace entries, so that `each_row` can write the row.
        swap(&mut fixture.steps, &mut report.steps);
        each_row(report);
        swap(&mut fixture.steps, &mut report.steps);
    }
}

fn probe_flag(fixture: &mut Fixture, flag: Flag, evidence: &mut Evidence) -> Row {
    let first_step = fixture.steps.len();
    evidence.clear();
    let finding = match flag.value(fixture.arch()) {
        None => Finding::absent(),
        Some(_) => {
            let experiment = experiments::of(flag);
            (experiment.run)(fixture, MapFlags::from(flag), evidence);
            judge(experiment, evidence, fixture.steps.get(first_step..).unwrap_or_default())
        }
    };
    let availability = availability(flag, &finding, evidence.availability);
    Row { flag, finding, availability, steps: first_step..fixture.steps.len() }
}

/// Whether a huge page can be had now, as measured where the verdict is honored. `None` for a flag
/// that is not about huge pages.
fn availability(
    flag: Flag,
    finding: &Finding,
    measured: Option<Availability>,
) -> Option<Availability> {
    if flag != Flag::MAP_HUGETLB && flag.kind() != Kind::HugeSize {
        return None;
    }
    Some(match (finding.verdict, measured) {
        (Verdict::Honored, Some(measured)) => measured,
        (Verdict::Honored, None) => Availability::Unknown("not asked in this recording"),
        (verdict, _) if verdict.is_no() => Availability::NoSupport,
        _ => Availability::Unknown("not asked: no huge page was mapped"),
    })
}

/// The row of a flag when nothing could be probed.
fn unprobed_row(flag: Flag, arch: Arch, why: &'static str) -> Row {
    let finding = match flag.value(arch) {
        None => Finding::absent(),
        Some(_) => Finding::control_failed(why),
    };
    let availability = availability(flag, &finding, None);
    Row { flag, finding, availability, steps: 0..0 }
}

/// A run of version 1 tried a huge page size only at an address aligned to that size alone, where
/// the default size fails if it is larger. If a larger size showed whether the kernel reads the
/// size field, that decides about the smaller ones as well.
fn decide_small_sizes(rows: &mut [Row]) {
    let decides = |row: &&Row| {
        row.flag.kind() == Kind::HugeSize
            && matches!(row.finding.reason.code, ReasonCode::SizeUnread | ReasonCode::NotOffered)
    };
    let Some(finding) = rows.iter().find(decides).map(|row| row.finding) else { return };
    for row in rows {
        let Reason { code, trial, .. } = &row.finding.reason;
        let Some(Trial { answers, .. }) = trial else { continue };
        if row.flag.kind() == Kind::HugeSize
            && *code == ReasonCode::Undecided
            && answers.with == answers.control
            && answers.with == Outcome::MmapFailed(Errno::EINVAL)
        {
            row.finding = finding;
            row.availability = availability(row.flag, &finding, None);
        }
    }
}
