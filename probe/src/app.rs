//! Runs the program from the command line: parses the arguments, responds to the request, and
//! prints the output and errors.

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
use crate::request::{Format, ProbeOptions, Query};
use crate::require;
use crate::requirement::Met;
use kernel::{Errno, Kernel, OpenMode};

/// The exit code of success.
pub const SUCCESS: i32 = 0;
/// The exit code when a required flag is not honored.
pub const NOT_MET: i32 = 1;
/// The exit code of errors.
pub const FAILURE: i32 = 2;
/// The exit code when a required flag is inconclusive.
pub const UNDECIDED: i32 = 3;

/// The output of a request and its exit code.
pub struct Response {
    /// For standard output.
    pub output: String,
    /// For standard error.
    pub messages: String,
    pub exit: i32,
}

impl Response {
    fn success(output: String) -> Response {
        Response { output, messages: String::new(), exit: SUCCESS }
    }
}

/// Runs the program. Returns the exit code.
pub fn run(kernel: &mut dyn Kernel, arguments: &[&str]) -> i32 {
    // A write to a closed pipe, or beyond a limit, must fail with an error that can be reported.
    kernel.ignore_signals();
    match cli::parse(arguments.get(1..).unwrap_or_default()) {
        Ok(request) => {
            let is_framed = matches!(&request, Request::Query(query) if query.framed);
            let style = style(kernel, &request);
            match respond(kernel, &request, &style) {
                Ok(response) => print(kernel, &response, is_framed),
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

/// Responds to a request.
pub fn respond(
    kernel: &mut dyn Kernel,
    request: &Request,
    style: &Style,
) -> Result<Response, Error> {
    match request {
        Request::Help(help) => Ok(Response::success(help.clone())),
        Request::Version => {
            Ok(Response::success(format!("mapprobe {}\n", env!("CARGO_PKG_VERSION"))))
        }
        Request::List { arch } => Ok(Response::success(list(*arch))),
        Request::Explain { flag } => Ok(Response::success(explain(*flag))),
        Request::Decode { number, arch } => match decode(*number, *arch) {
            Some(output) => Ok(Response::success(output)),
            None => Err(Error::Usage(format!(
                "{number:#x} is too large: a flags argument of {} has {} bits",
                arch.name(),
                arch.flag_bits()
            ))),
        },
        Request::Query(query) => respond_to_query(kernel, query, style),
    }
}

fn respond_to_query(
    kernel: &mut dyn Kernel,
    query: &QueryRequest,
    style: &Style,
) -> Result<Response, Error> {
    let format = query.format.unwrap_or_default();
    let is_plain = query.require.is_none() && query.replay.is_none() && query.record.is_none();
    if is_plain && format == Format::Json {
        return report_row_by_row(kernel, query).map(Response::success);
    }
    let mut recording = None;
    let mut report = run_query(kernel, query, &mut recording)?;
    let mut exit = SUCCESS;
    let mut unmet = String::new();
    if let Some(require) = &query.require {
        let (met, lines) = require::check(&report, require)?;
        for requirement in &require.requirements {
            report.required.push(requirement.flag);
        }
        report.support_only = require.support_only;
        exit = exit_code(met);
        unmet = lines;
    }
    if let Some(recording) = recording {
        return Ok(Response { output: recording, messages: unmet, exit });
    }
    if query.require.is_some() && query.format.is_none() {
        return Ok(Response { output: unmet, messages: String::new(), exit });
    }
    if !format.holds_every_query() && report.query != Query::Report {
        return Err(Error::JsonOnly(report.query));
    }
    Ok(Response { output: write(format, &report, style), messages: unmet, exit })
}

fn exit_code(met: Met) -> i32 {
    match met {
        Met::Yes => SUCCESS,
        Met::Undecided => UNDECIDED,
        Met::No => NOT_MET,
    }
}

/// The report as JSON, written while the experiments run, which takes less memory.
fn report_row_by_row(kernel: &mut dyn Kernel, query: &QueryRequest) -> Result<String, Error> {
    let mut writer = RowWriter::default();
    let mut each_row = |report: &mut Report| writer.take_rows(report);
    let (arch, options) = (Arch::native(), &query.options);
    let mut report = probe::run(kernel, arch, Flag::ALL, options, &mut each_row)?;
    Ok(writer.finish(&mut report))
}

/// The report. `recording` gets the recording if it goes to standard output.
fn run_query(
    kernel: &mut dyn Kernel,
    query: &QueryRequest,
    recording: &mut Option<String>,
) -> Result<Box<Report>, Error> {
    let options = &query.options;
    match (&query.replay, query.record.as_deref()) {
        (Some(path), _) => replay_file(kernel, path, options.reproducible),
        (None, None) => probe::run(kernel, Arch::native(), Flag::ALL, options, &mut |_| {}),
        (None, Some("-")) => record(kernel, options, recording.insert(String::new())),
        (None, Some(path)) => record_to_file(kernel, path, options),
    }
}

/// Records a run to a file, which is opened first: an error is reported before the run.
fn record_to_file(
    kernel: &mut dyn Kernel,
    path: &str,
    options: &ProbeOptions,
) -> Result<Box<Report>, Error> {
    let file = match kernel.open(path, OpenMode::Create) {
        Ok(file) => file,
        Err(errno) => return Err(file_error(path, FileProblem::CannotWrite, errno)),
    };
    let mut recording = String::new();
    let report = record(kernel, options, &mut recording);
    let written = write_all(kernel, file, recording.as_bytes());
    kernel.close(file);
    match written {
        Ok(()) => report,
        Err(errno) => Err(file_error(path, FileProblem::CannotWrite, errno)),
    }
}

fn replay_file(
    kernel: &mut dyn Kernel,
    path: &str,
    reproducible: bool,
) -> Result<Box<Report>, Error> {
    let recording = match kernel.read_whole_file(path) {
        Ok(recording) => recording,
        Err(errno) => return Err(file_error(path, FileProblem::CannotRead, errno)),
    };
    replay(&recording, reproducible)
        .map_err(|problem| Error::Recording { path: path.to_owned(), problem })
}

fn file_error(path: &str, problem: FileProblem, errno: Errno) -> Error {
    Error::File { path: path.to_owned(), problem, errno }
}

/// Prints a response and returns the exit code.
fn print(kernel: &mut dyn Kernel, response: &Response, is_framed: bool) -> i32 {
    print_messages(kernel, &response.messages);
    let mut exit = response.exit;
    if let Err(errno) = write_all(kernel, STDOUT, response.output.as_bytes()) {
        exit = fail(kernel, &file_error("standard output", FileProblem::CannotWrite, errno));
    }
    if is_framed {
        frame::for_each_line(&response.output, exit, &mut |line| print_messages(kernel, line));
    }
    exit
}

/// Prints an error and returns the exit code.
pub fn fail(kernel: &mut dyn Kernel, error: &Error) -> i32 {
    print_messages(kernel, &error_line(error));
    FAILURE
}

/// The line that reports an error.
pub fn error_line(error: &Error) -> String {
    format!("mapprobe: {error}\n")
}

/// Prints on standard error. A failure cannot be reported anywhere.
pub fn print_messages(kernel: &mut dyn Kernel, messages: &str) {
    let _ = write_all(kernel, STDERR, messages.as_bytes());
}
