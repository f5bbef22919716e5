//! Evidence in words: reasons as sentences, calls as short strings.

use super::{Report, Row};
use crate::arch::Arch;
use crate::errno::Errno;
use crate::evidence::{Backing, Call, Outcome, Step};
use crate::experiment::bench::Context;
use crate::flags::{Kind, MAP_HUGE_MASK, MAP_HUGE_SHIFT, Own, TABLE, Version};
use crate::kernel::Word;
use crate::verdict::{Cause, Reason};

/// Appends a number in decimal. By subtraction: 64-bit division costs kilobytes on a 32-bit machine, and `core::fmt` two more.
pub fn number(out: &mut String, mut value: Word) {
    let mut started = false;
    for &power in &POWERS {
        let mut digit = b'0';
        while value >= power {
            value -= power;
            digit += 1;
        }
        started |= digit != b'0' || power == 1;
        if started {
            out.push(char::from(digit));
        }
    }
}

/// Digits of the largest number.
const DIGITS: usize = Word::MAX.ilog10() as usize + 1;

/// The powers of ten that a number holds, the largest first.
static POWERS: [Word; DIGITS] = {
    let mut powers = [1; DIGITS];
    let mut at = DIGITS - 1;
    while at > 0 {
        powers[at - 1] = powers[at] * 10;
        at -= 1;
    }
    powers
};

/// Appends a number in hexadecimal, with at least `width` digits.
pub fn hex(out: &mut String, value: Word, width: u32) {
    let digits = (Word::BITS - value.leading_zeros()).div_ceil(4).max(width);
    for digit in (0..digits).rev() {
        let digit = (value >> (4 * digit)) as u8 & 0xf;
        out.push(char::from(if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }));
    }
}

/// Appends a kernel version, such as `4.15` or `2.4.20`.
pub fn version(out: &mut String, Version([major, minor, patch]): Version) {
    if major == 0 {
        out.push_str("always");
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
        Some(name) => out.push_str(name),
        None => {
            out.push_str("errno ");
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
        out.push_str(match outcome {
            Outcome::THERE => "mapped there",
            Outcome::ELSEWHERE => "mapped elsewhere",
            _ => "not asked",
        });
    }
}

/// Appends a flags argument by names: the map type, the flags and the huge page size the table knows, and what is left in
/// hexadecimal.
pub fn flags(out: &mut String, arch: Arch, value: Word) {
    // The field means a size with MAP_HUGETLB only.
    let field = MAP_HUGE_MASK << MAP_HUGE_SHIFT;
    let sized = value & Own::of(arch).hugetlb != 0;
    let map_type = map_type(arch, value);
    let mut left = value;
    let start = out.len();
    for flag in TABLE {
        let Some(bits) = flag.value(arch) else { continue };
        let named = match flag.kind {
            Kind::Type => map_type == bits,
            Kind::Bit => left & bits == bits && !(sized && bits & field != 0),
            Kind::HugeSize => sized && left & field == bits,
        };
        if named {
            if out.len() > start {
                out.push('|');
            }
            out.push_str(flag.name);
            left &= !bits;
        }
    }
    if left != 0 || out.len() == start {
        if out.len() > start {
            out.push('|');
        }
        out.push_str("0x");
        hex(out, left, 1);
    }
}

/// The map type in a flags argument: what no flag claims, below the first bit that means nothing anywhere.
pub fn map_type(arch: Arch, value: Word) -> Word {
    value & 0xff & !Own::of(arch).all
}

/// Appends what is mapped; a path as the report spells it.
pub fn backing(out: &mut String, report: &Report, backing: Backing) {
    out.push_str(match backing {
        Backing::ANONYMOUS => "anonymous",
        Backing::MEMFD => "memfd",
        Backing::PIPE => "pipe",
        path => path.place().and_then(|place| report.paths.get(place)).map_or("path", String::as_str),
    });
}

/// Appends a call and its answer.
pub fn step(out: &mut String, report: &Report, step: &Step) {
    match step.call {
        Call::Mmap { flags: value, backing: what, .. } | Call::Context { flags: value, backing: what } => {
            out.push_str("mmap(");
            flags(out, report.arch, value.into());
            out.push_str(", ");
            backing(out, report, what);
            match step.call {
                Call::Mmap { pages: 0, .. } => out.push_str(", large"),
                Call::Mmap { pages, .. } if pages != 1 => {
                    out.push_str(", ");
                    number(out, pages.into());
                    out.push_str(" pages");
                }
                _ => {}
            }
            out.push(')');
        }
        Call::Other(act) => out.push_str(act.words()),
    }
    out.push_str(": ");
    outcome(out, step.outcome);
}

/// Appends a reason as a sentence: a few words, the measurement that decided, and where contexts differ.
pub fn reason(out: &mut String, report: &Report, row: &Row) {
    let Reason { trial, remark, .. } = row.finding.1;
    summary(out, &row.finding.1);
    if let Some(trial) = trial {
        out.push_str(": ");
        out.push_str(trial.test.question);
        for (words, answer) in
            [(": with it ", trial.flagged), (", without ", trial.plain), (", with a control ", trial.unknown)]
        {
            if answer != Outcome::NOT_RUN {
                out.push_str(words);
                outcome(out, answer);
            }
        }
    }
    if let (Some(remark), Some(_)) = (remark, trial) {
        out.push_str("; ");
        out.push_str(remark);
    }
    differences(out, report, row);
}

/// Appends which contexts take the flag and which refuse it, if there are both among those that take the call without it.
fn differences(out: &mut String, report: &Report, row: &Row) {
    let plain = |context: Context| {
        let all = report.validation.as_ref().map(|(validation, _)| validation.contexts.as_slice());
        all.unwrap_or_default().iter().any(|(known, base)| *known == context && base.succeeded())
    };
    let start = out.len();
    for (wanted, words) in [(true, "; taken under "), (false, "; refused under ")] {
        let mut between = words;
        for step in report.calls(&row.calls) {
            let Call::Context { flags: value, backing: what } = step.call else { continue };
            let map_type = map_type(report.arch, value.into());
            if step.outcome.succeeded() != wanted || !plain((map_type, what)) {
                continue;
            }
            out.push_str(between);
            flags(out, report.arch, map_type);
            out.push_str(" of ");
            backing(out, report, what);
            if !wanted {
                out.push_str(" (");
                outcome(out, step.outcome);
                out.push(')');
            }
            between = ", ";
        }
        if between == words {
            // All of them answer alike.
            out.truncate(start);
            return;
        }
    }
}

/// Appends a reason in a few words: the failed control's, where one failed.
pub fn summary(out: &mut String, reason: &Reason) {
    let failed = reason.remark.filter(|_| reason.cause == Cause::ControlFailed);
    out.push_str(failed.unwrap_or(reason.cause.words()));
}
