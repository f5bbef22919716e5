//! The command line: what can be asked, and nothing else.

use crate::arch::Arch;
use crate::command::of_file;
use crate::report::FORMATS;
use crate::require::{self, Requirement};
use crate::text::Text;
use crate::{decode, explain, list, nearest};
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
  require         say which of the flags behind it are not honored: FLAG, or
                  FLAG:PATH for one that is to work on that file
  list            every flag, its value, and the version it came with
  explain         what the FLAG behind it promises, and how that is proved
  decode          name the flags in the number behind it, such as 0x8003
  --format        how to print it: json (default) or table
  --path          ask about a file too, or a directory (a scratch file is
                  made in it and removed) or a device; never changed; repeatable
  --record        write every kernel call and its answer to a file, or to
                  standard output instead of the report: -
  --replay        answer from a recording instead of the running kernel
  --thorough      also run tests that fill the address space, for MAP_ABOVE4G
  --reproducible  leave out what differs from run to run: process id and time
  --allow-inconclusive
                  with require: what cannot be told counts as honored
  --arch          with list and decode: the numbers of this architecture
  --version       print the version and exit

Exit code: 0 printed, or all honored; 1 a flag is not; 2 failed; 3 cannot tell
";

/// The words that stand for themselves, behind them those that a value follows, and the one that can be given again.
pub(crate) const NAMES: [&str; 9] = [
    "--thorough",
    "--reproducible",
    "--allow-inconclusive",
    "--version",
    "--arch",
    "--format",
    "--record",
    "--replay",
    "--path",
];
/// Places among them.
pub(crate) const THOROUGH: usize = 0;
const REPRODUCIBLE: usize = 1;
const LENIENT: usize = 2;
const VERSION: usize = 3;
const ARCH: usize = 4;
/// The last one's.
pub(crate) const PATH: usize = NAMES.len() - 1;

/// What can be asked: of the kernel, in the order of [`What`], and then of the program.
pub(crate) const QUESTIONS: [&str; 7] = ["report", "sweep", "free-bits", "require", "list", "explain", "decode"];
/// Places among them.
const REQUIRE: usize = 3;
const LIST: usize = 4;
const EXPLAIN: usize = 5;

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
    /// What is required.
    pub require: Vec<Requirement>,
    /// Whether what cannot be told is good enough.
    pub lenient: bool,
    /// Whether nothing is to be printed but what of it is not met.
    pub alone: bool,
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
    let (mut given, mut values, mut path, mut words) = (0_u16, [None; PATH - ARCH], Vec::new(), Vec::new());
    let mut rest = arguments.iter();
    while let Some(&word) = rest.next() {
        let at = place(word, Text::OPTIONS, NAMES.len());
        if at >= NAMES.len() {
            if let (true, Err(exit)) =
                (word.starts_with('-') || word == "help", Words::from_args(&["mapprobe"], &[word]))
            {
                return help(exit);
            }
            words.push(word);
            continue;
        }
        given |= 1 << at;
        if at < ARCH {
            continue;
        }
        let Some(&value) = rest.next() else { return Err(of_file(word, Text::VALUE_IS_MISSING)) };
        let Some(place) = values.get_mut(at - ARCH) else {
            path.push(String::from(value));
            continue;
        };
        if place.replace(value).is_some() {
            return Err(of_file(word, Text::ONE_IS_ENOUGH));
        }
    }
    let is_given = |option: usize| given >> option & 1 == 1;
    if is_given(VERSION) {
        return Ok(Request::Text(Text::VERSION_LINE.string()));
    }
    let question = choose(Text::THERE_IS_NO_QUESTION, words.first().copied(), Text::QUESTIONS, QUESTIONS.len())?;
    let behind = words.get(1..).unwrap_or_default();
    fits(question, given, behind)?;
    let [arch, format, record, replay] = values;
    if question > REQUIRE {
        return about_flags(question, behind, arch).map(Request::Text);
    }
    let mut require = Vec::new();
    if question == REQUIRE {
        for word in behind {
            require.push(require::read(word, &mut path)?);
        }
    }
    let alone = !require.is_empty() && format.is_none();
    let format = choose(Text::THERE_IS_NO_FORMAT, format, Text::FORMATS, FORMATS.len())?;
    Ok(Request::Run(Options {
        what: What::ALL.get(question).copied().unwrap_or_default(),
        format,
        path,
        record: record.map(String::from),
        replay: replay.map(String::from),
        thorough: is_given(THOROUGH),
        reproducible: is_given(REPRODUCIBLE),
        require,
        lenient: is_given(LENIENT),
        alone,
    }))
}

/// How many words may follow a question, and which options, by their bits.
struct Shape {
    fewest: u8,
    most: u8,
    options: u16,
}

/// Those of what is asked of the kernel.
const ASKS: u16 = !(1 << LENIENT | 1 << ARCH);
/// For each of [`QUESTIONS`].
static SHAPES: [Shape; QUESTIONS.len()] = [
    Shape { fewest: 0, most: 0, options: ASKS },
    Shape { fewest: 0, most: 0, options: ASKS },
    Shape { fewest: 0, most: 0, options: ASKS },
    Shape { fewest: 1, most: u8::MAX, options: ASKS | 1 << LENIENT },
    Shape { fewest: 0, most: 0, options: 1 << ARCH },
    Shape { fewest: 1, most: 1, options: 0 },
    Shape { fewest: 1, most: 1, options: 1 << ARCH },
];

/// Whether the words and options can follow a question.
#[cold]
fn fits(question: usize, given: u16, behind: &[&str]) -> Result<(), String> {
    let Some(shape) = SHAPES.get(question) else { return Ok(()) };
    let foreign = given & !shape.options;
    if foreign != 0 {
        return Err(of_file(&Text::OPTIONS.nth(foreign.trailing_zeros() as usize).string(), Text::OTHER_QUESTION));
    }
    match behind.get(usize::from(shape.most)) {
        Some(word) => Err(of_file(word, Text::ONE_WORD_TOO_MANY)),
        None if behind.len() < shape.fewest.into() => {
            Err(of_file(&Text::QUESTIONS.nth(question).string(), Text::WORD_IS_MISSING))
        }
        None => Ok(()),
    }
}

/// What is answered without a kernel.
#[cold]
fn about_flags(question: usize, behind: &[&str], arch: Option<&str>) -> Result<String, String> {
    let mut column = Arch::native() as usize;
    if arch.is_some() {
        column = choose(Text::THERE_IS_NO_ARCH, arch, Text::ARCHS, Arch::ALL.len())?;
    }
    let Some(&arch) = Arch::ALL.get(column) else { return Ok(String::new()) };
    let word = behind.first().copied().unwrap_or_default();
    match question {
        LIST => Ok(list::list(arch)),
        EXPLAIN => Ok(explain::explain(nearest::flag(word)?)),
        _ => decode::decode(word, arch),
    }
}

/// The help, or a complaint.
#[cold]
fn help(exit: EarlyExit) -> Result<Request, String> {
    match exit {
        EarlyExit { mut output, status: Ok(()) } => {
            Text::HELP.push(&mut output);
            Ok(Request::Text(output))
        }
        EarlyExit { output, .. } => Err(output),
    }
}

/// The place of a word in a list of so many, or their number.
#[cold]
fn place(word: &str, list: Text, count: usize) -> usize {
    (0..count).find(|&at| list.nth(at).string() == word).unwrap_or(count)
}

/// The place of a word among those there are, the first without one; or a sentence that names them.
#[cold]
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
