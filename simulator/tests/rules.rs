//! The rules of kernels since 4.12, of which the recordings of 4.10 show nothing. The documentation
//! of each test states the facts.

use kernel::{Advice, Ended, Errno, Op, OpenMode, PROT_NONE, SysResult};
use program::{
    ANYWHERE, BIT24, DROPPABLE, Map, NOREPLACE, PAGE, PRIVATE, Program, READ_WRITE, SHARED,
    VALIDATE, outcome,
};
use simulator::{Fault, Guard, Machine, Rules, Stack};

mod program;

const SYNC: usize = 0x8_0000;
const HUGE: usize = 2 << 20;

fn x86(major: u8, minor: u8) -> Program {
    Program::on(Rules::new(Machine::X86, (major, minor)))
}

fn parisc(major: u8, minor: u8) -> Program {
    Program::on(Rules::new(Machine::Parisc, (major, minor)))
}

/// The bits that `MAP_SHARED_VALIDATE` accepts on a memfd.
fn accepted(rules: Rules, bits: std::ops::Range<u32>) -> Vec<u32> {
    let numbers = rules.numbers;
    let swept = |bit: &u32| 1 << bit & (numbers.type_mask | numbers.fixed | numbers.anonymous) == 0;
    let fresh = Program::on(rules);
    bits.filter(swept)
        .filter(|bit| {
            let mut program = fresh.clone();
            let fd = program.memfd();
            program.map(Map::of(fd), VALIDATE | 1 << bit).is_ok()
        })
        .collect()
}

/// Measured on x86 5.10 and 6.1 (bits 6, 11-17, 26-30) and 6.12 (also 7), arm64 (11-17, 26-30), and
/// hppa 6.1 (11-14, 16-18, 26-30).
#[test]
fn shared_validate_accepts_the_legacy_mask() {
    let bits_of =
        |bits: &[std::ops::RangeInclusive<u32>]| bits.iter().cloned().flatten().collect::<Vec<_>>();
    let before_above4g = [6..=6, 11..=17, 26..=30];
    assert_eq!(accepted(Rules::new(Machine::X86, (5, 10)), 4..64), bits_of(&before_above4g));
    assert_eq!(accepted(Rules::x86_6_1(), 4..64), bits_of(&before_above4g));
    assert_eq!(
        accepted(Rules::new(Machine::X86, (6, 12)), 4..64),
        bits_of(&[6..=7, 11..=17, 26..=30])
    );
    assert_eq!(accepted(Rules::new(Machine::Arm64, (7, 2)), 4..64), bits_of(&[11..=17, 26..=30]));
    assert_eq!(accepted(Rules::parisc_6_1(), 4..32), bits_of(&[11..=14, 16..=18, 26..=30]));
}

/// A bad descriptor comes first, then an unsupported flag, then the permissions of the file.
/// Anonymous memory has no `MAP_SHARED_VALIDATE`.
#[test]
fn errors_have_an_order() {
    let mut program = x86(6, 1);
    let file = Map::of(program.open("/tmpfs/file", OpenMode::Read).unwrap());
    let pipe = Map::of(program.kernel().pipe().unwrap().read_end).read_only();
    for (map, flags, expected) in [
        (Map::of(77), VALIDATE | BIT24, "EBADF"),
        (file, VALIDATE | BIT24, "EOPNOTSUPP"),
        (file, SHARED, "EACCES"),
        (file, SHARED | BIT24, "EACCES"),
        (pipe, VALIDATE, "ENODEV"),
        (pipe, VALIDATE | BIT24, "EOPNOTSUPP"),
        (pipe, VALIDATE | SYNC, "EOPNOTSUPP"),
        (pipe, SHARED | BIT24, "ENODEV"),
        (pipe, VALIDATE | 0x100, "ENODEV"),
        (pipe, VALIDATE | 0x4_0000, "EINVAL"),
        (ANYWHERE, VALIDATE, "EINVAL"),
        (ANYWHERE.len(HUGE), VALIDATE | 0x4_0000, "ENOMEM"),
        (ANYWHERE.len(HUGE), VALIDATE | 0x4_0000 | BIT24, "EOPNOTSUPP"),
        (ANYWHERE.len(HUGE), VALIDATE | 0x4_4000, "ok"),
        (ANYWHERE.len(HUGE), VALIDATE | 0x4_0000 | 13 << 26, "EINVAL"),
        (ANYWHERE, 9, "EINVAL"),
        (ANYWHERE, DROPPABLE, "EINVAL"),
    ] {
        assert_eq!(outcome(program.map(map, flags)), expected, "{map:?} {flags:#x}");
    }
}

/// `MAP_FIXED_NOREPLACE` with `MAP_SHARED_VALIDATE` fails with `EEXIST` if the range is occupied,
/// and with `EOPNOTSUPP` if it is unmapped. It overrides `MAP_FIXED`. Before 4.17 the address is a
/// hint.
#[test]
fn fixed_noreplace() {
    let mut program = x86(6, 1);
    let (hole, memfd) = (program.hole(), Map::of(program.memfd()));
    let fixed = program.numbers().fixed;
    program.map(ANYWHERE.at(hole), PRIVATE | fixed).unwrap();
    let unmapped = hole - 16 * PAGE;
    for (map, flags, expected) in [
        (memfd.at(hole), VALIDATE | NOREPLACE, Err(Errno::EEXIST)),
        (memfd.at(unmapped), VALIDATE | NOREPLACE, Err(Errno::EOPNOTSUPP)),
        (ANYWHERE.at(hole), PRIVATE | NOREPLACE | fixed, Err(Errno::EEXIST)),
        (ANYWHERE.at(hole - PAGE).len(2 * PAGE), PRIVATE | NOREPLACE, Err(Errno::EEXIST)),
        (ANYWHERE.at(hole), 9 | NOREPLACE, Err(Errno::EEXIST)),
        (ANYWHERE.at(unmapped), PRIVATE | NOREPLACE, Ok(unmapped)),
    ] {
        assert_eq!(program.map(map, flags), expected, "{map:?} {flags:#x}");
    }
    let mut old = x86(4, 15);
    let reserved = old.reserve(PAGE);
    assert!(old.map(ANYWHERE.at(reserved), PRIVATE | NOREPLACE).is_ok_and(|at| at != reserved));
    assert_eq!(old.map(ANYWHERE.at(reserved), PRIVATE | NOREPLACE | fixed), Ok(reserved));
}

/// `MAP_SYNC`: memfd and anonymous memory only record it, ext4 without DAX rejects it with every
/// map type, and ext4 with DAX accepts it with every map type.
#[test]
fn synchronous_mappings() {
    let mut program = x86(6, 1);
    let at = program.map(ANYWHERE, PRIVATE | SYNC).unwrap();
    assert_eq!(program.vm_flags(at), "rd,wr,mr,mw,me,ac,sf,sd");
    for (path, expected) in
        [("/ext4/file", "EOPNOTSUPP"), ("/dax/file", "ok"), ("/tmpfs/file", "ok")]
    {
        let file = Map::of(program.open(path, OpenMode::ReadWrite).unwrap());
        for map_type in [SHARED, PRIVATE] {
            assert_eq!(outcome(program.map(file, map_type | SYNC)), expected, "{path} {map_type}");
            assert_eq!(outcome(program.map(file, map_type | BIT24)), "ok", "{path} {map_type}");
        }
        let validated = if path == "/tmpfs/file" { "EOPNOTSUPP" } else { expected };
        assert_eq!(outcome(program.map(file, VALIDATE | SYNC)), validated, "{path}");
        assert_eq!(outcome(program.map(file, VALIDATE | BIT24)), "EOPNOTSUPP", "{path}");
        assert_eq!(outcome(program.map(file, VALIDATE)), "ok", "{path}");
    }
    let mut old = x86(4, 10);
    let file = Map::of(old.open("/ext4/file", OpenMode::ReadWrite).unwrap());
    assert_eq!(outcome(old.map(file, SHARED | SYNC)), "ok");
}

/// A mapping grows down to 256 pages from an accessible mapping, and at most to `RLIMIT_STACK`.
/// Mappings without access do not limit it. parisc records the flag and never grows a mapping down.
#[test]
fn growing_down_since_4_12() {
    for (rules, neighbour, limit, grows) in [
        (Rules::x86_6_1(), None, 8 << 20, true),
        (Rules::x86_6_1(), Some((READ_WRITE, 100)), 8 << 20, false),
        (Rules::x86_6_1(), Some((READ_WRITE, 300)), 8 << 20, true),
        (Rules::x86_6_1(), Some((PROT_NONE, 2)), 8 << 20, true),
        (Rules::x86_6_1(), None, PAGE, false),
        (Rules::new(Machine::Arm64, (6, 12)), None, 8 << 20, true),
        (Rules::parisc_6_1(), None, 8 << 20, false),
    ] {
        let growsdown = rules.numbers.growsdown;
        assert_eq!(rules.guard, Guard::Gap);
        let mut program = Program::on(Rules { stack_limit: limit, ..rules });
        let hole = program.hole();
        if let Some((prot, pages)) = neighbour {
            program.map(ANYWHERE.prot(prot).at(hole - pages * PAGE), PRIVATE).unwrap();
        }
        let fixed = program.numbers().fixed;
        assert_eq!(program.map(ANYWHERE.at(hole), PRIVATE | growsdown | fixed), Ok(hole));
        assert_eq!(program.load(hole), Ok(0));
        assert_eq!(program.load(hole - PAGE).is_ok(), grows, "{neighbour:?} {limit:#x}");
        assert!(program.vm_flags(hole).contains("gd"));
        assert_eq!(outcome(program.map(ANYWHERE, SHARED | growsdown)), "EINVAL");
    }
}

/// x86 before 5.0 kills a program that makes a mapping grow far below its stack pointer
/// (`growsdown user-touch` of the recorded x86_64 4.10.17). QEMU's user mode lets a mapping of a
/// 64-bit program grow, for that program alone.
#[test]
fn growing_for_a_programs_own_store() {
    const KILLED: Ended = Ended::BySignal(11);
    const STORED: Ended = Ended::Exited(0);
    for (rules, by_system_call, by_program) in [
        (Rules::new(Machine::X86, (4, 10)), true, KILLED),
        (Rules::new(Machine::X86, (4, 17)), true, KILLED),
        (Rules::new(Machine::X86, (5, 10)), true, STORED),
        (Rules::new(Machine::Arm64, (4, 17)), true, STORED),
        (Rules::new(Machine::Parisc, (6, 1)), false, KILLED),
        (Rules::qemu_user(Machine::Arm64), false, STORED),
        (Rules::qemu_user_10(Machine::Arm64), false, STORED),
        (Rules::qemu_user_10(Machine::Parisc), false, KILLED),
    ] {
        let mut program = Program::on(rules.clone());
        let (numbers, hole) = (program.numbers(), program.hole());
        let target = hole - 8 * PAGE;
        program.map(ANYWHERE.at(hole), PRIVATE | numbers.fixed).unwrap();
        assert_eq!(program.kernel().touch(target), Ok(KILLED), "{rules:?}");
        program.map(ANYWHERE.at(hole), PRIVATE | numbers.growsdown | numbers.fixed).unwrap();
        program.store(hole, 1).unwrap();
        assert_eq!(program.kernel().touch(target), Ok(by_program), "{rules:?}");
        // The memory of the parent did not change.
        assert_eq!(program.store(target, 1).is_ok(), by_system_call, "{rules:?}");
        assert_eq!(program.kernel().touch(hole), Ok(STORED));
    }
}

/// `MAP_STACK` excludes huge pages since 6.8. On parisc the mapping grows up since 6.12, so it can
/// neither be shared nor have a file.
#[test]
fn map_stack() {
    for (minor, flagged) in [(1, "ok"), (6, "ok"), (8, "EINVAL"), (12, "EINVAL")] {
        let mut program = x86(6, minor);
        for (flags, expected) in
            [(PRIVATE, "ok"), (PRIVATE | 0x2_0000, flagged), (SHARED | 0x2_0000, flagged)]
        {
            let reserved = program.reserve(2 * HUGE).next_multiple_of(HUGE);
            let at = program.map(ANYWHERE.at(reserved).len(HUGE), flags | 0x10).unwrap();
            assert_eq!(
                outcome(program.advise(at, HUGE, Advice::Collapse)),
                "EINVAL",
                "no page is in memory yet"
            );
            program.store(at, 7).unwrap();
            assert_eq!(
                outcome(program.advise(at, HUGE, Advice::Collapse)),
                expected,
                "6.{minor} {flags:#x}"
            );
            assert_eq!(program.resident(at, 512), Ok(if expected == "ok" { 512 } else { 1 }));
            assert_eq!(program.load(at), Ok(7));
            program.unmap(at, HUGE).unwrap();
        }
        assert!(program.simulated.max_resident <= 1 && program.simulated.max_huge == 512);
    }
    let mut program = parisc(6, 12);
    let (stack, memfd) = (program.numbers().stack, Map::of(program.memfd()));
    assert_eq!(program.simulated.rules.stack, Stack::GrowsUp);
    assert_eq!(outcome(program.map(ANYWHERE, SHARED | stack)), "EINVAL");
    assert_eq!(outcome(program.map(memfd, SHARED | stack)), "EINVAL");
    assert_eq!(outcome(program.map(memfd, PRIVATE | stack)), "EINVAL");
    let hole = program.hole();
    let at = program.map(ANYWHERE.at(hole), PRIVATE | stack).unwrap();
    assert_eq!(program.vm_flags(at), "rd,wr,mr,mw,me,ac,ar");
    assert_eq!((program.load(at - PAGE), program.load(at + PAGE)), (Err(Errno::EFAULT), Ok(0)));
    let mut program = x86(6, 1);
    let at = program.map(ANYWHERE.len(HUGE - PAGE), PRIVATE).unwrap();
    program.store(at, 1).unwrap();
    assert_eq!(
        outcome(program.advise(at, HUGE - PAGE, Advice::Collapse)),
        "EINVAL",
        "no room for a whole huge page"
    );
}

/// `MAP_DROPPABLE` fails with `EINVAL` on a file, and with `MAP_LOCKED`, `MAP_GROWSDOWN` or
/// `MAP_HUGETLB`. `MADV_KEEPONFORK` fails on it. A 32-bit kernel has no bit for it in `vm_flags`.
#[test]
fn droppable_memory() {
    let mut program = x86(6, 12);
    let memfd = Map::of(program.memfd());
    for (map, more, expected) in [
        (ANYWHERE, 0, "ok"),
        (ANYWHERE, 0x8000, "ok"),
        (ANYWHERE, 0x2_0000, "ok"),
        (ANYWHERE, 0x4000, "ok"),
        (ANYWHERE, 0x2000, "EINVAL"),
        (ANYWHERE, 0x100, "EINVAL"),
        (ANYWHERE, 0x4_0000, "EINVAL"),
        (memfd, 0, "EINVAL"),
    ] {
        assert_eq!(outcome(program.map(map, DROPPABLE | more)), expected, "{more:#x}");
    }
    let hole = program.hole();
    let at = program.map(ANYWHERE.at(hole), DROPPABLE).unwrap();
    assert_eq!(program.vm_flags(at), "rd,wr,mr,mw,me,nr,wf,dd,sd,dp");
    assert_eq!(outcome(program.advise(at, PAGE, Advice::KeepOnFork)), "EINVAL");
    let plain = program.map(ANYWHERE, PRIVATE).unwrap();
    assert_eq!(outcome(program.advise(plain, PAGE, Advice::KeepOnFork)), "ok");
    assert_eq!(parisc(6, 12).map(ANYWHERE, DROPPABLE), Err(Errno::ENOTSUPP));
    assert_eq!(parisc(7, 2).map(ANYWHERE, DROPPABLE), Err(Errno::EOPNOTSUPP));
    assert_eq!(parisc(6, 1).map(ANYWHERE, DROPPABLE), Err(Errno::EINVAL));
    let wide = Rules::new(Machine::Parisc64, (6, 12));
    assert_eq!(outcome(Program::on(wide).map(ANYWHERE, DROPPABLE)), "ok");
}

/// A hint below 4 GiB overrides `MAP_ABOVE4G`. When everything between 4 GiB and `mmap_base` is
/// full, only mappings without the flag go below 4 GiB.
#[test]
fn above4g() {
    let mut program = x86(6, 6);
    let low = 0x3000_0000;
    assert_eq!(program.map(ANYWHERE.at(low), PRIVATE | 0x80), Ok(low));
    let (mut size, mut filled) = (1 << 47, 0);
    while size >= PAGE {
        match program.map(ANYWHERE.prot(PROT_NONE).len(size), PRIVATE) {
            Ok(at) if at >= 1 << 32 => filled += 1,
            Ok(at) => {
                program.unmap(at, size).unwrap();
                size /= 2;
            }
            Err(_) => size /= 2,
        }
    }
    assert!((20..60).contains(&filled), "{filled}");
    assert!(program.map(ANYWHERE, PRIVATE).unwrap() < 1 << 32);
    assert!(
        program.map(ANYWHERE, PRIVATE | 0x80).unwrap() >= 1 << 32,
        "the range above mmap_base is not full"
    );
}

/// Huge pages of arm64 have 64K, 2M, 32M or 1G with pages of 4K, and 2M, 32M or 1G with pages of
/// 16K. Their addresses are multiples of their size.
#[test]
fn huge_sizes() {
    for (machine, sizes) in
        [(Machine::Arm64, vec![16, 21, 25, 30]), (Machine::Arm64Large, vec![21, 25, 30])]
    {
        let mut program = Program::on(Rules::new(machine, (6, 12)));
        let offered = (10..40).filter(|log2| {
            let size = 1 << log2;
            let reserved = program.reserve(2 * size).next_multiple_of(size);
            let mapped = program.map(ANYWHERE.at(reserved), PRIVATE | 0x4_4010 | log2 << 26);
            if mapped.is_ok() {
                let misplaced =
                    program.map(ANYWHERE.at(reserved + size / 4), PRIVATE | 0x4_4010 | log2 << 26);
                assert_eq!(misplaced, Err(Errno::EINVAL));
                assert_eq!(outcome(program.unmap(reserved, size / 2)), "EINVAL");
                assert_eq!(program.load(reserved), Err(Errno::EFAULT), "the pool is empty");
                assert_eq!(outcome(program.unmap(reserved, size)), "ok");
            }
            mapped.is_ok()
        });
        assert_eq!(offered.collect::<Vec<usize>>(), sizes);
    }
}

/// Before 6.12 `MAP_FIXED` unmaps the range even if the memory is then refused.
#[test]
fn a_fixed_mapping_that_fails_may_leave_a_hole() {
    for (minor, still_mapped) in [(1, "ENOMEM"), (12, "ok")] {
        let mut program = x86(6, minor);
        let big = program.simulated.rules.memory + (64 << 20);
        let reserved = program.reserve(big);
        assert_eq!(outcome(program.map(ANYWHERE.at(reserved).len(big), PRIVATE | 0x10)), "ENOMEM");
        assert_eq!(outcome(program.resident(reserved, 1)), still_mapped);
    }
}

/// The simulated kernel reports what a program leaves behind, logs every call, and injects a fault.
#[test]
fn leftovers_log_and_fault() {
    let mut program = x86(6, 1);
    let fd = program.memfd();
    let at = program.map(Map::of(fd), SHARED).unwrap();
    assert_eq!(program.load(at), Err(Errno::EFAULT), "the file is empty");
    assert_eq!(program.open("/disk", OpenMode::TmpFile), Err(Errno::EOPNOTSUPP));
    assert_eq!(program.open("/readonly/file", OpenMode::ReadWrite), Err(Errno::EROFS));
    assert_eq!(program.open("/ext4/forbidden", OpenMode::ReadWrite), Err(Errno::EACCES));
    let named = program.open("/disk/new", OpenMode::CreateNew).unwrap();
    program.kernel().close(named).result().unwrap();
    assert_eq!(
        program.simulated.leftovers().len(),
        1 + 3 + 1,
        "{:?}",
        program.simulated.leftovers()
    );
    program.kernel().unlink("/disk/new").result().unwrap();
    program.simulated.fault =
        Some(Fault { call: program.simulated.log.len(), result: SysResult::failure(Errno::EIO) });
    assert_eq!(program.unmap(at, PAGE), Err(Errno::EIO));
    assert_eq!(program.simulated.mapping_count(), 1);
    assert_eq!(program.simulated.descriptor_count(), 2 + 1);
    assert_eq!(program.simulated.log[..3], [Op::Pipe, Op::MemfdCreate, Op::Mmap]);
    assert_eq!(program.simulated.log.last(), Some(&Op::Munmap));
    let device = Map::of(program.open("/dev/null", OpenMode::ReadWrite).unwrap());
    assert_eq!(outcome(program.map(device.read_only(), SHARED)), "ENODEV");
}

/// A page can be mapped, written, read and unmapped on every simulated kernel.
#[test]
fn every_kernel_maps_memory() {
    for (name, rules) in Rules::all().into_iter().chain(Rules::hostile()) {
        if !rules.seccomp.is_empty() {
            continue;
        }
        let mut program = Program::on(rules);
        let at =
            program.map(ANYWHERE.len(2 * program.simulated.rules.page_size), PRIVATE).expect(&name);
        assert_eq!((program.store(at, 5), program.load(at)), (Ok(1), Ok(5)), "{name}");
        program.unmap(at, 2 * program.simulated.rules.page_size).expect(&name);
        assert_eq!(program.simulated.mapping_count(), 0, "{name}");
    }
}

/// 2.6.32 (measured): no `memfd_create` (3.17), no `VmFlags` (3.8), no `O_TMPFILE` (3.11), no
/// `MADV_KEEPONFORK` and `MADV_COLLAPSE`; `MAP_GROWSDOWN` for shared anonymous memory; and
/// `MAP_HUGETLB` gives 2 MiB for any size in the flags, at addresses aligned to 2 MiB. 4.4 reads
/// the size.
#[test]
fn linux_2_6_32() {
    let mut old = x86(2, 6);
    assert_eq!(old.kernel().memfd_create("file"), Err(Errno::ENOSYS));
    assert_eq!(old.open("/tmpfs", OpenMode::TmpFile), Err(Errno::EISDIR));
    assert_eq!(outcome(x86(4, 4).open("/tmpfs", OpenMode::TmpFile)), "ok");
    let at = old.map(ANYWHERE, PRIVATE).unwrap();
    assert_eq!(old.vm_flags(at), "-");
    assert!(old.smaps().unwrap().contains(&format!("\n{at:08x}-")));
    for advice in [Advice::KeepOnFork, Advice::Collapse] {
        assert_eq!(old.advise(at, PAGE, advice), Err(Errno::EINVAL));
    }
    let growsdown = old.numbers().growsdown;
    assert_eq!(outcome(old.map(ANYWHERE, SHARED | growsdown)), "ok");
    assert_eq!(outcome(x86(4, 4).map(ANYWHERE, SHARED | growsdown)), "EINVAL");
    for (mut program, any_size) in [(old, "ok"), (x86(4, 4), "EINVAL")] {
        let aligned = program.reserve(3 * HUGE).next_multiple_of(HUGE);
        let hugetlb = PRIVATE | 0x4_4010;
        for (size, expected) in [(0, "ok"), (21, "ok"), (13, any_size), (34, any_size)] {
            let flags = hugetlb | size << 26;
            assert_eq!(outcome(program.map(ANYWHERE.at(aligned), flags)), expected, "{size}");
            if expected == "ok" {
                assert_eq!(program.unmap(aligned, PAGE), Err(Errno::EINVAL), "{size}");
            }
            let map = ANYWHERE.at(aligned + PAGE);
            assert_eq!(outcome(program.map(map, flags)), "EINVAL", "{size}");
        }
        program.unmap(aligned, HUGE).unwrap();
    }
}
