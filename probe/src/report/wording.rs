//! The words of reports: names of flags, calls and outcomes, reasons.

use super::data::{Report, Row};
use super::escape::Escaped;
use crate::arch::Arch;
use crate::fixture::{FileKind, NoMemfd};
use crate::flags::{Flag, HUGE_SIZE_FIELD, Kind, MAP_HUGETLB, map_type};
use crate::outcome::{Backing, Call, Context, Outcome, Size, Step};
use crate::paths::Access;
use crate::verdict::{Finding, Reason, ReasonCode, Verdict};
use core::fmt::{self, Write};

/// Appends to a string, which cannot fail.
pub fn push(out: &mut String, text: fmt::Arguments) {
    let _ = out.write_fmt(text);
}

/// Appends the number of a flag, or a dash where it does not exist.
pub fn push_number(out: &mut String, flag: Flag, arch: Arch) {
    match flag.value(arch) {
        Some(value) => push(out, format_args!("{value:#x}")),
        None => out.push('-'),
    }
}

/// Appends the names in a flags argument: map type, flags and huge page size, then the bits without
/// a name in hexadecimal.
pub fn push_flags(out: &mut String, arch: Arch, value: usize) {
    let start = out.len();
    // Without MAP_HUGETLB the field is not a size.
    let has_size = value & MAP_HUGETLB.encode(arch) != 0;
    let rest = push_names(out, arch, value, map_type(arch, value), has_size);
    if rest != 0 || out.len() == start {
        push_separator(out, start);
        push(out, format_args!("{rest:#x}"));
    }
}

/// Appends the names in a flags argument. Returns the bits without a name.
pub fn push_names(
    out: &mut String,
    arch: Arch,
    value: usize,
    map_type: usize,
    has_size: bool,
) -> usize {
    let (mut rest, start) = (value, out.len());
    for &flag in Flag::ALL {
        if rest == 0 {
            break;
        }
        let Some(bits) = flag.value(arch) else { continue };
        let is_named = match flag.kind() {
            Kind::Type => map_type == bits,
            Kind::Bit => rest & bits == bits && !(has_size && bits & HUGE_SIZE_FIELD != 0),
            Kind::HugeSize => has_size && rest & HUGE_SIZE_FIELD == bits,
        };
        if is_named {
            push_separator(out, start);
            out.push_str(flag.name());
            rest &= !bits;
        }
    }
    rest
}

/// Appends the bar between two flags, unless nothing was appended since `start`.
pub fn push_separator(out: &mut String, start: usize) {
    if out.len() > start {
        out.push('|');
    }
}

/// Appends an outcome. The frequent ones skip the formatter, which is slower.
pub fn push_outcome(out: &mut String, outcome: Outcome) {
    match outcome {
        Outcome::MappedThere => out.push_str("mapped there"),
        Outcome::MappedElsewhere => out.push_str("mapped elsewhere"),
        other => push(out, format_args!("{other}")),
    }
}

pub fn push_backing(out: &mut String, report: &Report, backing: Backing) {
    match backing {
        Backing::Anonymous => out.push_str("anonymous"),
        Backing::File => match report.file {
            Some(file) => push_file(out, report, file),
            None => out.push_str("file"),
        },
        Backing::Pipe => out.push_str("pipe"),
        Backing::Path(index) => push_path(out, report, index),
        Backing::ReadOnlyPath(index) => {
            push_path(out, report, index);
            out.push_str(" (read-only)");
        }
    }
}

fn push_path(out: &mut String, report: &Report, index: usize) {
    match report.paths.get(index) {
        Some(path) => push(out, format_args!("{}", Escaped(path))),
        None => out.push_str("path"),
    }
}

/// Appends the name of the fixture's file.
pub fn push_file(out: &mut String, report: &Report, file: FileKind) {
    match file {
        FileKind::Memfd => out.push_str("memfd"),
        FileKind::Program => out.push_str("/proc/self/exe"),
        FileKind::Directory(directory) => {
            out.push_str("file in ");
            out.push_str(directory);
        }
        FileKind::Path(index) => {
            out.push_str("file in ");
            push_path(out, report, index);
        }
    }
}

/// How the fixture's file was opened.
pub const fn file_access(file: FileKind) -> Access {
    match file {
        FileKind::Program => Access::ReadOnly,
        _ => Access::ReadWrite,
    }
}

/// The file of the experiments in a few words, if it is not a memfd.
pub fn replaced_file(report: &Report) -> Option<String> {
    let NoMemfd { call, errno } = report.no_memfd?;
    let mut words = String::new();
    match report.file {
        Some(FileKind::Memfd) => return None,
        Some(file) => {
            push_file(&mut words, report, file);
            words.push_str(" (");
            words.push_str(file_access(file).word());
            words.push(')');
        }
        None => words.push_str("none"),
    }
    push(&mut words, format_args!(" instead of a memfd: {call}: {errno}"));
    Some(words)
}

/// Appends comments: the title, what interferes, and the file of the experiments if it is not a
/// memfd.
pub fn push_comments(out: &mut String, report: &Report) {
    push(out, format_args!("# {}\n", title(report)));
    for observed in &report.environment {
        push(out, format_args!("# interference: {}: {}\n", observed.name(), observed.evidence));
    }
    if let Some(file) = replaced_file(report) {
        push(out, format_args!("# file: {file}\n"));
    }
}

/// Appends a call and its outcome.
pub fn push_step(out: &mut String, report: &Report, step: &Step) {
    match step.call {
        Call::Mmap { flags, backing, size } => {
            push_mmap(out, report, flags, backing);
            match size {
                Size::Pages(1) => {}
                Size::Pages(pages) => push(out, format_args!(", {pages} pages")),
                Size::Large => out.push_str(", large"),
            }
            out.push(')');
        }
        Call::Context { flags, backing } => {
            push_mmap(out, report, flags, backing);
            out.push(')');
        }
        Call::Other(call) => out.push_str(call),
    }
    out.push_str(": ");
    push_outcome(out, step.outcome);
}

fn push_mmap(out: &mut String, report: &Report, flags: usize, backing: Backing) {
    out.push_str("mmap(");
    push_flags(out, report.arch, flags);
    out.push_str(", ");
    push_backing(out, report, backing);
}

/// A reason in a few words: the failed control where one failed.
pub fn summary(reason: &Reason) -> &'static str {
    match (reason.code, reason.remark) {
        (ReasonCode::ControlFailed, Some(control)) => control,
        _ => reason.code.description(),
    }
}

/// Appends a reason in a few words, and where the verdict is a yes, whether a huge page can be had
/// now.
pub fn push_summary(out: &mut String, row: &Row) {
    let Finding { verdict, reason } = &row.finding;
    out.push_str(summary(reason));
    if let Some(availability) = row.availability
        && matches!(verdict, Verdict::Honored | Verdict::Accepted)
    {
        let answer = availability.answer().word();
        push(out, format_args!("; a page now: {answer} ({availability})"));
    }
}

/// Appends a reason: its summary, the measurement that decided, and the contexts that accept and
/// those that reject the flag.
pub fn push_reason(out: &mut String, report: &Report, row: &Row) {
    let reason = &row.finding.reason;
    out.push_str(summary(reason));
    if let Some(trial) = reason.trial {
        out.push_str(" (");
        out.push_str(trial.question);
        let answers = trial.answers;
        let mut separator = ": ";
        for &(variant, outcome) in &[
            ("with flag ", answers.with),
            ("without flag ", answers.without),
            ("control ", answers.control),
        ] {
            if outcome != Outcome::NotRun {
                out.push_str(separator);
                out.push_str(variant);
                push_outcome(out, outcome);
                separator = ", ";
            }
        }
        out.push(')');
        if let Some(remark) = reason.remark {
            out.push_str("; ");
            out.push_str(remark);
        }
    }
    push_differences(out, report, row);
}

/// Appends the contexts that accept the flag and those that reject it, if there are both. Contexts
/// that reject the call without the flag do not count.
fn push_differences(out: &mut String, report: &Report, row: &Row) {
    let Some((validation, _)) = &report.validation else { return };
    let accepts_base = |context: Context| {
        let mut known = validation.contexts.iter();
        known.any(|(known, base)| *known == context && base.succeeded())
    };
    let (mut accepted, mut rejected) = (String::new(), String::new());
    for step in report.steps_at(&row.steps) {
        let Call::Context { flags, backing } = step.call else { continue };
        let context = Context { map_type: map_type(report.arch, flags), backing };
        if !accepts_base(context) {
            continue;
        }
        if step.outcome.succeeded() {
            push_context(&mut accepted, report, context);
        } else {
            push_context(&mut rejected, report, context);
            push(&mut rejected, format_args!(" ({})", step.outcome));
        }
    }
    if !accepted.is_empty() && !rejected.is_empty() {
        out.push_str("; accepted under ");
        out.push_str(&accepted);
        out.push_str("; rejected under ");
        out.push_str(&rejected);
    }
}

fn push_context(out: &mut String, report: &Report, context: Context) {
    if !out.is_empty() {
        out.push_str(", ");
    }
    push_flags(out, report.arch, context.map_type);
    out.push_str(" of ");
    push_backing(out, report, context.backing);
}

/// The program, the architecture and the kernel. Text from the kernel is escaped.
pub fn title(report: &Report) -> String {
    format!(
        "mapprobe {} for {} on {} {}",
        env!("CARGO_PKG_VERSION"),
        report.arch.name(),
        Escaped(&report.kernel.sysname),
        Escaped(&report.kernel.release)
    )
}
