//! Evidence in words: reasons as sentences, calls as short strings.

use crate::arch::Arch;
use crate::errno::Errno;
use crate::evidence::{Call, Outcome, Recognition, Step, Trial};
use crate::flags::{Kind, MAP_HUGE_MASK, MAP_HUGE_SHIFT, TABLE, flag_bits};
use crate::verdict::Reason;

/// The base a number is written in.
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends a number. (`core::fmt` would do it too, for two kilobytes more.)
pub fn number(out: &mut String, value: u64, base: u64) {
    if value >= base {
        number(out, value / base, base);
    }
    out.push(char::from(DIGITS[(value % base) as usize % DIGITS.len()]));
}

/// Appends an errno by name; by number where it has none.
pub fn errno(out: &mut String, errno: Errno) {
    match errno.name() {
        Some(name) => out.push_str(name),
        None => {
            out.push_str("errno ");
            number(out, u64::from(errno.0), 10);
        }
    }
}

/// Appends what came back.
pub fn outcome(out: &mut String, outcome: Outcome) {
    match outcome {
        Outcome::There => out.push_str("mapped there"),
        Outcome::Elsewhere => out.push_str("mapped elsewhere"),
        Outcome::Number(value) => number(out, value, 10),
        Outcome::Failed(failed) => errno(out, failed),
        Outcome::NotRun => out.push_str("not asked"),
    }
}

/// Appends a flags argument by names: the map type, the flags and the huge page size the table knows, and what is left in
/// hexadecimal.
pub fn flags(out: &mut String, arch: Arch, value: u64) {
    let field = MAP_HUGE_MASK << MAP_HUGE_SHIFT;
    let map_type = map_type(arch, value);
    let mut left = value;
    let start = out.len();
    for flag in TABLE {
        let Some(bits) = flag.value(arch) else { continue };
        let named = match flag.kind {
            Kind::Type => map_type == bits,
            Kind::Bit => left & bits == bits,
            Kind::HugeSize => left & field == bits,
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
        number(out, left, 16);
    }
}

/// The map type in a flags argument: what no flag claims, below the first bit that means nothing anywhere.
pub fn map_type(arch: Arch, value: u64) -> u64 {
    value & 0xff & !flag_bits(arch)
}

/// A call and its answer.
pub fn step(arch: Arch, step: &Step) -> String {
    let mut out = String::new();
    match step.call {
        Call::Mmap { flags: value, backing, pages } => {
            out.push_str("mmap(");
            flags(&mut out, arch, value);
            out.push_str(", ");
            out.push_str(backing.name());
            if pages != 1 {
                out.push_str(", ");
                number(&mut out, u64::from(pages), 10);
                out.push_str(" pages");
            }
            out.push(')');
        }
        Call::Other(call) => out.push_str(call),
    }
    out.push_str(": ");
    outcome(&mut out, step.outcome);
    out
}

/// A reason as a sentence.
pub fn reason(reason: &Reason) -> String {
    let mut out = String::new();
    match reason {
        Reason::NotDefined => out.push_str("this architecture defines no such flag, or defines it as 0"),
        Reason::ControlFailed(control) => out.push_str(control),
        Reason::ControlShowsEffect(trial) => {
            out.push_str("the control shows the effect too: ");
            compare(&mut out, trial);
        }
        Reason::Contradictory => out.push_str("the answers contradict each other"),
        Reason::EffectSeen(trial) | Reason::EffectAbsent(trial) => compare(&mut out, trial),
        Reason::NotPermitted(failed) => {
            out.push_str("known, but this process may not use it: ");
            errno(&mut out, *failed);
        }
        Reason::OverLimit(failed) => {
            out.push_str("known, but over a limit of this process: ");
            errno(&mut out, *failed);
        }
        Reason::NoRoom(failed) => {
            out.push_str("known, but this kernel has no room for it: ");
            errno(&mut out, *failed);
        }
        Reason::NotOffered(by) => {
            out.push_str("known, but this machine does not offer it: ");
            recognition(&mut out, by);
        }
        Reason::Offered(by) => {
            out.push_str("this machine offers it, no page was mapped: ");
            recognition(&mut out, by);
        }
        Reason::Validated(by) => {
            out.push_str("the kernel knows it, its effect was not observed: ");
            recognition(&mut out, by);
        }
        Reason::RefusedAsUnknown(by) => {
            out.push_str("refused like what names nothing: ");
            recognition(&mut out, by);
        }
        Reason::NoEvidence => out.push_str("nothing that was seen decides"),
    }
    out
}

/// A reason in a few words.
pub fn summary(reason: &Reason) -> String {
    let (words, failed) = match *reason {
        Reason::NotDefined => ("no such flag on this architecture", None),
        Reason::ControlFailed(control) => (control, None),
        Reason::ControlShowsEffect(_) => ("the control shows the effect too", None),
        Reason::Contradictory => ("the answers contradict each other", None),
        Reason::EffectSeen(_) => ("its effect was seen", None),
        Reason::NotPermitted(errno) => ("not permitted: ", Some(errno)),
        Reason::OverLimit(errno) => ("over a limit: ", Some(errno)),
        Reason::NoRoom(errno) => ("the kernel has no room: ", Some(errno)),
        Reason::NotOffered(_) => ("not offered by this machine", None),
        Reason::Offered(_) => ("offered by this machine", None),
        Reason::EffectAbsent(_) => ("taken, and nothing happened", None),
        Reason::Validated(_) => ("known; no effect was observed", None),
        Reason::RefusedAsUnknown(_) => ("refused like unknown flags", None),
        Reason::NoEvidence => ("nothing was seen that decides", None),
    };
    let mut out = String::from(words);
    if let Some(failed) = failed {
        errno(&mut out, failed);
    }
    out
}

fn compare(out: &mut String, trial: &Trial) {
    out.push_str(trial.question);
    out.push_str(": ");
    outcome(out, trial.flagged);
    out.push_str(" with it, ");
    outcome(out, trial.plain);
    out.push_str(" without");
    if trial.unknown != Outcome::NotRun {
        out.push_str(", ");
        outcome(out, trial.unknown);
        out.push_str(" with an unknown bit");
    }
}

fn recognition(out: &mut String, by: &Recognition) {
    out.push_str(by.by);
    out.push_str(" answers ");
    outcome(out, by.flagged);
    out.push_str(" to it and ");
    outcome(out, by.unknown);
    out.push_str(" to what names nothing");
}
