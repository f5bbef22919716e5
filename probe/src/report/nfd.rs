//! `nfd`: a feature file of Kubernetes' node feature discovery, which turns every line into a label
//! of the node. The namespace of the labels is below `feature.node.kubernetes.io`.

use super::data::Report;
use super::style::Style;
use super::wording::{push, push_comments};

/// The beginning of a label.
const PREFIX: &str = "mapprobe.feature.node.kubernetes.io/";

/// Writes the report.
pub fn write(out: &mut String, report: &Report, _: &Style) {
    push_comments(out, report);
    for row in &report.rows {
        let (flag, verdict) = (row.flag.name(), row.finding.verdict.word());
        push(out, format_args!("{PREFIX}{flag}={verdict}\n"));
        if let Some(availability) = row.availability {
            let answer = availability.answer().word();
            push(out, format_args!("{PREFIX}{flag}.available={answer}\n"));
        }
    }
}
