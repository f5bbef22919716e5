//! `macros`: definitions for the C preprocessor, like those of `bpftool feature probe macros`. For
//! an inconclusive flag neither name is defined. Another pair of names says whether a huge page can
//! be had now.

use super::data::Report;
use super::style::Style;
use super::wording::{summary, title};
use crate::availability::Answer;
use crate::verdict::Verdict;
use core::fmt::{self, Write};

/// Writes the report.
pub fn write(out: &mut String, report: &Report, style: &Style) -> fmt::Result {
    // `*/` would end the comment.
    let title = title(report).replace('*', "\\u002a");
    writeln!(out, "/*** {title} ***/")?;
    for observed in &report.environment {
        let (name, evidence) = (observed.name(), &observed.evidence);
        writeln!(out, "/*** interference: {name}: {evidence} ***/")?;
    }
    for row in &report.rows {
        let (prefix, flag, finding) = (&style.prefix, row.flag.name(), &row.finding);
        let (verdict, reason) = (finding.verdict.word(), summary(&finding.reason));
        match finding.verdict {
            Verdict::Honored | Verdict::Accepted => {
                writeln!(out, "#define {prefix}HAVE_{flag} /* {verdict} */")?;
            }
            Verdict::Inconclusive => {
                writeln!(out, "/* {prefix}HAVE_{flag}: {verdict}: {reason} */")?;
            }
            Verdict::Ignored | Verdict::Unknown | Verdict::Unavailable | Verdict::Absent => {
                writeln!(out, "#define {prefix}NO_HAVE_{flag} /* {verdict}: {reason} */")?;
            }
        }
        if let Some(availability) = row.availability {
            let definition = match availability.answer() {
                Answer::Yes => format!("#define {prefix}AVAILABLE_{flag} /* {availability} */"),
                Answer::No => format!("#define {prefix}NO_AVAILABLE_{flag} /* {availability} */"),
                Answer::Unknown => format!("/* {prefix}AVAILABLE_{flag}: {availability} */"),
            };
            writeln!(out, "{definition}")?;
        }
    }
    Ok(())
}
