//! Puts a report into an envelope, as the lab does.

use crate::document::{DEFAULT_SCENARIO, Origin};
use crate::input::{Located, Location};
use crate::schema::ENVELOPE;
use anyhow::{Context, Result};
use mapprobe::report::{Report, Style, write};
use mapprobe::request::Format;
use serde_json::{Value, json};

/// A report that was not measured by booting a package.
pub struct Unpackaged<'a> {
    pub kernel: &'a str,
    pub origin: Origin,
    /// Where the kernel or its recording comes from.
    pub source: &'a str,
    pub source_version: &'a str,
}

impl Unpackaged<'_> {
    /// The report in an envelope.
    ///
    /// # Errors
    /// mapprobe prints invalid JSON.
    pub fn wrap(&self, report: &Report) -> Result<Located> {
        let origin = self.origin.json_word();
        let value = json!({
            "schema": ENVELOPE,
            "schema_version": "1.0",
            "kernel": self.kernel,
            "guest": DEFAULT_SCENARIO,
            "origin": {
                "package": self.source,
                "version": self.source_version,
                "sha256": null,
                "suite": null,
                "emulator": null,
            },
            "made": origin,
            "seconds": null,
            "document": to_json(report)?,
        });
        let location = Location { file: format!("{} ({origin})", self.kernel), line: 1 };
        Ok(Located { location, value })
    }
}

fn to_json(report: &Report) -> Result<Value> {
    let json = write(Format::Json, report, &Style::default());
    serde_json::from_str(&json).context("mapprobe printed invalid JSON")
}
