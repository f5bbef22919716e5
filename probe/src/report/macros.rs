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
        let (prefix, flag, finding) = (&style.prefix, row.flag.name(), &row.finding);
        let (verdict, reason) = (finding.verdict.word(), summary(&finding.reason));
        match finding.verdict {
            Verdict::Honored | Verdict::Accepted => {
                push(out, format_args!("#define {prefix}HAVE_{flag} /* {verdict} */\n"));
            }
            Verdict::Inconclusive => {
                push(out, format_args!("/* {prefix}HAVE_{flag}: {verdict}: {reason} */\n"));
            }
            Verdict::Ignored | Verdict::Unknown | Verdict::Unavailable | Verdict::Absent => {
                push(
                    out,
                    format_args!("#define {prefix}NO_HAVE_{flag} /* {verdict}: {reason} */\n"),
                );
            }
        }
        if let Some(availability) = row.availability {
            let definition = match availability.answer() {
                Answer::Yes => format!("#define {prefix}AVAILABLE_{flag} /* {availability} */"),
                Answer::No => format!("#define {prefix}NO_AVAILABLE_{flag} /* {availability} */"),
                Answer::Unknown => format!("/* {prefix}AVAILABLE_{flag}: {availability} */"),
            };
            push(out, format_args!("{definition}\n"));
        }
    }
}
