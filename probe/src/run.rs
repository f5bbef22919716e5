//! The loop: table -> experiments -> verdicts -> report.

use crate::arch::Arch;
use crate::cli::{Options, What};
use crate::experiment::{Bench, environment, validation};
use crate::flags::Flag;
use crate::kernel::{Fd, Kernel};
use crate::paths::Paths;
use crate::report::{self, Process, Report, Row};
use crate::sweep;
use crate::text::Text;
use crate::verdict::{Cause, Verdict, judge, without_trial};

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
    for path in &options.path {
        report.paths.push(report::escaped(path));
    }
    Ok(report)
}

/// Asks about every row of the table, or what else is asked for. `arch` is the one whose numbers are used; `paths` are open files.
pub fn probe(kernel: &mut dyn Kernel, arch: Arch, table: &'static [Flag], paths: &[Fd], options: &Options) -> Report {
    let mut report = Report {
        what: options.what,
        arch,
        kernel: kernel.uname(),
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
        required: 0,
        style: report::Style::default(),
    };
    if table.is_empty() {
        return report;
    }
    let mut bench = Bench::new(kernel, arch, paths);
    if let Ok(bench) = &mut bench {
        bench.thorough = options.thorough;
        let validation = validation::validates(bench);
        report.environment = environment::lies(bench);
        report.validation = Some((validation, 0..bench.noted()));
    }
    let asks_flags = options.what == What::Report;
    report.complete = asks_flags || bench.is_ok();
    report.rows = Vec::with_capacity(table.len());
    match &mut bench {
        Ok(bench) if !asks_flags => report.sweep = sweep::sweep(bench),
        _ => {
            for flag in table {
                report.rows.push(row(&mut bench, arch, flag));
            }
        }
    }
    if let Ok(bench) = bench {
        report.steps = bench.close();
    }
    report
}

/// Asks about a row. Where nothing could be asked, only the table can still answer.
#[inline(never)]
fn row(bench: &mut Result<Bench, Text>, arch: Arch, flag: &'static Flag) -> Row {
    let from = bench.as_ref().map_or(0, Bench::noted);
    let (finding, to) = match (flag.value(arch), bench) {
        (None, _) => (without_trial(Verdict::Absent, Cause::NotDefined, None), from),
        (_, Err(failed)) => (without_trial(Verdict::Inconclusive, Cause::ControlFailed, Some(*failed)), from),
        (Some(bits), Ok(bench)) => {
            bench.run(flag.experiment, bits);
            (judge(&bench.evidence, bench.since(from)), bench.noted())
        }
    };
    Row { flag, finding, calls: from..to }
}
