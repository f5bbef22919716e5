//! `macros`: definitions for the C preprocessor, like those of `bpftool feature probe macros`. For
//! an inconclusive flag neither name is defined. Another pair of names says whether a huge page can
//! be had now.

use super::data::Report;
use super::style::Style;
use super::wording::{push, summary, title};
use crate::availability::Answer;
use crate::verdict::Verdict;

/// Writes the report.
pub fn write(out: &mut String, report: &Report, style: &Style) {
    // `*/` would end the comment.
    let title = title(report).replace('*', "\\u002a");
    push(out, format_args!("/*** {title} ***/\n"));
    for observed in &report.environment {
        let (name, evidence) = (observed.name(), &observed.evidence);
        push(out, format_args!("/*** interference: {name}: {evidence} ***/\n"));
    }
    for row in &report.rows {
        let (flag, finding) = (row.flag.name(), &row.finding);
        let (verdict, reason) = (finding.verdict.word(), summary(&finding.reason));
        let answer = match finding.verdict {
            Verdict::Honored | Verdict::Accepted => Answer::Yes,
            Verdict::Inconclusive => Answer::Unknown,
            Verdict::Ignored | Verdict::Unknown | Verdict::Unavailable | Verdict::Absent => {
                Answer::No
            }
        };
        let mut comment = String::from(verdict);
        if answer != Answer::Yes {
            comment.push_str(": ");
            comment.push_str(reason);
        }
        push_definition(out, style, answer, &format!("HAVE_{flag}"), &comment);
        if let Some(availability) = row.availability {
            let (name, comment) = (format!("AVAILABLE_{flag}"), availability.to_string());
            push_definition(out, style, availability.answer(), &name, &comment);
        }
    }
}

/// Appends the definition of one name of a pair, or only a comment.
fn push_definition(out: &mut String, style: &Style, answer: Answer, name: &str, comment: &str) {
    let prefix = &style.prefix;
    match answer {
        Answer::Yes => push(out, format_args!("#define {prefix}{name} /* {comment} */\n")),
        Answer::No => push(out, format_args!("#define {prefix}NO_{name} /* {comment} */\n")),
        Answer::Unknown => push(out, format_args!("/* {prefix}{name}: {comment} */\n")),
    }
}
