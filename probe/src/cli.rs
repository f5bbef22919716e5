//! The command line: what can be asked, and nothing else.

use crate::report::{FORMATS, Format};
use argh::{EarlyExit, FromArgValue, FromArgs};

/// What `--version` prints.
const VERSION: &str = concat!("mapprobe ", env!("CARGO_PKG_VERSION"), "\n");

/// Find out by experiment which mmap(2) flags the running kernel honors, and print a report.
#[derive(FromArgs, Debug)]
pub struct Options {
    /// how to print the report: json (default) or table
    #[argh(option, default = "FORMATS[0]")]
    pub format: Format,

    /// leave out what differs from run to run: process id and time
    #[argh(switch)]
    pub reproducible: bool,

    /// print the version and exit
    #[argh(switch)]
    pub version: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { format: FORMATS[0], reproducible: false, version: false }
    }
}

impl FromArgValue for Format {
    fn from_arg_value(value: &str) -> Result<Format, String> {
        let known = FORMATS.iter().find(|format| format.name == value).copied();
        known.ok_or_else(|| {
            let mut message = String::from("there is no such format; choose one of");
            for format in FORMATS {
                message.push(' ');
                message.push_str(format.name);
            }
            message
        })
    }
}

/// What arguments ask for.
#[derive(Debug)]
pub enum Request {
    /// A report.
    Report(Options),
    /// A text that needs no kernel: help or version.
    Text(String),
}

/// Reads arguments, the program's own name not included. The error is a sentence.
pub fn parse(arguments: &[&str]) -> Result<Request, String> {
    match Options::from_args(&["mapprobe"], arguments) {
        Ok(options) if options.version => Ok(Request::Text(String::from(VERSION))),
        Ok(options) => Ok(Request::Report(options)),
        Err(EarlyExit { output, status: Ok(()) }) => Ok(Request::Text(output)),
        Err(EarlyExit { output, .. }) => Err(output),
    }
}
