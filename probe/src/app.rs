//! A run from the command line: arguments in, output on standard output, exit code out. Errors are
//! printed here.

use crate::arch::Arch;
use crate::cli::{self, QueryRequest, Request};
use crate::error::{Error, FileProblem};
use crate::flags::Flag;
use crate::frame;
use crate::output::{STDERR, STDOUT, write_all};
use crate::probe;
use crate::reference::{decode::decode, explain::explain, list::list};
use crate::replay::{record, replay};
use crate::report::json::RowWriter;
use crate::report::{Report, Style, write};
use crate::request::{Format, ProbeOptions};
use crate::require::{self, Met};
use kernel::{Errno, Kernel, OpenMode};

/// The exit code of success.
pub const SUCCESS: i32 = 0;
/// The exit code when a required flag is not honored.
pub const NOT_MET: i32 = 1;
/// The exit code of errors.
pub const FAILURE: i32 = 2;
/// The exit code when a required flag is inconclusive.
pub const UNDECIDED: i32 = 3;

/// The result of a request.
pub struct Answer {
    /// For standard output.
    pub output: String,
    /// For standard error.
    pub messages: String,
    pub exit: i32,
}

impl Answer {
    fn success(output: String) -> Answer {
        Answer { output, messages: String::new(), exit: SUCCESS }
    }
}

/// Runs the program. Returns the exit code.
pub fn run(kernel: &mut dyn Kernel, arguments: &[&str]) -> i32 {
    // A write to a closed pipe must fail with an error that can be reported.
    let _ = kernel.ignore_sigpipe();
    match cli::parse(arguments.get(1..).unwrap_or_default()) {
        Ok(request) => {
            let is_framed = matches!(&request, Request::Query(query) if query.framed);
            let style = style(kernel, &request);
            match answer(kernel, &request, &style) {
                Ok(answer) => print(kernel, &answer, is_framed),
                Err(error) => fail(kernel, &error),
            }
        }
        Err(error) => fail(kernel, &error),
    }
}

/// Colours are for people: on a terminal, and without `NO_COLOR` (no-color.org).
fn style(kernel: &mut dyn Kernel, request: &Request) -> Style {
    let Request::Query(query) = request else { return Style::default() };
    let is_for_people = query.format.is_some_and(Format::is_for_people);
    let colour = is_for_people && kernel.is_terminal(STDOUT) && !kernel.no_color();
    Style { colour, ..query.style() }
}

/// The result of a request.
pub fn answer(kernel: &mut dyn Kernel, request: &Request, style: &Style) -> Result<Answer, Error> {
    match request {
        Request::Help(help) => Ok(Answer::success(help.clone())),
        Request::Version => {
            Ok(Answer::success(format!("mapprobe {}\n", env!("CARGO_PKG_VERSION"))))
        }
        Request::List { arch } => Ok(Answer::success(list(*arch))),
        Request::Explain { flag } => Ok(Answer::success(explain(*flag))),
        Request::Decode { number, arch } => match decode(*number, *arch) {
            Some(output) => Ok(Answer::success(output)),
            None => Err(Error::Usage(format!(
                "{number:#x} is too large: a flags argument of {} has {} bits",
                arch.name(),
                arch.flag_bits()
            ))),
        },
        Request::Query(query) => answer_query(kernel, query, style),
    }
}

fn answer_query(
    kernel: &mut dyn Kernel,
    query: &QueryRequest,
    style: &Style,
) -> Result<Answer, Error> {
    let format = query.format.unwrap_or_default();
    let is_plain = query.require.is_none() && query.replay.is_none() && query.record.is_none();
    if is_plain && format == Format::Json {
        return report_row_by_row(kernel, query).map(Answer::success);
    }
    let (mut report, recording) = run_query(kernel, query)?;
    let mut exit = SUCCESS;
    let mut unmet = String::new();
    if let Some(require) = &query.require {
        let (requirements, allow) = (&require.requirements, require.allow_inconclusive);
        let (met, lines) = require::check(&report, requirements, allow)?;
        report.required = requirements.iter().map(|requirement| requirement.flag).collect();
        exit = exit_code(met);
        unmet = lines;
    }
    if let Some(recording) = recording {
        return Ok(Answer { output: recording, messages: unmet, exit });
    }
    if query.require.is_some() && query.format.is_none() {
        return Ok(Answer { output: unmet, messages: String::new(), exit });
    }
    if !format.holds_every_query() && report.query != Default::default() {
        return Err(Error::JsonOnly(report.query));
    }
    Ok(Answer { output: write(format, &report, style), messages: unmet, exit })
}

fn exit_code(met: Met) -> i32 {
    match met {
        Met::Yes => SUCCESS,
        Met::Undecided => UNDECIDED,
        Met::No => NOT_MET,
    }
}

/// The report as JSON, written while the experiments run, so that it takes less memory.
fn report_row_by_row(kernel: &mut dyn Kernel, query: &QueryRequest) -> Result<String, Error> {
    let mut writer = RowWriter::default();
    let mut each_row = |report: &mut Report| writer.take_rows(report);
    let (arch, options) = (Arch::native(), &query.options);
    let mut report = probe::run(kernel, arch, Flag::ALL, options, &mut each_row)?;
    Ok(writer.finish(&mut report))
}

/// The whole report, and the recording if that is for standard output.
fn run_query(
    kernel: &mut dyn Kernel,
    query: &QueryRequest,
) -> Result<(Box<Report>, Option<String>), Error> {
    let options = &query.options;
    match (&query.replay, query.record.as_deref()) {
        (Some(path), _) => Ok((replay_file(kernel, path, options.reproducible)?, None)),
        (None, None) => {
            let report = probe::run(kernel, Arch::native(), Flag::ALL, options, &mut |_| {})?;
            Ok((report, None))
        }
        (None, Some("-")) => {
            let (report, recording) = record(kernel, options)?;
            Ok((report, Some(recording)))
        }
        (None, Some(path)) => Ok((record_to_file(kernel, path, options)?, None)),
    }
}

/// Opens the file before the run, so that no run is in vain.
fn record_to_file(
    kernel: &mut dyn Kernel,
    path: &str,
    options: &ProbeOptions,
) -> Result<Box<Report>, Error> {
    let file = match kernel.open(path, OpenMode::Create) {
        Ok(file) => file,
        Err(errno) => return Err(file_error(path, FileProblem::CannotWrite, errno)),
    };
    let recorded = record(kernel, options);
    let written = match &recorded {
        Ok((_, recording)) => write_all(kernel, file, recording.as_bytes()),
        Err(_) => Ok(()),
    };
    kernel.close(file);
    match written {
        Ok(()) => recorded.map(|(report, _)| report),
        Err(errno) => Err(file_error(path, FileProblem::CannotWrite, errno)),
    }
}

fn replay_file(
    kernel: &mut dyn Kernel,
    path: &str,
    reproducible: bool,
) -> Result<Box<Report>, Error> {
    let mut recording = Vec::new();
    let read = kernel.read_file(path, &mut |block| recording.extend_from_slice(block));
    if let Err(errno) = read {
        return Err(file_error(path, FileProblem::CannotRead, errno));
    }
    replay(&recording, reproducible)
        .map_err(|problem| Error::Recording { path: path.to_owned(), problem })
}

fn file_error(path: &str, problem: FileProblem, errno: Errno) -> Error {
    Error::File { path: path.to_owned(), problem, errno }
}

/// Prints an answer and returns the exit code.
fn print(kernel: &mut dyn Kernel, answer: &Answer, is_framed: bool) -> i32 {
    print_messages(kernel, &answer.messages);
    let mut exit = answer.exit;
    if let Err(errno) = write_all(kernel, STDOUT, answer.output.as_bytes()) {
        exit = fail(kernel, &file_error("standard output", FileProblem::CannotWrite, errno));
    }
    if is_framed {
        frame::for_each_line(&answer.output, exit, &mut |line| print_messages(kernel, line));
    }
    exit
}

/// Prints an error and returns the exit code.
fn fail(kernel: &mut dyn Kernel, error: &Error) -> i32 {
    print_messages(kernel, &error_line(error));
    FAILURE
}

/// The line that reports an error.
pub fn error_line(error: &Error) -> String {
    format!("mapprobe: {error}\n")
}

/// Prints on standard error. A failure of that cannot be reported anywhere.
pub fn print_messages(kernel: &mut dyn Kernel, messages: &str) {
    let _ = write_all(kernel, STDERR, messages.as_bytes());
}
