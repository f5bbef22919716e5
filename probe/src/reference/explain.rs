//! `mapprobe explain`: what a flag promises, how that is proved, and the pitfalls of the flag.

use crate::arch::Arch;
use crate::experiments;
use crate::flags::Flag;
use crate::report::columns::wrap_last_cell;
use crate::report::wording::push_number;

/// Where the second column begins.
const COLUMN: usize = 9;

pub fn explain(flag: Flag) -> String {
    let experiment = experiments::of(flag);
    let mut out = format!("{}\n", flag.name());
    for &(label, text) in &[
        ("since", flag.since().to_string().as_str()),
        ("values", &values(flag)),
        ("promise", experiment.promise),
        ("proof", experiment.proof),
        ("beware", experiment.pitfalls),
    ] {
        let line_start = out.len();
        out.push_str(label);
        wrap_last_cell(&mut out, line_start, 0, COLUMN, text);
    }
    out
}

/// The number on each architecture.
fn values(flag: Flag) -> String {
    let mut out = String::new();
    for &arch in &Arch::ALL {
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(arch.name());
        out.push(' ');
        push_number(&mut out, flag, arch);
    }
    out
}
