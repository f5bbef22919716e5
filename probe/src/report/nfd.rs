//! `nfd`: a feature file of Kubernetes' node feature discovery, which turns every line into a label
//! of the node. The namespace of the labels is below `feature.node.kubernetes.io`.

use super::data::Report;
use super::style::Style;
use super::wording::title;
use core::fmt::{self, Write};

/// Writes the report.
pub fn write(out: &mut String, report: &Report, _: &Style) -> fmt::Result {
    writeln!(out, "# {}", title(report))?;
    for observed in &report.environment {
        writeln!(out, "# interference: {}: {}", observed.name(), observed.evidence)?;
    }
    for row in &report.rows {
        let (flag, verdict) = (row.flag.name(), row.finding.verdict.word());
        writeln!(out, "mapprobe.feature.node.kubernetes.io/{flag}={verdict}")?;
        if let Some(availability) = row.availability {
            let answer = availability.answer().word();
            writeln!(out, "mapprobe.feature.node.kubernetes.io/{flag}.available={answer}")?;
        }
    }
    Ok(())
}
