//! `mapprobe require`: which of the flags that a program needs it does not get here, why, and what may help. Decided from the report
//! alone. `honored` and `accepted` meet a requirement, `inconclusive` cannot be told, any other verdict does not meet it.

use crate::cli::{Options, wrong};
use crate::errno::Errno;
use crate::evidence::{Call, Outcome};
use crate::experiment::Asks;
use crate::flags::{Flag, MAP_SHARED_VALIDATE, TABLE, Version};
use crate::kernel::Word;
use crate::nearest;
use crate::report::{Report, Row, escape, sentence};
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

/// Reads `FLAG` or `FLAG:PATH`, in which a path may have colons, or says what is wrong with it. The path is asked about then.
#[cold]
#[inline(never)]
pub fn read(word: &str, options: &mut Options, said: &mut String) -> Option<()> {
    let colon = word.bytes().position(|byte| byte == b':').unwrap_or(word.len());
    let row = nearest::flag(word.get(..colon)?, said)?;
    let mut place = usize::from(NO_PATH);
    if let Some(path) = word.get(colon + 1..) {
        let paths = &mut options.path;
        place = paths.iter().position(|known| known == path).unwrap_or(paths.len());
        if place == paths.len() {
            paths.push(String::from(path));
        }
    }
    options.require.push(Requirement { row: row as u8, path: place as u8 });
    Some(())
}

/// Says what is not met, a line each, and returns the exit code. Notes in the report which rows are required. Nothing: what was said
/// complains that a recording does not say it.
#[cold]
#[inline(never)]
pub fn settle(report: &mut Report, options: &Options, said: &mut String) -> Option<i32> {
    let mut code = MET;
    for &requirement in &options.require {
        let answer = judge(report, options, requirement, said)?;
        // A definite no is more than that nobody can tell.
        if answer != MET && code != NOT_MET {
            code = answer;
        }
    }
    Some(code)
}

/// The same of one of them.
#[cold]
#[inline(never)]
fn judge(
    report: &mut Report,
    options: &Options,
    Requirement { row, path }: Requirement,
    said: &mut String,
) -> Option<i32> {
    report.required |= 1 << row;
    let mut name = TABLE.get(usize::from(row))?.name.string();
    let (mut row, mut place) = (report.rows.get(usize::from(row)), 0);
    let path = options.path.get(usize::from(path));
    if let Some(path) = path {
        name.push(':');
        let begins = name.len();
        escape(&mut name, path);
        let path = name.as_bytes().get(begins..);
        while let Some(asked) = report.paths.get(place)
            && Some(asked.as_bytes()) != path
        {
            place += 1;
        }
        if place == report.paths.len() {
            row = None;
        }
    }
    let Some(row) = row else { return wrong(said, &name, Text::NOT_RECORDED) };
    let (mut verdict, mut answer) = (row.finding.0, OF_ROW);
    if path.is_some() {
        (verdict, answer) = on_file(report, row, place);
    }
    let untold = verdict == Verdict::Inconclusive;
    if matches!(verdict, Verdict::Honored | Verdict::Accepted) || untold && options.lenient {
        return Some(MET);
    }
    said.push_str(&name);
    Text::COLON.push(said);
    verdict.word().push(said);
    Text::COLON.push(said);
    let mut cause = None;
    if answer == OF_ROW {
        cause = Some(row.finding.1.cause);
        sentence::words(&row.finding.1).push(said);
    } else {
        Text::ANSWER_OF_FILE.push(said);
        sentence::outcome(said, answer);
    }
    add_remedies(said, report, row.flag, verdict, cause);
    said.push('\n');
    Some(if untold { UNTOLD } else { NOT_MET })
}

/// In place of a file's answer: the row decided. (A file that is content decides nothing.)
const OF_ROW: Outcome = Outcome::THERE;

/// Whether what the kernel does with a flag depends on the file: `MAP_SYNC`. Anything else it does with every file of which it takes
/// the flag.
fn is_about_files(flag: &Flag) -> bool {
    flag.experiment().asks == Asks::Taken
}

/// The verdict about a flag on a file, and the file's answer if that decided, otherwise [`OF_ROW`]. It does where the row does not say no, and
/// the file takes the flag under no map type; a flag that is about files counts under `MAP_SHARED_VALIDATE` only. (There the row is
/// honored only if every file that takes it refuses flags that no kernel knows.)
#[cold]
#[inline(never)]
fn on_file(report: &Report, row: &Row, place: usize) -> (Verdict, Outcome) {
    let (verdict, about_files) = (row.finding.0, is_about_files(row.flag));
    let bits = row.flag.value(report.arch).unwrap_or_default();
    let (mut taken, mut refused) = (false, Outcome::NOT_RUN);
    for step in report.calls(&row.calls) {
        let (Call::Context { flags, backing } | Call::Mmap { flags, backing, .. }) = step.call()
        else {
            continue;
        };
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
    if verdict.is_no() && !about_files || taken && !(about_files && refused != Outcome::NOT_RUN) {
        return (verdict, OF_ROW);
    }
    let verdict = match refused.errno() {
        // Never a no.
        None | Some(Errno::ENOMEM | Errno::EPERM | Errno::EAGAIN | Errno::ENOSYS) => {
            Verdict::Inconclusive
        }
        _ if taken => Verdict::Inconclusive,
        _ => Verdict::Unavailable,
    };
    (verdict, refused)
}

/// What stands between the program and a kernel, and is not just in the way of measuring: an emulator, another kernel, no MMU.
const BETWEEN: u16 = 1 << 0 | 1 << 1 | 1 << 9;

/// Appends what may help, and what is in the way.
#[cold]
#[inline(never)]
fn add_remedies(
    out: &mut String,
    report: &Report,
    flag: &Flag,
    verdict: Verdict,
    cause: Option<Cause>,
) {
    let untold = verdict == Verdict::Inconclusive;
    let mut between = Text::MAY_HELP;
    let remedy = match cause {
        Some(Cause::NotDefined) => return,
        _ if is_about_files(flag) => Some(Text::A_FILE_ON_DAX),
        Some(Cause::NotPermitted | Cause::OverLimit) => Some(Text::LIMIT_OF_LOCKED_MEMORY),
        Some(Cause::NoRoom) => Some(Text::A_WIDE_KERNEL),
        Some(Cause::SignSeen) => Some(Text::LIMIT_OF_STACKS),
        Some(Cause::RefusedHere | Cause::NotOffered) => Some(Text::HUGE_PAGES),
        Some(_) if untold && flag.experiment().asks == Asks::Itself => Some(Text::POOL),
        _ => None,
    };
    if let Some(remedy) = remedy {
        between.push(out);
        remedy.push(out);
        between = Text::COMMA;
    }
    let Version([major, ..]) = flag.since;
    if major >= 4 && (untold || matches!(verdict, Verdict::Ignored | Verdict::Unknown)) {
        between.push(out);
        Text::LINUX.push(out);
        sentence::version(out, flag.since);
    }
    between = Text::IN_THE_WAY;
    for (name, _) in report.lies_among(if untold { !0 } else { BETWEEN }) {
        between.push(out);
        name.push(out);
        between = Text::COMMA;
    }
}
