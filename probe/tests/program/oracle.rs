//! The right verdict about every flag, derived by hand from the rules of a simulated kernel and
//! from what a process on it can observe. Neither the flag table nor an experiment nor the
//! program's verdict rules are used.

use simulator::{Machine, Overcommit, Proc, Rules, Stack};

/// What is probed, on which kernel.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    pub rules: &'a Rules,
    pub paths: &'a [&'a str],
    pub thorough: bool,
}

/// The verdict about a flag on Linux with an MMU. Two verdicts, separated by a bar, where it
/// depends on the free memory and the free addresses.
pub fn verdict(setup: Setup, name: &str) -> &'static str {
    let Setup { rules, .. } = setup;
    let is_x86 = rules.machine == Machine::X86;
    let is_parisc = matches!(rules.machine, Machine::Parisc | Machine::Parisc64);
    let grows = rules.stack_limit > 64 * rules.page_size;
    match name {
        "MAP_32BIT" | "MAP_ABOVE4G" if !is_x86 => "absent",
        "MAP_SYNC" | "MAP_UNINITIALIZED" if is_parisc => "absent",
        "MAP_SHARED" | "MAP_PRIVATE" | "MAP_ANONYMOUS" | "MAP_FIXED" | "MAP_32BIT" => "honored",
        // 4.15. Older kernels reject map type 3 like every unknown type. A pipe shows that as a
        // file does.
        "MAP_SHARED_VALIDATE" => either(rules.validate, "honored", "unknown"),
        // 6.11.
        "MAP_DROPPABLE" => match rules.droppable {
            Some(Ok(())) => "honored",
            Some(Err(_)) => "unavailable",
            None => "unknown",
        },
        "MAP_ABOVE4G" => above_4g(setup),
        // No kernel grows a mapping beyond RLIMIT_STACK, and parisc looks for stacks below the
        // address. The flag is rejected for shared memory since 4.4 or earlier. x86 before 5.0 lets
        // a mapping grow for system calls only.
        "MAP_GROWSDOWN" if rules.shared_may_grow && (is_parisc || !grows) => "ignored",
        "MAP_GROWSDOWN" if !is_parisc && grows => {
            either(rules.checks_stack_pointer, "accepted", "honored")
        }
        "MAP_GROWSDOWN" => "unavailable",
        // Whether a mapped file can be written is observed on a file.
        "MAP_DENYWRITE" | "MAP_EXECUTABLE" if !can_write_file(setup) => "inconclusive",
        "MAP_DENYWRITE" | "MAP_EXECUTABLE" | "MAP_UNINITIALIZED" => "ignored",
        "MAP_LOCKED" if rules.lock_error.is_some() => "unavailable",
        // All memory is locked and resident without the flag.
        "MAP_LOCKED" | "MAP_POPULATE" | "MAP_NONBLOCK" if rules.locks_everything => "inconclusive",
        "MAP_LOCKED" | "MAP_POPULATE" | "MAP_NONBLOCK" => "honored",
        "MAP_NORESERVE" => noreserve(rules),
        "MAP_STACK" => stack(rules, grows),
        "MAP_HUGETLB" => either(rules.huge_sizes.is_empty(), "unavailable", "honored"),
        "MAP_SYNC" => sync(setup),
        // 4.17. Older kernels ignore the bit and treat the address as a hint.
        "MAP_FIXED_NOREPLACE" => either(rules.noreplace, "honored", "ignored"),
        _ => huge_size(rules, name),
    }
}

fn either(condition: bool, yes: &'static str, no: &'static str) -> &'static str {
    if condition { yes } else { no }
}

/// Whether there is a memfd, or a directory in which a file can be created instead.
fn can_write_file(Setup { rules, paths, .. }: Setup) -> bool {
    let is_missing = |directory| rules.missing.contains(&directory);
    let is_named = ["/dax", "/disk", "/ext4", "/tmpfs"].iter().any(|path| paths.contains(path));
    !rules.no_memfd || !is_missing("/dev/shm") || !is_missing("/tmp") || is_named
}

fn sees_vm_flags(rules: &Rules) -> bool {
    rules.proc == Proc::Own && rules.vm_flags
}

/// 6.6. The effect shows when no address above 4 GiB is free. A kernel without a validating map
/// type is older.
fn above_4g(Setup { rules, thorough, .. }: Setup) -> &'static str {
    match (rules.validate, rules.above4g, thorough) {
        (_, true, true) => "honored",
        (true, true, false) => "accepted",
        (true, false, _) => "unknown",
        (false, ..) => "ignored",
    }
}

/// A mapping larger than all memory shows the effect where the kernel counts the memory of a
/// mapping and has enough addresses.
fn noreserve(rules: &Rules) -> &'static str {
    let exceeds_addresses = rules.memory + (128 << 20) > rules.space.top;
    match rules.overcommit {
        // Rejected with the flag and without: the kernel counts the memory in either case, which
        // /proc/self/smaps shows.
        Overcommit::Never => either(sees_vm_flags(rules), "ignored", "inconclusive"),
        Overcommit::Guess if !exceeds_addresses && !rules.locks_everything => "honored",
        _ => either(sees_vm_flags(rules), "accepted", "inconclusive"),
    }
}

/// The flag prevents huge pages, which shows where `MADV_COLLAPSE` makes one of 2 MiB. A stack that
/// grows up is probed as `MAP_GROWSDOWN` is.
fn stack(rules: &Rules, grows: bool) -> &'static str {
    let shows = rules.collapse == Some(2 << 20) && rules.page_size == 4096;
    match rules.stack {
        Stack::GrowsUp => either(grows, "honored", "unavailable"),
        Stack::NoHuge if shows => "honored",
        Stack::NoOp if shows => "ignored",
        // Both effects came after the validating map type.
        _ => either(rules.validate, "accepted", "ignored"),
    }
}

/// 4.15. Only files on DAX can be mapped. Recognition shows in `/proc/self/smaps`, or by a file
/// system that rejects the flag for a private mapping.
fn sync(Setup { rules, paths, .. }: Setup) -> &'static str {
    let has_path_below = |directories: &[&str]| {
        paths.iter().any(|path| directories.iter().any(|directory| path.starts_with(directory)))
    };
    match rules.validate {
        true if has_path_below(&["/dax"]) => "honored",
        true if sees_vm_flags(rules) || has_path_below(&["/ext4", "/readonly"]) => "unavailable",
        true => "inconclusive",
        false => "ignored",
    }
}

/// Whether a huge page can be had now, where the verdict about the flag is this one: a free page
/// in the pool of the size. Where all memory is locked, none that is larger than 2 MiB is mapped.
pub fn page(rules: &Rules, name: &str, verdict: &str) -> &'static str {
    if verdict != "honored" {
        return either(verdict == "inconclusive", "unknown", "no");
    }
    let default = rules.huge_sizes.first().copied().expect("a size");
    let log2 = if name == "MAP_HUGETLB" { default } else { log2_of_size(name) };
    let pages = if log2 == default { rules.pool } else { rules.hugetlb.other_pools };
    match log2 > 21 && rules.locks_everything {
        true => "unknown",
        false => either(pages > 0, "yes", "no"),
    }
}

/// A kernel with a validating map type checks the size without a free huge page. Before 4.15 the
/// mapping must succeed, at an address that is aligned for this size but not for larger ones.
fn huge_size(rules: &Rules, name: &str) -> &'static str {
    let log2 = log2_of_size(name);
    if rules.huge_sizes.is_empty() {
        "unavailable"
    } else if !rules.size_field {
        either(4 << log2 < rules.space.top, "ignored", "ignored|inconclusive")
    } else if rules.huge_sizes.contains(&log2) {
        "honored"
    } else if rules.validate || rules.page_size <= 1 << log2 && 4 << log2 < rules.space.top {
        "unavailable"
    } else {
        "unavailable|inconclusive"
    }
}

fn log2_of_size(name: &str) -> u32 {
    let size = name.strip_prefix("MAP_HUGE_").expect("a huge page size");
    let (number, unit) = size.split_at(size.len() - 2);
    let unit_log2 = match unit {
        "KB" => 10,
        "MB" => 20,
        "GB" => 30,
        _ => panic!("{name} has no unit"),
    };
    number.parse::<usize>().expect("a number").ilog2() + unit_log2
}
