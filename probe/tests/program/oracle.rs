//! What must be said of every flag, worked out from what a kernel made of rules really does and from what a process on it can see. By
//! hand, from the meaning of the verdicts: neither the table nor an experiment nor the judge is asked.

use mapprobe::kernel::model::{Machine, Proc, Rules, Stack};

/// Every row of a report, in its order.
pub const NAMES: [&str; 33] = [
    "MAP_SHARED",
    "MAP_PRIVATE",
    "MAP_SHARED_VALIDATE",
    "MAP_DROPPABLE",
    "MAP_FIXED",
    "MAP_ANONYMOUS",
    "MAP_32BIT",
    "MAP_ABOVE4G",
    "MAP_GROWSDOWN",
    "MAP_DENYWRITE",
    "MAP_EXECUTABLE",
    "MAP_LOCKED",
    "MAP_NORESERVE",
    "MAP_POPULATE",
    "MAP_NONBLOCK",
    "MAP_STACK",
    "MAP_HUGETLB",
    "MAP_SYNC",
    "MAP_FIXED_NOREPLACE",
    "MAP_UNINITIALIZED",
    "MAP_HUGE_16KB",
    "MAP_HUGE_64KB",
    "MAP_HUGE_512KB",
    "MAP_HUGE_1MB",
    "MAP_HUGE_2MB",
    "MAP_HUGE_8MB",
    "MAP_HUGE_16MB",
    "MAP_HUGE_32MB",
    "MAP_HUGE_256MB",
    "MAP_HUGE_512MB",
    "MAP_HUGE_1GB",
    "MAP_HUGE_2GB",
    "MAP_HUGE_16GB",
];

/// A run: on which kernel, and what was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub rules: &'a Rules,
    pub paths: &'a [&'a str],
    pub thorough: bool,
}

/// Whether the flags are those of parisc.
pub fn is_parisc(rules: &Rules) -> bool {
    matches!(rules.machine, Machine::Parisc | Machine::Parisc64)
}

/// One word for a flag on Linux with an MMU. Two, with a bar between them, where it depends on how much room there happens to be.
pub fn verdict(asked: Asked, name: &str) -> &'static str {
    let Asked { rules, .. } = asked;
    let (parisc, x86) = (is_parisc(rules), rules.machine == Machine::X86);
    let sees_proc = rules.proc == Proc::Own;
    match name {
        "MAP_32BIT" | "MAP_ABOVE4G" if !x86 => "absent",
        "MAP_SYNC" | "MAP_UNINITIALIZED" if parisc => "absent",
        // What a store does to a file is seen in a file that may be stored to.
        "MAP_SHARED" | "MAP_PRIVATE" | "MAP_ANONYMOUS" if rules.no_memfd => "inconclusive",
        "MAP_SHARED" | "MAP_PRIVATE" | "MAP_ANONYMOUS" | "MAP_FIXED" | "MAP_32BIT" => "honored",
        // 4.15. Before, type 3 is refused like the types that name nothing; a pipe tells as much as a memfd.
        "MAP_SHARED_VALIDATE" => when(rules.validate, "honored", "unknown"),
        // 6.11.
        "MAP_DROPPABLE" => match rules.droppable {
            Some(Ok(())) => "honored",
            Some(Err(_)) => "unavailable",
            None => "unknown",
        },
        "MAP_ABOVE4G" => above_4g(asked),
        // parisc looks for stacks below, and no kernel grows one without RLIMIT_STACK; shared memory is refused with it everywhere.
        "MAP_GROWSDOWN" => {
            when(!parisc && rules.stack_limit > 64 * rules.page_size, "honored", "unavailable")
        }
        // Nobody minds writing; but that is to be seen.
        "MAP_DENYWRITE" | "MAP_EXECUTABLE" if rules.no_memfd => {
            when(rules.validate, "accepted", "inconclusive")
        }
        "MAP_DENYWRITE" | "MAP_EXECUTABLE" | "MAP_UNINITIALIZED" => "ignored",
        "MAP_LOCKED" if rules.lock_refusal.is_some() => "unavailable",
        // Everything is locked and in memory, with the flag or without.
        "MAP_LOCKED" | "MAP_POPULATE" | "MAP_NONBLOCK" if rules.locks_everything => "inconclusive",
        "MAP_LOCKED" | "MAP_POPULATE" | "MAP_NONBLOCK" => "honored",
        "MAP_NORESERVE" => noreserve(rules, sees_proc),
        "MAP_STACK" => stack(rules),
        "MAP_HUGETLB" => when(rules.huge_sizes.is_empty(), "unavailable", "honored"),
        "MAP_SYNC" => sync(asked, sees_proc),
        // 4.17. Before, it is a free bit, and the address a hint.
        "MAP_FIXED_NOREPLACE" => when(rules.noreplace, "honored", "ignored"),
        _ => huge_size(rules, name),
    }
}

fn when(holds: bool, yes: &'static str, no: &'static str) -> &'static str {
    if holds { yes } else { no }
}

/// 6.6. What it does shows when nothing is left above. Without a validator only that can tell.
fn above_4g(Asked { rules, thorough, .. }: Asked) -> &'static str {
    match (rules.validate, rules.above4g, thorough) {
        (_, true, true) => "honored",
        (true, true, false) => "accepted",
        (true, false, _) => "unknown",
        (false, _, true) => "ignored",
        (false, _, false) => "inconclusive",
    }
}

/// More memory than there is can be refused and given only where it is counted and where there are addresses for it.
fn noreserve(rules: &Rules, sees_proc: bool) -> &'static str {
    let too_much = rules.memory + (128 << 20) > rules.space.top;
    match rules.overcommit {
        // Both are refused, and rightly: the kernel counts whatever the flag says.
        2 => "inconclusive",
        0 if rules.locks_everything => {
            when(sees_proc || rules.validate, "accepted", "inconclusive")
        }
        0 if !too_much => "honored",
        _ => when(sees_proc, "accepted", "inconclusive"),
    }
}

/// What rules out huge pages shows where one of 2 MiB can be made at once; what grows is asked like `MAP_GROWSDOWN`.
fn stack(rules: &Rules) -> &'static str {
    let shows = rules.collapse == Some(2 << 20) && rules.page_size == 4096;
    match rules.stack {
        Stack::GrowsUp => when(rules.stack_limit > 64 * rules.page_size, "honored", "unavailable"),
        Stack::NoHuge if shows => "honored",
        Stack::NoOp if shows => "ignored",
        _ => when(rules.validate, "accepted", "inconclusive"),
    }
}

/// 4.15. Given by DAX only; known by what /proc shows of any memory, or by a file system that refuses it for a private mapping.
fn sync(Asked { rules, paths, .. }: Asked, sees_proc: bool) -> &'static str {
    let any = |begins: &[&str]| {
        paths.iter().any(|path| begins.iter().any(|begin| path.starts_with(begin)))
    };
    match rules.validate {
        true if any(&["/dax"]) => "honored",
        true if sees_proc || any(&["/ext4", "/readonly"]) => "unavailable",
        _ => "inconclusive",
    }
}

/// Whether there are pages of that size. A validator tells without room for one; before 4.15 there must be some, at an address that a
/// page can have and a larger one cannot.
fn huge_size(rules: &Rules, name: &str) -> &'static str {
    let size = name.strip_prefix("MAP_HUGE_").expect("a huge page size");
    let (number, unit) = size.split_at(size.len() - 2);
    let shift = match unit {
        "KB" => 10,
        "MB" => 20,
        _ => 30,
    };
    let log2 = u64::from(number.parse::<u64>().expect("a number").ilog2()) + shift;
    if rules.huge_sizes.contains(&log2) {
        "honored"
    } else if rules.validate || rules.page_size <= 1 << log2 && 4 << log2 < rules.space.top {
        "unavailable"
    } else {
        "unavailable|inconclusive"
    }
}
