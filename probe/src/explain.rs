//! `mapprobe explain`: what a flag promises, how that is proved here, and what to beware of. The kernel is not asked.

use crate::arch::Arch;
use crate::flags::{Flag, TABLE};
use crate::report::columns::wrap;
use crate::report::sentence;
use crate::text::Text;

/// What the lines begin with.
pub(crate) const LABELS: [&str; 5] = ["since", "values", "honored", "proof", "beware"];
/// Where the second column begins.
const COLUMN: usize = 9;

/// For each flag what honored means, the proof and the traps; flags that share an experiment share them, and the first stands here.
const EXPLAINED: &[(&str, [&str; 3])] = &[
    (
        "MAP_SHARED",
        [
            "Stores reach the file.",
            "A byte stored is in the memfd and a second mapping; with MAP_PRIVATE not.",
            "Unknown flags are dropped.",
        ],
    ),
    (
        "MAP_PRIVATE",
        [
            "Stores stay in the mapping.",
            "A byte stored is not in the memfd nor a second mapping; with MAP_SHARED it is.",
            "Unknown flags are dropped.",
        ],
    ),
    (
        "MAP_SHARED_VALIDATE",
        [
            "As MAP_SHARED, but unknown flags are EOPNOTSUPP.",
            "Bit 24 is, of a memfd and of a pipe; with MAP_SHARED not.",
            "EINVAL for anonymous memory unless huge. Bits 26 to 30 pass.",
        ],
    ),
    (
        "MAP_DROPPABLE",
        [
            "Pages may be dropped when memory is short, and are zero then.",
            "madvise(MADV_KEEPONFORK) is EINVAL; of private memory not.",
            "Anonymous only. Zeros after fork. 32-bit kernels have no room.",
        ],
    ),
    (
        "MAP_FIXED",
        [
            "Mapped where asked for.",
            "A page lands on reserved ground; without it elsewhere.",
            "Replaces what is there. hppa: EINVAL off a shared file's cache colour.",
        ],
    ),
    (
        "MAP_ANONYMOUS",
        [
            "Fresh memory, whatever file is given.",
            "Given a memfd, the first byte is zero, and no store reaches it.",
            "EINVAL with MAP_SHARED_VALIDATE unless huge.",
        ],
    ),
    (
        "MAP_32BIT",
        [
            "Mapped below 2 GiB.",
            "The kernel places a page there; without it above.",
            "1 GiB in all: soon ENOMEM. A free low hint wins.",
        ],
    ),
    (
        "MAP_ABOVE4G",
        [
            "Not placed below 4 GiB.",
            "--thorough reserves all above: only a plain page lands below. Else only MAP_SHARED_VALIDATE tells.",
            "A low hint wins.",
        ],
    ),
    (
        "MAP_GROWSDOWN",
        [
            "Memory below becomes part of it when touched.",
            "Stores 4 and 8 pages below succeed; without it EFAULT.",
            "Private anonymous only. Stops at `ulimit -s`, and 256 pages off a neighbour. hppa: not since 4.12.",
        ],
    ),
    (
        "MAP_DENYWRITE",
        [
            "Writing the mapped file is ETXTBSY.",
            "A write to a mapped memfd.",
            "Ignored since 2.6, though MAP_SHARED_VALIDATE passes it.",
        ],
    ),
    (
        "MAP_LOCKED",
        [
            "Pages are in memory and stay.",
            "madvise(MADV_DONTNEED) is EINVAL and msync(MS_INVALIDATE) EBUSY; without it not.",
            "EPERM, EAGAIN: `ulimit -l`. Pages may be missing.",
        ],
    ),
    (
        "MAP_NORESERVE",
        [
            "No memory or swap is set aside.",
            "64 and 128 MiB more than both are given; without it ENOMEM.",
            "vm.overcommit_memory=1 gives that anyway, 2 never. A touch may kill.",
        ],
    ),
    (
        "MAP_POPULATE",
        [
            "Pages are in memory before they are touched.",
            "mincore finds 16 of 16 pages; without it none.",
            "Pages may be missing.",
        ],
    ),
    (
        "MAP_NONBLOCK",
        [
            "Cancels MAP_POPULATE, since 2.6.23.",
            "With both mincore finds none of 16 pages, without it all.",
            "Does nothing alone.",
        ],
    ),
    (
        "MAP_STACK",
        [
            "No transparent huge pages; hppa: grows up since 6.12.",
            "madvise(MADV_COLLAPSE) is EINVAL, or stores above succeed; without it not.",
            "Nothing before 6.7.6.",
        ],
    ),
    (
        "MAP_HUGETLB",
        [
            "Memory of huge pages.",
            "munmap of one base page is EINVAL. Untouched, so the pool may be empty.",
            "Empty pool (vm.nr_hugepages): ENOMEM, or with MAP_NORESERVE SIGBUS. Most files: EINVAL.",
        ],
    ),
    (
        "MAP_SYNC",
        [
            "Writable once the file's metadata is stored: what is flushed survives power loss.",
            "MAP_SHARED_VALIDATE takes it on your path, and refuses bits 22 and 24.",
            "DAX only. Without MAP_SHARED_VALIDATE it may be dropped.",
        ],
    ),
    (
        "MAP_FIXED_NOREPLACE",
        [
            "As MAP_FIXED, but EEXIST where something is mapped.",
            "EEXIST if taken, wholly or in part; if free the exact address.",
            "Dropped before 4.17: compare the address. MAP_SHARED_VALIDATE refuses it.",
        ],
    ),
    (
        "MAP_UNINITIALIZED",
        [
            "Fresh pages hold old content.",
            "Pages are filled, given back and asked for again.",
            "Without an MMU only. With MAP_HUGETLB part of the size.",
        ],
    ),
    (
        "MAP_HUGE_16KB",
        [
            "With MAP_HUGETLB: huge pages of that size.",
            "munmap of one base page is EINVAL; with 2^13 bytes, which no machine has, not.",
            "Dropped without MAP_HUGETLB.",
        ],
    ),
];

/// The sentences alone.
pub(crate) const SENTENCES: [[&str; 3]; EXPLAINED.len()] = {
    let (mut sentences, mut at) = ([[""; 3]; EXPLAINED.len()], 0);
    while at < sentences.len() {
        sentences[at] = EXPLAINED[at].1;
        at += 1;
    }
    sentences
};

/// Appends the lines about a row of the table.
#[cold]
#[inline(never)]
pub fn explain(row: usize, out: &mut String) {
    let Some(flag) = TABLE.get(row) else { return };
    flag.name.push(out);
    out.push('\n');
    for label in 0..LABELS.len() {
        let start = out.len();
        Text::LABELS.nth(label).push(out);
        let mut words = String::new();
        match label {
            0 => sentence::version(&mut words, flag.since),
            1 => values(&mut words, flag),
            _ => Text::EXPLAINED.nth(3 * flag.experiment_place() + label - 2).push(&mut words),
        }
        wrap(out, start, &words, COLUMN);
    }
}

/// Appends the value on each architecture.
#[cold]
#[inline(never)]
fn values(out: &mut String, flag: &Flag) {
    for arch in Arch::ALL {
        if !out.is_empty() {
            Text::COMMA.push(out);
        }
        out.push_str(arch.name());
        out.push(' ');
        sentence::value(out, flag, arch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row has sentences of its own experiment: those under its name, or under the first name that shares it.
    #[test]
    fn every_flag_is_explained_under_the_first_name_of_its_experiment() {
        for flag in TABLE {
            let first = TABLE
                .iter()
                .find(|row| core::ptr::eq(row.experiment(), flag.experiment()))
                .expect("a row");
            assert_eq!(
                EXPLAINED.get(flag.experiment_place()).map(|entry| entry.0),
                Some(first.name.plain()),
                "{}",
                flag.name.plain()
            );
        }
        assert_eq!(TABLE.last().map(Flag::experiment_place), Some(EXPLAINED.len() - 1));
    }
}
