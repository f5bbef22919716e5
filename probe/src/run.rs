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
use core::mem::swap;

/// Opens what is asked about and asks, or says in a sentence what is wrong with it. `each` sees what there is of the report after every
/// row, and may take out rows and their calls, so that never all of them are in memory.
pub fn report(
    kernel: &mut dyn Kernel,
    arch: Arch,
    options: &Options,
    table: &'static [Flag],
    each: &mut dyn FnMut(&mut Report),
) -> Result<Report, String> {
    let paths = Paths::open(kernel, &options.path)?;
    let report = probe(kernel, arch, table, paths.files(), options, each);
    paths.close(kernel);
    Ok(report)
}

/// Asks about every row of the table, or what else is asked for. `arch` is the one whose numbers are used; `paths` are open files.
pub fn probe(
    kernel: &mut dyn Kernel,
    arch: Arch,
    table: &'static [Flag],
    paths: &[Fd],
    options: &Options,
    each: &mut dyn FnMut(&mut Report),
) -> Report {
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
    for path in &options.path {
        report.paths.push(report::escaped(path));
    }
    if options.reproducible {
        (report.process.pid, report.process.time) = (None, None);
    }
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
    match &mut bench {
        Ok(bench) if !asks_flags => report.sweep = sweep::sweep(bench),
        _ => {
            for flag in table {
                let row = row(&mut bench, arch, flag);
                report.rows.push(row);
                if let Ok(bench) = &mut bench {
                    swap(&mut bench.steps, &mut report.steps);
                    each(&mut report);
                    swap(&mut bench.steps, &mut report.steps);
                }
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
        (_, Err(failed)) => {
            (without_trial(Verdict::Inconclusive, Cause::ControlFailed, Some(*failed)), from)
        }
        (Some(bits), Ok(bench)) => {
            bench.run(flag.experiment(), bits);
            (judge(&bench.evidence, bench.since(from)), bench.noted())
        }
    };
    Row { flag, finding, calls: from..to }
}
