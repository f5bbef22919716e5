//! The command line: what can be asked, and nothing else.

use crate::report::{FORMATS, Format};
use argh::{EarlyExit, FromArgValue, FromArgs};

/// What `--version` prints.
const VERSION: &str = concat!("mapprobe ", env!("CARGO_PKG_VERSION"), "\n");

/// Find out by experiment which mmap(2) flags the running kernel honors.
#[derive(FromArgs, Clone, Debug)]
pub struct Options {
    /// report (default): a verdict per flag; sweep: the answer to every bit of the flags argument; free-bits: which bits and
    /// type values are guaranteed to fail here
    #[argh(positional, default = "What::Report")]
    pub what: What,

    /// how to print it: json (default) or table
    #[argh(option, default = "FORMATS[0]")]
    pub format: Format,

    /// ask about a file too, or a directory (a scratch file is made in it and removed) or a device; never changed; repeatable
    #[argh(option)]
    pub path: Vec<String>,

    /// also run tests that fill the address space, for MAP_ABOVE4G
    #[argh(switch)]
    pub thorough: bool,

    /// leave out what differs from run to run: process id and time
    #[argh(switch)]
    pub reproducible: bool,

    /// write every kernel call and its answer to a file, or to standard output instead of the report: -
    #[argh(option)]
    pub record: Option<String>,

    /// answer from a recording instead of the running kernel
    #[argh(option)]
    pub replay: Option<String>,

    /// print the version and exit
    #[argh(switch)]
    pub version: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            what: What::Report,
            format: FORMATS[0],
            path: Vec::new(),
            thorough: false,
            reproducible: false,
            record: None,
            replay: None,
            version: false,
        }
    }
}

/// What is to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A verdict per flag.
    Report,
    /// The answer to every bit.
    Sweep,
    /// Which bits and type values fail for sure.
    FreeBits,
}

impl What {
    /// Every one, with its word.
    pub const ALL: [(&'static str, What); 3] =
        [("report", What::Report), ("sweep", What::Sweep), ("free-bits", What::FreeBits)];
}

/// The value of a word, or a sentence that names the words there are.
fn choose<T: Copy>(word: &str, what: &str, known: impl Iterator<Item = (&'static str, T)>) -> Result<T, String> {
    let mut message = String::from("there is no such ");
    message.push_str(what);
    message.push_str("; choose one of");
    for (name, value) in known {
        if name == word {
            return Ok(value);
        }
        message.push(' ');
        message.push_str(name);
    }
    Err(message)
}

impl FromArgValue for What {
    fn from_arg_value(value: &str) -> Result<What, String> {
        choose(value, "question", What::ALL.into_iter())
    }
}

impl FromArgValue for Format {
    fn from_arg_value(value: &str) -> Result<Format, String> {
        choose(value, "format", FORMATS.iter().map(|format| (format.name, *format)))
    }
}

/// What arguments ask for.
#[derive(Debug)]
pub enum Request {
    /// Something about the kernel.
    Run(Options),
    /// A text that needs no kernel: help or version.
    Text(String),
}

/// Reads arguments, the program's own name not included. The error is a sentence.
pub fn parse(arguments: &[&str]) -> Result<Request, String> {
    match Options::from_args(&["mapprobe"], arguments) {
        Ok(options) if options.version => Ok(Request::Text(String::from(VERSION))),
        Ok(options) => Ok(Request::Run(options)),
        Err(EarlyExit { output, status: Ok(()) }) => Ok(Request::Text(output)),
        Err(EarlyExit { output, .. }) => Err(output),
    }
}
