//! Flags that are about the file behind a mapping: `MAP_SYNC`, `MAP_DENYWRITE`, `MAP_EXECUTABLE`.

use super::bench::{Bench, CONTROL, base};
use super::measure::{NONE, lands};
use super::{ASK, Asks, Experiment, procfs};
use crate::errno::Errno;
use crate::evidence::{Act, Backing, Known, Outcome, Role, Test};
use crate::flags::{CONTROL_BITS, MAP_SHARED_VALIDATE};
use crate::kernel::{PROT_READ, Word};
use crate::text::Text;

/// `MAP_DENYWRITE` and `MAP_EXECUTABLE`: a file that is open for writing cannot be mapped, or not be written while it is mapped.
/// No kernel since 2.6 does that (mmap(2), "this flag is ignored").
pub static DENIES_WRITING: Experiment =
    Experiment { tests: &[writing(base::PRIVATE), writing(base::SHARED)], ..ASK };

const fn writing(base: u8) -> Test {
    let (question, backing) = (Text::WRITING_TO_MAPPED_FILE, Backing::MEMFD);
    Test { question, role: Role::Effect, promised: BUSY, base, backing, look: write_while_mapped }
}

/// How a file that must not be written answers.
const BUSY: Outcome = Outcome::refused(Errno::ETXTBSY);

fn write_while_mapped(bench: &mut Bench, flags: Word, backing: Backing) -> Outcome {
    let (addr, mapped) = bench.map(flags, PROT_READ, 1, backing);
    let (Some(memfd), true) = (bench.memfd(), mapped.succeeded()) else {
        return if mapped == Outcome::failed(Errno::ETXTBSY) { BUSY } else { mapped };
    };
    let written = Outcome::of(bench.kernel.write(memfd, &[0]));
    bench.note(Act::WRITE_FILE, written);
    bench.unmap(addr, 1, mapped);
    written
}

/// `MAP_SYNC`: its effect shows only when power is lost. It is honored where `MAP_SHARED_VALIDATE` passes it and refuses what no
/// kernel knows. No memfd does that; a path may. Elsewhere a kernel that knows it shows that in two ways: file systems that
/// could give it and do not here refuse it under `MAP_PRIVATE` too (`ext4_file_mmap`, `xfs_file_mmap`), and the kernel
/// notes it (`sf`) for whatever memory.
pub static SYNCS_FAULTS: Experiment =
    Experiment { asks: Asks::Taken, known: Known::Unavailable, first: Some(syncs_faults), ..ASK };

static NOTED: Test = procfs::sign(|bench, flags, _| procfs::recorded(bench, flags, b"sf"));
static PASSED: Test = on_path(Text::VALIDATE_OF_PATH, Role::Effect, Outcome::ELSEWHERE, base::TYPE);
static REFUSED: Test = on_path(
    Text::PRIVATE_MAPPING_OF_PATH,
    Role::Sign,
    Outcome::failed(Errno::EOPNOTSUPP),
    base::PRIVATE,
);

const fn on_path(question: Text, role: Role, promised: Outcome, base: u8) -> Test {
    Test { question, role, promised, base, backing: Backing::path(0), look: lands }
}

fn syncs_faults(bench: &mut Bench, bits: Word) -> bool {
    bench.trial(&NOTED, Backing::ANONYMOUS, &[0, NONE, bits]);
    for path in (0..bench.paths()).map(Backing::path) {
        bench.trial(&REFUSED, path, &[0, CONTROL, bits]);
        // Each that takes it, since it depends on the path. Controls are flags that no kernel knows: without any it is mapped anyway.
        if lands(bench, MAP_SHARED_VALIDATE | bits, path).succeeded() {
            for _ in 0..2 {
                bench.trial(&PASSED, path, &[CONTROL, 1 << CONTROL_BITS[0], bits]);
            }
        }
    }
    false
}
