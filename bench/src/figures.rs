//! The measurements as text, and the budgets.

use crate::memory::Memory;
use crate::timing::{Timings, quantile};
use crate::trace::Trace;
use std::fmt;

/// The time budget: the median wall time of the program as a multiple of the baseline's. It guards
/// against slow code around the system calls.
pub const MAX_TIME_RATIO: f64 = 1.25;

/// The memory budget in kB (1024 bytes): resident memory at exit, not counting the report, which
/// the program builds in memory. It guards against large buffers and unnecessarily touched pages.
pub const MAX_RESIDENT_KB: u64 = 184;

/// The machine counts as busy if the baseline takes this multiple of its CPU time.
const BUSY_RATIO: f64 = 1.3;

/// The measurements of a program.
pub struct Figures {
    pub trace: Trace,
    pub timings: Timings,
    /// The length of the output.
    pub output_bytes: usize,
}

/// The measurements of the program and of its baseline.
pub struct Comparison {
    pub program: Figures,
    pub baseline: Figures,
}

impl Comparison {
    pub fn is_within_budgets(&self) -> bool {
        self.is_within_time() && self.is_within_memory()
    }

    fn is_within_time(&self) -> bool {
        self.time_ratio() <= MAX_TIME_RATIO
    }

    fn is_within_memory(&self) -> bool {
        self.program.trace.memory.rss_kb * 1024 <= self.allowed_bytes()
    }

    fn time_ratio(&self) -> f64 {
        median(&self.program.timings.wall_us) / median(&self.baseline.timings.wall_us)
    }

    fn allowed_bytes(&self) -> u64 {
        MAX_RESIDENT_KB * 1024 + self.program.output_bytes as u64
    }

    fn is_machine_busy(&self) -> bool {
        let timings = &self.baseline.timings;
        BUSY_RATIO * median(&timings.cpu_us) < median(&timings.wall_us)
    }

    /// A line of the table: a value of both programs and the ratio.
    fn row(&self, name: &str, value: impl Fn(&Figures) -> f64) -> String {
        let (program, baseline) = (value(&self.program), value(&self.baseline));
        let ratio =
            if baseline > 0.0 { format!("{:.2}", program / baseline) } else { String::new() };
        let row = format!("{name:<38}{program:>10.0}{baseline:>10.0}{ratio:>8}");
        row.trim_end().to_owned()
    }
}

fn median(sorted: &[f64]) -> f64 {
    quantile(sorted, 0.5)
}

/// The quantiles in the table.
const QUANTILES: [(&str, f64); 3] =
    [("lower quartile", 0.25), ("median", 0.5), ("upper quartile", 0.75)];

/// A table of all figures, and a line for each budget.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Comparison { program, baseline } = self;
        let title = format!("{} alternating runs of each", program.timings.wall_us.len());
        writeln!(f, "{title:<38}{:>10}{:>10}{:>8}", "program", "baseline", "ratio")?;
        for (name, fraction) in QUANTILES {
            let wall = |figures: &Figures| quantile(&figures.timings.wall_us, fraction);
            writeln!(f, "{}", self.row(&format!("wall, us, {name}"), wall))?;
        }
        for (name, fraction) in QUANTILES {
            let cpu = |figures: &Figures| quantile(&figures.timings.cpu_us, fraction);
            writeln!(f, "{}", self.row(&format!("user and system, us, {name}"), cpu))?;
        }
        let page_faults = |figures: &Figures| median(&figures.timings.page_faults);
        writeln!(f, "{}", self.row("page faults, median", page_faults))?;
        let calls = |figures: &Figures| figures.trace.calls.len() as f64;
        writeln!(f, "{}", self.row("system calls", calls))?;
        let output = |figures: &Figures| figures.output_bytes as f64;
        writeln!(f, "{}", self.row("bytes printed", output))?;
        let resident = |figures: &Figures| figures.trace.memory.rss_kb as f64;
        writeln!(f, "{}", self.row("resident at exit, kB", resident))?;
        writeln!(f, "  program: {}", mappings(&program.trace.memory))?;
        writeln!(f, "  baseline: {}", mappings(&baseline.trace.memory))?;
        if self.is_machine_busy() {
            writeln!(f, "The machine is busy; the wall times are not reliable.")?;
        }
        writeln!(
            f,
            "time: {:.2} times the baseline, {MAX_TIME_RATIO} allowed: {}",
            self.time_ratio(),
            verdict(self.is_within_time())
        )?;
        writeln!(
            f,
            "memory: {} kB, {:.1} allowed ({MAX_RESIDENT_KB} and the report): {}",
            program.trace.memory.rss_kb,
            self.allowed_bytes() as f64 / 1024.0,
            verdict(self.is_within_memory())
        )
    }
}

fn verdict(is_within: bool) -> &'static str {
    if is_within { "within budget" } else { "OVER BUDGET" }
}

fn mappings(memory: &Memory) -> String {
    let resident = memory.mappings.iter().filter(|mapping| mapping.rss_kb > 0);
    let texts: Vec<String> =
        resident.map(|mapping| format!("{} {}", mapping.name, mapping.rss_kb)).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Mapping;

    fn figures(wall_us: f64, rss_kb: u64, output_bytes: usize) -> Figures {
        let mappings = vec![Mapping { name: String::from("rw-p [stack]"), rss_kb }];
        let trace = Trace { calls: Vec::new(), memory: Memory { rss_kb, mappings } };
        let timings =
            Timings { wall_us: vec![wall_us], cpu_us: vec![wall_us], page_faults: vec![9.0] };
        Figures { trace, timings, output_bytes }
    }

    fn compare(program: Figures) -> Comparison {
        Comparison { program, baseline: figures(100.0, 40, 0) }
    }

    #[test]
    fn each_exceeded_budget_is_named() {
        let good = compare(figures(125.0, MAX_RESIDENT_KB + 10, 10 << 10));
        assert!(good.is_within_budgets() && !good.to_string().contains("OVER"), "{good}");
        for (program, expected) in [
            (figures(126.0, 40, 0), "time: 1.26"),
            (figures(100.0, MAX_RESIDENT_KB + 1, 0), "memory: 185 kB"),
        ] {
            let bad = compare(program);
            let text = bad.to_string();
            let line = text.lines().find(|line| line.contains("OVER BUDGET")).unwrap();
            assert!(!bad.is_within_budgets() && line.starts_with(expected), "{text}");
        }
    }
}
