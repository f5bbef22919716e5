//! `mapprobe require`: which of the flags that a program needs it does not get here, why, and what may help. Decided from the report
//! alone. `honored` and `accepted` meet a requirement, `inconclusive` cannot be told, any other verdict does not meet it.

use crate::cli::Options;
use crate::command::of_file;
use crate::errno::Errno;
use crate::evidence::{Call, Outcome};
use crate::experiment::Asks;
use crate::flags::{Flag, Kind, MAP_SHARED_VALIDATE, TABLE, Version};
use crate::kernel::Word;
use crate::nearest;
use crate::report::{Report, Row, escaped, sentence};
use crate::text::Text;
use crate::verdict::{Cause, Verdict};

/// Exit code when every requirement is met.
pub const MET: i32 = 0;
/// Exit code when one is definitely not.
pub const NOT_MET: i32 = 1;
/// Exit code when one cannot be told, and none is definitely not met.
pub const UNTOLD: i32 = 3;

/// A flag that is to be honored.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    /// Its place in the table.
    row: u8,
    /// The place, among the paths that are asked about, of the one on which it is to be honored; or [`NO_PATH`].
    path: u8,
}

/// No path: there are fewer.
const NO_PATH: u8 = u8::MAX;

/// Reads `FLAG` or `FLAG:PATH`, in which a path may have colons. Adds the path to those that are asked about. The error is a sentence.
#[cold]
pub fn read(word: &str, paths: &mut Vec<String>) -> Result<Requirement, String> {
    let colon = word.bytes().position(|byte| byte == b':').unwrap_or(word.len());
    let row = nearest::flag(word.get(..colon).unwrap_or_default())?;
    let mut place = usize::from(NO_PATH);
    if let Some(path) = word.get(colon + 1..) {
        // Nothing is asked about a size but anonymous memory.
        if TABLE.get(row).is_some_and(|flag| flag.kind == Kind::HugeSize) {
            return Err(of_file(word, Text::NEVER_OF_A_FILE));
        }
        place = paths.iter().position(|known| known == path).unwrap_or(paths.len());
        if place == paths.len() {
            paths.push(String::from(path));
        }
    }
    Ok(Requirement { row: row as u8, path: place as u8 })
}

/// Says what is not met, a line each, and the exit code. Notes in the report which rows are required. The error is a sentence about
/// what a recording does not say.
#[cold]
pub fn settle(report: &mut Report, options: &Options) -> Result<(String, i32), String> {
    let (mut out, mut code) = (String::new(), MET);
    for wanted in &options.require {
        let mut name = String::new();
        let flag = usize::from(wanted.row);
        TABLE.get(flag).map(|flag| flag.name.push(&mut name));
        report.required |= 1 << wanted.row;
        let path = options.path.get(usize::from(wanted.path)).map(|path| escaped(path));
        let place = path.as_ref().and_then(|path| report.paths.iter().position(|asked| asked == path));
        if let Some(path) = &path {
            name.push(':');
            name.push_str(path);
        }
        let Some(row) = report.rows.get(flag).filter(|_| place.is_some() == path.is_some()) else {
            return Err(of_file(&name, Text::NOT_RECORDED));
        };
        let (mut verdict, mut file) = (row.finding.0, None);
        if let Some(place) = place {
            (verdict, file) = on_file(report, row, place);
        }
        code = match verdict {
            Verdict::Honored | Verdict::Accepted => continue,
            Verdict::Inconclusive if options.lenient => continue,
            Verdict::Inconclusive if code == MET => UNTOLD,
            Verdict::Inconclusive => code,
            _ => NOT_MET,
        };
        out.push_str(&name);
        Text::COLON.push(&mut out);
        verdict.word().push(&mut out);
        Text::COLON.push(&mut out);
        match file {
            None => sentence::words(&row.finding.1).push(&mut out),
            Some(answer) => {
                Text::ANSWER_OF_FILE.push(&mut out);
                sentence::outcome(&mut out, answer);
            }
        }
        add_remedies(&mut out, report, row, verdict);
        out.push('\n');
    }
    Ok((out, code))
}

/// Whether what the kernel does with a flag depends on the file: `MAP_SYNC`. Anything else it does with every file of which it takes
/// the flag.
fn is_about_files(flag: &Flag) -> bool {
    flag.experiment.asks == Asks::Taken
}

/// The verdict about a flag on a file, and the file's answer if that decided and not the row. It does where the row does not say no, and
/// the file takes the flag under no map type; a flag that is about files counts under `MAP_SHARED_VALIDATE` only. (There the row is
/// honored only if every file that takes it refuses flags that no kernel knows.)
#[cold]
fn on_file(report: &Report, row: &Row, place: usize) -> (Verdict, Option<Outcome>) {
    let (verdict, about_files) = (row.finding.0, is_about_files(row.flag));
    let bits = row.flag.value(report.arch).unwrap_or_default();
    let (mut taken, mut refused) = (false, Outcome::NOT_RUN);
    for step in report.calls(&row.calls) {
        let (Call::Context { flags, backing } | Call::Mmap { flags, backing, .. }) = step.call() else { continue };
        let flags = Word::from(flags);
        let counts = !about_files || sentence::map_type(report.arch, flags) == MAP_SHARED_VALIDATE;
        if backing.place() == Some(place) && flags & bits == bits && counts {
            if step.outcome.succeeded() {
                taken = true;
            } else {
                refused = step.outcome;
            }
        }
    }
    let no = !matches!(verdict, Verdict::Honored | Verdict::Accepted | Verdict::Inconclusive) && !about_files;
    if no || taken && !(about_files && refused != Outcome::NOT_RUN) {
        return (verdict, None);
    }
    let verdict = match refused.errno() {
        // Never a no.
        None | Some(Errno::ENOMEM | Errno::EPERM | Errno::EAGAIN | Errno::ENOSYS) => Verdict::Inconclusive,
        _ if taken => Verdict::Inconclusive,
        _ => Verdict::Unavailable,
    };
    (verdict, Some(refused))
}

/// What stands between the program and a kernel, and is not just in the way of measuring: an emulator, another kernel, no MMU.
const BETWEEN: u16 = 1 << 0 | 1 << 1 | 1 << 9;

/// Appends what may help, and what is in the way.
#[cold]
fn add_remedies(out: &mut String, report: &Report, row: &Row, verdict: Verdict) {
    let untold = verdict == Verdict::Inconclusive;
    let mut between = Text::MAY_HELP;
    let remedy = match row.finding.1.cause {
        Cause::NotDefined => return,
        _ if is_about_files(row.flag) => Some(Text::A_FILE_ON_DAX),
        Cause::NotPermitted | Cause::OverLimit => Some(Text::LIMIT_OF_LOCKED_MEMORY),
        Cause::NoRoom => Some(Text::A_WIDE_KERNEL),
        Cause::SignSeen => Some(Text::LIMIT_OF_STACKS),
        Cause::RefusedHere | Cause::NotOffered => Some(Text::HUGE_PAGES),
        _ if untold && row.flag.experiment.asks == Asks::Itself => Some(Text::POOL),
        _ => None,
    };
    if let Some(remedy) = remedy {
        between.push(out);
        remedy.push(out);
        between = Text::COMMA;
    }
    let Version([major, ..]) = row.flag.since;
    if major >= 4 && (untold || matches!(verdict, Verdict::Ignored | Verdict::Unknown)) {
        between.push(out);
        Text::LINUX.push(out);
        sentence::version(out, row.flag.since);
    }
    between = Text::IN_THE_WAY;
    for (name, _) in report.lies_among(if untold { !0 } else { BETWEEN }) {
        between.push(out);
        name.push(out);
        between = Text::COMMA;
    }
}
