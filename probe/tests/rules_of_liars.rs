//! The kernel made of rules where it only looks like Linux, or where something is in force around the process; and what ends a test.

use mapprobe::errno::Errno;
use mapprobe::kernel::model::{Machine, Proc, Rules};
use mapprobe::kernel::{Advice, How};
use program::{ANYWHERE, Map, NOREPLACE, PAGE, PRIVATE, Program, SHARED, VALIDATE, word};

mod program;

const BIT24: u64 = 1 << 24;
const FIXED: u64 = 0x10;
const GROWSDOWN: u64 = 0x100;
const LOCKED: u64 = 0x2000;
const POPULATE: u64 = 0x8000;
const HUGETLB: u64 = 0x4_0000;
const SYNC: u64 = 0x8_0000;

fn new() -> Rules {
    Rules::new(Machine::X86, (6, 12))
}

/// Type 3 is `EINVAL`, but with `MAP_FIXED` it succeeds and takes any unknown bit; types 5, 9 and 13 act as `MAP_SHARED`; `POPULATE` and
/// `FIXED_NOREPLACE` are dropped, `LOCKED` is passed on, `HUGETLB` is `EINVAL`; /proc shows the host's memory.
#[test]
fn qemu_user() {
    let mut program = Program::on(Rules::qemu_user(Machine::Arm64));
    let (ground, fd) = (program.ground(8 * PAGE), program.memfd());
    program.kernel().write(fd, b"Q").result().unwrap();
    let (memfd, there) = (Map::of(fd), Map::of(fd).at(ground));
    for (map, flags, answer) in [
        (memfd, VALIDATE, "EINVAL"),
        (memfd, VALIDATE | BIT24, "EINVAL"),
        (there, VALIDATE | FIXED, "ok"),
        (there, VALIDATE | FIXED | BIT24, "ok"),
        (there, VALIDATE | FIXED | NOREPLACE, "ok"),
        (ANYWHERE, VALIDATE, "EINVAL"),
        (ANYWHERE, 8, "EINVAL"),
        (ANYWHERE, PRIVATE | HUGETLB, "EINVAL"),
        (ANYWHERE, SHARED | GROWSDOWN, "EINVAL"),
        (ANYWHERE.at(ground), PRIVATE | NOREPLACE, "ok"),
    ] {
        assert_eq!(word(program.map(map, flags)), answer, "{map:?} {flags:#x}");
    }
    for map_type in [5, 9, 13] {
        let at = program.map(memfd, map_type).unwrap();
        program.put(at, b'W').unwrap();
        assert_eq!(program.pread(fd), b'W', "{map_type}");
        program.put(at, b'Q').unwrap();
    }
    let populated = program.map(ANYWHERE, PRIVATE | POPULATE).unwrap();
    assert_eq!(program.resident(populated, 1), Ok(0));
    let locked = program.map(ANYWHERE, PRIVATE | LOCKED).unwrap();
    assert_eq!(program.advise(locked, PAGE, Advice::DontNeed), Err(Errno::EINVAL));
    assert!(!program.vm_flags(locked).contains("lo"));
}

/// Exactly one of `SHARED` and `PRIVATE`; `mincore` always ones; `FIXED_NOREPLACE` a hint; advice is not taken.
#[test]
fn gvisor() {
    let mut program = Program::on(Rules::gvisor());
    let (ground, memfd) = (program.ground(PAGE), Map::of(program.memfd()));
    for (map, flags, answer) in [
        (memfd, VALIDATE, "EINVAL"),
        (memfd, SHARED | BIT24, "ok"),
        (memfd, SHARED | SYNC, "ok"),
        (memfd, SHARED | HUGETLB, "ok"),
        (memfd, SHARED | 8, "ok"),
        (ANYWHERE, 8, "EINVAL"),
        (ANYWHERE.at(ground), PRIVATE | NOREPLACE, "ok"),
        (ANYWHERE.len(1 << 40), PRIVATE, "ok"),
    ] {
        assert_eq!(word(program.map(map, flags)), answer, "{map:?} {flags:#x}");
    }
    assert_eq!(program.resident(ground, 1), Ok(1));
    let locked = program.map(ANYWHERE, PRIVATE | LOCKED).unwrap();
    for advice in [Advice::DontNeed, Advice::KeepOnFork, Advice::Collapse] {
        assert_eq!(program.advise(locked, PAGE, advice), Ok(0));
    }
}

/// Unknown and unimplemented bits are refused even under `PRIVATE`; there is no type 3.
#[test]
fn wsl1() {
    let mut program = Program::on(Rules::wsl1());
    let memfd = Map::of(program.memfd());
    for (flags, answer) in [
        (PRIVATE, "ok"),
        (PRIVATE | BIT24, "EOPNOTSUPP"),
        (PRIVATE | LOCKED, "EOPNOTSUPP"),
        (PRIVATE | GROWSDOWN, "EOPNOTSUPP"),
        (PRIVATE | NOREPLACE, "EOPNOTSUPP"),
        (PRIVATE | SYNC, "EOPNOTSUPP"),
        (VALIDATE, "EINVAL"),
        (VALIDATE | BIT24, "EOPNOTSUPP"),
    ] {
        assert_eq!(word(program.map(memfd, flags)), answer, "{flags:#x}");
    }
}

/// `FIXED` and types 3 and 8 are `EINVAL`; what is about page tables is missing; `MAP_UNINITIALIZED` is real if configured.
#[test]
fn without_an_mmu() {
    for (uninitialized, left) in [(false, 0), (true, 9)] {
        let mut program = Program::on(Rules { uninitialized, ..Rules::nommu() });
        assert_eq!(word(program.map(ANYWHERE, VALIDATE)), "EINVAL");
        assert_eq!(word(program.map(ANYWHERE, 8)), "EINVAL");
        assert_eq!(word(program.map(ANYWHERE.at(1 << 30), PRIVATE | FIXED)), "EINVAL");
        let at = program.map(ANYWHERE, PRIVATE).unwrap();
        assert_eq!(program.resident(at, 1), Err(Errno::ENOSYS));
        assert_eq!(program.advise(at, PAGE, Advice::DontNeed), Err(Errno::ENOSYS));
        program.put(at, 9).unwrap();
        program.unmap(at, PAGE).unwrap();
        let again = program.map(ANYWHERE, PRIVATE | 1 << 26).unwrap();
        assert_eq!((again, program.get(again)), (at, Ok(left)));
        program.unmap(again, PAGE).unwrap();
        let cleared = program.map(ANYWHERE, PRIVATE).unwrap();
        assert_eq!((cleared, program.get(cleared)), (at, Ok(0)));
    }
}

/// A filter answers in place of the kernel; /proc is missing or somebody else's.
#[test]
fn filters_and_proc() {
    for (name, rules) in Rules::liars() {
        let mut program = Program::on(Rules { refusals: Vec::new(), ..rules.clone() });
        program.model.rules = rules;
        let (plain, locked) =
            (program.map(ANYWHERE, PRIVATE), program.map(ANYWHERE, PRIVATE | LOCKED));
        let (unknown, memfd) =
            (program.map(ANYWHERE, PRIVATE | BIT24), program.kernel().memfd_create("x"));
        match name.as_str() {
            "filter: LOCKED is EPERM" => assert_eq!((word(plain), word(locked)), ("ok", "EPERM")),
            "filter: unknown bits are ENOSYS" => {
                assert_eq!((word(plain), word(unknown)), ("ok", "ENOSYS"))
            }
            "filter: mmap is EPERM" => assert_eq!((word(plain), word(unknown)), ("EPERM", "EPERM")),
            "filter: memfd_create is EPERM" => assert_eq!(memfd.result(), Err(Errno::EPERM)),
            "filter: mincore is ENOSYS" => {
                assert_eq!(program.resident(plain.unwrap(), 1), Err(Errno::ENOSYS))
            }
            "no /proc" => assert_eq!(program.smaps(), Err(Errno::ENOENT)),
            "smaps of a stranger" => assert_eq!(program.vm_flags(plain.unwrap()), "-"),
            "smaps of a host: everything set" => {
                assert!(program.vm_flags(plain.unwrap()).contains("gd,lo"))
            }
            _ => {}
        }
    }
    assert_eq!(new().proc, Proc::Own);
}

/// A kernel that still minds: no mapping while somebody writes, no writing while it is mapped.
#[test]
fn deny_write() {
    let mut program = Program::on(Rules { denies_writing: true, ..new() });
    let read = program.open("/ext4/file", How::Read).unwrap();
    let file = Map::of(read).read_only();
    program.map(file, PRIVATE | 0x800).unwrap();
    assert_eq!(program.open("/ext4/file", How::ReadWrite), Err(Errno::ETXTBSY));
    let fd = program.memfd();
    assert_eq!(program.map(Map::of(fd), PRIVATE | 0x800), Err(Errno::ETXTBSY));
}

/// A file of huge pages rounds the length up, and refuses an address that is not aligned to them.
#[test]
fn a_file_of_huge_pages() {
    let mut program = Program::on(Rules { pool: 1, ..new() });
    let file = Map::of(program.open("/hugetlbfs/file", How::ReadWrite).unwrap());
    let ground = program.ground(8 << 20).next_multiple_of(2 << 20);
    assert_eq!(program.map(file.at(ground + PAGE), SHARED | FIXED), Err(Errno::EINVAL));
    assert_eq!(program.map(file.at(ground), SHARED | FIXED), Ok(ground));
    assert_eq!(program.unmap(ground, PAGE), Err(Errno::EINVAL));
    assert_eq!(program.map(file, SHARED), Err(Errno::ENOMEM), "the pool has one page");
}

#[test]
#[should_panic(expected = "maps page 0")]
fn page_0_ends_the_test() {
    let _ = Program::on(new()).map(ANYWHERE, PRIVATE | FIXED);
}

#[test]
#[should_panic(expected = "replaces a mapping it did not make")]
fn replacing_the_program_ends_the_test() {
    let rules = new();
    let image = rules.space.own[0].0;
    let _ = Program::on(rules).map(ANYWHERE.at(image), PRIVATE | FIXED);
}

#[test]
#[should_panic(expected = "crashes a parisc64 kernel")]
fn huge_pages_anywhere_end_the_test_on_parisc64() {
    let mut program = Program::on(Rules::new(Machine::Parisc64, (6, 1)));
    let layout = program.layout();
    let ground = program.ground(8 << 20).next_multiple_of(2 << 20);
    let huge = PRIVATE | layout.hugetlb | layout.noreserve;
    assert_eq!(program.map(ANYWHERE.at(ground), huge | layout.fixed), Ok(ground));
    let _ = program.map(ANYWHERE, huge);
}

#[test]
#[should_panic(expected = "fills 1024 MiB of memory")]
fn filling_the_memory_ends_the_test() {
    let mut program = Program::on(Rules { locks_everything: true, overcommit: 1, ..new() });
    let _ = program.map(ANYWHERE.len(1 << 30), PRIVATE);
}

#[test]
fn nobody_waits_for_an_empty_pipe() {
    let mut program = Program::on(new());
    let (reading, _) = program.kernel().pipe().unwrap();
    assert_eq!(program.kernel().read(reading, &mut [0]).result(), Err(Errno::EAGAIN));
}
