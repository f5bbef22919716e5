//! `mapprobe require`: the required flags that are not honored here, why, and what may help.
//!
//! Only the report decides. `honored` and `accepted` meet a requirement, `inconclusive` leaves it
//! undecided, any other verdict does not meet it. A flag about huge pages also needs a page that can
//! be had now, unless the kernel's support alone is required.

mod page;

use crate::error::Error;
use crate::flags::{Flag, MAP_SHARED_VALIDATE, Version, map_type};
use crate::outcome::{Backing, Call, Outcome};
use crate::report::escape::Escaped;
use crate::report::wording::{push, summary};
use crate::report::{Report, Row};
use crate::requirement::{Require, Requirement};
use crate::verdict::{ReasonCode, Verdict};
use kernel::Errno;

/// Whether requirements are met. A later variant prevails over an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    Yes,
    /// At least one is inconclusive; the others are met.
    Undecided,
    /// At least one is not met.
    No,
}

/// Checks requirements. Returns whether all are met, and a line for each that is not.
pub fn check(report: &Report, require: &Require) -> Result<(Met, String), Error> {
    let (mut all_met, mut lines) = (Met::Yes, String::new());
    for requirement in &require.requirements {
        let name = name(requirement);
        let Some((row, answer)) = answer(report, requirement) else {
            return Err(Error::NotRecorded { requirement: name });
        };
        let met = match answer.verdict {
            Verdict::Honored | Verdict::Accepted => Met::Yes,
            Verdict::Inconclusive if require.allow_inconclusive => Met::Yes,
            Verdict::Inconclusive => Met::Undecided,
            _ => Met::No,
        };
        all_met = all_met.max(met);
        if met != Met::Yes {
            push(&mut lines, format_args!("{name}: {}: ", answer.verdict.word()));
            match answer.file_rejects {
                Some(outcome) => push(&mut lines, format_args!("on this file: {outcome}")),
                None => lines.push_str(summary(&row.finding.reason)),
            }
            push_remedies(&mut lines, report, row, &answer);
            lines.push('\n');
        } else if requirement.path.is_none() {
            all_met = all_met.max(page::check(&mut lines, &name, row, require));
        }
    }
    Ok((all_met, lines))
}

fn name(requirement: &Requirement) -> String {
    let flag = requirement.flag.name();
    match &requirement.path {
        Some(path) => format!("{flag}:{}", Escaped(path)),
        None => flag.to_owned(),
    }
}

/// The verdict about a requirement.
struct Answer {
    verdict: Verdict,
    /// The outcome on the file that overrides the verdict of the flag.
    file_rejects: Option<Outcome>,
}

/// The row of a requirement and the verdict; `None` when the report has neither flag nor path.
fn answer<'r>(report: &'r Report, requirement: &Requirement) -> Option<(&'r Row, Answer)> {
    let row = report.rows.iter().find(|row| row.flag == requirement.flag)?;
    let answer = match &requirement.path {
        Some(path) => {
            let index = report.paths.iter().position(|probed| probed == path)?;
            answer_on_file(report, row, index)
        }
        None => Answer { verdict: row.finding.verdict, file_rejects: None },
    };
    Some((row, answer))
}

/// Whether the effect of a flag depends on the file. Every other flag has the same effect on all
/// files that accept it.
fn depends_on_file(flag: Flag) -> bool {
    flag == Flag::MAP_SYNC
}

/// The verdict on one file. The file overrides the flag's verdict if it rejects the flag under
/// every map type. `MAP_SYNC` counts under `MAP_SHARED_VALIDATE` only; its row is honored only if
/// every file that accepts it rejects unassigned bits.
fn answer_on_file(report: &Report, row: &Row, index: usize) -> Answer {
    let (verdict, depends_on_file) = (row.finding.verdict, depends_on_file(row.flag));
    let validating_type = MAP_SHARED_VALIDATE.encode(report.arch);
    let bits = row.flag.value(report.arch).unwrap_or_default();
    let (mut is_accepted, mut rejection) = (false, None);
    for step in report.steps_at(&row.steps) {
        let (Call::Context { flags, backing } | Call::Mmap { flags, backing, .. }) = step.call
        else {
            continue;
        };
        let counts = !depends_on_file || map_type(report.arch, flags) == validating_type;
        if backing == Backing::Path(index) && flags & bits == bits && counts {
            match step.outcome {
                Outcome::NotRun => {}
                outcome if outcome.succeeded() => is_accepted = true,
                outcome => rejection = Some(outcome),
            }
        }
    }
    let is_accepted_always = is_accepted && rejection.is_none();
    let file_decides = if depends_on_file { !is_accepted_always } else { !is_accepted };
    if verdict.is_no() && !depends_on_file || !file_decides {
        return Answer { verdict, file_rejects: None };
    }
    let rejection = rejection.unwrap_or(Outcome::NotRun);
    let verdict = match rejection.errno() {
        // These errors depend on free memory, privileges and filters rather than on the file.
        None | Some(Errno::ENOMEM | Errno::EPERM | Errno::EAGAIN | Errno::ENOSYS) => {
            Verdict::Inconclusive
        }
        _ if is_accepted => Verdict::Inconclusive,
        _ => Verdict::Unavailable,
    };
    Answer { verdict, file_rejects: Some(rejection) }
}

/// Appends what may help, and the interference that may be the cause.
fn push_remedies(out: &mut String, report: &Report, row: &Row, answer: &Answer) {
    let flag = row.flag;
    let is_undecided = answer.verdict == Verdict::Inconclusive;
    let code = answer.file_rejects.is_none().then_some(row.finding.reason.code);
    if code == Some(ReasonCode::NotDefined) {
        return;
    }
    let mut separator = "; may help: ";
    if let Some(remedy) = remedy(flag, code) {
        push(out, format_args!("{separator}{remedy}"));
        separator = ", ";
    }
    let Version([major, ..]) = flag.since();
    let may_be_too_old =
        is_undecided || matches!(answer.verdict, Verdict::Ignored | Verdict::Unknown);
    if major >= 4 && may_be_too_old {
        push(out, format_args!("{separator}Linux >= {}", flag.since()));
    }
    separator = "; interference: ";
    for observed in &report.environment {
        if is_undecided || observed.interference.replaces_kernel() {
            push(out, format_args!("{separator}{}", observed.name()));
            separator = ", ";
        }
    }
}

/// What may help, according to the reason of the verdict.
fn remedy(flag: Flag, code: Option<ReasonCode>) -> Option<&'static str> {
    if depends_on_file(flag) {
        return Some("MAP_SYNC:PATH of a file on DAX");
    }
    match code? {
        ReasonCode::NotPermitted | ReasonCode::OverLimit => Some("ulimit -l, CAP_IPC_LOCK"),
        ReasonCode::NoRoom => Some("a 64-bit kernel"),
        ReasonCode::SignSeen => Some("ulimit -s"),
        ReasonCode::RefusedHere | ReasonCode::NotOffered => {
            Some("CONFIG_HUGETLBFS, another processor")
        }
        _ => None,
    }
}
