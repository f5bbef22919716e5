//! The probe's library, for reports without a boot: replayed recordings, simulated kernels, and the
//! names in the flag table.

pub use mapprobe::cli::What;
pub use mapprobe::kernel::model::Rules;
pub use mapprobe::report::Report;

use anyhow::{Context, Result, anyhow};
use mapprobe::arch::Arch;
use mapprobe::cli::Options;
use mapprobe::flags::{Flag, TABLE};
use mapprobe::kernel::model::Model;
use mapprobe::kernel::replay::Recorder;
use mapprobe::recording;
use mapprobe::report::FORMATS;
use mapprobe::run;
use mapprobe::text::Text;
use mapprobe::verdict::Verdict;

/// The name of a flag, such as `MAP_FIXED`.
pub fn name(flag: &Flag) -> &'static str {
    flag.name.plain()
}

/// The names of the flag table, in its order.
pub fn flag_names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(name)
}

/// The values of `--format`, the default first.
pub fn format_names() -> impl Iterator<Item = &'static str> {
    (0..FORMATS.len()).map(|at| Text::FORMATS.nth(at).plain())
}

/// The names of the verdicts.
pub fn verdict_names() -> Vec<String> {
    Verdict::ALL.map(|verdict| verdict.word().string()).into()
}

/// The report of a recorded run.
pub fn replay(recording: &[u8], reproducible: bool) -> Result<Report> {
    recording::replay(recording, TABLE, reproducible).map_err(|message| anyhow!("{message}"))
}

/// The report of a run on a simulated kernel.
pub fn simulate(arch: Arch, rules: Rules, what: What) -> Report {
    let options = Options { what, ..Options::default() };
    run::probe(&mut Model::new(rules), arch, TABLE, &[], &options, &mut |_| {})
}

/// The recording of a run on a simulated kernel.
pub fn record(arch: Arch, rules: Rules) -> Result<String> {
    let mut model = Model::new(rules);
    let head = format!("mapprobe recording 1\narch {}\nargument report\n", arch.name());
    let mut recorder = Recorder::new(&mut model, head);
    run::report(&mut recorder, arch, &Options::default(), TABLE, &mut |_| {})
        .map_err(|message| anyhow!("{message}"))?;
    Ok(recorder.end())
}

/// A report in a format.
pub fn print(report: &Report, format: &str) -> Result<String> {
    let at = format_names().position(|name| name == format);
    let format = at.with_context(|| format!("The format {format} is unknown."))?;
    Ok((FORMATS[format].write)(report))
}

/// A report as JSON.
pub fn json(report: &Report) -> String {
    (FORMATS[0].write)(report)
}
