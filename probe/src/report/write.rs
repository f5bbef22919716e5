//! Writing a report in any format.

use super::data::Report;
use super::style::Style;
use super::{json, ktap, macros, nfd, prometheus, shell, table};
use crate::request::Format;

/// Writes a report in one format.
type Writer = fn(&mut String, &Report, &Style);

const fn writer(format: Format) -> Writer {
    match format {
        Format::Json => json::write,
        Format::JsonLines => json::write_line,
        Format::Table => table::write,
        Format::Ktap => ktap::write,
        Format::Shell => shell::write,
        Format::Macros => macros::write,
        Format::Prometheus => prometheus::write,
        Format::Nfd => nfd::write,
    }
}

/// A report as text that ends with a newline.
pub fn write(format: Format, report: &Report, style: &Style) -> String {
    let mut out = String::new();
    writer(format)(&mut out, report, style);
    out
}
