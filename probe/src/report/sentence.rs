//! Evidence in words: reasons as sentences, calls as short strings.

use super::json::escape;
use super::{Report, Row};
use crate::arch::Arch;
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Call, Outcome, Step};
use crate::experiment::bench::Context;
use crate::flags::{Flag, Kind, MAP_HUGE_MASK, MAP_HUGE_SHIFT, Own, TABLE, Version};
use crate::kernel::Word;
use crate::text::Text;
use crate::verdict::{Cause, Reason};

/// Appends a number in decimal; `core::fmt` would cost two kilobytes.
pub fn number(out: &mut String, value: Word) {
    if value >= 10 {
        number(out, value / 10);
    }
    out.push(char::from(b'0' + (value % 10) as u8));
}

/// Appends a number in hexadecimal, with at least `width` digits.
pub fn hex(out: &mut String, value: Word, width: u32) {
    let digits = (Word::BITS - value.leading_zeros()).div_ceil(4).max(width);
    for digit in (0..digits).rev() {
        let digit = (value >> (4 * digit)) as u8 & 0xf;
        out.push(char::from(if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }));
    }
}

/// Appends bits as C spells them.
pub fn bits(out: &mut String, value: Word) {
    Text::HEX.push(out);
    hex(out, value, 1);
}

/// Appends the bits of a flag on an architecture, or a dash where it does not exist.
pub fn value(out: &mut String, flag: &Flag, arch: Arch) {
    match flag.value(arch) {
        Some(value) => bits(out, value),
        None => out.push('-'),
    }
}

/// Appends a kernel version, such as `4.15` or `2.4.20`.
pub fn version(out: &mut String, Version([major, minor, patch]): Version) {
    if major == 0 {
        Text::ALWAYS.push(out);
        return;
    }
    number(out, Word::from(major));
    for part in [minor, patch] {
        if part != 0 {
            out.push('.');
            number(out, Word::from(part));
        }
    }
}

/// Appends an errno by name; by number where it has none.
pub fn errno(out: &mut String, errno: Errno) {
    match errno.name() {
        Some(name) => name.push(out),
        None => {
            Text::ERRNO.push(out);
            number(out, Word::from(errno.0));
        }
    }
}

/// Appends what came back.
pub fn outcome(out: &mut String, outcome: Outcome) {
    if let Some(value) = outcome.value() {
        number(out, value.into());
    } else if let Some(failed) = outcome.errno() {
        errno(out, failed);
    } else {
        let words = match outcome {
            Outcome::THERE => Text::MAPPED_THERE,
            Outcome::ELSEWHERE => Text::MAPPED_ELSEWHERE,
            _ => Text::NOT_ASKED,
        };
        words.push(out);
    }
}

/// Appends a flags argument by names: the map type, the flags and the huge page size the table knows, and what is left in
/// hexadecimal.
pub fn flags(out: &mut String, arch: Arch, value: Word) {
    let start = out.len();
    // The field means a size with MAP_HUGETLB only.
    let sized = value & Own::of(arch).hugetlb != 0;
    let left = names(out, arch, value, map_type(arch, value), sized);
    if left != 0 || out.len() == start {
        between(out, start);
        bits(out, left);
    }
}

/// Appends the names of a map type, of flags, and of a huge page size if the field is one. Returns the bits that have no name.
#[inline(never)]
pub fn names(out: &mut String, arch: Arch, value: Word, map_type: Word, sized: bool) -> Word {
    let field = MAP_HUGE_MASK << MAP_HUGE_SHIFT;
    let (mut left, start) = (value, out.len());
    for flag in TABLE {
        if left == 0 {
            break;
        }
        let Some(bits) = flag.value(arch) else { continue };
        let named = match flag.kind {
            Kind::Type => map_type == bits,
            Kind::Bit => left & bits == bits && !(sized && bits & field != 0),
            Kind::HugeSize => sized && left & field == bits,
        };
        if named {
            between(out, start);
            flag.name.push(out);
            left &= !bits;
        }
    }
    left
}

/// Appends what stands between flags, if there is one already.
pub fn between(out: &mut String, start: usize) {
    if out.len() > start {
        out.push('|');
    }
}

/// The map type in a flags argument: what no flag claims, below the first bit that means nothing anywhere.
pub fn map_type(arch: Arch, value: Word) -> Word {
    value & 0xff & !Own::of(arch).all
}

/// Appends what is mapped; a path as the report spells it.
pub fn backing(out: &mut String, report: &Report, backing: Backing) {
    match backing.place() {
        None => Text::BACKINGS.nth(backing.0.into()).push(out),
        Some(place) => match report.paths.get(place) {
            Some(path) => out.push_str(path),
            None => Text::PATH.push(out),
        },
    }
}

/// Appends a call and its answer.
pub fn step(out: &mut String, report: &Report, step: &Step) {
    let call = step.call();
    match call {
        Call::Mmap { flags: value, backing: what, .. }
        | Call::Context { flags: value, backing: what } => {
            Text::MMAP.push(out);
            flags(out, report.arch, value.into());
            Text::COMMA.push(out);
            backing(out, report, what);
            match call {
                Call::Mmap { pages: 0, .. } => Text::LARGE.push(out),
                Call::Mmap { pages, .. } if pages != 1 => {
                    Text::COMMA.push(out);
                    number(out, pages.into());
                    Text::PAGES.push(out);
                }
                _ => {}
            }
            out.push(')');
        }
        Call::Other(Act(words)) => words.push(out),
    }
    Text::COLON.push(out);
    outcome(out, step.outcome);
}

/// Appends a reason as a sentence: a few words, the measurement that decided, and where contexts differ.
pub fn reason(out: &mut String, report: &Report, row: &Row) {
    let Reason { trial, remark, .. } = row.finding.1;
    words(&row.finding.1).push(out);
    if let Some(trial) = trial {
        Text::COLON.push(out);
        trial.test.question.push(out);
        for (before, answer) in [
            (Text::WITH_IT, trial.flagged),
            (Text::WITHOUT, trial.plain),
            (Text::WITH_CONTROL, trial.unknown),
        ] {
            if answer != Outcome::NOT_RUN {
                before.push(out);
                outcome(out, answer);
            }
        }
    }
    if let (Some(remark), Some(_)) = (remark, trial) {
        Text::SEMICOLON.push(out);
        remark.push(out);
    }
    differences(out, report, row);
}

/// Appends which contexts take the flag and which refuse it, if there are both among those that take the call without it.
#[inline(never)]
fn differences(out: &mut String, report: &Report, row: &Row) {
    let start = out.len();
    if !contexts(out, report, row, Text::TAKEN_UNDER)
        || !contexts(out, report, row, Text::REFUSED_UNDER)
    {
        // All of them answer alike.
        out.truncate(start);
    }
}

/// Appends one or the other; returns whether there are any.
#[inline(never)]
fn contexts(out: &mut String, report: &Report, row: &Row, words: Text) -> bool {
    let mut between = words;
    for step in report.calls(&row.calls) {
        if context(out, report, step, words, between) {
            between = Text::COMMA;
        }
    }
    between != words
}

/// Appends a context if it is one of those; returns whether it is.
#[inline(never)]
fn context(out: &mut String, report: &Report, step: &Step, words: Text, between: Text) -> bool {
    let refused = words == Text::REFUSED_UNDER;
    let (Call::Context { flags: value, backing: what }, Some((validation, _))) =
        (step.call(), &report.validation)
    else {
        return false;
    };
    let map_type = map_type(report.arch, value.into());
    let plain = |(known, base): &(Context, Outcome)| *known == (map_type, what) && base.succeeded();
    if step.outcome.succeeded() == refused || !validation.contexts.iter().any(plain) {
        return false;
    }
    between.push(out);
    flags(out, report.arch, map_type);
    Text::OF.push(out);
    backing(out, report, what);
    if refused {
        Text::BRACKET.push(out);
        outcome(out, step.outcome);
        out.push(')');
    }
    true
}

/// A reason in a few words: the failed control's, where one failed.
pub fn words(reason: &Reason) -> Text {
    let failed = reason.remark.filter(|_| reason.cause == Cause::ControlFailed);
    failed.unwrap_or(reason.cause.words())
}

/// Who asked what kernel. What the kernel says of itself is escaped, so that it fits a line.
#[cold]
pub fn title(report: &Report) -> String {
    let mut out = Text::MAPPROBE_FOR.string();
    out.push_str(report.arch.name());
    Text::ON.push(&mut out);
    escape(&mut out, &report.kernel.sysname);
    out.push(' ');
    escape(&mut out, &report.kernel.release);
    out
}
