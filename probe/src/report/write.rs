//! The one match over formats.

use super::data::Report;
use super::{json, ktap, macros, nfd, prometheus, shell, table};
use crate::request::Format;

/// How a report looks, beside its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// The beginning of names in formats that define names.
    pub prefix: String,
    /// Whether verdicts are coloured.
    pub colour: bool,
}

impl Style {
    pub const DEFAULT_PREFIX: &'static str = "MAPPROBE_";
}

impl Default for Style {
    fn default() -> Style {
        Style { prefix: Style::DEFAULT_PREFIX.to_owned(), colour: false }
    }
}

/// A report as text that ends with a newline.
pub fn write(format: Format, report: &Report, style: &Style) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = match format {
        Format::Json => return json::write(report),
        Format::JsonLines => return json::write_line(report),
        Format::Table => return table::write(report, style),
        Format::Ktap => ktap::write(&mut out, report),
        Format::Shell => shell::write(&mut out, report, style),
        Format::Macros => macros::write(&mut out, report, style),
        Format::Prometheus => prometheus::write(&mut out, report),
        Format::Nfd => nfd::write(&mut out, report),
    };
    out
}
