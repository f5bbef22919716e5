//! Flags that are about the file behind a mapping: `MAP_SYNC`, `MAP_DENYWRITE`, `MAP_EXECUTABLE`.

use super::bench::{Bench, CONTROL};
use super::procfs;
use super::recognition::{is_recognized, is_taken};
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Known, Outcome, Trial};
use crate::flags::{CONTROL_BITS, MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE};
use crate::kernel::PROT_READ;

/// How a file that must not be written answers.
const BUSY: Outcome = Outcome::Refused(Errno::ETXTBSY);

/// `MAP_DENYWRITE` and `MAP_EXECUTABLE`: a file that is open for writing cannot be mapped, or not be written while it is mapped.
/// No kernel since 2.6 does that (mmap(2), "this flag is ignored").
pub fn denies_writing(bench: &mut Bench, bits: u64) {
    is_recognized(bench, bits);
    let questions =
        [("writing to a file that is mapped", MAP_PRIVATE), ("writing to a file that is mapped shared", MAP_SHARED)];
    for &(question, map_type) in &questions {
        bench.compare(question, BUSY, bits, &|bench, bits| write_while_mapped(bench, map_type | bits));
    }
}

fn write_while_mapped(bench: &mut Bench, flags: u64) -> Outcome {
    let (addr, mapped) = bench.map(flags, PROT_READ, 1, Backing::Memfd);
    let (Ok(memfd), true) = (bench.memfd(), mapped.succeeded()) else {
        return if mapped == Outcome::Failed(Errno::ETXTBSY) { BUSY } else { mapped };
    };
    let written = Outcome::of(bench.kernel.write(memfd, &[0]));
    bench.note(Act::WriteFile, written);
    bench.unmap(addr, 1, mapped);
    written
}

/// `MAP_SYNC`: its effect shows only when power is lost. It is honored where `MAP_SHARED_VALIDATE` passes it and refuses what no
/// kernel knows. No memfd does that; a path may. Elsewhere a kernel that knows it shows that in two ways: file systems that
/// could give it and do not here refuse it under `MAP_PRIVATE` too (`ext4_file_mmap`, `xfs_file_mmap`), and the kernel
/// notes it (`sf`) for whatever memory.
pub fn syncs_faults(bench: &mut Bench, bits: u64) {
    is_taken(bench, bits);
    bench.evidence.known = Known::Unavailable;
    for path in 0..bench.paths() {
        let backing = Backing::Path(path);
        let mut ask = |bits: u64| bench.try_map(MAP_SHARED_VALIDATE | bits, PROT_READ, backing);
        let trials = [(); 2].map(|()| Trial {
            question: "MAP_SHARED_VALIDATE of a path, and with unknown flags",
            promised: Outcome::Elsewhere,
            flagged: ask(bits),
            plain: ask(CONTROL),
            unknown: ask(1 << CONTROL_BITS[0]),
        });
        if trials[0].flagged.succeeded() && bench.evidence.trials.is_empty() {
            bench.evidence.trials.extend(trials);
        }
        let refused = Outcome::Failed(Errno::EOPNOTSUPP);
        bench.look_for_sign("a private mapping of a path", refused, bits, &|bench, bits| {
            bench.try_map(MAP_PRIVATE | bits, PROT_READ, backing)
        });
    }
    procfs::look_for_sign(bench, bits, b"sf");
}
