//! The loop: table -> experiments -> verdicts -> report.

use crate::arch::Arch;
use crate::experiment::{Bench, validation};
use crate::flags::Flag;
use crate::kernel::Kernel;
use crate::report::{Lie, Process, Report, Row};
use crate::verdict::{self, Reason, Verdict};

/// What an emulator of system calls does and no kernel.
const EMULATOR: Lie = Lie {
    name: "system call emulator",
    evidence: "MAP_SHARED_VALIDATE is refused, yet taken with MAP_FIXED and a flag that no kernel knows",
};

/// Asks about every row of the table. `pid` is the process's, `arch` the one whose numbers are used.
pub fn probe(kernel: &mut dyn Kernel, arch: Arch, table: &'static [Flag], pid: u64) -> Report {
    let mut report = Report {
        arch,
        kernel: kernel.uname().unwrap_or_default(),
        process: Process {
            pid: Some(pid),
            euid: kernel.euid(),
            page_size: kernel.page_size(),
            time: Some(kernel.time()),
        },
        environment: Vec::new(),
        validation: None,
        rows: Vec::new(),
        steps: Vec::new(),
        complete: true,
    };
    if table.is_empty() {
        return report;
    }
    match Bench::new(kernel, arch) {
        Ok(mut bench) => {
            let validation = validation::validates(&mut bench);
            if validation.emulated {
                report.environment.push(EMULATOR);
            }
            report.validation = Some((validation, 0..bench.noted()));
            report.rows = table.iter().map(|flag| row(&mut bench, flag)).collect();
            report.steps = bench.close();
        }
        Err(failed) => {
            let nothing = (Verdict::Inconclusive, Reason::ControlFailed(failed));
            report.rows =
                table.iter().map(|flag| Row { flag, finding: or_absent(flag, arch, nothing), calls: 0..0 }).collect();
        }
    }
    report
}

fn row(bench: &mut Bench, flag: &'static Flag) -> Row {
    let from = bench.noted();
    let finding = match flag.value(bench.arch()) {
        Some(bits) => {
            let evidence = (flag.experiment)(bench, bits);
            verdict::judge(&evidence, bench.since(from))
        }
        None => verdict::ABSENT,
    };
    Row { flag, finding, calls: from..bench.noted() }
}

/// What holds where nothing could be asked: only the table can still answer.
fn or_absent(flag: &Flag, arch: Arch, otherwise: verdict::Finding) -> verdict::Finding {
    if flag.value(arch).is_some() { otherwise } else { verdict::ABSENT }
}
