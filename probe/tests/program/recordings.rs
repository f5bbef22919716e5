//! Recorded runs and their replay.

use super::machine::arch;
use super::query::query;
use super::report_text::{format_report, report_text};
use kernel::Kernel;
use kernel::recording::{ARCH, ARGUMENT, FIRST_LINE, Recorder};
use mapprobe::arch::Arch;
use mapprobe::replay;
use simulator::Machine;

/// Runs a query. Returns its output and its recording.
///
/// The program records with the flag numbers of its own architecture. For other architectures the
/// head of the recording is written here.
pub fn record(kernel: &mut dyn Kernel, machine: Machine, arguments: &[&str]) -> (String, String) {
    let arch = arch(machine);
    if arch == Arch::native() {
        let query = query(arguments);
        let mut recording = String::new();
        let report = replay::record(kernel, &query.options, &mut recording).expect("a report");
        return (format_report(&report, &query), recording);
    }
    let mut head = format!("{FIRST_LINE}{ARCH}{}\n", arch.name());
    let mut arguments_left = arguments.iter();
    while let Some(&argument) = arguments_left.next() {
        match argument {
            // The format is not part of a recording.
            "--format" => drop(arguments_left.next()),
            "--reproducible" => {}
            recorded => head += &format!("{ARGUMENT}{recorded}\n"),
        }
    }
    let mut recorder = Recorder::new(kernel, head);
    let output = report_text(&mut recorder, machine, arguments);
    (output, recorder.finish())
}

/// Replays a recording. Returns its output, or the error message.
pub fn replay(recording: &[u8], arguments: &[&str]) -> Result<String, String> {
    let query = query(arguments);
    let report = replay::replay(recording, query.options.reproducible);
    report.map(|report| format_report(&report, &query)).map_err(|problem| problem.to_string())
}
