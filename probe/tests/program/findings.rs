//! The findings of a run as strings. Tests that compare findings meet the types of a report only
//! here.

use super::machine::arch;
use super::query::query;
use kernel::Kernel;
use mapprobe::environment::Observed;
use mapprobe::error::Error;
use mapprobe::flags::Flag;
use mapprobe::probe;
use mapprobe::report::Row;
use simulator::Machine;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Name, verdict and reason code of each flag, in the order of the flag table.
    pub rows: Vec<(&'static str, &'static str, &'static str)>,
    /// Whether a huge page can be had now, with the reason, by flag.
    pub pages: Vec<(&'static str, String)>,
    /// The names of what interferes with the measurements.
    pub environment: Vec<&'static str>,
    /// `None` when nothing could be probed.
    pub validation: Option<Validation>,
    /// Whether every flag has its finding.
    pub complete: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validation {
    /// Whether the kernel has `MAP_SHARED_VALIDATE`.
    pub present: Option<bool>,
    /// Whether it rejects unassigned bits.
    pub validating: Option<bool>,
    /// The bits that select a map type.
    pub type_mask: Option<usize>,
}

/// Probes every flag. Fails only if a path cannot be probed.
pub fn probe(
    kernel: &mut dyn Kernel,
    machine: Machine,
    paths: &[&str],
    thorough: bool,
) -> Result<Findings, Error> {
    let mut arguments: Vec<&str> = paths.iter().flat_map(|path| ["--path", path]).collect();
    arguments.extend(thorough.then_some("--thorough"));
    let options = query(&arguments).options;
    let report = probe::run(kernel, arch(machine), Flag::ALL, &options, &mut |_| {})?;
    Ok(Findings {
        rows: report.rows.iter().map(names_of_row).collect(),
        pages: report.rows.iter().filter_map(page_of_row).collect(),
        environment: report.environment.iter().map(Observed::name).collect(),
        validation: report.validation.map(|(validation, _)| Validation {
            present: validation.present,
            validating: validation.validating,
            type_mask: validation.type_mask,
        }),
        complete: report.complete,
    })
}

fn names_of_row(row: &Row) -> (&'static str, &'static str, &'static str) {
    (row.flag.name(), row.finding.verdict.word(), row.finding.reason.code.code())
}

fn page_of_row(row: &Row) -> Option<(&'static str, String)> {
    let availability = row.availability?;
    Some((row.flag.name(), format!("{}: {availability}", availability.answer().word())))
}
