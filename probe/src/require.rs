//! `mapprobe require`: the required flags that are not honored here, why, and what may help.
//!
//! Only the report decides. `honored` and `accepted` meet a requirement, `inconclusive` leaves it
//! undecided, any other verdict does not meet it. A flag about huge pages also needs a page that
//! can be had now, unless the kernel's support alone is required.

mod page;

use crate::error::Error;
use crate::flags::{Flag, MAP_SHARED_VALIDATE, map_type};
use crate::outcome::{Backing, Call, Outcome};
use crate::paths::Access;
use crate::report::escape::Escaped;
use crate::report::wording::{push, summary};
use crate::report::{Report, Row};
use crate::requirement::{Met, Require, Requirement};
use crate::verdict::Verdict;
use kernel::Errno;
use remedy::push_remedies;

mod remedy;

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
            if answer.file_decides {
                lines.push_str("on this file");
                push_rejections(&mut lines, ", ", &answer.rejections);
            } else {
                lines.push_str(summary(&row.finding.reason));
            }
            push_remedies(&mut lines, report, row, answer.verdict, answer.file_decides);
            lines.push('\n');
        } else if let Some(access) = answer.only_opened {
            // A program must know how to open the file.
            let (verdict, access) = (answer.verdict.word(), access.word());
            push(&mut lines, format_args!("{name}: {verdict}: on this file, opened {access}"));
            push_rejections(&mut lines, "; ", &answer.rejections);
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

/// Appends how a file rejects a flag.
fn push_rejections(out: &mut String, separator: &str, rejections: &[Rejection]) {
    for Rejection { access, outcome, left_out } in rejections {
        push(out, format_args!("{separator}opened {}: {outcome}", access.word()));
        if let Some(why) = left_out {
            out.push_str(": ");
            out.push_str(why);
        }
    }
}

/// The verdict about a requirement.
struct Answer {
    verdict: Verdict,
    /// Whether the file overrides the verdict of the flag, however it is opened.
    file_decides: bool,
    /// How the file rejects the flag.
    rejections: Vec<Rejection>,
    /// The access with which alone the file accepts the flag.
    only_opened: Option<Access>,
}

/// The outcome that overrides the verdict of a flag, on a file that was opened in one way.
struct Rejection {
    access: Access,
    outcome: Outcome,
    /// Why the file was not probed.
    left_out: Option<&'static str>,
}

/// The row of a requirement and the verdict; `None` when the report has neither flag nor path.
fn answer<'r>(report: &'r Report, requirement: &Requirement) -> Option<(&'r Row, Answer)> {
    let row = report.rows.iter().find(|row| row.flag == requirement.flag)?;
    let answer = match &requirement.path {
        Some(path) => {
            let index = report.paths.iter().position(|probed| probed == path)?;
            answer_on_file(report, row, index)
        }
        None => Answer {
            verdict: row.finding.verdict,
            file_decides: false,
            rejections: Vec::new(),
            only_opened: None,
        },
    };
    Some((row, answer))
}

/// Whether the effect of a flag depends on the file. Every other flag has the same effect on all
/// files that accept it.
fn depends_on_file(flag: Flag) -> bool {
    flag == Flag::MAP_SYNC
}

/// The verdict on one file. A file that answers a reader differently is judged twice, and the
/// better verdict counts: a program can open the file in this way.
fn answer_on_file(report: &Report, row: &Row, index: usize) -> Answer {
    let path = report.path_uses.get(index);
    let access = path.map_or(Access::ReadWrite, |path| path.access);
    let read_only_differs = path.is_some_and(|path| path.read_only_differs);
    let mut answer = Answer {
        verdict: Verdict::Unavailable,
        file_decides: true,
        rejections: Vec::new(),
        only_opened: None,
    };
    for (file, access) in
        [(Backing::Path(index), access), (Backing::ReadOnlyPath(index), Access::ReadOnly)]
    {
        let is_read_only = file == Backing::ReadOnlyPath(index);
        if is_read_only && !read_only_differs {
            break;
        }
        let Some((verdict, outcome)) = rejection(report, row, file) else {
            answer.file_decides = false;
            answer.only_opened = Some(access);
            continue;
        };
        if verdict == Verdict::Inconclusive {
            answer.verdict = verdict;
        }
        let left_out = path.filter(|_| !is_read_only).and_then(|path| path.left_out());
        answer.rejections.push(Rejection { access, outcome, left_out });
    }
    if !answer.file_decides {
        answer.verdict = row.finding.verdict;
    }
    if answer.rejections.is_empty() {
        answer.only_opened = None;
    }
    answer
}

/// The verdict and the outcome that override the verdict of a flag on a file: if the file rejects
/// the flag under every map type. `MAP_SYNC` counts under `MAP_SHARED_VALIDATE` only; its row is
/// honored only if every file that accepts it rejects unassigned bits.
fn rejection(report: &Report, row: &Row, file: Backing) -> Option<(Verdict, Outcome)> {
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
        if backing == file && flags & bits == bits && counts {
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
        return None;
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
    Some((verdict, rejection))
}
