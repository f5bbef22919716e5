//! The command line: what can be asked, and nothing else.

use crate::errno::nth_line;
use crate::report::FORMATS;
use argh::{EarlyExit, FromArgs};

/// What `--version` prints.
const VERSION: &str = concat!("mapprobe ", env!("CARGO_PKG_VERSION"), "\n");

/// Find out by experiment which mmap(2) flags the running kernel honors.
#[derive(FromArgs)]
struct Words {
    /// report (default): a verdict per flag; sweep: the answer to every bit of the flags argument; free-bits: which bits and
    /// type values are guaranteed to fail here
    #[argh(positional)]
    what: Option<String>,

    /// how to print it: json (default) or table
    #[argh(option)]
    format: Option<String>,

    /// ask about a file too, or a directory (a scratch file is made in it and removed) or a device; never changed; repeatable
    #[argh(option)]
    path: Vec<String>,

    /// write every kernel call and its answer to a file, or to standard output instead of the report: -
    #[argh(option)]
    record: Option<String>,

    /// answer from a recording instead of the running kernel
    #[argh(option)]
    replay: Option<String>,

    /// also run tests that fill the address space, for MAP_ABOVE4G
    #[argh(switch)]
    thorough: bool,

    /// leave out what differs from run to run: process id and time
    #[argh(switch)]
    reproducible: bool,

    /// print the version and exit
    #[argh(switch)]
    version: bool,
}

/// What is to be found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum What {
    /// A verdict per flag.
    #[default]
    Report,
    /// The answer to every bit.
    Sweep,
    /// Which bits and type values fail for sure.
    FreeBits,
}

impl What {
    /// Every one.
    pub const ALL: [What; 3] = [What::Report, What::Sweep, What::FreeBits];

    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        nth_line("report\nsweep\nfree-bits", self as usize)
    }
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is to be found out.
    pub what: What,
    /// How it is printed: a place in [`FORMATS`].
    pub format: usize,
    /// What to ask about beside memory and a memfd.
    pub path: Vec<String>,
    /// Where a recording goes.
    pub record: Option<String>,
    /// Where a recording comes from.
    pub replay: Option<String>,
    /// Whether to run tests that fill the address space.
    pub thorough: bool,
    /// Whether to leave out what differs from run to run.
    pub reproducible: bool,
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
    let words = match Words::from_args(&["mapprobe"], arguments) {
        Ok(words) => words,
        Err(EarlyExit { output, status: Ok(()) }) => return Ok(Request::Text(output)),
        Err(EarlyExit { output, .. }) => return Err(output),
    };
    if words.version {
        return Ok(Request::Text(String::from(VERSION)));
    }
    let what = choose("question", words.what, What::ALL.len(), |at| What::ALL.get(at).map_or("", |what| what.word()))?;
    let format = choose("format", words.format, FORMATS.len(), |at| FORMATS.get(at).map_or("", |format| format.name))?;
    let Words { path, record, replay, thorough, reproducible, .. } = words;
    let what = What::ALL.get(what).copied().unwrap_or_default();
    Ok(Request::Run(Options { what, format, path, record, replay, thorough, reproducible }))
}

/// The place of a word among those there are, the first without one; or a sentence that names them.
fn choose(what: &str, word: Option<String>, count: usize, name: fn(usize) -> &'static str) -> Result<usize, String> {
    let Some(word) = word else { return Ok(0) };
    if let Some(at) = (0..count).find(|&at| name(at) == word) {
        return Ok(at);
    }
    let mut message = String::from("there is no ");
    message.push_str(what);
    message.push(' ');
    message.push_str(&word);
    message.push_str("; choose one of");
    for at in 0..count {
        message.push(' ');
        message.push_str(name(at));
    }
    Err(message)
}
