//! The kernel made of rules against the effect tests in the recordings, as in `probe/tests/effects.rs`: what mappings do after they
//! are made, and what `/proc/self/smaps` says of them.

use mapprobe::errno::Errno;
use mapprobe::kernel::model::Rules;
use mapprobe::kernel::{Advice, Fd, How, NO_FD, PROT_NONE, PROT_READ};
use program::recorded::{Recorded, agree, at};
use program::{ANYWHERE, Map, PAGE, PRIVATE, Program, RW, Result, SHARED, VALIDATE, name, word};

mod program;

/// Says `ok` and what else there is to say, or the error.
fn or_error(mapped: Result<u64>, say: impl FnOnce(u64) -> String) -> String {
    mapped.map_or_else(|errno| name(errno).into(), say)
}

#[test]
fn pages_in_memory() {
    agree([45, 45], |recorded| {
        let layout = recorded.program().layout();
        for (label, more, prot) in [
            ("none", 0, RW),
            ("populate", layout.populate, RW),
            ("populate+nonblock", layout.populate | layout.nonblock, RW),
            ("nonblock", layout.nonblock, RW),
            ("populate-protnone", layout.populate, PROT_NONE),
            ("populate-ro", layout.populate, PROT_READ),
            ("locked", layout.locked, RW),
            ("locked+nonblock", layout.locked | layout.nonblock, RW),
        ] {
            for (backing, map_type) in
                [("anon-private", PRIVATE), ("anon-shared", SHARED), ("memfd-shared", SHARED)]
            {
                let mut program = recorded.program();
                let fd = if backing == "memfd-shared" { program.memfd() } else { NO_FD };
                if fd != NO_FD {
                    program.kernel().write(fd, b"x").result().unwrap();
                    program.model.truncate(fd, 32 * PAGE);
                }
                let mapped = program
                    .map(Map { addr: 0, len: 32 * PAGE, prot, fd }, map_type | more)
                    .unwrap();
                let resident = program.resident(mapped, 32).unwrap();
                recorded.says(
                    &format!("populate {backing} {label} ok"),
                    &[format!("resident={resident}/32")],
                );
            }
        }
        for (label, rules) in [("mlockall(MCL_FUTURE)=ok plain-map=ok", true), ("unpriv", false)] {
            let mut program = Program::on(Rules {
                locks_everything: rules,
                root: rules,
                ..recorded.rules.clone()
            });
            let mapped = program.map(ANYWHERE.len(4 * PAGE), PRIVATE).unwrap();
            let resident = program.resident(mapped, 4).unwrap();
            let words = match rules {
                true => vec![
                    format!(
                        "dontneed={}",
                        word(program.advise(mapped, 4 * PAGE, Advice::DontNeed))
                    ),
                    format!("resident={resident}/4"),
                    format!("vmflags={}", program.vm_flags(mapped)),
                ],
                false => vec![format!("anon-nopopulate={}/16", resident)],
            };
            recorded.says(&format!("env {label}"), &words);
        }
        locked(recorded);
    });
}

fn locked(recorded: &mut Recorded) {
    let layout = recorded.program().layout();
    for (label, map_type, is_file, more) in [
        ("control-nolock", PRIVATE, false, 0),
        ("anon-private", PRIVATE, false, layout.locked),
        ("anon-shared", SHARED, false, layout.locked),
        ("memfd-shared", SHARED, true, layout.locked),
        ("memfd-private", PRIVATE, true, layout.locked),
    ] {
        let mut program = recorded.program();
        let fd = if is_file { program.memfd() } else { NO_FD };
        if is_file {
            program.model.truncate(fd, 4 * PAGE);
        }
        let mapped =
            program.map(Map { addr: 0, len: 4 * PAGE, prot: RW, fd }, map_type | more).unwrap();
        let words = [
            format!("vmflags={}", program.vm_flags(mapped)),
            format!("dontneed={}", word(program.advise(mapped, 4 * PAGE, Advice::DontNeed))),
            format!(
                "msync_inval={}",
                word(program.kernel().msync_invalidate(mapped, 4 * PAGE).result())
            ),
        ];
        recorded.says(
            &format!("locked {label} ok"),
            &words[..if label == "control-nolock" { 2 } else { 3 }],
        );
    }
    let mut program = recorded.program();
    let memfd = Map::of(program.memfd());
    recorded
        .has(&format!("locked memfd-shval {}", word(program.map(memfd, VALIDATE | layout.locked))));
    for (label, errno) in [("rlimit-2pages", Errno::EAGAIN), ("rlimit0", Errno::EPERM)] {
        let mut program =
            Program::on(Rules { lock_refusal: Some(errno), ..recorded.rules.clone() });
        recorded.has(&format!(
            "locked unpriv-{label} {}",
            word(program.map(ANYWHERE, PRIVATE | layout.locked))
        ));
    }
}

#[test]
fn growing_downwards() {
    agree([10, 10], |recorded| {
        let layout = recorded.program().layout();
        let (gd, fixed) = (layout.growsdown, layout.fixed);
        for (label, flags, below, neighbour, limit) in [
            ("control", 0, 1, None, 8 << 20),
            ("gd", gd, 1, None, 8 << 20),
            ("gd-far64", gd, 64, None, 8 << 20),
            ("gd-fixed", gd | fixed, 1, None, 8 << 20),
            ("gd-neighbour-rw-100pages", gd, 1, Some((RW, 100)), 8 << 20),
            ("gd-neighbour-none-100pages", gd, 1, Some((PROT_NONE, 100)), 8 << 20),
            ("gd-neighbour-rw-300pages", gd, 1, Some((RW, 300)), 8 << 20),
            ("gd-neighbour-none-2pages", gd, 1, Some((PROT_NONE, 2)), 8 << 20),
            ("rlimit-stack-1page", gd, 1, None, PAGE),
        ] {
            let mut program = Program::on(Rules { stack_limit: limit, ..recorded.rules.clone() });
            let addr = program.hole();
            if let Some((prot, pages)) = neighbour {
                program
                    .map(Map { prot, ..ANYWHERE }.at(addr - pages * PAGE), PRIVATE | fixed)
                    .unwrap();
            }
            let mapped = program.map(ANYWHERE.at(addr), PRIVATE | flags);
            let mut line = format!("growsdown {label} map=ok at={}", at(mapped, addr));
            line += if neighbour.is_some() { " neighbour=ok" } else { "" };
            line += &format!(" self={}", word(program.get(addr)));
            line += &format!(" below{below}={}", word(program.get(addr - below * PAGE)));
            let (start, vm_flags) = program.shown(addr);
            line += &format!(" vmflags={vm_flags} pages-below-now={}", (addr - start) / PAGE);
            let mincore = program.resident(addr - below * PAGE, 1);
            line += &format!(" mincore-below={}", mincore.map_or_else(name, |_| "mapped"));
            recorded.has(&line);
        }
        let mut program = recorded.program();
        let memfd = Map::of(program.memfd());
        let (anonymous, shared) =
            (word(program.map(ANYWHERE, SHARED | gd)), word(program.map(memfd, SHARED | gd)));
        let private = word(program.map(memfd, PRIVATE | gd));
        recorded.has(&format!(
            "growsdown anon-shared={anonymous} memfd-shared={shared} memfd-private={private}"
        ));
    });
}

#[test]
fn memory_that_is_not_there() {
    agree([4, 4], |recorded| {
        let noreserve = recorded.program().layout().noreserve;
        let big = recorded.rules.memory + (64 << 20);
        for overcommit in 0..3 {
            let mut program = Program::on(Rules { overcommit, ..recorded.rules.clone() });
            let mut line = format!("noreserve oc={overcommit}");
            for (label, flags) in [
                ("big-plain", PRIVATE),
                ("big-noreserve", PRIVATE | noreserve),
                ("big-shared", SHARED),
                ("big-shared-noreserve", SHARED | noreserve),
            ] {
                let said = or_error(program.map(ANYWHERE.len(big), flags), |at| {
                    let vm_flags = program.vm_flags(at);
                    program.unmap(at, big).unwrap();
                    if flags & SHARED != 0 { "ok".into() } else { format!("ok[{vm_flags}]") }
                });
                line += &format!(" {label}={said}");
            }
            for (label, flags) in [("small=ok", PRIVATE | noreserve), ("small-plain", PRIVATE)] {
                let small = program.map(ANYWHERE, flags).unwrap();
                line += &format!(" {label} vmflags={}", program.vm_flags(small));
                program.unmap(small, PAGE).unwrap();
            }
            recorded.has(&line);
        }
        let mut program = recorded.program();
        let plain = word(program.map(ANYWHERE.len(big).read_only(), PRIVATE));
        let flagged = word(program.map(ANYWHERE.len(big).read_only(), PRIVATE | noreserve));
        recorded
            .says(&format!("env ro-big-plain={plain}"), &[format!("ro-big-noreserve={flagged}")]);
    });
}

#[test]
fn huge_pages_on_demand() {
    agree([16, 16], |recorded| {
        let stack = recorded.program().layout().stack;
        for (label, flags) in [
            ("control", PRIVATE),
            ("private+stack", PRIVATE | stack),
            ("shared+stack", SHARED | stack),
            ("shared-control", SHARED),
        ] {
            let mut program = recorded.program();
            let (size, ground) = (2 << 20, program.hole().next_multiple_of(2 << 20) - (8 << 20));
            let mapped = program.map(ANYWHERE.at(ground).len(size), flags).unwrap();
            program.put(mapped, 1).unwrap();
            let words = [
                format!("vmflags={}", program.vm_flags(mapped)),
                format!("resident-after-1-touch={}", program.resident(mapped, 512).unwrap()),
                format!("collapse={}", word(program.advise(mapped, size, Advice::Collapse))),
                format!("resident-after-collapse={}", program.resident(mapped, 512).unwrap()),
            ];
            recorded.says(&format!("stack {label} ok"), &words);
        }
    });
}

/// What is recorded of single bits in `VmFlags`.
#[test]
fn recorded_flags() {
    agree([56, 51], |recorded| {
        let (layout, parisc) = (recorded.program().layout(), recorded.is_parisc());
        let width = if parisc { 32 } else { 37 };
        let others = layout.type_mask | layout.anonymous | layout.fixed | 1 << 20;
        for bit in (6..width).filter(|bit| 1 << bit & others == 0) {
            let mut program = recorded.program();
            // With ground on both sides, so that it stays a mapping of its own.
            let (hole, fd) = (program.hole(), program.memfd());
            let bits = 1 << bit;
            let anonymous = program.map(ANYWHERE.at(hole), PRIVATE | bits);
            let anonymous = or_error(anonymous, |at| program.vm_flags(at));
            let file = program.map(Map::of(fd), SHARED | bits);
            let file = or_error(file, |at| program.vm_flags(at));
            recorded.has(&format!("vmf bit={bit} anon-private={anonymous} memfd-shared={file}"));
        }
        let mut program = recorded.program();
        // MAP_SYNC by its number elsewhere: on parisc that is MAP_HUGETLB.
        let sync = 0x8_0000;
        let memfd = program.memfd();
        let tmpfs = program.open("/tmpfs/file", How::ReadWrite).unwrap();
        let zero = program.open("/dev/zero", How::ReadWrite).unwrap();
        let mut ask = |label: &str, fd: Fd, flags: u64| {
            let said = or_error(program.map(Map::of(fd), flags), |at| {
                let said = format!("ok vmflags={}", program.vm_flags(at));
                program.unmap(at, PAGE).unwrap();
                said
            });
            recorded.has(&format!("{label} {said}"));
        };
        ask("sync anon-private", NO_FD, PRIVATE | sync);
        ask("sync anon-shared", NO_FD, SHARED | sync);
        for (backing, fd) in [("memfd", memfd), ("tmpfs", tmpfs), ("zero", zero)] {
            ask(&format!("sync {backing}-shared"), fd, SHARED | sync);
            ask(&format!("sync {backing}-private"), fd, PRIVATE | sync);
            ask(&format!("sync {backing}-shval"), fd, VALIDATE | sync);
            ask(&format!("sync {backing}-private-bit24"), fd, PRIVATE | 1 << 24);
            ask(&format!("sync {backing}-shval-bit24"), fd, VALIDATE | 1 << 24);
            ask(&format!("sync {backing}-shval-noflag"), fd, VALIDATE);
        }
        for (label, bits) in [
            ("denywrite", layout.denywrite),
            ("executable", layout.executable),
            ("nonblock", layout.nonblock),
            ("uninitialized", layout.uninitialized),
            ("bit24", 1 << 24),
            ("bit31", 1 << 31),
        ] {
            let mapped = program.map(ANYWHERE, PRIVATE | bits).unwrap();
            let zeroed = u8::from(program.get(mapped) == Ok(0));
            let vm_flags = program.vm_flags(mapped);
            program.unmap(mapped, PAGE).unwrap();
            let validated = word(program.map(Map::of(memfd), VALIDATE | bits));
            recorded.has(&format!(
                "misc {label} private=ok zeroed={zeroed} vmflags={vm_flags} shval={validated}"
            ));
        }
    });
}
