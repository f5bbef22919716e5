//! The command line.
//!
//! Each command has its own options and its own `--help`. A query's options may also stand in front
//! of the command; without a command they belong to `report`.

use crate::arch::Arch;
use crate::error::Error;
use crate::flags::Flag;
use crate::reference::suggest::nearest;
use crate::report::write::Style;
use crate::request::{Format, ProbeOptions, Query};
use crate::requirement::{Requirement, parse_flag};
use argh::{ArgsInfo, CommandInfoWithArgs, FlagInfoKind, FromArgValue, FromArgs};

/// Find out by experiment which mmap(2) flags the running kernel honors.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    help_triggers("-h", "--help", "help"),
    usage = "[COMMAND] [OPTIONS]",
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

#[derive(FromArgs, ArgsInfo, Debug)]
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

/// The options of the commands that ask the kernel. argh cannot flatten a struct into another one,
/// so a macro writes them into each.
macro_rules! query_command {
    ($command:tt $usage:tt: $(#[$doc:meta])* struct $name:ident { $($field:tt)* }) => {
        #[derive(FromArgs, ArgsInfo, Debug)]
        #[argh(subcommand, name = $command, help_triggers("-h", "--help", "help"))]
        #[argh(usage = $usage)]
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
    "report" "[OPTIONS]":
    /// Print a verdict for every flag (default).
    struct ReportCommand {}
}

query_command! {
    "sweep" "[OPTIONS]":
    /// Print the kernel's answer to every bit of the flags argument.
    struct SweepCommand {}
}

query_command! {
    "free-bits" "[OPTIONS]":
    /// Print the bits and map types that are guaranteed to fail.
    struct FreeBitsCommand {}
}

query_command! {
    "require" "[OPTIONS] FLAG[:PATH]...":
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
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list", help_triggers("-h", "--help", "help"))]
struct ListCommand {
    /// x86_64, aarch64 or hppa (default: this machine's)
    #[argh(option, default = "Arch::native()")]
    arch: Arch,
}

/// Explain what a flag promises, how that is proved, and its pitfalls.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "explain", help_triggers("-h", "--help", "help"))]
struct ExplainCommand {
    /// a flag, such as MAP_SYNC
    #[argh(positional, arg_name = "FLAG", from_str_fn(parse_flag))]
    flag: Flag,
}

/// Name the flags in a number.
#[derive(FromArgs, ArgsInfo, Debug)]
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
    /// Whether the output is printed on standard error too, in checksummed lines
    /// ([`crate::frame`]).
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
    let info = Arguments::get_args_info();
    let arguments = command_first(&info, split_values(&info, arguments));
    let parsed = Arguments::from_args(&["mapprobe"], &arguments);
    let Arguments { version, command } = match parsed {
        Ok(parsed) => parsed,
        Err(exit) if exit.status.is_ok() => return Ok(Request::Help(exit.output)),
        Err(exit) => return Err(Error::Usage(message(&info, &arguments, &exit.output))),
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

/// The number of arguments of an option of any command: 2 with a value. `None` if no command has
/// it.
fn option_length(info: &CommandInfoWithArgs, argument: &str) -> Option<usize> {
    if matches!(argument, "--help" | "-h") {
        return Some(1);
    }
    let mut options = info.commands.iter().flat_map(|command| command.command.flags);
    match options.find(|option| option.long == argument)?.kind {
        FlagInfoKind::Option { .. } => Some(2),
        FlagInfoKind::Switch => Some(1),
    }
}

/// Makes two arguments of `--option=value`.
fn split_values<'a>(info: &CommandInfoWithArgs, arguments: &[&'a str]) -> Vec<&'a str> {
    let takes_value = |option| option_length(info, option) == Some(2);
    let mut split = Vec::new();
    let mut rest = arguments.iter();
    while let Some(&argument) = rest.next() {
        match argument.split_once('=') {
            Some((option, value)) if takes_value(option) => split.extend([option, value]),
            _ => split.push(argument),
        }
        if takes_value(argument) {
            split.extend(rest.next());
        }
        if argument == "--" {
            split.extend(rest.by_ref());
        }
    }
    split
}

/// Moves the command in front of its options. Options without a command belong to `report`.
fn command_first<'a>(info: &CommandInfoWithArgs, mut arguments: Vec<&'a str>) -> Vec<&'a str> {
    match arguments.first() {
        None | Some(&("--version" | "--help" | "-h")) => return arguments,
        Some(_) => {}
    }
    let mut index = 0;
    while let Some(length) = arguments.get(index).and_then(|option| option_length(info, option)) {
        index += length;
    }
    match arguments.get(index) {
        Some(command) if !command.starts_with('-') => {
            let command = arguments.remove(index);
            arguments.insert(0, command);
        }
        _ => arguments.insert(0, Query::Report.command()),
    }
    arguments
}

/// argh's error message in one line, with the nearest command or option, or with a list of them.
fn message(info: &CommandInfoWithArgs, arguments: &[&str], message: &str) -> String {
    let message = message.trim_end_matches('\n');
    let command = arguments.first().copied().unwrap_or_default();
    if let Some(argument) = message.strip_prefix("Unrecognized argument: ") {
        return unrecognized(info, command, argument);
    }
    if let Some(positional) = message.strip_prefix("Required positional arguments not provided:") {
        return format!("{command} needs a {}", positional.trim());
    }
    if let Some(option) = message.strip_prefix("No value provided for option '") {
        return format!("{} needs a value", option.trim_end_matches("'."));
    }
    if message.starts_with("Trailing arguments") {
        return String::from("help takes no options");
    }
    // argh repeats the value in front of what is wrong with it.
    let problem = |value: &&str| message.split_once(&format!("with value '{value}': "));
    let found = arguments.iter().find_map(|value| Some((value, problem(value)?)));
    let Some((value, (subject, problem))) = found else { return message.to_owned() };
    let Some(option) = subject.strip_prefix("Error parsing option '") else {
        return problem.to_owned();
    };
    let option = option.trim_end_matches("' ");
    match problem {
        "duplicate values provided" => format!("{option} is given more than once"),
        _ => format!("{option} {value}: {problem}"),
    }
}

/// The message about an argument that `command` does not have.
fn unrecognized(info: &CommandInfoWithArgs, command: &str, argument: &str) -> String {
    let Some(known) = info.commands.iter().find(|known| known.name == command) else {
        return unknown_command(info, argument);
    };
    let known = &known.command;
    let option = argument.split_once('=').map_or(argument, |(option, _)| option);
    let names = known.flags.iter().map(|flag| flag.long);
    let is_own = names.clone().any(|name| name == option);
    let is_switch = option_length(info, option) == Some(1);
    if is_own && is_switch && argument != option {
        return format!("{option} takes no value");
    }
    // Behind `--`, an option is an argument.
    if is_own || !argument.starts_with('-') {
        return format!("unexpected argument {argument}; see mapprobe {command} --help");
    }
    let mut others = info.commands.iter().flat_map(|other| other.command.flags).chain(info.flags);
    if others.any(|other| other.long == option) {
        return format!("{option} is no option of {command}; see mapprobe {command} --help");
    }
    match nearest(option, names) {
        Some(nearest) => format!("unknown option {option}; did you mean {nearest}?"),
        None => format!("unknown option {option}; see mapprobe {command} --help"),
    }
}

fn unknown_command(info: &CommandInfoWithArgs, argument: &str) -> String {
    if argument.starts_with('-') {
        return format!("unexpected argument {argument}; see mapprobe --help");
    }
    let names: Vec<&str> = info.commands.iter().map(|known| known.name).collect();
    match nearest(argument, names.iter().copied()) {
        Some(nearest) => format!("unknown command {argument}; did you mean {nearest}?"),
        None => format!("unknown command {argument}; {}", expected_one_of(&names)),
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
    format!("expected one of {}", names.join(", "))
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
    number.ok_or_else(|| {
        format!(
            "{argument}: expected a number of at most 64 bits, such as 0x8003, 32771 or 0100003"
        )
    })
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
