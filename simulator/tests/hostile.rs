//! The rules of hostile environments, and the calls that panic.

use kernel::{Advice, Errno, OpenMode};
use program::{ANYWHERE, BIT24, Map, NOREPLACE, PAGE, PRIVATE, Program, SHARED, VALIDATE, outcome};
use simulator::{Machine, Overcommit, Proc, Rules};

mod program;

const FIXED: usize = 0x10;
const GROWSDOWN: usize = 0x100;
const LOCKED: usize = 0x2000;
const POPULATE: usize = 0x8000;
const HUGETLB: usize = 0x4_0000;
const SYNC: usize = 0x8_0000;

fn x86_6_12() -> Rules {
    Rules::new(Machine::X86, (6, 12))
}

/// `MAP_SHARED_VALIDATE` fails with `EINVAL`, but with `MAP_FIXED` it succeeds with any unassigned
/// bit. Map types 5, 9 and 13 act as `MAP_SHARED`. `MAP_POPULATE` and `MAP_FIXED_NOREPLACE` are
/// dropped, `MAP_LOCKED` is passed on, `MAP_HUGETLB` fails with `EINVAL`. `/proc` shows the host's
/// mappings.
#[test]
fn qemu_user() {
    let mut program = Program::on(Rules::qemu_user(Machine::Arm64));
    let (reserved, fd) = (program.reserve(8 * PAGE), program.memfd());
    program.kernel().write(fd, b"Q").result().unwrap();
    let (memfd, there) = (Map::of(fd), Map::of(fd).at(reserved));
    for (map, flags, expected) in [
        (memfd, VALIDATE, "EINVAL"),
        (memfd, VALIDATE | BIT24, "EINVAL"),
        (there, VALIDATE | FIXED, "ok"),
        (there, VALIDATE | FIXED | BIT24, "ok"),
        (there, VALIDATE | FIXED | NOREPLACE, "ok"),
        (ANYWHERE, VALIDATE, "EINVAL"),
        (ANYWHERE, 8, "EINVAL"),
        (ANYWHERE, PRIVATE | HUGETLB, "EINVAL"),
        (ANYWHERE, SHARED | GROWSDOWN, "EINVAL"),
        (ANYWHERE.at(reserved), PRIVATE | NOREPLACE, "ok"),
    ] {
        assert_eq!(outcome(program.map(map, flags)), expected, "{map:?} {flags:#x}");
    }
    for map_type in [5, 9, 13] {
        let at = program.map(memfd, map_type).unwrap();
        program.store(at, b'W').unwrap();
        assert_eq!(program.first_byte(fd), b'W', "{map_type}");
        program.store(at, b'Q').unwrap();
    }
    let populated = program.map(ANYWHERE, PRIVATE | POPULATE).unwrap();
    assert_eq!(program.resident(populated, 1), Ok(0));
    let locked = program.map(ANYWHERE, PRIVATE | LOCKED).unwrap();
    assert_eq!(program.advise(locked, PAGE, Advice::DontNeed), Err(Errno::EINVAL));
    assert!(!program.vm_flags(locked).contains("lo"));
}

/// `MAP_SHARED_VALIDATE` rejects bits 26 to 30, which Linux accepts, and on a 64-bit guest accepts
/// bits 32 to 63, which Linux rejects. Unlike before, more flags are passed on.
#[test]
fn qemu_user_10() {
    for machine in [Machine::Arm64, Machine::Parisc] {
        let mut program = Program::on(Rules::qemu_user_10(machine));
        let (numbers, memfd) = (program.numbers(), Map::of(program.memfd()));
        for (flags, expected) in [
            (VALIDATE, "ok"),
            (VALIDATE | BIT24, "EOPNOTSUPP"),
            (VALIDATE | 1 << 27, "EOPNOTSUPP"),
            (VALIDATE | 1 << 30, "EOPNOTSUPP"),
            (VALIDATE | 1 << 32, "ok"),
            (VALIDATE | 1 << 63, "ok"),
            (VALIDATE | numbers.locked, "ok"),
            (SHARED | BIT24, "ok"),
            (SHARED | 8, "EINVAL"),
            (8, "EINVAL"),
        ] {
            let mapped = program.map(memfd, flags);
            assert_eq!(outcome(mapped), expected, "{machine:?} {flags:#x}");
        }
        let occupied = ANYWHERE.at(program.reserve(PAGE));
        assert_eq!(program.map(occupied, PRIVATE | NOREPLACE), Err(Errno::EEXIST));
        let populated = program.map(ANYWHERE, PRIVATE | numbers.populate).unwrap();
        assert_eq!(program.resident(populated, 1), Ok(1));
    }
}

/// Either `MAP_SHARED` or `MAP_PRIVATE` must be set. `MAP_FIXED_NOREPLACE` is a hint. `mincore`
/// shows every page as resident, and advice has no effect.
#[test]
fn gvisor() {
    let mut program = Program::on(Rules::gvisor());
    let (reserved, memfd) = (program.reserve(PAGE), Map::of(program.memfd()));
    for (map, flags, expected) in [
        (memfd, VALIDATE, "EINVAL"),
        (memfd, SHARED | BIT24, "ok"),
        (memfd, SHARED | SYNC, "ok"),
        (memfd, SHARED | HUGETLB, "ok"),
        (memfd, SHARED | 8, "ok"),
        (ANYWHERE, 8, "EINVAL"),
        (ANYWHERE.at(reserved), PRIVATE | NOREPLACE, "ok"),
        (ANYWHERE.len(1 << 40), PRIVATE, "ok"),
    ] {
        assert_eq!(outcome(program.map(map, flags)), expected, "{map:?} {flags:#x}");
    }
    assert_eq!(program.resident(reserved, 1), Ok(1));
    let locked = program.map(ANYWHERE, PRIVATE | LOCKED).unwrap();
    for advice in [Advice::DontNeed, Advice::KeepOnFork, Advice::Collapse] {
        assert_eq!(program.advise(locked, PAGE, advice), Ok(0));
    }
}

/// Unassigned and unimplemented bits fail even with `MAP_PRIVATE`. `MAP_SHARED_VALIDATE` is
/// missing.
#[test]
fn wsl1() {
    let mut program = Program::on(Rules::wsl1());
    let memfd = Map::of(program.memfd());
    for (flags, expected) in [
        (PRIVATE, "ok"),
        (PRIVATE | BIT24, "EOPNOTSUPP"),
        (PRIVATE | LOCKED, "EOPNOTSUPP"),
        (PRIVATE | GROWSDOWN, "EOPNOTSUPP"),
        (PRIVATE | NOREPLACE, "EOPNOTSUPP"),
        (PRIVATE | SYNC, "EOPNOTSUPP"),
        (VALIDATE, "EINVAL"),
        (VALIDATE | BIT24, "EOPNOTSUPP"),
    ] {
        assert_eq!(outcome(program.map(memfd, flags)), expected, "{flags:#x}");
    }
}

/// `MAP_FIXED` and map types 3 and 8 fail with `EINVAL`. `mincore` and `madvise` are missing.
/// `MAP_UNINITIALIZED` works if it is configured.
#[test]
fn without_an_mmu() {
    for (uninitialized, old_content) in [(false, 0), (true, 9)] {
        let mut program = Program::on(Rules { uninitialized, ..Rules::nommu() });
        assert_eq!(outcome(program.map(ANYWHERE, VALIDATE)), "EINVAL");
        assert_eq!(outcome(program.map(ANYWHERE, 8)), "EINVAL");
        assert_eq!(outcome(program.map(ANYWHERE.at(1 << 30), PRIVATE | FIXED)), "EINVAL");
        let at = program.map(ANYWHERE, PRIVATE).unwrap();
        assert_eq!(program.resident(at, 1), Err(Errno::ENOSYS));
        assert_eq!(program.advise(at, PAGE, Advice::DontNeed), Err(Errno::ENOSYS));
        program.store(at, 9).unwrap();
        program.unmap(at, PAGE).unwrap();
        let again = program.map(ANYWHERE, PRIVATE | 1 << 26).unwrap();
        assert_eq!((again, program.load(again)), (at, Ok(old_content)));
        program.unmap(again, PAGE).unwrap();
        let cleared = program.map(ANYWHERE, PRIVATE).unwrap();
        assert_eq!((cleared, program.load(cleared)), (at, Ok(0)));
    }
}

/// A seccomp filter rejects calls before the kernel sees them. `/proc` is missing or shows another
/// process.
#[test]
fn seccomp_and_proc() {
    for (name, rules) in Rules::hostile() {
        let mut program = Program::on(Rules { seccomp: Vec::new(), ..rules.clone() });
        program.simulated.rules = rules;
        let (plain, locked) =
            (program.map(ANYWHERE, PRIVATE), program.map(ANYWHERE, PRIVATE | LOCKED));
        let unassigned = program.map(ANYWHERE, PRIVATE | BIT24);
        let memfd = program.kernel().memfd_create("x");
        match name.as_str() {
            "filter: LOCKED is EPERM" => {
                assert_eq!((outcome(plain), outcome(locked)), ("ok", "EPERM"))
            }
            "filter: unknown bits are ENOSYS" => {
                assert_eq!((outcome(plain), outcome(unassigned)), ("ok", "ENOSYS"))
            }
            "filter: mmap is EPERM" => {
                assert_eq!((outcome(plain), outcome(unassigned)), ("EPERM", "EPERM"))
            }
            "filter: memfd_create is EPERM" => assert_eq!(memfd, Err(Errno::EPERM)),
            "filter: mincore is ENOSYS" => {
                assert_eq!(program.resident(plain.unwrap(), 1), Err(Errno::ENOSYS))
            }
            "no /proc" => assert_eq!(program.smaps(), Err(Errno::ENOENT)),
            "smaps of another process" => assert_eq!(program.vm_flags(plain.unwrap()), "-"),
            "smaps of a host: everything set" => {
                assert!(program.vm_flags(plain.unwrap()).contains("gd,lo"))
            }
            _ => {}
        }
    }
    assert_eq!(x86_6_12().proc, Proc::Own);
}

/// A kernel that honors `MAP_DENYWRITE`: a file that is open for writing cannot be mapped, and a
/// mapped file cannot be opened for writing.
#[test]
fn denywrite() {
    let mut program = Program::on(Rules { denies_writing: true, ..x86_6_12() });
    let read = program.open("/ext4/file", OpenMode::Read).unwrap();
    let file = Map::of(read).read_only();
    program.map(file, PRIVATE | 0x800).unwrap();
    assert_eq!(program.open("/ext4/file", OpenMode::ReadWrite), Err(Errno::ETXTBSY));
    let fd = program.memfd();
    assert_eq!(program.map(Map::of(fd), PRIVATE | 0x800), Err(Errno::ETXTBSY));
}

/// A file of hugetlbfs rounds the length up to whole huge pages and rejects an unaligned address.
#[test]
fn a_file_of_huge_pages() {
    let mut program = Program::on(Rules { pool: 1, ..x86_6_12() });
    let file = Map::of(program.open("/hugetlbfs/file", OpenMode::ReadWrite).unwrap());
    let reserved = program.reserve(8 << 20).next_multiple_of(2 << 20);
    assert_eq!(program.map(file.at(reserved + PAGE), SHARED | FIXED), Err(Errno::EINVAL));
    assert_eq!(program.map(file.at(reserved), SHARED | FIXED), Ok(reserved));
    assert_eq!(program.unmap(reserved, PAGE), Err(Errno::EINVAL));
    assert_eq!(program.map(file, SHARED), Err(Errno::ENOMEM), "the pool has one page");
}

/// A device DAX takes whole aligned pages of its size, shared only, and accepts `MAP_SYNC`. Only a
/// touch of it remains (`dax_dev_check_vma` in `drivers/dax/device.c`).
#[test]
fn a_device_dax() {
    let mut program = Program::on(x86_6_12());
    let file = Map::of(program.open("/dev/dax0.0", OpenMode::ReadWrite).unwrap()).prot(0);
    let reserved = program.reserve(8 << 20).next_multiple_of(2 << 20);
    let huge = file.at(reserved).len(2 << 20);
    for (map, flags, expected) in [
        (file.at(reserved), SHARED, "EINVAL"),
        (huge.at(reserved + PAGE), SHARED, "EINVAL"),
        (huge, PRIVATE, "EINVAL"),
        (huge, SHARED, "ok"),
        (huge, VALIDATE | SYNC, "ok"),
        (huge, VALIDATE | BIT24, "EOPNOTSUPP"),
    ] {
        assert_eq!(outcome(program.map(map, flags | FIXED)), expected, "{map:?} {flags:#x}");
    }
    let is_touched = |program: &Program| {
        program.simulated.leftovers().contains(&"pages of /dev/dax0.0".to_owned())
    };
    assert!(!is_touched(&program));
    program.map(huge.read_only(), SHARED | FIXED | POPULATE).unwrap();
    assert!(is_touched(&program));
}

/// 9p with `cache=none` (`generic_file_readonly_mmap` in `mm/filemap.c`), and drivers that reject
/// mappings.
#[test]
fn files_that_reject_map_types() {
    let mut program = Program::on(x86_6_12());
    let mut open = |path, mode| Map::of(program.open(path, mode).unwrap()).read_only();
    let written = open("/9p/file", OpenMode::ReadWrite);
    let read = open("/9p/file", OpenMode::Read);
    let shared_only = open("/dev/shared", OpenMode::ReadWrite);
    let unmappable = open("/dev/unmappable", OpenMode::ReadWrite);
    for (map, shared, private) in [
        (written, "EINVAL", "ok"),
        (read, "ok", "ok"),
        (shared_only, "ok", "EINVAL"),
        (unmappable, "EINVAL", "EINVAL"),
    ] {
        assert_eq!(outcome(program.map(map, SHARED)), shared, "{map:?}");
        assert_eq!(outcome(program.map(map, PRIVATE)), private, "{map:?}");
    }
}

/// A shared mapping of hugetlbfs leaves its reservation in the file, unless it has `MAP_NORESERVE`
/// (`hugetlb_reserve_pages` in `mm/hugetlb.c`).
#[test]
fn a_file_of_huge_pages_keeps_a_reservation() {
    const NORESERVE: usize = 0x4000;
    for (flags, is_kept) in [(SHARED | NORESERVE, false), (PRIVATE, false), (SHARED, true)] {
        let mut program = Program::on(Rules { pool: 1, ..x86_6_12() });
        let file = Map::of(program.open("/hugetlbfs/file", OpenMode::ReadWrite).unwrap());
        program.map(file, flags).unwrap();
        let leftovers = program.simulated.leftovers();
        let pages = leftovers.contains(&"pages of /hugetlbfs/file".to_owned());
        assert_eq!(pages, is_kept, "{flags:#x}");
    }
}

/// `RLIMIT_FSIZE`, `RLIMIT_NOFILE`, and directories that do not exist.
#[test]
fn limits_of_files() {
    let mut program = Program::on(Rules { file_size_limit: 0, ..x86_6_12() });
    let memfd = program.memfd();
    assert_eq!(program.kernel().write(memfd, b"x").result(), Err(Errno::EFBIG));
    let mut program = Program::on(Rules { descriptor_limit: 6, ..x86_6_12() });
    program.memfd();
    assert_eq!(program.kernel().memfd_create("file"), Err(Errno::EMFILE));
    assert_eq!(program.open("/ext4/file", OpenMode::Read), Err(Errno::EMFILE));
    let mut program = Program::on(Rules { missing: &["/tmp"], ..x86_6_12() });
    assert_eq!(program.open("/tmp", OpenMode::TmpFile), Err(Errno::ENOENT));
    assert_eq!(program.open("/tmp/new", OpenMode::CreateNew), Err(Errno::ENOENT));
    assert!(program.open("/tmpfs", OpenMode::TmpFile).is_ok());
}

#[test]
#[should_panic(expected = "maps page 0")]
fn mapping_page_0_panics() {
    let _ = Program::on(x86_6_12()).map(ANYWHERE, PRIVATE | FIXED);
}

#[test]
#[should_panic(expected = "replaces a mapping it did not make")]
fn replacing_the_image_panics() {
    let rules = x86_6_12();
    let image = rules.space.preexisting[0].0;
    let _ = Program::on(rules).map(ANYWHERE.at(image), PRIVATE | FIXED);
}

#[test]
#[should_panic(expected = "crashes a parisc64 kernel")]
fn huge_pages_without_an_address_panic_on_parisc64() {
    let mut program = Program::on(Rules::new(Machine::Parisc64, (6, 1)));
    let numbers = program.numbers();
    let reserved = program.reserve(8 << 20).next_multiple_of(2 << 20);
    let huge = PRIVATE | numbers.hugetlb | numbers.noreserve;
    assert_eq!(program.map(ANYWHERE.at(reserved), huge | numbers.fixed), Ok(reserved));
    let _ = program.map(ANYWHERE, huge);
}

#[test]
#[should_panic(expected = "fills 1024 MiB of memory")]
fn populating_too_much_memory_panics() {
    let mut program =
        Program::on(Rules { locks_everything: true, overcommit: Overcommit::Always, ..x86_6_12() });
    let _ = program.map(ANYWHERE.len(1 << 30), PRIVATE);
}

#[test]
fn an_empty_pipe_does_not_block() {
    let mut program = Program::on(x86_6_12());
    let read_end = program.kernel().pipe().unwrap().read_end;
    assert_eq!(program.kernel().read(read_end, &mut [0]).result(), Err(Errno::EAGAIN));
}
