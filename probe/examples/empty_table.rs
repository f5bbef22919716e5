//! Probes no flag and prints the report: what a run costs beside its experiments.
#![no_main]

use mapprobe::app::{FAILURE, SUCCESS};
use mapprobe::arch::Arch;
use mapprobe::output::{STDOUT, write_all};
use mapprobe::probe;
use mapprobe::report::{Style, json};
use mapprobe::request::ProbeOptions;

mapprobe::program!(|kernel, _| {
    let options = ProbeOptions::default();
    let Ok(report) = probe::run(kernel, Arch::native(), &[], &options, &mut |_| {}) else {
        return FAILURE;
    };
    let mut output = String::new();
    let is_written = json::write(&mut output, &report, &Style::default()).is_ok()
        && write_all(kernel, STDOUT, output.as_bytes()).is_ok();
    if is_written { SUCCESS } else { FAILURE }
});
