//! `nfd`: a feature file of Kubernetes' node feature discovery, which makes a label of the node
//! from every line. Labels need a namespace below `feature.node.kubernetes.io` or one of their own.

use super::data::Report;
use super::style::Style;
use super::wording::title;
use core::fmt::{self, Write};

/// Writes the report.
pub fn write(out: &mut String, report: &Report, _: &Style) -> fmt::Result {
    writeln!(out, "# {}", title(report))?;
    for interference in &report.environment {
        writeln!(out, "# interference: {}: {}", interference.name(), interference.evidence())?;
    }
    for row in &report.rows {
        let (flag, verdict) = (row.flag.name(), row.finding.verdict.word());
        writeln!(out, "mapprobe.feature.node.kubernetes.io/{flag}={verdict}")?;
    }
    Ok(())
}
