//! What was measured, as text, and whether it is within the budgets.

use crate::clock::{Taken, quantile};
use crate::memory::Memory;
use crate::trace::Run;

/// A whole run may take so many times what its system calls alone take.
pub const TIME: f64 = 1.4;
/// When it ends, the program may have so many kB in memory, and its report.
pub const MEMORY: u64 = 64;

/// Where a run takes so many times its own user and system time, something else does the rest.
const BUSY: f64 = 1.3;

/// Everything that was measured of a program.
pub struct Figures {
    /// Of the runs that were followed, the one with the most in memory.
    pub run: Run,
    /// Many runs of it.
    pub taken: Taken,
    /// Bytes it prints.
    pub report: usize,
}

/// Whether the program is within both budgets.
pub fn within(program: &Figures, floor: &Figures) -> bool {
    time(program, floor) <= TIME && program.run.memory.rss * 1024 <= allowed(program)
}

/// How many times the floor's median the program's is.
fn time(program: &Figures, floor: &Figures) -> f64 {
    quantile(&program.taken.wall, 0.5) / quantile(&floor.taken.wall, 0.5)
}

/// Bytes the program may have in memory.
fn allowed(program: &Figures) -> u64 {
    MEMORY * 1024 + program.report as u64
}

/// What is shown of many runs.
const SHARES: [(&str, f64); 3] =
    [("lower quartile", 0.25), ("median", 0.5), ("upper quartile", 0.75)];

/// The table and the two sentences below it.
pub fn text(program: &Figures, floor: &Figures) -> String {
    let runs = format!("{} runs of each, by turns", program.taken.wall.len());
    let mut text = format!("{runs:<38}{:>10}{:>10}{:>8}\n", "program", "floor", "ratio");
    let mut row = |name: &str, of: &dyn Fn(&Figures) -> f64| {
        let (one, other) = (of(program), of(floor));
        let ratio = if other > 0.0 { format!("{:.2}", one / other) } else { String::new() };
        text += format!("{name:<38}{one:>10.0}{other:>10.0}{ratio:>8}").trim_end();
        text.push('\n');
    };
    for (name, share) in SHARES {
        row(&format!("wall, us, {name}"), &|of| quantile(&of.taken.wall, share));
    }
    for (name, share) in SHARES {
        row(&format!("user and system, us, {name}"), &|of| quantile(&of.taken.processor, share));
    }
    row("page faults, median", &|of| quantile(&of.taken.faults, 0.5));
    row("system calls", &|of| of.run.calls.len() as f64);
    row("bytes printed", &|of| of.report as f64);
    row("in memory when it ends, kB", &|of| of.run.memory.rss as f64);
    text += &parts("program", &program.run.memory);
    text += &parts("floor", &floor.run.memory);
    let (time, rss, allowed) = (time(program, floor), program.run.memory.rss, allowed(program));
    if BUSY * quantile(&floor.taken.processor, 0.5) < quantile(&floor.taken.wall, 0.5) {
        text += "The machine is busy with something else: wall times say little.\n";
    }
    let verdict = |within: bool| if within { "within budget" } else { "OVER BUDGET" };
    text +=
        &format!("time: {time:.2} times the floor, {TIME} allowed: {}\n", verdict(time <= TIME));
    let room = allowed as f64 / 1024.0;
    text + &format!(
        "memory: {rss} kB, {room:.1} allowed ({MEMORY} and the report): {}\n",
        verdict(rss * 1024 <= allowed)
    )
}

fn parts(name: &str, memory: &Memory) -> String {
    let parts = memory.parts.iter().filter(|&&(_, size)| size > 0);
    format!(
        "  {name}: {}\n",
        parts.map(|(part, size)| format!("{part} {size}")).collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(wall: f64, rss: u64, report: usize) -> Figures {
        let memory = Memory { rss, parts: vec![(String::from("rw-p [stack]"), rss)] };
        let taken = Taken { wall: vec![wall], processor: vec![wall], faults: vec![9.0] };
        Figures { run: Run { calls: Vec::new(), memory }, taken, report }
    }

    #[test]
    fn both_budgets_are_kept_or_it_is_said_which_is_not() {
        let floor = figures(100.0, 40, 0);
        let fits = figures(140.0, MEMORY + 10, 10 << 10);
        assert!(within(&fits, &floor) && !text(&fits, &floor).contains("OVER"));
        for (figures, what) in [
            (figures(141.0, 40, 0), "time: 1.41"),
            (figures(100.0, MEMORY + 1, 0), "memory: 65 kB"),
        ] {
            let text = text(&figures, &floor);
            let line = text.lines().find(|line| line.contains("OVER BUDGET")).unwrap();
            assert!(!within(&figures, &floor) && line.starts_with(what), "{text}");
        }
    }
}
