//! The command line.
//!
//! Each command has its own options and its own `--help`. A query's options may also stand in front of
//! the command; without a command they belong to `report`.

use crate::arch::Arch;
use crate::error::Error;
use crate::flags::Flag;
use crate::reference::suggest::nearest;
use crate::report::write::Style;
use crate::request::{Format, ProbeOptions, Query};
use crate::requirement::{Requirement, parse_flag};
use argh::{FromArgValue, FromArgs, SubCommands};

/// Find out by experiment which mmap(2) flags the running kernel honors.
#[derive(FromArgs, Debug)]
#[argh(
    help_triggers("-h", "--help", "help"),
    note = "Without a command: report. `{command_name} COMMAND --help` lists its options.",
    error_code(0, "success, or every required flag is honored"),
    error_code(1, "a required flag is not honored"),
    error_code(2, "error"),
    error_code(3, "a required flag is inconclusive")
)]
struct Arguments {
    /// print the version
    #[argh(switch)]
    version: bool,

    #[argh(subcommand)]
    command: Option<Command>,
}

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

/// The options of the commands that ask the kernel. argh cannot flatten a struct into another one, so a
/// macro writes them into each.
macro_rules! query_command {
    ($command:tt: $(#[$doc:meta])* struct $name:ident { $($field:tt)* }) => {
        #[derive(FromArgs, Debug)]
        #[argh(subcommand, name = $command, help_triggers("-h", "--help", "help"))]
        $(#[$doc])*
        struct $name {
            $($field)*

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
        }

        impl $name {
            fn into_request(self, query: Query, require: Option<Require>) -> QueryRequest {
                QueryRequest {
                    options: ProbeOptions {
                        query,
                        paths: self.path,
                        thorough: self.thorough,
                        reproducible: self.reproducible,
                    },
                    require,
                    format: self.format,
                    prefix: self.prefix,
                    record: self.record,
                    replay: self.replay,
                    framed: self.framed,
                }
            }
        }
    };
}

query_command! {
    "report":
    /// Print a verdict for every flag (default).
    struct ReportCommand {}
}

query_command! {
    "sweep":
    /// Print the kernel's answer to every bit of the flags argument.
    struct SweepCommand {}
}

query_command! {
    "free-bits":
    /// Print the bits and map types that are guaranteed to fail.
    struct FreeBitsCommand {}
}

query_command! {
    "require":
    /// Check that flags are honored, and print those that are not.
    struct RequireCommand {
        /// a flag, or FLAG:PATH to require it on that file
        #[argh(positional, arg_name = "FLAG[:PATH]", from_str_fn(Requirement::parse))]
        requirements: Vec<Requirement>,

        /// accept inconclusive flags
        #[argh(switch)]
        allow_inconclusive: bool,
    }
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

/// What is asked of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Help(String),
    Version,
    Query(QueryRequest),
    List { arch: Arch },
    Explain { flag: Flag },
    Decode { number: u64, arch: Arch },
}

/// What is asked of the kernel, and how the result is printed.
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
    /// Whether the output is printed on standard error too, in checksummed lines ([`crate::frame`]).
    pub framed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Require {
    pub requirements: Vec<Requirement>,
    pub allow_inconclusive: bool,
}

impl QueryRequest {
    /// Checks options that exclude each other, which argh cannot express.
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
        Ok(())
    }

    /// The style of the report on a sink without colours.
    pub fn style(&self) -> Style {
        let default = Style::default();
        Style { prefix: self.prefix.clone().unwrap_or(default.prefix), ..default }
    }
}

/// Parses the arguments after `argv[0]`.
pub fn parse(arguments: &[&str]) -> Result<Request, Error> {
    let arguments = split_values(arguments);
    match arguments.first() {
        Some(first) if first.starts_with('-') && !is_top_level(first) => {
            parse_options_first(&arguments)
        }
        _ => parse_command_first(&arguments),
    }
}

/// Whether an option belongs to no command.
fn is_top_level(option: &str) -> bool {
    matches!(option, "--version" | "--help" | "-h")
}

/// Parses options in front of a command. Without a command they belong to `report`.
fn parse_options_first(arguments: &[&str]) -> Result<Request, Error> {
    let report = [&[Query::Report.command()], arguments].concat();
    let parsed = parse_command_first(&report);
    if parsed.is_ok() {
        return parsed;
    }
    let is_command = |argument: &&str| Command::COMMANDS.iter().any(|one| one.name == *argument);
    match arguments.iter().position(is_command) {
        Some(index) => {
            let mut rotated = arguments.to_vec();
            let command = rotated.remove(index);
            rotated.insert(0, command);
            parse_command_first(&rotated)
        }
        None => parsed,
    }
}

fn parse_command_first(arguments: &[&str]) -> Result<Request, Error> {
    let Arguments { version, command } = match Arguments::from_args(&["mapprobe"], arguments) {
        Ok(parsed) => parsed,
        Err(exit) if exit.status.is_ok() => return Ok(Request::Help(exit.output)),
        Err(exit) => return Err(Error::Usage(usage_error(arguments, exit.output.trim_end()))),
    };
    if version {
        return Ok(Request::Version);
    }
    let query = match command {
        None => QueryRequest::default(),
        Some(Command::Report(command)) => command.into_request(Query::Report, None),
        Some(Command::Sweep(command)) => command.into_request(Query::Sweep, None),
        Some(Command::FreeBits(command)) => command.into_request(Query::FreeBits, None),
        Some(Command::Require(command)) => require(command)?,
        Some(Command::List(ListCommand { arch })) => return Ok(Request::List { arch }),
        Some(Command::Explain(ExplainCommand { flag })) => return Ok(Request::Explain { flag }),
        Some(Command::Decode(DecodeCommand { number, arch })) => {
            return Ok(Request::Decode { number, arch });
        }
    };
    query.validate()?;
    Ok(Request::Query(query))
}

fn require(mut command: RequireCommand) -> Result<QueryRequest, Error> {
    if command.requirements.is_empty() {
        return Err(Error::Usage(String::from("require needs at least one FLAG or FLAG:PATH")));
    }
    let requirements = core::mem::take(&mut command.requirements);
    // A required path is probed.
    for path in requirements.iter().filter_map(|requirement| requirement.path.as_ref()) {
        if !command.path.contains(path) {
            command.path.push(path.clone());
        }
    }
    let allow_inconclusive = command.allow_inconclusive;
    let require = Require { requirements, allow_inconclusive };
    Ok(command.into_request(Query::Report, Some(require)))
}

/// Makes two arguments of `--option=value`.
fn split_values<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let mut split = Vec::new();
    for argument in arguments {
        match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => split.extend([option, value]),
            _ => split.push(argument),
        }
    }
    split
}

/// Adds the nearest command or option to argh's message about an unrecognized argument.
fn usage_error(arguments: &[&str], message: &str) -> String {
    let Some(argument) = message.strip_prefix("Unrecognized argument: ") else {
        return message.to_owned();
    };
    // The help of the command lists what it recognizes, one at the beginning of each line.
    let command = arguments.first().filter(|command| **command != argument);
    let help_arguments = [command.copied().unwrap_or("--help"), "--help"];
    let help = Arguments::from_args(&["mapprobe"], &help_arguments);
    let help = help.err().map(|exit| exit.output).unwrap_or_default();
    let recognized = help.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    match nearest(argument, recognized) {
        Some(nearest) => format!("unrecognized argument {argument}; did you mean {nearest}?"),
        None => format!("unrecognized argument {argument}; see --help"),
    }
}

impl FromArgValue for Format {
    fn from_arg_value(value: &str) -> Result<Format, String> {
        Format::from_name(value)
            .ok_or_else(|| expected_one_of(Format::ALL.map(Format::name).as_slice()))
    }
}

impl FromArgValue for Arch {
    fn from_arg_value(value: &str) -> Result<Arch, String> {
        Arch::from_name(value).ok_or_else(|| expected_one_of(Arch::ALL.map(Arch::name).as_slice()))
    }
}

fn expected_one_of(names: &[&str]) -> String {
    format!("expected one of: {}", names.join(", "))
}

/// Parses a number as C spells it: hexadecimal, octal or decimal.
fn parse_number(argument: &str) -> Result<u64, String> {
    let (digits, radix) = match argument.strip_prefix("0x").or(argument.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if argument.len() > 1 && argument.starts_with('0') => (argument, 8),
        None => (argument, 10),
    };
    let is_unsigned = digits.starts_with(|first: char| first.is_ascii_hexdigit());
    let number = u64::from_str_radix(digits, radix).ok().filter(|_| is_unsigned);
    number.ok_or_else(|| String::from("expected a number such as 0x8003, 32771 or 0100003"))
}

/// Checks that identifiers of C and of the shell can begin with a text.
fn name_prefix(value: &str) -> Result<String, String> {
    let is_valid = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let begins_with_digit = value.starts_with(|first: char| first.is_ascii_digit());
    if value.bytes().all(is_valid) && !begins_with_digit {
        Ok(value.to_owned())
    } else {
        Err(String::from("expected letters, digits and _, not starting with a digit"))
    }
}
