//! The command line: what can be asked, and nothing else.

use crate::command::of_file;
use crate::errno::nth_line;
use crate::report::FORMATS;
use argh::{EarlyExit, FromArgs};

/// What `--version` prints.
const VERSION: &str = concat!("mapprobe ", env!("CARGO_PKG_VERSION"), "\n");

/// Find out by experiment which mmap(2) flags the running kernel honors.
//
// The help and the complaints are argh's. The words are read below: the first field costs a kilobyte, and each other one a third of
// that.
#[derive(FromArgs)]
#[argh(usage = "[arguments...]")]
#[argh(note = "\
Arguments:
  report          a verdict per flag (default)
  sweep           the answer to every bit of the flags argument
  free-bits       which bits and type values are guaranteed to fail here
  --format        how to print it: json (default) or table
  --path          ask about a file too, or a directory (a scratch file is
                  made in it and removed) or a device; never changed; repeatable
  --record        write every kernel call and its answer to a file, or to
                  standard output instead of the report: -
  --replay        answer from a recording instead of the running kernel
  --thorough      also run tests that fill the address space, for MAP_ABOVE4G
  --reproducible  leave out what differs from run to run: process id and time
  --version       print the version and exit")]
struct Words {}

/// The words that stand for themselves, and behind them those that a value follows.
static NAMES: [&str; 7] = ["--thorough", "--reproducible", "--version", "--format", "--record", "--replay", "--path"];
/// How many stand for themselves.
const SWITCHES: usize = 3;
/// How many have one value at most; the last may have many.
const SINGLE: usize = 3;

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
    let (mut what, mut given, mut values, mut path) = (None, [false; SWITCHES], [None; SINGLE], Vec::new());
    let mut words = arguments.iter();
    while let Some(&word) = words.next() {
        let at = NAMES.iter().position(|&name| name == word).unwrap_or(NAMES.len());
        let twice = if let Some(given) = given.get_mut(at) {
            *given = true;
            false
        } else if at < NAMES.len() {
            let Some(&value) = words.next() else { return Err(of_file(word, "its value is missing")) };
            match values.get_mut(at - SWITCHES) {
                Some(place) => place.replace(value).is_some(),
                None => {
                    path.push(String::from(value));
                    false
                }
            }
        } else if word.starts_with('-') || word == "help" {
            match Words::from_args(&["mapprobe"], &[word]) {
                Err(EarlyExit { output, status: Ok(()) }) => return Ok(Request::Text(output)),
                Err(EarlyExit { output, .. }) => return Err(output),
                Ok(_) => what.replace(word).is_some(),
            }
        } else {
            what.replace(word).is_some()
        };
        if twice {
            return Err(of_file(word, "one such argument is enough"));
        }
    }
    let ([thorough, reproducible, version], [format, record, replay]) = (given, values);
    if version {
        return Ok(Request::Text(String::from(VERSION)));
    }
    let what = choose("question", what, What::ALL.len(), |at| What::ALL.get(at).map_or("", |what| what.word()))?;
    let format = choose("format", format, FORMATS.len(), |at| FORMATS.get(at).map_or("", |format| format.name))?;
    let what = What::ALL.get(what).copied().unwrap_or_default();
    let (record, replay) = (record.map(String::from), replay.map(String::from));
    Ok(Request::Run(Options { what, format, path, record, replay, thorough, reproducible }))
}

/// The place of a word among those there are, the first without one; or a sentence that names them.
fn choose(what: &str, word: Option<&str>, count: usize, name: fn(usize) -> &'static str) -> Result<usize, String> {
    let Some(word) = word else { return Ok(0) };
    if let Some(at) = (0..count).find(|&at| name(at) == word) {
        return Ok(at);
    }
    let mut message = String::from("there is no ");
    message.push_str(what);
    message.push(' ');
    message.push_str(word);
    message.push_str("; choose one of");
    for at in 0..count {
        message.push(' ');
        message.push_str(name(at));
    }
    Err(message)
}
