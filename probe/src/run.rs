//! The loop: table -> experiments -> verdicts -> report.

use crate::arch::Arch;
use crate::cli::{Options, What};
use crate::experiment::{Bench, environment, validation};
use crate::flags::Flag;
use crate::kernel::{Fd, Kernel};
use crate::paths::Paths;
use crate::report::{self, Process, Report, Row};
use crate::sweep;
use crate::verdict::{Cause, Finding, Verdict, judge, without_trial};

/// Opens what is asked about and asks, or says in a sentence what is wrong with it.
pub fn report(
    kernel: &mut dyn Kernel,
    arch: Arch,
    options: &Options,
    table: &'static [Flag],
) -> Result<Report, String> {
    let paths = Paths::open(kernel, &options.path)?;
    let mut report = probe(kernel, arch, table, paths.files(), options);
    paths.close(kernel);
    report.paths = options.path.iter().map(|path| report::escaped(path)).collect();
    Ok(report)
}

/// Asks about every row of the table, or what else is asked for. `arch` is the one whose numbers are used; `paths` are open files.
pub fn probe(kernel: &mut dyn Kernel, arch: Arch, table: &'static [Flag], paths: &[Fd], options: &Options) -> Report {
    let mut report = Report {
        what: options.what,
        arch,
        kernel: kernel.uname().unwrap_or_default(),
        process: Process {
            pid: Some(kernel.pid()),
            euid: kernel.euid(),
            page_size: kernel.page_size(),
            time: Some(kernel.time()),
        },
        paths: Vec::new(),
        environment: 0,
        validation: None,
        rows: Vec::new(),
        sweep: sweep::Sweep::default(),
        steps: Vec::new(),
        complete: true,
    };
    if table.is_empty() {
        return report;
    }
    let asks_flags = options.what == What::Report;
    match Bench::new(kernel, arch, paths) {
        Ok(mut bench) => {
            bench.thorough = options.thorough;
            let validation = validation::validates(&mut bench);
            report.environment = environment::lies(&mut bench);
            report.validation = Some((validation, 0..bench.noted()));
            if asks_flags {
                report.rows.reserve(table.len());
                report.rows.extend(table.iter().map(|flag| row(&mut bench, flag)));
            } else {
                report.sweep = sweep::sweep(&mut bench);
            }
            report.steps = bench.close();
        }
        Err(failed) => {
            let nothing = without_trial(Verdict::Inconclusive, Cause::ControlFailed, Some(failed));
            report.rows =
                table.iter().map(|flag| Row { flag, finding: or_absent(flag, arch, nothing), calls: 0..0 }).collect();
            report.complete = asks_flags;
        }
    }
    report
}

fn row(bench: &mut Bench, flag: &'static Flag) -> Row {
    let from = bench.noted();
    let finding = match flag.value(bench.arch()) {
        Some(bits) => {
            bench.run(flag.experiment, bits);
            judge(&bench.evidence, bench.since(from))
        }
        None => ABSENT,
    };
    Row { flag, finding, calls: from..bench.noted() }
}

/// The finding about a flag the architecture does not define.
const ABSENT: Finding = without_trial(Verdict::Absent, Cause::NotDefined, None);

/// What holds where nothing could be asked: only the table can still answer.
fn or_absent(flag: &Flag, arch: Arch, otherwise: Finding) -> Finding {
    if flag.value(arch).is_some() { otherwise } else { ABSENT }
}
