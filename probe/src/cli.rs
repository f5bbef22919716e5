//! The command line.
//!
//! argh accepts the options of a query only before the command. `query_options_first` moves them
//! there, so that they work after the command too.

use crate::arch::Arch;
use crate::error::Error;
use crate::flags::Flag;
use crate::reference::suggest::nearest;
use crate::report::Style;
use crate::request::{Format, ProbeOptions, Query, RecordingVersion};
use crate::requirement::{Require, Requirement, parse_flag};
use argh::{FromArgValue, FromArgs, SubCommands};

/// Find out by experiment which mmap(2) flags the running kernel honors.
#[derive(FromArgs, Debug)]
#[argh(
    help_triggers("-h", "--help", "help"),
    usage = "[COMMAND] [OPTIONS]",
    note = "Without a command: report. `{command_name} COMMAND --help` lists its arguments.",
    error_code(0, "success, or every required flag is honored"),
    error_code(1, "a required flag is not honored, or no huge page can be had now"),
    error_code(2, "error"),
    error_code(3, "a required flag is inconclusive")
)]
struct Arguments {
    /// output format: json (default), jsonl, table, ktap, shell, macros, prometheus or nfd
    #[argh(option)]
    format: Option<Format>,

    /// beginning of the names that macros and shell define (default: MAPPROBE_)
    #[argh(option, from_str_fn(name_prefix))]
    prefix: Option<String>,

    /// also probe this file or device, or a scratch file in this directory; repeatable
    #[argh(option)]
    path: Vec<String>,

    /// record every system call and its result in this file, or on standard output (-)
    #[argh(option, arg_name = "file")]
    record: Option<String>,

    /// replay this recording instead of asking the kernel
    #[argh(option, arg_name = "file")]
    replay: Option<String>,

    /// also run the experiments that fill the address space (MAP_ABOVE4G)
    #[argh(switch)]
    thorough: bool,

    /// leave out process ID and time
    #[argh(switch)]
    reproducible: bool,

    /// also print the output in checksummed lines on standard error
    #[argh(switch)]
    framed: bool,

    /// print the version
    #[argh(switch)]
    version: bool,

    #[argh(subcommand)]
    command: Option<Command>,
}

/// The options of a query that take a value.
const QUERY_OPTIONS: [&str; 5] = ["--format", "--prefix", "--path", "--record", "--replay"];
/// The options of a query that take none.
const QUERY_SWITCHES: [&str; 3] = ["--thorough", "--reproducible", "--framed"];
/// All other options.
const OTHER_OPTIONS: [&str; 5] =
    ["--allow-inconclusive", "--support-only", "--arch", "--help", "--version"];

#[derive(FromArgs, Debug)]
#[argh(subcommand)]
enum Command {
    Report(ReportCommand),
    Sweep(SweepCommand),
    FreeBits(FreeBitsCommand),
    Require(RequireCommand),
    List(ListCommand),
    Explain(ExplainCommand),
    Decode(DecodeCommand),
}

/// Print a verdict for every flag (default).
#[derive(FromArgs, Debug)]
#[argh(
    subcommand,
    name = "report",
    help_triggers("-h", "--help", "help"),
    note = "`mapprobe --help` lists the options of a query."
)]
struct ReportCommand {}

/// Print the result of every bit of the flags argument.
#[derive(FromArgs, Debug)]
#[argh(
    subcommand,
    name = "sweep",
    help_triggers("-h", "--help", "help"),
    note = "`mapprobe --help` lists the options of a query."
)]
struct SweepCommand {}

/// Print the bits and map types that are guaranteed to fail.
#[derive(FromArgs, Debug)]
#[argh(
    subcommand,
    name = "free-bits",
    help_triggers("-h", "--help", "help"),
    note = "`mapprobe --help` lists the options of a query."
)]
struct FreeBitsCommand {}

/// Check that flags are honored, and print those that are not.
#[derive(FromArgs, Debug)]
#[argh(
    subcommand,
    name = "require",
    help_triggers("-h", "--help", "help"),
    usage = "[OPTIONS] [--] FLAG[:PATH]...",
    note = "`mapprobe --help` lists the options of a query."
)]
struct RequireCommand {
    /// a flag, or FLAG:PATH to require it on that file
    #[argh(positional, arg_name = "FLAG[:PATH]", from_str_fn(Requirement::parse))]
    requirement: Vec<Requirement>,

    /// accept inconclusive flags
    #[argh(switch)]
    allow_inconclusive: bool,

    /// require the kernel's support alone, not a huge page now
    #[argh(switch)]
    support_only: bool,
}

/// List the flags, their numbers, and the Linux versions that introduced them.
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "list", help_triggers("-h", "--help", "help"))]
struct ListCommand {
    /// x86_64, aarch64 or hppa (default: this machine's)
    #[argh(option, default = "Arch::native()")]
    arch: Arch,
}

/// Explain what a flag promises, how that is proved, and its pitfalls.
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "explain", help_triggers("-h", "--help", "help"))]
struct ExplainCommand {
    /// a flag, such as MAP_SYNC
    #[argh(positional, arg_name = "FLAG", from_str_fn(parse_flag))]
    flag: Flag,
}

/// Name the flags in a number.
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "decode", help_triggers("-h", "--help", "help"))]
struct DecodeCommand {
    /// a flags argument, such as 0x8003, 32771 or 0100003
    #[argh(positional, arg_name = "NUMBER", from_str_fn(parse_number))]
    number: u64,

    /// x86_64, aarch64 or hppa (default: this machine's)
    #[argh(option, default = "Arch::native()")]
    arch: Arch,
}

/// A parsed command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Help(String),
    Version,
    Query(QueryRequest),
    List { arch: Arch },
    Explain { flag: Flag },
    Decode { number: u64, arch: Arch },
}

/// A run, measured or replayed, and the output of its result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryRequest {
    pub options: ProbeOptions,
    pub require: Option<Require>,
    /// `None`: JSON, or for [`QueryRequest::require`] only the unmet requirements.
    pub format: Option<Format>,
    pub prefix: Option<String>,
    /// The file for a recording; `-` is standard output.
    pub record: Option<String>,
    pub replay: Option<String>,
    /// Whether the output is printed on standard error too, in checksummed lines
    /// ([`crate::frame`]).
    pub framed: bool,
}

impl QueryRequest {
    /// Checks what argh cannot express.
    fn validate(&self) -> Result<(), Error> {
        if self.record.is_some() && self.replay.is_some() {
            return Err(Error::Conflict("--record", "--replay"));
        }
        let format = self.format.unwrap_or_default();
        if self.options.query != Query::Report && !format.holds_every_query() {
            return Err(Error::JsonOnly(self.options.query));
        }
        if self.prefix.is_some() && !format.defines_names() {
            return Err(Error::UnusedPrefix);
        }
        if self.require.as_ref().is_some_and(|require| require.requirements.is_empty()) {
            return Err(Error::Usage(String::from("require needs at least one FLAG or FLAG:PATH")));
        }
        Ok(())
    }

    /// The style of the report where no colours are shown.
    pub fn style(&self) -> Style {
        let default = Style::default();
        Style { prefix: self.prefix.clone().unwrap_or(default.prefix), ..default }
    }
}

/// Parses the arguments after `argv[0]`.
pub fn parse(arguments: &[&str]) -> Result<Request, Error> {
    let (query_options, others) = query_options_first(arguments)?;
    let reordered = [query_options.as_slice(), &others].concat();
    let parsed = match Arguments::from_args(&["mapprobe"], &reordered) {
        Ok(parsed) => parsed,
        Err(exit) if exit.status.is_ok() => return Ok(Request::Help(exit.output)),
        Err(exit) => return Err(Error::Usage(usage_error(&exit.output, &others))),
    };
    if parsed.version {
        return Ok(Request::Version);
    }
    let mut paths = parsed.path;
    let (query, require) = match parsed.command {
        None | Some(Command::Report(_)) => (Query::Report, None),
        Some(Command::Sweep(_)) => (Query::Sweep, None),
        Some(Command::FreeBits(_)) => (Query::FreeBits, None),
        Some(Command::Require(command)) => {
            let require = Require {
                requirements: command.requirement,
                allow_inconclusive: command.allow_inconclusive,
                support_only: command.support_only,
            };
            require.add_paths(&mut paths);
            (Query::Report, Some(require))
        }
        Some(Command::List(ListCommand { arch })) => {
            return offline("list", &query_options, Request::List { arch });
        }
        Some(Command::Explain(ExplainCommand { flag })) => {
            return offline("explain", &query_options, Request::Explain { flag });
        }
        Some(Command::Decode(DecodeCommand { number, arch })) => {
            return offline("decode", &query_options, Request::Decode { number, arch });
        }
    };
    let request = QueryRequest {
        options: ProbeOptions {
            recording_version: RecordingVersion::default(),
            query,
            paths,
            thorough: parsed.thorough,
            reproducible: parsed.reproducible,
        },
        require,
        format: parsed.format,
        prefix: parsed.prefix,
        record: parsed.record,
        replay: parsed.replay,
        framed: parsed.framed,
    };
    request.validate()?;
    Ok(Request::Query(request))
}

/// The request of a command that is handled offline. Fails if there are options of a query.
fn offline(command: &str, query_options: &[&str], request: Request) -> Result<Request, Error> {
    match query_options.first() {
        Some(option) => Err(Error::Usage(format!("{option} is not an option of {command}"))),
        None => Ok(request),
    }
}

/// Takes the options of a query and their values out of the arguments. Returns them and the other
/// arguments. `--option=value` becomes two arguments.
fn query_options_first<'a>(arguments: &[&'a str]) -> Result<(Vec<&'a str>, Vec<&'a str>), Error> {
    let (mut query_options, mut others) = (Vec::new(), Vec::new());
    let mut rest = arguments.iter();
    while let Some(&argument) = rest.next() {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) if QUERY_OPTIONS.contains(&name) || name == "--arch" => {
                (name, Some(value))
            }
            _ => (argument, None),
        };
        if QUERY_OPTIONS.contains(&name) {
            // Without this check argh would take the command, which comes next, for the value.
            let Some(value) = value.or_else(|| rest.next().copied()) else {
                return Err(Error::Usage(format!("{name} needs a value")));
            };
            query_options.push(name);
            query_options.push(value);
        } else if QUERY_SWITCHES.contains(&name) {
            query_options.push(name);
        } else {
            others.push(name);
            if let Some(value) = value {
                others.push(value);
            }
        }
        if name == "--" {
            // argh drops the first `--`, so the command's own arguments need another one.
            if others.len() == 1
                && let Some(&command) = rest.next()
            {
                others.push(command);
                others.push("--");
            }
            others.extend_from_slice(rest.as_slice());
            break;
        }
    }
    Ok((query_options, others))
}

/// The error message: argh's, or for an unrecognized argument one that names the nearest command or
/// option.
fn usage_error(message: &str, others: &[&str]) -> String {
    let Some(argument) = message.strip_prefix("Unrecognized argument: ") else {
        return message.trim_ascii_end().to_owned();
    };
    let argument = argument.trim_ascii_end();
    let (kind, nearest) = if argument.starts_with('-') {
        let options = [&QUERY_OPTIONS[..], &QUERY_SWITCHES, &OTHER_OPTIONS].concat();
        let name = argument.split('=').next().unwrap_or(argument);
        ("option", nearest(name, &options))
    } else if others.first() == Some(&argument) {
        let mut commands = Vec::new();
        for command in Command::COMMANDS {
            commands.push(command.name);
        }
        ("command", nearest(argument, &commands))
    } else {
        ("argument", None)
    };
    match nearest {
        // The option exists, but belongs to another command.
        Some(nearest) if nearest == argument => {
            format!("{argument} does not fit here; see mapprobe --help")
        }
        Some(nearest) => format!("unknown {kind} {argument}; did you mean {nearest}?"),
        None => format!("unknown {kind} {argument}; see mapprobe --help"),
    }
}

impl FromArgValue for Format {
    fn from_arg_value(value: &str) -> Result<Format, String> {
        Format::from_name(value).ok_or_else(|| expected_one_of(&Format::ALL.map(Format::name)))
    }
}

impl FromArgValue for Arch {
    fn from_arg_value(value: &str) -> Result<Arch, String> {
        Arch::from_name(value).ok_or_else(|| expected_one_of(&Arch::ALL.map(Arch::name)))
    }
}

fn expected_one_of(names: &[&str]) -> String {
    format!("expected one of {}", names.join(", "))
}

/// Parses a number as C spells it: hexadecimal, octal or decimal.
fn parse_number(argument: &str) -> Result<u64, String> {
    let (digits, radix) = match argument.strip_prefix("0x").or(argument.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if argument.len() > 1 && argument.starts_with('0') => (argument, 8),
        None => (argument, 10),
    };
    // from_str_radix accepts a plus sign, which is no part of a number in C.
    let is_unsigned = !digits.starts_with('+');
    let number = u64::from_str_radix(digits, radix).ok().filter(|_| is_unsigned);
    number.ok_or_else(|| {
        String::from("expected a number of at most 64 bits, such as 0x8003, 32771 or 0100003")
    })
}

/// Parses the beginning of identifiers in C and in the shell.
fn name_prefix(value: &str) -> Result<String, String> {
    let is_valid = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let begins_with_digit = value.bytes().next().is_some_and(|first| first.is_ascii_digit());
    if value.bytes().all(is_valid) && !begins_with_digit {
        Ok(value.to_owned())
    } else {
        Err(String::from("expected letters, digits and _, not starting with a digit"))
    }
}
