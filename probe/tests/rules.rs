//! The kernel made of rules by itself: what is known of kernels since 4.12, which no recording here shows. Each test states its fact.

use mapprobe::errno::Errno;
use mapprobe::kernel::model::{Guard, Machine, Rules, Stack};
use mapprobe::kernel::{Advice, Answer, How, PROT_NONE, PROT_READ};
use program::{ANYWHERE, Map, NOREPLACE, PAGE, PRIVATE, Program, RW, SHARED, VALIDATE, word};

mod program;

const BIT24: u64 = 1 << 24;
const DROPPABLE: u64 = 8;
const SYNC: u64 = 0x8_0000;
const HUGE: u64 = 2 << 20;

fn x86(major: u8, minor: u8) -> Program {
    Program::on(Rules::new(Machine::X86, (major, minor)))
}

fn parisc(major: u8, minor: u8) -> Program {
    Program::on(Rules::new(Machine::Parisc, (major, minor)))
}

/// The bits that `MAP_SHARED_VALIDATE` lets through on a memfd.
fn accepted(rules: Rules, bits: std::ops::Range<u32>) -> Vec<u32> {
    let layout = rules.layout;
    let swept = |bit: &u32| 1u64 << bit & (layout.type_mask | layout.fixed | layout.anonymous) == 0;
    let fresh = Program::on(rules);
    bits.filter(swept)
        .filter(|bit| {
            let mut program = fresh.clone();
            let fd = program.memfd();
            program.map(Map::of(fd), VALIDATE | 1 << bit).is_ok()
        })
        .collect()
}

/// Measured on x86 5.10 and 6.1 (6, 11-17, 26-30), 6.12 (also 7), arm64 (11-17, 26-30) and hppa 6.1 (11-14, 16-18, 26-30).
#[test]
fn the_validator_lets_the_legacy_mask_through() {
    let known =
        |bits: &[std::ops::RangeInclusive<u32>]| bits.iter().cloned().flatten().collect::<Vec<_>>();
    let x86 = [6..=6, 11..=17, 26..=30];
    assert_eq!(accepted(Rules::new(Machine::X86, (5, 10)), 4..64), known(&x86));
    assert_eq!(accepted(Rules::x86_6_1(), 4..64), known(&x86));
    assert_eq!(
        accepted(Rules::new(Machine::X86, (6, 12)), 4..64),
        known(&[6..=7, 11..=17, 26..=30])
    );
    assert_eq!(accepted(Rules::new(Machine::Arm64, (7, 2)), 4..64), known(&[11..=17, 26..=30]));
    assert_eq!(accepted(Rules::parisc_6_1(), 4..32), known(&[11..=14, 16..=18, 26..=30]));
}

/// A bad descriptor masks everything, a bad flag masks what the file refuses; anonymous memory has no such type at all.
#[test]
fn errors_mask_each_other_in_order() {
    let mut program = x86(6, 1);
    let file = Map::of(program.open("/tmpfs/file", How::Read).unwrap());
    let pipe = Map::of(program.kernel().pipe().unwrap().0).read_only();
    for (map, flags, answer) in [
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
        assert_eq!(word(program.map(map, flags)), answer, "{map:?} {flags:#x}");
    }
}

/// Under `MAP_SHARED_VALIDATE` it is `EEXIST` when the range is taken, `EOPNOTSUPP` when it is free; it wins over `MAP_FIXED`; before
/// 4.17 it is no more than a hint.
#[test]
fn what_is_there_is_not_replaced() {
    let mut program = x86(6, 1);
    let (hole, memfd) = (program.hole(), Map::of(program.memfd()));
    let fixed = program.layout().fixed;
    program.map(ANYWHERE.at(hole), PRIVATE | fixed).unwrap();
    let free = hole - 16 * PAGE;
    for (map, flags, answer) in [
        (memfd.at(hole), VALIDATE | NOREPLACE, Err(Errno::EEXIST)),
        (memfd.at(free), VALIDATE | NOREPLACE, Err(Errno::EOPNOTSUPP)),
        (ANYWHERE.at(hole), PRIVATE | NOREPLACE | fixed, Err(Errno::EEXIST)),
        (ANYWHERE.at(hole - PAGE).len(2 * PAGE), PRIVATE | NOREPLACE, Err(Errno::EEXIST)),
        (ANYWHERE.at(hole), 9 | NOREPLACE, Err(Errno::EEXIST)),
        (ANYWHERE.at(free), PRIVATE | NOREPLACE, Ok(free)),
    ] {
        assert_eq!(program.map(map, flags), answer, "{map:?} {flags:#x}");
    }
    let mut old = x86(4, 15);
    let ground = old.ground(PAGE);
    assert!(old.map(ANYWHERE.at(ground), PRIVATE | NOREPLACE).is_ok_and(|at| at != ground));
    assert_eq!(old.map(ANYWHERE.at(ground), PRIVATE | NOREPLACE | fixed), Ok(ground));
}

/// Not on memfd or anonymous memory, where it is recorded only; ext4 without DAX refuses it under every type; with DAX all take it.
#[test]
fn synchronous_mappings() {
    let mut program = x86(6, 1);
    let at = program.map(ANYWHERE, PRIVATE | SYNC).unwrap();
    assert_eq!(program.vm_flags(at), "rd,wr,mr,mw,me,ac,sf,sd");
    for (path, answer) in [("/ext4/file", "EOPNOTSUPP"), ("/dax/file", "ok"), ("/tmpfs/file", "ok")]
    {
        let file = Map::of(program.open(path, How::ReadWrite).unwrap());
        for map_type in [SHARED, PRIVATE] {
            assert_eq!(word(program.map(file, map_type | SYNC)), answer, "{path} {map_type}");
            assert_eq!(word(program.map(file, map_type | BIT24)), "ok", "{path} {map_type}");
        }
        let validated = if path == "/tmpfs/file" { "EOPNOTSUPP" } else { answer };
        assert_eq!(word(program.map(file, VALIDATE | SYNC)), validated, "{path}");
        assert_eq!(word(program.map(file, VALIDATE | BIT24)), "EOPNOTSUPP", "{path}");
        assert_eq!(word(program.map(file, VALIDATE)), "ok", "{path}");
    }
    let mut old = x86(4, 10);
    let file = Map::of(old.open("/ext4/file", How::ReadWrite).unwrap());
    assert_eq!(word(old.map(file, SHARED | SYNC)), "ok");
}

/// Since 4.12 a gap of 256 pages to accessible neighbours; memory nobody can touch does not count; `RLIMIT_STACK` limits it;
/// parisc records it and never grows.
#[test]
fn growing_down_since_4_12() {
    for (rules, neighbour, limit, grows) in [
        (Rules::x86_6_1(), None, 8 << 20, true),
        (Rules::x86_6_1(), Some((RW, 100)), 8 << 20, false),
        (Rules::x86_6_1(), Some((RW, 300)), 8 << 20, true),
        (Rules::x86_6_1(), Some((PROT_NONE, 2)), 8 << 20, true),
        (Rules::x86_6_1(), None, PAGE, false),
        (Rules::new(Machine::Arm64, (6, 12)), None, 8 << 20, true),
        (Rules::parisc_6_1(), None, 8 << 20, false),
    ] {
        let growsdown = rules.layout.growsdown;
        assert_eq!(rules.guard, Guard::Gap);
        let mut program = Program::on(Rules { stack_limit: limit, ..rules });
        let hole = program.hole();
        if let Some((prot, pages)) = neighbour {
            program.map(Map { prot, ..ANYWHERE }.at(hole - pages * PAGE), PRIVATE).unwrap();
        }
        let fixed = program.layout().fixed;
        assert_eq!(program.map(ANYWHERE.at(hole), PRIVATE | growsdown | fixed), Ok(hole));
        assert_eq!(program.get(hole), Ok(0));
        assert_eq!(program.get(hole - PAGE).is_ok(), grows, "{neighbour:?} {limit:#x}");
        assert!(program.vm_flags(hole).contains("gd"));
        assert_eq!(word(program.map(ANYWHERE, SHARED | growsdown)), "EINVAL");
    }
}

/// 6.8: no huge pages for it. parisc from 6.12: it grows upwards, so not shared and not of a file. Before, nothing.
#[test]
fn stacks() {
    for (minor, flagged) in [(1, "ok"), (6, "ok"), (8, "EINVAL"), (12, "EINVAL")] {
        let mut program = x86(6, minor);
        for (flags, answer) in
            [(PRIVATE, "ok"), (PRIVATE | 0x2_0000, flagged), (SHARED | 0x2_0000, flagged)]
        {
            let ground = program.ground(2 * HUGE).next_multiple_of(HUGE);
            let at = program.map(ANYWHERE.at(ground).len(HUGE), flags | 0x10).unwrap();
            assert_eq!(
                word(program.advise(at, HUGE, Advice::Collapse)),
                "EINVAL",
                "no page is in memory yet"
            );
            program.put(at, 7).unwrap();
            assert_eq!(
                word(program.advise(at, HUGE, Advice::Collapse)),
                answer,
                "6.{minor} {flags:#x}"
            );
            assert_eq!(program.resident(at, 512), Ok(if answer == "ok" { 512 } else { 1 }));
            assert_eq!(program.get(at), Ok(7));
            program.unmap(at, HUGE).unwrap();
        }
        assert!(program.model.max_resident <= 1 && program.model.max_huge == 512);
    }
    let mut program = parisc(6, 12);
    let (stack, memfd) = (program.layout().stack, Map::of(program.memfd()));
    assert_eq!(program.model.rules.stack, Stack::GrowsUp);
    assert_eq!(word(program.map(ANYWHERE, SHARED | stack)), "EINVAL");
    assert_eq!(word(program.map(memfd, SHARED | stack)), "EINVAL");
    assert_eq!(word(program.map(memfd, PRIVATE | stack)), "EINVAL");
    let hole = program.hole();
    let at = program.map(ANYWHERE.at(hole), PRIVATE | stack).unwrap();
    assert_eq!(program.vm_flags(at), "rd,wr,mr,mw,me,ac,ar");
    assert_eq!((program.get(at - PAGE), program.get(at + PAGE)), (Err(Errno::EFAULT), Ok(0)));
    let mut program = x86(6, 1);
    let at = program.map(ANYWHERE.len(HUGE - PAGE), PRIVATE).unwrap();
    program.put(at, 1).unwrap();
    assert_eq!(
        word(program.advise(at, HUGE - PAGE, Advice::Collapse)),
        "EINVAL",
        "no whole huge page in it"
    );
}

/// `EINVAL` on a file, locked, growing down or of huge pages; shows dp, wf, dd, nr; never kept on fork. A 32-bit kernel has no room.
#[test]
fn droppable_memory() {
    let mut program = x86(6, 12);
    let memfd = Map::of(program.memfd());
    for (map, more, answer) in [
        (ANYWHERE, 0, "ok"),
        (ANYWHERE, 0x8000, "ok"),
        (ANYWHERE, 0x2_0000, "ok"),
        (ANYWHERE, 0x4000, "ok"),
        (ANYWHERE, 0x2000, "EINVAL"),
        (ANYWHERE, 0x100, "EINVAL"),
        (ANYWHERE, 0x4_0000, "EINVAL"),
        (memfd, 0, "EINVAL"),
    ] {
        assert_eq!(word(program.map(map, DROPPABLE | more)), answer, "{more:#x}");
    }
    let hole = program.hole();
    let at = program.map(ANYWHERE.at(hole), DROPPABLE).unwrap();
    assert_eq!(program.vm_flags(at), "rd,wr,mr,mw,me,nr,wf,dd,sd,dp");
    assert_eq!(word(program.advise(at, PAGE, Advice::KeepOnFork)), "EINVAL");
    let plain = program.map(ANYWHERE, PRIVATE).unwrap();
    assert_eq!(word(program.advise(plain, PAGE, Advice::KeepOnFork)), "ok");
    assert_eq!(parisc(6, 12).map(ANYWHERE, DROPPABLE), Err(Errno::ENOTSUPP));
    assert_eq!(parisc(7, 2).map(ANYWHERE, DROPPABLE), Err(Errno::EOPNOTSUPP));
    assert_eq!(parisc(6, 1).map(ANYWHERE, DROPPABLE), Err(Errno::EINVAL));
    let wide = Rules::new(Machine::Parisc64, (6, 12));
    assert_eq!(word(Program::on(wide).map(ANYWHERE, DROPPABLE)), "ok");
}

/// A low hint beats `MAP_ABOVE4G`; with all space above full, plain memory falls below 4 GiB and flagged memory does not.
#[test]
fn above_four_gibibytes() {
    let mut program = x86(6, 6);
    let low = 0x3000_0000;
    assert_eq!(program.map(ANYWHERE.at(low), PRIVATE | 0x80), Ok(low));
    let (mut size, mut filled) = (1 << 47, 0);
    while size >= PAGE {
        match program.map(Map { prot: PROT_NONE, ..ANYWHERE }.len(size), PRIVATE) {
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
        "the room above mmap_base is left"
    );
}

/// Huge sizes of arm64 by its page size: 64K, 2M, 32M, 1G, or 2M, 32M, 1G. An address that is not aligned to the size is refused.
#[test]
fn huge_sizes() {
    for (machine, sizes) in
        [(Machine::Arm64, vec![16, 21, 25, 30]), (Machine::Arm64Large, vec![21, 25, 30])]
    {
        let mut program = Program::on(Rules::new(machine, (6, 12)));
        let offered = (10..40).filter(|log2| {
            let size = 1 << log2;
            let ground = program.ground(2 * size).next_multiple_of(size);
            let mapped = program.map(ANYWHERE.at(ground), PRIVATE | 0x4_4010 | log2 << 26);
            if mapped.is_ok() {
                let misplaced =
                    program.map(ANYWHERE.at(ground + size / 4), PRIVATE | 0x4_4010 | log2 << 26);
                assert_eq!(misplaced, Err(Errno::EINVAL));
                assert_eq!(word(program.unmap(ground, size / 2)), "EINVAL");
                assert_eq!(program.get(ground), Err(Errno::EFAULT), "the pool is empty");
                assert_eq!(word(program.unmap(ground, size)), "ok");
            }
            mapped.is_ok()
        });
        assert_eq!(offered.collect::<Vec<u64>>(), sizes);
    }
}

/// `MAP_FIXED` takes away what is there before memory is refused; 6.12 asks first.
#[test]
fn a_refused_fixed_mapping_may_leave_a_hole() {
    for (minor, kept) in [(1, "ENOMEM"), (12, "ok")] {
        let mut program = x86(6, minor);
        let big = program.model.rules.memory + (64 << 20);
        let ground = program.ground(big);
        assert_eq!(word(program.map(ANYWHERE.at(ground).len(big), PRIVATE | 0x10)), "ENOMEM");
        assert_eq!(word(program.resident(ground, 1)), kept);
    }
}

/// Without a page in the file there is nothing to touch; what is left behind, and every call, is known.
#[test]
fn a_test_sees_what_is_left() {
    let mut program = x86(6, 1);
    let fd = program.memfd();
    let at = program.map(Map::of(fd), SHARED).unwrap();
    assert_eq!(program.get(at), Err(Errno::EFAULT), "the file is empty");
    assert_eq!(program.open("/disk", How::Nameless), Err(Errno::EOPNOTSUPP));
    assert_eq!(program.open("/readonly/file", How::ReadWrite), Err(Errno::EROFS));
    assert_eq!(program.open("/ext4/forbidden", How::ReadWrite), Err(Errno::EACCES));
    let named = program.open("/disk/new", How::New).unwrap();
    program.kernel().close(named).result().unwrap();
    assert_eq!(program.model.left().len(), 1 + 3 + 1, "{:?}", program.model.left());
    program.kernel().unlink("/disk/new").result().unwrap();
    program.model.fault = Some((program.model.calls, Answer::failed(Errno::EIO)));
    assert_eq!(program.unmap(at, PAGE), Err(Errno::EIO));
    assert_eq!((program.model.mapped(), program.model.log.len()), (1, program.model.calls));
    let device = Map::of(program.open("/dev/null", How::ReadWrite).unwrap());
    assert_eq!(word(program.map(Map { prot: PROT_READ, ..device }, SHARED)), "ENODEV");
}

/// Every kernel says the same when asked twice, and nothing of one is in another.
#[test]
fn every_kernel_works_at_all() {
    for (name, rules) in Rules::all().into_iter().chain(Rules::liars()) {
        if !rules.refusals.is_empty() {
            continue;
        }
        let mut program = Program::on(rules);
        let at =
            program.map(ANYWHERE.len(2 * program.model.rules.page_size), PRIVATE).expect(&name);
        assert_eq!((program.put(at, 5), program.get(at)), (Ok(1), Ok(5)), "{name}");
        program.unmap(at, 2 * program.model.rules.page_size).expect(&name);
        assert_eq!(program.model.mapped(), 0, "{name}");
    }
}
