//! Recording and replaying a run. The head of a recording holds the arguments of the run, so a
//! replay needs only the file.

use crate::arch::Arch;
use crate::cli::{self, QueryRequest, Request};
use crate::error::{Error, RecordingProblem};
use crate::flags::Flag;
use crate::probe;
use crate::report::Report;
use crate::report::wording::push;
use crate::request::{ProbeOptions, RecordingVersion};
use kernel::recording::{
    ARCH, ARGUMENT, FIRST_LINE, FIRST_LINE_OF_VERSION_1, Recorder, Replay, take_line,
};
use kernel::{Kernel, str_or_replacement};

/// Bytes reserved for a recording. Untouched pages take no memory.
const CAPACITY: usize = 256 << 10;

/// Probes every flag and records the calls in `recording`, which stays empty after an error.
pub fn record(
    kernel: &mut dyn Kernel,
    options: &ProbeOptions,
    recording: &mut String,
) -> Result<Box<Report>, Error> {
    let arch = Arch::native();
    let mut head = String::with_capacity(CAPACITY);
    push(&mut head, format_args!("{FIRST_LINE}{ARCH}{}\n", arch.name()));
    push_argument(&mut head, options.query.command());
    if options.thorough {
        push_argument(&mut head, "--thorough");
    }
    for path in &options.paths {
        push_argument(&mut head, "--path");
        push_argument(&mut head, path);
    }
    let mut recorder = Recorder::new(kernel, head);
    let report = probe::run(&mut recorder, arch, Flag::ALL, options, &mut |_| {})?;
    *recording = recorder.finish();
    Ok(report)
}

fn push_argument(head: &mut String, argument: &str) {
    head.push_str(ARGUMENT);
    head.push_str(argument);
    head.push('\n');
}

/// The report of a recorded run; `reproducible` as in [`ProbeOptions`].
pub fn replay(recording: &[u8], reproducible: bool) -> Result<Box<Report>, RecordingProblem> {
    let mut rest = recording;
    let (version, arch) = read_head(&mut rest).ok_or(RecordingProblem::NotARecording)?;
    if arch.flag_bits() > usize::BITS {
        return Err(RecordingProblem::TooWide);
    }
    let mut lines_read = 2;
    let mut arguments = Vec::new();
    while let Some(argument) = rest.strip_prefix(ARGUMENT.as_bytes()) {
        rest = argument;
        arguments.push(str_or_replacement(take_line(&mut rest)));
        lines_read += 1;
    }
    let mut options = match cli::parse(&arguments) {
        Ok(Request::Query(QueryRequest { options, .. })) => options,
        Ok(_) => return Err(RecordingProblem::NoQuery),
        Err(error) => return Err(RecordingProblem::Arguments(error.to_string())),
    };
    options.reproducible = reproducible;
    options.recording_version = version;
    let mut replay = Replay::new(rest, lines_read);
    let report = probe::run(&mut replay, arch, Flag::ALL, &options, &mut |_| {});
    replay.finish().map_err(RecordingProblem::Differs)?;
    report.map_err(|error| RecordingProblem::Run(error.to_string()))
}

/// Reads the first two lines: the version and the architecture.
fn read_head(rest: &mut &[u8]) -> Option<(RecordingVersion, Arch)> {
    let first_line = take_line(rest);
    let is = |line: &str| first_line == line.as_bytes().trim_ascii_end();
    let version = if is(FIRST_LINE) {
        RecordingVersion::Two
    } else if is(FIRST_LINE_OF_VERSION_1) {
        RecordingVersion::One
    } else {
        return None;
    };
    let name = take_line(rest).strip_prefix(ARCH.as_bytes())?;
    Some((version, Arch::from_name(str_or_replacement(name))?))
}
