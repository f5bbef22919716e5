//! A recorded run as a document in an envelope, as the lab would write it: what this version of mapprobe makes of those calls.

use crate::input::{Found, Place};
use anyhow::{Context, Result, anyhow, ensure};
use mapprobe::cli::What;
use mapprobe::flags::TABLE;
use mapprobe::recording::replay;
use mapprobe::report::{FORMATS, Report};
use serde_json::{Value, json};

/// The document of a recording (`probe/src/kernel/replay.rs`). A recorded sweep answers what is guaranteed to fail too.
///
/// # Errors
/// It is no recording, or it does not answer that question.
pub fn document(kernel: &str, recording: &[u8], what: What) -> Result<Found> {
    let mut report = replay(recording, TABLE, false)
        .map_err(|complaint| anyhow!("the recording of {kernel}: {complaint}"))?;
    let fits = report.what == what || (report.what == What::Sweep && what == What::FreeBits);
    ensure!(
        fits,
        "the recording of {kernel} is a {}; it does not answer {}",
        report.what.word().plain(),
        what.word().plain()
    );
    report.what = what;
    envelope(kernel, "recording", ("mapprobe --record", env!("CARGO_PKG_VERSION")), &report)
}

/// A report in the envelope of the lab.
pub(crate) fn envelope(
    kernel: &str,
    made: &str,
    origin: (&str, &str),
    report: &Report,
) -> Result<Found> {
    let json = FORMATS.first().context("mapprobe has no format")?;
    let document: Value =
        serde_json::from_str(&(json.write)(report)).context("what it printed is not JSON")?;
    let (package, version) = origin;
    let value = json!({
        "schema": "mapprobe.lab",
        "schema_version": "1.0",
        "kernel": kernel,
        "guest": "root",
        "origin": {"package": package, "version": version, "sha256": null, "suite": null, "emulator": null},
        "made": made,
        "seconds": null,
        "document": document,
    });
    Ok(Found { place: Place { file: format!("the {made} of {kernel}"), line: 1 }, value })
}
