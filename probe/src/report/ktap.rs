//! `ktap`: version 1 of the kernel's test protocol (`Documentation/dev-tools/ktap.rst`).
//!
//! A flag is a test. It is `not ok` only if the flag is required and its verdict is a no, or if no
//! huge page can be had now and the kernel's support alone does not suffice. A diagnostic line before
//! the result holds the verdict.

use super::data::{Report, Row};
use super::style::Style;
use super::wording::{push_summary, title};
use crate::availability::{Answer, Availability};
use crate::verdict::Verdict;
use core::fmt::{self, Write};

/// Writes the report.
pub fn write(out: &mut String, report: &Report, _: &Style) -> fmt::Result {
    writeln!(out, "KTAP version 1\n1..{}\n# {}", report.rows.len(), title(report))?;
    for observed in &report.environment {
        writeln!(out, "# interference: {}: {}", observed.name(), observed.evidence)?;
    }
    for (row, number) in report.rows.iter().zip(1..) {
        let (flag, finding) = (row.flag.name(), &row.finding);
        let (verdict, mut reason) = (finding.verdict.word(), String::new());
        push_summary(&mut reason, row);
        let is_missed = is_missed(report, row);
        match finding.verdict {
            Verdict::Absent | Verdict::Inconclusive if !is_missed => {
                writeln!(out, "ok {number} {flag} # SKIP {verdict}: {reason}")?;
            }
            _ => {
                let result = if is_missed { "not ok" } else { "ok" };
                writeln!(out, "# {flag}: verdict={verdict}: {reason}\n{result} {number} {flag}")?;
            }
        }
    }
    Ok(())
}

fn is_missed(report: &Report, row: &Row) -> bool {
    let has_no_page = row.availability.map(Availability::answer) == Some(Answer::No);
    let is_no = row.finding.verdict.is_no() || has_no_page && !report.support_only;
    is_no && report.required.contains(&row.flag)
}
