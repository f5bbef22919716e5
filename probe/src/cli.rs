//! The command line: what can be asked, and nothing else.

use crate::command::of_file;
use crate::report::{FORMATS, Style};
use crate::text::Text;
use argh::{EarlyExit, FromArgs};

/// Find out by experiment which mmap(2) flags the running kernel honors.
//
// The help and the complaints are argh's. The words are read below: the first field costs a kilobyte, and each other one a third of
// that.
#[derive(FromArgs)]
#[argh(usage = "[arguments...]")]
struct Words {}

/// What stands below argh's part of the help.
pub(crate) const HELP: &str = "
Arguments:
  report          a verdict per flag (default)
  sweep           the answer to every bit of the flags argument
  free-bits       which bits and type values are guaranteed to fail here
  --format        how to print it: json (default), jsonl, table, ktap, shell,
                  macros, prometheus or nfd
  --prefix        how names in macros and shell begin: MAPPROBE_ (default)
  --path          ask about a file too, or a directory (a scratch file is
                  made in it and removed) or a device; never changed; repeatable
  --record        write every kernel call and its answer to a file, or to
                  standard output instead of the report: -
  --replay        answer from a recording instead of the running kernel
  --thorough      also run tests that fill the address space, for MAP_ABOVE4G
  --reproducible  leave out what differs from run to run: process id and time
  --framed        print it on standard error too, in checksummed lines
  --version       print the version and exit
";

/// The words that stand for themselves, and behind them those that a value follows.
pub(crate) const NAMES: [&str; 9] =
    ["--thorough", "--reproducible", "--framed", "--version", "--format", "--record", "--replay", "--prefix", "--path"];
/// How many stand for themselves.
const SWITCHES: usize = 4;
/// How many have one value at most; the last may have many.
const SINGLE: usize = 4;

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

    /// Their words on the command line.
    pub(crate) const WORDS: [&str; 3] = ["report", "sweep", "free-bits"];

    /// Its word on the command line.
    pub const fn word(self) -> Text {
        Text::QUESTIONS.nth(self as usize)
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
    /// Whether to print it on standard error too, in the lines of [`crate::frame`]: a console is shared with others.
    pub framed: bool,
    /// How it is printed, beside that.
    pub style: Style,
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
        let at = place(word, Text::OPTIONS, NAMES.len());
        let twice = if let Some(given) = given.get_mut(at) {
            *given = true;
            false
        } else if at < NAMES.len() {
            let Some(&value) = words.next() else { return Err(of_file(word, Text::VALUE_IS_MISSING)) };
            match values.get_mut(at - SWITCHES) {
                Some(place) => place.replace(value).is_some(),
                None => {
                    path.push(String::from(value));
                    false
                }
            }
        } else if word.starts_with('-') || word == "help" {
            match Words::from_args(&["mapprobe"], &[word]) {
                Err(EarlyExit { mut output, status: Ok(()) }) => {
                    Text::HELP.push(&mut output);
                    return Ok(Request::Text(output));
                }
                Err(EarlyExit { output, .. }) => return Err(output),
                Ok(_) => what.replace(word).is_some(),
            }
        } else {
            what.replace(word).is_some()
        };
        if twice {
            return Err(of_file(word, Text::ONE_IS_ENOUGH));
        }
    }
    let ([thorough, reproducible, framed, version], [format, record, replay, prefix]) = (given, values);
    if version {
        return Ok(Request::Text(Text::VERSION_LINE.string()));
    }
    let what = choose(Text::THERE_IS_NO_QUESTION, what, Text::QUESTIONS, What::ALL.len())?;
    let format = choose(Text::THERE_IS_NO_FORMAT, format, Text::FORMATS, FORMATS.len())?;
    let what = What::ALL.get(what).copied().unwrap_or_default();
    let (record, replay) = (owned(record), owned(replay));
    let style = Style { prefix: owned(prefix), colour: false };
    Ok(Request::Run(Options { what, format, path, record, replay, thorough, reproducible, framed, style }))
}

#[inline(never)]
fn owned(value: Option<&str>) -> Option<String> {
    value.map(String::from)
}

/// The place of a word in a list of so many, or their number.
#[cold]
fn place(word: &str, list: Text, count: usize) -> usize {
    (0..count).find(|&at| list.nth(at).string() == word).unwrap_or(count)
}

/// The place of a word among those there are, the first without one; or a sentence that names them.
fn choose(there_is_no: Text, word: Option<&str>, list: Text, count: usize) -> Result<usize, String> {
    let Some(word) = word else { return Ok(0) };
    let at = place(word, list, count);
    if at < count {
        return Ok(at);
    }
    let mut message = there_is_no.string();
    message.push_str(word);
    Text::CHOOSE.push(&mut message);
    for at in 0..count {
        message.push(' ');
        list.nth(at).push(&mut message);
    }
    Err(message)
}
