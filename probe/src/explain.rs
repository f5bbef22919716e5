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
            "A store reaches the file.",
            "A byte stored into a memfd is in the file and in a second mapping; with MAP_PRIVATE not.",
            "Unknown flags are dropped.",
        ],
    ),
    (
        "MAP_PRIVATE",
        [
            "A store stays in the mapping.",
            "A byte stored into a memfd is not in the file nor in a second mapping; with MAP_SHARED it is.",
            "Unknown flags are dropped.",
        ],
    ),
    (
        "MAP_SHARED_VALIDATE",
        [
            "As MAP_SHARED, but unknown flags are refused with EOPNOTSUPP.",
            "Bit 24 is refused so, of a memfd and of a pipe, and not with MAP_SHARED.",
            "EINVAL for anonymous memory that is not huge. Bits 26 to 30 pass unseen.",
        ],
    ),
    (
        "MAP_DROPPABLE",
        [
            "When memory is short its pages may be dropped, and are zero then.",
            "madvise(MADV_KEEPONFORK) is EINVAL; of private memory not.",
            "Anonymous memory only. After a fork the child finds zeros. A 32-bit kernel has no room: EOPNOTSUPP or errno 524.",
        ],
    ),
    (
        "MAP_FIXED",
        [
            "The mapping lies where it was asked for.",
            "A page lands on reserved ground; without the flag elsewhere.",
            "Replaces what was there. On hppa shared memory must fit the file's cache colour: EINVAL.",
        ],
    ),
    (
        "MAP_ANONYMOUS",
        [
            "Fresh memory, whatever file is given.",
            "With a memfd given, the first byte is zero, and a store does not reach the file.",
            "EINVAL with MAP_SHARED_VALIDATE, unless huge.",
        ],
    ),
    (
        "MAP_32BIT",
        [
            "The mapping lies below 2 GiB.",
            "A page lies there that the kernel placed; without the flag above.",
            "The kernel has 1 GiB for it: soon ENOMEM. A free low hint wins.",
        ],
    ),
    (
        "MAP_ABOVE4G",
        [
            "The kernel places nothing below 4 GiB.",
            "With --thorough all above 4 GiB is reserved, and only a plain page lands below. Else MAP_SHARED_VALIDATE says if it is known.",
            "A low hint wins.",
        ],
    ),
    (
        "MAP_GROWSDOWN",
        [
            "Memory below becomes part of the mapping when touched.",
            "Stores 4 and 8 pages below it succeed; without the flag EFAULT.",
            "Private anonymous memory only. Stops at `ulimit -s`, and 256 pages above a neighbour. Since 4.12 never on hppa.",
        ],
    ),
    (
        "MAP_DENYWRITE",
        [
            "The file cannot be written while it is mapped: ETXTBSY.",
            "A write to a memfd that is mapped.",
            "Ignored since 2.6, though MAP_SHARED_VALIDATE passes it.",
        ],
    ),
    (
        "MAP_LOCKED",
        [
            "Pages are in memory and stay there.",
            "madvise(MADV_DONTNEED) is EINVAL and msync(MS_INVALIDATE) EBUSY; without the flag not.",
            "EPERM and EAGAIN are limits: `ulimit -l`. mmap succeeds even if pages could not be brought in.",
        ],
    ),
    (
        "MAP_NORESERVE",
        [
            "No memory or swap is set aside for it.",
            "64 and 128 MiB more than memory and swap are given, and not touched; without the flag ENOMEM.",
            "vm.overcommit_memory=1 gives all that anyway, 2 never. A touch may kill.",
        ],
    ),
    (
        "MAP_POPULATE",
        [
            "Pages are in memory before they are touched.",
            "mincore finds 16 of 16 fresh pages; without the flag none.",
            "mmap succeeds even if pages could not be brought in.",
        ],
    ),
    (
        "MAP_NONBLOCK",
        [
            "Cancels MAP_POPULATE, since 2.6.23.",
            "With both mincore finds none of 16 pages, with MAP_POPULATE alone all.",
            "Does nothing alone.",
        ],
    ),
    (
        "MAP_STACK",
        [
            "No transparent huge pages; on hppa since 6.12 it grows upwards.",
            "madvise(MADV_COLLAPSE) is EINVAL, or stores above the mapping succeed; without the flag not.",
            "Did nothing before 6.7.6.",
        ],
    ),
    (
        "MAP_HUGETLB",
        [
            "The memory is of huge pages.",
            "munmap of one base page of it is EINVAL. None is touched, and with MAP_NORESERVE none need be there.",
            "With an empty pool (vm.nr_hugepages) ENOMEM, or with MAP_NORESERVE SIGBUS when touched. EINVAL for most files.",
        ],
    ),
    (
        "MAP_SYNC",
        [
            "A page is writable only when the file's metadata is stored: what was flushed survives power loss.",
            "MAP_SHARED_VALIDATE takes it on a path you name, and refuses bits 22 and 24 there.",
            "DAX only. Without MAP_SHARED_VALIDATE it may be dropped.",
        ],
    ),
    (
        "MAP_FIXED_NOREPLACE",
        [
            "As MAP_FIXED, but EEXIST where something is mapped.",
            "EEXIST where ground is taken, wholly or in part, and the exact address where it is free.",
            "Before 4.17 it is dropped: compare the address. MAP_SHARED_VALIDATE refuses it.",
        ],
    ),
    (
        "MAP_UNINITIALIZED",
        [
            "Fresh pages hold what was there before.",
            "Pages are filled, given back, and asked for again.",
            "Only without an MMU. With MAP_HUGETLB its bit is part of the size.",
        ],
    ),
    (
        "MAP_HUGE_16KB",
        [
            "With MAP_HUGETLB: this machine has huge pages of that size.",
            "munmap of one base page is EINVAL; with 2^13 bytes, which no machine has, not.",
            "Without MAP_HUGETLB it is dropped.",
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
    let mut words = String::new();
    for label in 0..LABELS.len() {
        let start = out.len();
        Text::LABELS.nth(label).push(out);
        match label {
            0 => sentence::version(&mut words, flag.since),
            1 => values(&mut words, flag),
            _ => Text::EXPLAINED.nth(3 * place(row) + label - 2).push(&mut words),
        }
        wrap(out, start, &mut words, COLUMN);
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

/// The place of a row's sentences: how many experiments come before its own.
#[cold]
#[inline(never)]
fn place(row: usize) -> usize {
    let rows = TABLE.get(..=row).unwrap_or_default().windows(2);
    rows.filter(|two| matches!(two, [one, other] if !core::ptr::eq(one.experiment, other.experiment))).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row has sentences of its own experiment: those under its name, or under the first name that shares it.
    #[test]
    fn every_flag_is_explained_under_the_first_name_of_its_experiment() {
        for (at, flag) in TABLE.iter().enumerate() {
            let first = TABLE.iter().find(|row| core::ptr::eq(row.experiment, flag.experiment)).expect("a row");
            assert_eq!(
                EXPLAINED.get(place(at)).map(|entry| entry.0),
                Some(first.name.plain()),
                "{}",
                flag.name.plain()
            );
        }
        assert_eq!(place(TABLE.len() - 1) + 1, EXPLAINED.len());
    }
}
