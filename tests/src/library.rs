//! The probe's library, for reports without a boot: replayed recordings, simulated kernels, and the
//! names of formats.

pub use mapprobe::report::Report;
pub use mapprobe::request::Query;
pub use simulator::Rules;

use anyhow::{Context, Result, anyhow};
use kernel::recording::{ARCH, ARGUMENT, FIRST_LINE, Recorder};
use mapprobe::arch::Arch;
use mapprobe::flags::Flag;
use mapprobe::report::{Style, write};
use mapprobe::request::{Format, ProbeOptions};
use mapprobe::verdict::Verdict;
use mapprobe::{probe, replay};
use simulator::SimulatedKernel;

/// The names of the flag table, in its order.
pub fn flag_names() -> impl Iterator<Item = &'static str> {
    Flag::ALL.iter().map(|flag| flag.name())
}

/// The values of `--format`, the default first.
pub fn format_names() -> impl Iterator<Item = &'static str> {
    Format::ALL.into_iter().map(Format::name)
}

/// The names of the verdicts.
pub fn verdict_names() -> Vec<String> {
    Verdict::ALL.map(|verdict| verdict.word().to_owned()).into()
}

/// The report of a recorded run.
pub fn replay(recording: &[u8], reproducible: bool) -> Result<Box<Report>> {
    replay::replay(recording, reproducible).map_err(|problem| anyhow!("{problem}"))
}

/// The report of a run on a simulated kernel.
pub fn simulate(arch: Arch, rules: Rules, query: Query) -> Box<Report> {
    let options = ProbeOptions { query, ..ProbeOptions::default() };
    let mut kernel = SimulatedKernel::new(rules);
    probe::run_on_files(&mut kernel, arch, Flag::ALL, &[], &options, &mut |_| {})
}

/// The recording of a run on a simulated kernel of any architecture.
pub fn record(arch: Arch, rules: Rules) -> Result<String> {
    let options = ProbeOptions::default();
    let mut kernel = SimulatedKernel::new(rules);
    let (arch_name, command) = (arch.name(), options.query.command());
    let head = format!("{FIRST_LINE}{ARCH}{arch_name}\n{ARGUMENT}{command}\n");
    let mut recorder = Recorder::new(&mut kernel, head);
    probe::run(&mut recorder, arch, Flag::ALL, &options, &mut |_| {})
        .map_err(|error| anyhow!("{error}"))?;
    Ok(recorder.finish())
}

/// A report in a format.
pub fn print(report: &Report, format: &str) -> Result<String> {
    let known = Format::from_name(format);
    let format = known.with_context(|| format!("The format {format} is unknown."))?;
    Ok(write(format, report, &Style::default()))
}

/// A report as JSON.
pub fn json(report: &Report) -> String {
    write(Format::Json, report, &Style::default())
}
