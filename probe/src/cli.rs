//! The command line: what can be asked, and nothing else.

use crate::arch::Arch;
use crate::command::of_file;
use crate::report::{FORMATS, Style};
use crate::require::{self, Requirement};
use crate::text::Text;
use crate::{decode, explain, list, nearest};
use argh::{CommandInfo, FromArgs, SubCommand};

/// Find out by experiment which mmap(2) flags the running kernel honors.
//
// What the command is and what it is for is argh's, at compile time. The words are read below: the first field of a struct costs a
// kilobyte and each other one a third of that, and complaints with `core::fmt` two.
#[derive(FromArgs)]
#[argh(subcommand, name = "mapprobe")]
struct Words {}

/// The command.
const COMMAND: &CommandInfo = <Words as SubCommand>::COMMAND;

/// The help, in pieces.
pub(crate) const HELP: [&str; 5] =
    ["Usage: ", COMMAND.name, " [arguments...]\n\n", COMMAND.description, ARGUMENTS];

const ARGUMENTS: &str = "

Arguments:
  report          a verdict per flag (default)
  sweep           the answer to every bit of the flags argument
  free-bits       bits and type values that are guaranteed to fail
  require         which flags are not honored: FLAG or FLAG:PATH
  list            every flag, its value, and since when
  explain         what a flag promises, and how that is proved
  decode          the flags in a number such as 0x8003
  --format        json, jsonl, table, ktap, shell, macros, prometheus or nfd
  --prefix        of names in macros and shell: MAPPROBE_ (default)
  --path          ask about a file too, or a directory (by a scratch file in it)
                  or a device; repeatable
  --record        write calls and answers to a file, or - for standard output
  --replay        answer from a recording
  --thorough      also fill the address space, for MAP_ABOVE4G
  --reproducible  without process id and time
  --allow-inconclusive
                  for require: as good as honored
  --arch          for list and decode
  --framed        also on standard error, checksummed
  --version
  --help

Exit code: 0 printed, or all honored; 1 not honored; 2 failed; 3 inconclusive
";

/// The words that stand for themselves, behind them those that a value follows, and the one that can be given again.
pub(crate) const NAMES: [&str; 11] = [
    "--thorough",
    "--reproducible",
    "--allow-inconclusive",
    "--framed",
    "--version",
    "--arch",
    "--format",
    "--record",
    "--replay",
    "--prefix",
    "--path",
];
/// Places among them.
pub(crate) const THOROUGH: usize = 0;
const REPRODUCIBLE: usize = 1;
const LENIENT: usize = 2;
const FRAMED: usize = 3;
const VERSION: usize = 4;
const ARCH: usize = 5;
/// The last one's.
pub(crate) const PATH: usize = NAMES.len() - 1;

/// What can be asked: of the kernel, in the order of [`What`], and then of the program.
pub(crate) const QUESTIONS: [&str; 7] =
    ["report", "sweep", "free-bits", "require", "list", "explain", "decode"];
/// Places among them.
const REQUIRE: usize = 3;
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
#[derive(Clone, Debug)]
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
    /// What is required.
    pub require: Vec<Requirement>,
    /// Whether what cannot be told is good enough.
    pub lenient: bool,
    /// Whether nothing is to be printed but what of it is not met.
    pub alone: bool,
}

impl Default for Options {
    // Derived, it is put together wherever it is needed.
    #[inline(never)]
    fn default() -> Options {
        Options {
            what: What::Report,
            format: 0,
            path: Vec::new(),
            record: None,
            replay: None,
            thorough: false,
            reproducible: false,
            framed: false,
            style: Style::default(),
            require: Vec::new(),
            lenient: false,
            alone: false,
        }
    }
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The kernel, with the options that were read.
    Kernel,
    /// The program: the answer was said already.
    Program,
}

/// Reads arguments, the program's own name not included. Nothing: what was said is a complaint. (A result with options and texts in it
/// would be carried through all of this.)
pub fn read(arguments: &[&str], options: &mut Options, said: &mut String) -> Option<Asked> {
    let (mut given, mut values, mut words) = (0_u16, [None; PATH - ARCH], Vec::new());
    let mut rest = arguments.iter();
    while let Some(&word) = rest.next() {
        let at = place(word, Text::OPTIONS, NAMES.len());
        if at >= NAMES.len() {
            if ["help", "--help", "-h"].contains(&word) {
                for piece in 0..HELP.len() {
                    Text::HELP.nth(piece).push(said);
                }
                return Some(Asked::Program);
            }
            if word.starts_with('-') {
                return wrong(said, word, Text::NO_OPTION);
            }
            words.push(word);
            continue;
        }
        given |= 1 << at;
        if at < ARCH {
            continue;
        }
        let Some(&value) = rest.next() else { return wrong(said, word, Text::VALUE_IS_MISSING) };
        match values.get_mut(at - ARCH) {
            None => options.path.push(String::from(value)),
            Some(place) => {
                if place.replace(value).is_some() {
                    return wrong(said, word, Text::ONE_IS_ENOUGH);
                }
            }
        }
    }
    let is_given = |option: usize| given >> option & 1 == 1;
    if is_given(VERSION) {
        Text::VERSION_LINE.push(said);
        return Some(Asked::Program);
    }
    let question = choose(
        Text::THERE_IS_NO_QUESTION,
        words.first().copied(),
        Text::QUESTIONS,
        QUESTIONS.len(),
        said,
    )?;
    let behind = words.get(1..).unwrap_or_default();
    fits(question, given, behind, said)?;
    let [arch, format, record, replay, prefix] = values;
    if question > REQUIRE {
        return about_flags(question, behind, arch, said);
    }
    if let Some(&what) = What::ALL.get(question) {
        options.what = what;
    } else {
        for word in behind {
            require::read(word, options, said)?;
        }
        options.alone = format.is_none();
    }
    options.format = choose(Text::THERE_IS_NO_FORMAT, format, Text::FORMATS, FORMATS.len(), said)?;
    options.record = owned(record);
    options.replay = owned(replay);
    options.style.prefix = owned(prefix);
    options.thorough = is_given(THOROUGH);
    options.reproducible = is_given(REPRODUCIBLE);
    options.framed = is_given(FRAMED);
    options.lenient = is_given(LENIENT);
    Some(Asked::Kernel)
}

/// Says what is wrong with a word.
#[cold]
#[inline(never)]
pub fn wrong<T>(said: &mut String, word: &str, what: Text) -> Option<T> {
    *said = of_file(word, what);
    None
}

/// How many words may follow a question, and which options, by their bits.
struct Shape {
    fewest: u8,
    most: u8,
    options: u16,
}

/// Those of what is asked of the kernel.
const ASKS: u16 = !(1 << LENIENT | 1 << ARCH);
const ASK: Shape = Shape { fewest: 0, most: 0, options: ASKS };
/// For each of [`QUESTIONS`].
static SHAPES: [Shape; QUESTIONS.len()] = [
    ASK,
    ASK,
    ASK,
    Shape { fewest: 1, most: u8::MAX, options: ASKS | 1 << LENIENT },
    Shape { fewest: 0, most: 0, options: 1 << ARCH },
    Shape { fewest: 1, most: 1, options: 0 },
    Shape { fewest: 1, most: 1, options: 1 << ARCH },
];

/// Whether the words and options can follow a question.
#[inline(never)]
fn fits(question: usize, given: u16, behind: &[&str], said: &mut String) -> Option<()> {
    let shape = SHAPES.get(question)?;
    let foreign = given & !shape.options;
    let (word, what) = if foreign != 0 {
        (Text::OPTIONS.nth(foreign.trailing_zeros() as usize), Text::OTHER_QUESTION)
    } else if behind.len() < shape.fewest.into() {
        (Text::QUESTIONS.nth(question), Text::WORD_IS_MISSING)
    } else {
        let Some(word) = behind.get(usize::from(shape.most)) else { return Some(()) };
        return wrong(said, word, Text::ONE_WORD_TOO_MANY);
    };
    wrong(said, &word.string(), what)
}

/// Says what needs no kernel.
#[cold]
#[inline(never)]
fn about_flags(
    question: usize,
    behind: &[&str],
    arch: Option<&str>,
    said: &mut String,
) -> Option<Asked> {
    let mut column = Arch::native() as usize;
    if arch.is_some() {
        column = choose(Text::THERE_IS_NO_ARCH, arch, Text::ARCHS, Arch::ALL.len(), said)?;
    }
    let arch = *Arch::ALL.get(column)?;
    match (question, behind.first()) {
        (EXPLAIN, Some(word)) => explain::explain(nearest::flag(word, said)?, said),
        (_, Some(word)) => decode::decode(word, arch, said)?,
        _ => list::list(arch, said),
    }
    Some(Asked::Program)
}

#[inline(never)]
fn owned(value: Option<&str>) -> Option<String> {
    value.map(String::from)
}

/// The place of a word in a list of so many, or their number.
#[cold]
pub fn place(word: &str, list: Text, count: usize) -> usize {
    (0..count).find(|&at| list.nth(at).string() == word).unwrap_or(count)
}

/// The place of a word among those there are, the first without one; or says which there are.
fn choose(
    there_is_no: Text,
    word: Option<&str>,
    list: Text,
    count: usize,
    said: &mut String,
) -> Option<usize> {
    let Some(word) = word else { return Some(0) };
    let at = place(word, list, count);
    if at < count {
        return Some(at);
    }
    there_is_no.push(said);
    said.push_str(word);
    Text::CHOOSE.push(said);
    for at in 0..count {
        said.push(' ');
        list.nth(at).push(said);
    }
    None
}
