//! `ktap`: version 1 of the kernel's test protocol (`Documentation/dev-tools/ktap.rst`).
//!
//! A flag is a test. It is `not ok` only if the flag is required and its verdict is a no, or if no
//! huge page can be had now and the kernel's support alone does not suffice. A diagnostic line
//! before the result holds the verdict.

use super::data::{Report, Row};
use super::style::Style;
use super::wording::{push, push_comments, push_summary};
use crate::availability::{Answer, Availability};
use crate::verdict::Verdict;

/// Writes the report.
pub fn write(out: &mut String, report: &Report, _: &Style) {
    push(out, format_args!("KTAP version 1\n1..{}\n", report.rows.len()));
    push_comments(out, report);
    for (row, number) in report.rows.iter().zip(1..) {
        let (flag, finding) = (row.flag.name(), &row.finding);
        let (verdict, mut reason) = (finding.verdict.word(), String::new());
        push_summary(&mut reason, row);
        let is_missed = is_missed(report, row);
        if !is_missed && matches!(finding.verdict, Verdict::Absent | Verdict::Inconclusive) {
            push(out, format_args!("ok {number} {flag} # SKIP {verdict}: {reason}\n"));
        } else {
            let result = if is_missed { "not ok" } else { "ok" };
            push(out, format_args!("# {flag}: verdict={verdict}: {reason}\n"));
            push(out, format_args!("{result} {number} {flag}\n"));
        }
    }
}

fn is_missed(report: &Report, row: &Row) -> bool {
    let has_no_page = row.availability.map(Availability::answer) == Some(Answer::No);
    let is_no = row.finding.verdict.is_no() || has_no_page && !report.support_only;
    is_no && report.required.contains(&row.flag)
}
