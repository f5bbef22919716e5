//! The loop: table -> experiments -> verdicts -> report.

use crate::arch::Arch;
use crate::evidence::Evidence;
use crate::experiment::{Bench, validation};
use crate::flags::Flag;
use crate::kernel::Kernel;
use crate::report::{Lie, Process, Report, Row};
use crate::verdict::{self, Reason, Verdict};

/// What an emulator of system calls does and no kernel.
const EMULATOR: Lie = Lie {
    name: "system call emulator",
    evidence: "MAP_SHARED_VALIDATE is refused, yet taken together with MAP_FIXED and a flag that no kernel knows",
};

/// Asks about every row of the table. `pid` is the process's, `arch` the one whose numbers are used.
pub fn probe(kernel: &mut dyn Kernel, arch: Arch, table: &'static [Flag], pid: u64) -> Report {
    let process =
        Process { pid: Some(pid), euid: kernel.euid(), page_size: kernel.page_size(), time: Some(kernel.time()) };
    let uname = kernel.uname().unwrap_or_default();
    let mut report = Report {
        arch,
        kernel: uname,
        process,
        environment: Vec::new(),
        validation: None,
        rows: Vec::new(),
        complete: true,
    };
    if table.is_empty() {
        return report;
    }
    let mut bench = match Bench::new(kernel, arch) {
        Ok(bench) => bench,
        Err((failed, _)) => {
            let nothing = |flag| Row { flag, finding: without_bench(flag, arch, failed), steps: Vec::new() };
            report.rows = table.iter().map(nothing).collect();
            return report;
        }
    };
    let validation = validation::validates(&mut bench);
    if validation.emulated {
        report.environment.push(EMULATOR);
    }
    report.validation = Some(validation);
    report.rows = table.iter().map(|flag| row(&mut bench, flag)).collect();
    bench.close();
    report
}

fn row(bench: &mut Bench, flag: &'static Flag) -> Row {
    match flag.value(bench.arch()) {
        Some(bits) => {
            let evidence: Evidence = (flag.experiment)(bench, bits);
            Row { flag, finding: verdict::judge(&evidence), steps: evidence.steps }
        }
        None => Row { flag, finding: verdict::ABSENT, steps: Vec::new() },
    }
}

fn without_bench(flag: &Flag, arch: Arch, failed: &'static str) -> verdict::Finding {
    match flag.value(arch) {
        Some(_) => (Verdict::Inconclusive, Reason::ControlFailed(failed)),
        None => verdict::ABSENT,
    }
}
