//! Linux 4.10, which has no `MAP_SHARED_VALIDATE` yet (added in 4.15). Distributions no longer
//! package it, so mapprobe's simulated kernels stand in for it. They agree with recordings of the
//! real kernels call by call (`probe/tests/recordings.rs`).

use crate::document::Origin;
use crate::envelope::Unpackaged;
use crate::input::Located;
use anyhow::{Result, anyhow};
use mapprobe::arch::Arch;
use mapprobe::cli::{Options, What};
use mapprobe::flags::TABLE;
use mapprobe::kernel::model::{Machine, Model, Rules};
use mapprobe::run;

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
        for query in What::ALL {
            documents.push(simulated.document(query)?);
        }
    }
    Ok(documents)
}

impl Simulated {
    fn document(&self, query: What) -> Result<Located> {
        let options = Options { what: query, ..Options::default() };
        let mut kernel = Model::new(Rules::new(self.machine, (4, 10)));
        let mut report = run::report(&mut kernel, self.arch, &options, TABLE, &mut |_| {})
            .map_err(|message| anyhow!("the simulated kernel {}: {message}", self.kernel))?;
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
