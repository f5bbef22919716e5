//! Linux 4.10, which has no `MAP_SHARED_VALIDATE` yet (added in 4.15). Distributions no longer
//! package it, so mapprobe's simulated kernels stand in for it. They agree with recordings of the
//! real kernels call by call (`simulator/tests/recorded_*.rs`).

use crate::document::Origin;
use crate::envelope::Unpackaged;
use crate::input::Located;
use anyhow::{Result, anyhow};
use mapprobe::arch::Arch;
use mapprobe::flags::Flag;
use mapprobe::probe;
use mapprobe::request::{ProbeOptions, Query};
use simulator::{Machine, Rules, SimulatedKernel};

/// A simulated kernel that agrees with a recording.
struct Simulated {
    kernel: &'static str,
    arch: Arch,
    machine: Machine,
}

const KERNELS: [Simulated; 2] = [
    Simulated { kernel: "x86_64-4.10", arch: Arch::X86_64, machine: Machine::X86 },
    Simulated { kernel: "hppa-4.10", arch: Arch::Hppa, machine: Machine::Parisc },
];

/// Every document of the simulated kernels, in envelopes.
///
/// # Errors
/// mapprobe fails on a simulated kernel.
pub fn documents() -> Result<Vec<Located>> {
    let mut documents = Vec::new();
    for simulated in KERNELS {
        for query in Query::ALL {
            documents.push(simulated.document(query)?);
        }
    }
    Ok(documents)
}

impl Simulated {
    fn document(&self, query: Query) -> Result<Located> {
        let options = ProbeOptions { query, ..ProbeOptions::default() };
        let mut kernel = SimulatedKernel::new(Rules::new(self.machine, (4, 10)));
        let mut report = probe::run(&mut kernel, self.arch, Flag::ALL, &options, &mut |_| {})
            .map_err(|error| anyhow!("the simulated kernel {}: {error}", self.kernel))?;
        // A simulated kernel has no real process ids and no clock.
        report.process.pid = None;
        report.process.time = None;
        let envelope = Unpackaged {
            kernel: self.kernel,
            origin: Origin::Simulated,
            source: "Linux, vanilla source",
            source_version: "4.10.17",
        };
        envelope.wrap(&report)
    }
}
