//! Runs on the simulated kernel that must leave nothing behind.

use super::findings::{Findings, probe};
use super::panics::catch_panic;
use simulator::{Rules, SimulatedKernel};

/// Probes every flag. A panic is an error, and so are mappings, descriptors and files that are
/// left.
pub fn attempt(rules: &Rules, paths: &[&str], thorough: bool) -> Result<Findings, String> {
    let (findings, leftovers) = catch_panic(|| {
        let mut simulated = SimulatedKernel::new(rules.clone());
        let findings = probe(&mut simulated, rules.machine, paths, thorough);
        (findings, simulated.leftovers())
    })?;
    if !leftovers.is_empty() {
        return Err(format!("left behind: {}", leftovers.join(", ")));
    }
    findings.map_err(|error| error.to_string())
}
