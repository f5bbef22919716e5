//! Evidence in words: reasons as sentences, calls as short strings.

use crate::arch::Arch;
use crate::errno::Errno;
use crate::evidence::{Call, Outcome, Recognition, Step, Trial};
use crate::flags::{Kind, TABLE};
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

/// Appends a flags argument by names: the map type, the flags the table knows, and what is left in hexadecimal.
pub fn flags(out: &mut String, arch: Arch, value: u64) {
    let all = TABLE.iter().filter_map(|flag| Some((flag, flag.value(arch)?)));
    let bits = all.clone().filter(|(flag, _)| flag.kind == Kind::Bit).fold(0, |all, (_, bits)| all | bits);
    let mut left = value;
    let mut between = "";
    let mut name = |out: &mut String, name: &str| {
        out.push_str(between);
        out.push_str(name);
        between = "|";
    };
    // The type field is what no flag claims, below the first bit that names nothing anywhere.
    let map_type = value & !bits & 0xff;
    if let Some((flag, _)) = all.clone().find(|&(flag, bits)| flag.kind == Kind::Type && bits == map_type) {
        name(out, flag.name);
        left &= !map_type;
    }
    for (flag, bits) in all {
        if flag.kind == Kind::Bit && value & bits == bits {
            name(out, flag.name);
            left &= !bits;
        }
    }
    if left != 0 {
        name(out, "0x");
        number(out, left, 16);
    }
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
