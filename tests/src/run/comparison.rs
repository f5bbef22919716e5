//! A report against the expectations for its kernel and its scenario.

use crate::expectations::series::{Series, series};
use crate::expectations::since::{self, Basis};
use crate::expectations::{Difference, Expectations};
use crate::kernels::{self, Kernel};
use crate::scenarios::Scenario;
use anyhow::{Context, Result};
use serde_json::Value;

/// Compares a report with the expectations for a kernel in a scenario. A kernel of a series without
/// expectations is compared with the flag table.
pub fn compare(
    report: &Value,
    kernel: &Kernel,
    scenario: &Scenario,
) -> Result<(Basis, Vec<Difference>)> {
    let expected = Expectations::in_scenario(kernel.name, scenario.name)?;
    let (basis, mut differences) = since::compare(report, &expected, kernel.arch, newest()?)?;
    let euid = &report["process"]["euid"];
    if *euid != scenario.euid {
        differences.push(Difference {
            flag: "process".into(),
            expected: format!("the user {}", scenario.euid),
            source: "the row of the scenario".into(),
            got: format!("the user {euid}"),
            reason: "the program did not run as the user of the scenario".into(),
            evidence: Vec::new(),
        });
    }
    Ok((basis, differences))
}

/// The newest series with expectations.
fn newest() -> Result<Series> {
    let mut all = Vec::new();
    for kernel in kernels::ALL {
        let release = Expectations::of(kernel.name)?.release;
        all.push(series(&release).with_context(|| format!("{release:?} is not a series."))?);
    }
    all.into_iter().max().context("The lab has no kernels.")
}
