//! Probes no flag and prints the report: the cost of a run without its experiments.
#![no_main]

use mapprobe::app::{FAILURE, SUCCESS};
use mapprobe::arch::Arch;
use mapprobe::output::{STDOUT, write_all};
use mapprobe::probe;
use mapprobe::report::{Style, write};
use mapprobe::request::{Format, ProbeOptions};

mapprobe::program!(|kernel, _| {
    let options = ProbeOptions::default();
    let Ok(report) = probe::run(kernel, Arch::native(), &[], &options, &mut |_| {}) else {
        return FAILURE;
    };
    let text = write(Format::Json, &report, &Style::default());
    match write_all(kernel, STDOUT, text.as_bytes()) {
        Ok(()) => SUCCESS,
        Err(_) => FAILURE,
    }
});
