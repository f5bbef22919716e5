//! The simulated kernel against the effect tests of the recordings, as in `recorded_effects.rs`:
//! the memory of mappings, and `/proc/self/smaps`.

use kernel::{Advice, Errno, Fd, NO_FD, OpenMode, PROT_NONE, PROT_READ};
use program::recorded::{Recorded, at, compare_with_recordings};
use program::{
    ANYWHERE, Map, PAGE, PRIVATE, Program, READ_WRITE, Result, SHARED, VALIDATE, error_name,
    outcome, outcome_of,
};
use simulator::{Overcommit, Rules};

mod program;

/// By the number in `/proc/sys/vm/overcommit_memory`.
const OVERCOMMIT: [Overcommit; 3] = [Overcommit::Guess, Overcommit::Always, Overcommit::Never];

/// A description of the mapping, or the name of the error.
fn or_error(mapped: Result<usize>, describe: impl FnOnce(usize) -> String) -> String {
    mapped.map_or_else(|errno| error_name(errno).into(), describe)
}

#[test]
fn pages_in_memory() {
    compare_with_recordings([45, 45], |recorded| {
        let numbers = recorded.program().numbers();
        for (label, more, prot) in [
            ("none", 0, READ_WRITE),
            ("populate", numbers.populate, READ_WRITE),
            ("populate+nonblock", numbers.populate | numbers.nonblock, READ_WRITE),
            ("nonblock", numbers.nonblock, READ_WRITE),
            ("populate-protnone", numbers.populate, PROT_NONE),
            ("populate-ro", numbers.populate, PROT_READ),
            ("locked", numbers.locked, READ_WRITE),
            ("locked+nonblock", numbers.locked | numbers.nonblock, READ_WRITE),
        ] {
            for (backing, map_type) in
                [("anon-private", PRIVATE), ("anon-shared", SHARED), ("memfd-shared", SHARED)]
            {
                let mut program = recorded.program();
                let fd = if backing == "memfd-shared" { program.memfd() } else { NO_FD };
                if fd != NO_FD {
                    program.kernel().write(fd, b"x").result().unwrap();
                    program.simulated.truncate(fd, 32 * PAGE);
                }
                let mapped = program
                    .map(Map { addr: 0, len: 32 * PAGE, prot, fd }, map_type | more)
                    .unwrap();
                let resident = program.resident(mapped, 32).unwrap();
                recorded.expect_words(
                    &format!("populate {backing} {label} ok"),
                    &[format!("resident={resident}/32")],
                );
            }
        }
        let mut program = Program::on(Rules { locks_everything: true, ..recorded.rules.clone() });
        let mapped = program.map(ANYWHERE.len(4 * PAGE), PRIVATE).unwrap();
        let words = [
            format!("resident={}/4", program.resident(mapped, 4).unwrap()),
            format!("dontneed={}", outcome(program.advise(mapped, 4 * PAGE, Advice::DontNeed))),
            format!("vmflags={}", program.vm_flags(mapped)),
        ];
        recorded.expect_words("env mlockall(MCL_FUTURE)=ok plain-map=ok", &words);
        let mut program = Program::on(Rules { root: false, ..recorded.rules.clone() });
        let mapped = program.map(ANYWHERE.len(16 * PAGE), PRIVATE).unwrap();
        let resident = program.resident(mapped, 16).unwrap();
        recorded.expect_words("env unpriv", &[format!("anon-nopopulate={resident}/16")]);
        locked(recorded);
    });
}

fn locked(recorded: &mut Recorded) {
    let numbers = recorded.program().numbers();
    for (label, map_type, is_file, more) in [
        ("control-nolock", PRIVATE, false, 0),
        ("anon-private", PRIVATE, false, numbers.locked),
        ("anon-shared", SHARED, false, numbers.locked),
        ("memfd-shared", SHARED, true, numbers.locked),
        ("memfd-private", PRIVATE, true, numbers.locked),
    ] {
        let mut program = recorded.program();
        let fd = if is_file { program.memfd() } else { NO_FD };
        if is_file {
            program.simulated.truncate(fd, 4 * PAGE);
        }
        let mapped = program
            .map(Map { addr: 0, len: 4 * PAGE, prot: READ_WRITE, fd }, map_type | more)
            .unwrap();
        let words = [
            format!("vmflags={}", program.vm_flags(mapped)),
            format!("dontneed={}", outcome(program.advise(mapped, 4 * PAGE, Advice::DontNeed))),
            format!(
                "msync_inval={}",
                outcome_of(program.kernel().msync_invalidate(mapped, 4 * PAGE))
            ),
        ];
        recorded.expect_words(
            &format!("locked {label} ok"),
            &words[..if label == "control-nolock" { 2 } else { 3 }],
        );
    }
    let mut program = recorded.program();
    let memfd = Map::of(program.memfd());
    recorded.expect_line(&format!(
        "locked memfd-shval {}",
        outcome(program.map(memfd, VALIDATE | numbers.locked))
    ));
    for (label, errno) in [("rlimit-2pages", Errno::EAGAIN), ("rlimit0", Errno::EPERM)] {
        let mut program = Program::on(Rules { lock_error: Some(errno), ..recorded.rules.clone() });
        recorded.expect_line(&format!(
            "locked unpriv-{label} {}",
            outcome(program.map(ANYWHERE, PRIVATE | numbers.locked))
        ));
    }
}

#[test]
fn growing_downwards() {
    compare_with_recordings([10, 10], |recorded| {
        let numbers = recorded.program().numbers();
        let (gd, fixed) = (numbers.growsdown, numbers.fixed);
        for (label, flags, below, neighbour, limit) in [
            ("control", 0, 1, None, 8 << 20),
            ("gd", gd, 1, None, 8 << 20),
            ("gd-far64", gd, 64, None, 8 << 20),
            ("gd-fixed", gd | fixed, 1, None, 8 << 20),
            ("gd-neighbour-rw-100pages", gd, 1, Some((READ_WRITE, 100)), 8 << 20),
            ("gd-neighbour-none-100pages", gd, 1, Some((PROT_NONE, 100)), 8 << 20),
            ("gd-neighbour-rw-300pages", gd, 1, Some((READ_WRITE, 300)), 8 << 20),
            ("gd-neighbour-none-2pages", gd, 1, Some((PROT_NONE, 2)), 8 << 20),
            ("rlimit-stack-1page", gd, 1, None, PAGE),
        ] {
            let mut program = Program::on(Rules { stack_limit: limit, ..recorded.rules.clone() });
            let addr = program.hole();
            if let Some((prot, pages)) = neighbour {
                program.map(ANYWHERE.prot(prot).at(addr - pages * PAGE), PRIVATE | fixed).unwrap();
            }
            let mapped = program.map(ANYWHERE.at(addr), PRIVATE | flags);
            let mut line = format!("growsdown {label} map=ok at={}", at(mapped, addr));
            line += if neighbour.is_some() { " neighbour=ok" } else { "" };
            line += &format!(" self={}", outcome(program.load(addr)));
            line += &format!(" below{below}={}", outcome(program.load(addr - below * PAGE)));
            let (start, vm_flags) = program.shown(addr).expect("the mapping in smaps");
            line += &format!(" vmflags={vm_flags} pages-below-now={}", (addr - start) / PAGE);
            let mincore = program.resident(addr - below * PAGE, 1);
            line += &format!(" mincore-below={}", mincore.map_or_else(error_name, |_| "mapped"));
            recorded.expect_line(&line);
        }
        let mut program = recorded.program();
        let memfd = Map::of(program.memfd());
        let (anonymous, shared) =
            (outcome(program.map(ANYWHERE, SHARED | gd)), outcome(program.map(memfd, SHARED | gd)));
        let private = outcome(program.map(memfd, PRIVATE | gd));
        recorded.expect_line(&format!(
            "growsdown anon-shared={anonymous} memfd-shared={shared} memfd-private={private}"
        ));
    });
}

#[test]
fn more_than_all_memory() {
    compare_with_recordings([4, 4], |recorded| {
        let noreserve = recorded.program().numbers().noreserve;
        let big = recorded.rules.memory + (64 << 20);
        for (number, overcommit) in OVERCOMMIT.into_iter().enumerate() {
            let mut program = Program::on(Rules { overcommit, ..recorded.rules.clone() });
            let mut line = format!("noreserve oc={number}");
            for (label, flags) in [
                ("big-plain", PRIVATE),
                ("big-noreserve", PRIVATE | noreserve),
                ("big-shared", SHARED),
                ("big-shared-noreserve", SHARED | noreserve),
            ] {
                let result = or_error(program.map(ANYWHERE.len(big), flags), |at| {
                    let vm_flags = program.vm_flags(at);
                    program.unmap(at, big).unwrap();
                    if flags & SHARED != 0 { "ok".into() } else { format!("ok[{vm_flags}]") }
                });
                line += &format!(" {label}={result}");
            }
            for (label, flags) in [("small=ok", PRIVATE | noreserve), ("small-plain", PRIVATE)] {
                let small = program.map(ANYWHERE, flags).unwrap();
                line += &format!(" {label} vmflags={}", program.vm_flags(small));
                program.unmap(small, PAGE).unwrap();
            }
            recorded.expect_line(&line);
        }
        let mut program = recorded.program();
        let plain = outcome(program.map(ANYWHERE.len(big).read_only(), PRIVATE));
        let flagged = outcome(program.map(ANYWHERE.len(big).read_only(), PRIVATE | noreserve));
        recorded.expect_words(
            &format!("env ro-big-plain={plain}"),
            &[format!("ro-big-noreserve={flagged}")],
        );
    });
}

#[test]
fn collapsed_huge_pages() {
    compare_with_recordings([16, 16], |recorded| {
        let stack = recorded.program().numbers().stack;
        for (label, flags) in [
            ("control", PRIVATE),
            ("private+stack", PRIVATE | stack),
            ("shared+stack", SHARED | stack),
            ("shared-control", SHARED),
        ] {
            let mut program = recorded.program();
            let (size, reserved) = (2 << 20, program.hole().next_multiple_of(2 << 20) - (8 << 20));
            let mapped = program.map(ANYWHERE.at(reserved).len(size), flags).unwrap();
            program.store(mapped, 1).unwrap();
            let words = [
                format!("vmflags={}", program.vm_flags(mapped)),
                format!("resident-after-1-touch={}", program.resident(mapped, 512).unwrap()),
                format!("collapse={}", outcome(program.advise(mapped, size, Advice::Collapse))),
                format!("resident-after-collapse={}", program.resident(mapped, 512).unwrap()),
            ];
            recorded.expect_words(&format!("stack {label} ok"), &words);
        }
    });
}

/// `VmFlags` of mappings with a single bit.
#[test]
fn vm_flags() {
    compare_with_recordings([56, 51], |recorded| {
        let (numbers, parisc) = (recorded.program().numbers(), recorded.is_parisc());
        let width = if parisc { 32 } else { 37 };
        let others = numbers.type_mask | numbers.anonymous | numbers.fixed | 1 << 20;
        for bit in (6..width).filter(|bit| 1 << bit & others == 0) {
            let mut program = recorded.program();
            // Next to unmapped pages, so that it does not merge with a neighbour.
            let (hole, fd) = (program.hole(), program.memfd());
            let bits = 1 << bit;
            let anonymous = program.map(ANYWHERE.at(hole), PRIVATE | bits);
            let anonymous = or_error(anonymous, |at| program.vm_flags(at));
            let file = program.map(Map::of(fd), SHARED | bits);
            let file = or_error(file, |at| program.vm_flags(at));
            recorded.expect_line(&format!(
                "vmf bit={bit} anon-private={anonymous} memfd-shared={file}"
            ));
        }
        let mut program = recorded.program();
        // MAP_SYNC of the other architectures; parisc assigns the bit to MAP_HUGETLB.
        let sync = 0x8_0000;
        let memfd = program.memfd();
        let tmpfs = program.open("/tmpfs/file", OpenMode::ReadWrite).unwrap();
        let zero = program.open("/dev/zero", OpenMode::ReadWrite).unwrap();
        let mut map = |label: &str, fd: Fd, flags: usize| {
            let result = or_error(program.map(Map::of(fd), flags), |at| {
                let vm_flags = program.vm_flags(at);
                program.unmap(at, PAGE).unwrap();
                format!("ok vmflags={vm_flags}")
            });
            recorded.expect_line(&format!("{label} {result}"));
        };
        map("sync anon-private", NO_FD, PRIVATE | sync);
        map("sync anon-shared", NO_FD, SHARED | sync);
        for (backing, fd) in [("memfd", memfd), ("tmpfs", tmpfs), ("zero", zero)] {
            map(&format!("sync {backing}-shared"), fd, SHARED | sync);
            map(&format!("sync {backing}-private"), fd, PRIVATE | sync);
            map(&format!("sync {backing}-shval"), fd, VALIDATE | sync);
            map(&format!("sync {backing}-private-bit24"), fd, PRIVATE | 1 << 24);
            map(&format!("sync {backing}-shval-bit24"), fd, VALIDATE | 1 << 24);
            map(&format!("sync {backing}-shval-noflag"), fd, VALIDATE);
        }
        for (label, bits) in [
            ("denywrite", numbers.denywrite),
            ("executable", numbers.executable),
            ("nonblock", numbers.nonblock),
            ("uninitialized", numbers.uninitialized),
            ("bit24", 1 << 24),
            ("bit31", 1 << 31),
        ] {
            let mapped = program.map(ANYWHERE, PRIVATE | bits).unwrap();
            let zeroed = u8::from(program.load(mapped) == Ok(0));
            let vm_flags = program.vm_flags(mapped);
            program.unmap(mapped, PAGE).unwrap();
            let validated = outcome(program.map(Map::of(memfd), VALIDATE | bits));
            recorded.expect_line(&format!(
                "misc {label} private=ok zeroed={zeroed} vmflags={vm_flags} shval={validated}"
            ));
        }
    });
}
