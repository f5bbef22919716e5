//! Linux 4.10, from before `MAP_SHARED_VALIDATE`. No package has such a kernel any more; these are mapprobe's kernels made of rules, which
//! agree with recordings of real ones, call by call (`probe/tests/recordings.rs`).

use crate::input::Found;
use crate::recordings::envelope;
use anyhow::{Result, anyhow};
use mapprobe::arch::Arch;
use mapprobe::cli::{Options, What};
use mapprobe::flags::TABLE;
use mapprobe::kernel::model::{Machine, Model, Rules};
use mapprobe::run;

/// The recorded kernels that the rules were compared with.
const RECORDED: [(&str, Arch, Machine); 2] =
    [("x86_64-4.10", Arch::X86_64, Machine::X86), ("hppa-4.10", Arch::Hppa, Machine::Parisc)];
/// What was recorded, as the project's recordings say.
const SOURCE: (&str, &str) = ("Linux, vanilla source", "4.10.17");

/// Every document of these kernels, each in an envelope.
///
/// # Errors
/// The program does not come to its end on one of them.
pub fn documents() -> Result<Vec<Found>> {
    let mut all = Vec::new();
    for (kernel, arch, machine) in RECORDED {
        for what in What::ALL {
            let options = Options { what, ..Options::default() };
            let mut report = run::report(
                &mut Model::new(Rules::new(machine, (4, 10))),
                arch,
                &options,
                TABLE,
                &mut |_| {},
            )
            .map_err(|complaint| anyhow!("the model of {kernel}: {complaint}"))?;
            // A model has no process and no clock.
            (report.process.pid, report.process.time) = (None, None);
            all.push(envelope(kernel, "model", SOURCE, &report)?);
        }
    }
    Ok(all)
}
