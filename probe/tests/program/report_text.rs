//! The output of a query.

use super::machine::arch;
use super::query::query;
use kernel::Kernel;
use mapprobe::cli::QueryRequest;
use mapprobe::flags::Flag;
use mapprobe::probe;
use mapprobe::report::{Report, write};
use simulator::Machine;

/// Runs a query. Returns its output.
#[track_caller]
pub fn report_text(kernel: &mut dyn Kernel, machine: Machine, arguments: &[&str]) -> String {
    let query = query(arguments);
    let report = probe::run(kernel, arch(machine), Flag::ALL, &query.options, &mut |_| {});
    format_report(&report.expect("a report"), &query)
}

/// Formats a report as a query asks for it.
pub fn format_report(report: &Report, query: &QueryRequest) -> String {
    write(query.format.unwrap_or_default(), report, &query.style())
}
