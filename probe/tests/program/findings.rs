//! What a run found out, as words: the only place where these tests meet the types of a report.

use mapprobe::arch::Arch;
use mapprobe::cli::Options;
use mapprobe::flags::TABLE;
use mapprobe::kernel::Kernel;
use mapprobe::kernel::model::{Machine, Model, Rules};
use mapprobe::paths::Paths;
use mapprobe::run;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The words of a run. Nothing is left open: a report could be compared with another by `==`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Name, verdict and reason code, in the order of the table.
    pub rows: Vec<(&'static str, &'static str, &'static str)>,
    /// What lies between the program and a kernel.
    pub environment: Vec<&'static str>,
    /// Whether `MAP_SHARED_VALIDATE` is there, whether it validates, and the bits that select a map type.
    pub validation: Option<(Option<bool>, Option<bool>, Option<u64>)>,
    /// Whether every row has its finding.
    pub complete: bool,
}

impl Findings {
    /// The verdict about a flag.
    #[track_caller]
    pub fn verdict(&self, name: &str) -> &'static str {
        self.rows.iter().find(|row| row.0 == name).expect("every row has a finding").1
    }
}

/// The architecture whose numbers a machine uses.
pub fn arch(machine: Machine) -> Arch {
    match machine {
        Machine::X86 => Arch::X86_64,
        Machine::Arm64 | Machine::Arm64Large => Arch::Aarch64,
        Machine::Parisc | Machine::Parisc64 => Arch::Hppa,
    }
}

/// Asks a kernel about every row of the table. The error is a sentence about a path.
pub fn probe(kernel: &mut dyn Kernel, machine: Machine, paths: &[&str], thorough: bool) -> Result<Findings, String> {
    let options = Options { path: paths.iter().map(|path| path.to_string()).collect(), thorough, ..Options::default() };
    let opened = Paths::open(kernel, &options.path)?;
    let report = run::probe(kernel, arch(machine), TABLE, opened.files(), &options);
    opened.close(kernel);
    Ok(Findings {
        rows: report.rows.iter().map(|row| (row.flag.name, row.finding.0.word(), row.finding.1.code())).collect(),
        environment: report.lies().map(|lie| lie.0).collect(),
        validation: report.validation.as_ref().map(|(found, _)| (found.present, found.validating, found.type_mask)),
        complete: report.complete,
    })
}

/// Asks a kernel made of these rules. What ends the run, and what is left behind by it, is a complaint.
pub fn attempt(rules: &Rules, paths: &[&str], thorough: bool) -> Result<Findings, String> {
    let run = || {
        let mut model = Model::new(rules.clone());
        (probe(&mut model, rules.machine, paths, thorough), model.left())
    };
    let (findings, left) = catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        said.or_else(|| panic.downcast_ref::<&str>().map(|said| said.to_string())).unwrap_or_default()
    })?;
    if left.is_empty() { findings } else { Err(format!("something is left behind: {}", left.join(", "))) }
}

/// The same, where nothing may be wrong.
#[track_caller]
pub fn verdicts(rules: &Rules, paths: &[&str], thorough: bool) -> Findings {
    attempt(rules, paths, thorough).expect("a run that leaves nothing behind")
}
