//! The kernel made of rules against the effect tests in the recordings (`E` lines): the same is done on the model as was done there,
//! and what the recorded line says is compared word by word. This file: what is accepted, and where it goes;
//! `probe/tests/memory_effects.rs` has the rest.
//!
//! Not compared, since the model has nothing that answers: page faults counted by `getrusage` (`populate`), `VmLck` and `munlock`
//! (`locked`), `mprotect` (`env ro-big`), a touch from user mode (`growsdown user-touch`), `RLIMIT_AS` (`env rlimit_as`), page 0 (`env
//! as-is`, `noreplace@0`: the model ends a test that maps it), huge memfds, executable mappings (`denywrite-file`), file offsets and
//! unknown `PROT_*` bits (`misc`), the kernel's settings (`thp`, `rlimit`, `nr_hugepages`, `overcommit_memory` are rules here). Addresses
//! are compared by what they have to do with each other.

use mapprobe::kernel::{Fd, How, Mmap, NO_FD};
use program::recorded::{agree, at};
use program::{ANYWHERE, Map, NOREPLACE, PAGE, PRIVATE, SHARED, VALIDATE, name, word};

mod program;

const BIT24: u64 = 1 << 24;
const HUGE_SHIFT: u32 = 26;

#[test]
fn validation() {
    agree([39, 39], |recorded| {
        for (backing, path) in [
            ("memfd", ""),
            ("tmpfs", "/tmpfs/file"),
            ("zero", "/dev/zero"),
            ("exe", "/readonly/file"),
        ] {
            let mut program = recorded.program();
            let fd = if path.is_empty() {
                program.memfd()
            } else {
                program.open(path, How::Read).unwrap()
            };
            let mut words =
                vec![format!("base={}", word(program.map(Map::of(fd).read_only(), VALIDATE)))];
            for bit in [21, 22, 23, 24, 25, 31] {
                words.push(format!(
                    "bit{bit}={}",
                    word(program.map(Map::of(fd).read_only(), VALIDATE | 1 << bit))
                ));
            }
            recorded.says(&format!("shval {backing}"), &words);
        }
        let mut program = recorded.program();
        let hugetlb = program.layout().hugetlb;
        recorded.has(&format!("shval anon base={}", word(program.map(ANYWHERE, VALIDATE))));
        recorded.has(&format!(
            "shval anon+hugetlb={}",
            word(program.map(ANYWHERE, VALIDATE | hugetlb))
        ));
        let file = Map::of(program.open("/tmpfs/file", How::Read).unwrap());
        let refused = word(program.map(file, VALIDATE | BIT24));
        let (shared, bad) =
            (word(program.map(file, SHARED)), word(program.map(Map::of(99), VALIDATE | BIT24)));
        recorded.has(&format!(
            "shval rofile+PROT_WRITE+bit24={refused} shared={shared} badfd+bit24={bad}"
        ));
        let folder = program.open("/tmpfs", How::Read).unwrap();
        let (pipe, smaps) = (
            program.kernel().pipe().unwrap().0,
            program.open("/proc/self/smaps", How::Read).unwrap(),
        );
        let mut words = Vec::new();
        for (label, fd, flags) in [
            ("base", folder, VALIDATE),
            ("bit24", folder, VALIDATE | BIT24),
            ("shared", folder, SHARED),
            ("pipe-base", pipe, VALIDATE),
            ("pipe-bit24", pipe, VALIDATE | BIT24),
            ("procfile-base", smaps, VALIDATE),
            ("procfile-bit24", smaps, VALIDATE | BIT24),
        ] {
            words.push(format!("{label}={}", word(program.map(Map::of(fd).read_only(), flags))));
        }
        recorded.says("shval directory", &words);
        let (layout, memfd) = (program.layout(), program.memfd());
        let mut line = format!("droppable anon={}", word(program.map(ANYWHERE, 8)));
        line += &format!(" memfd={}", word(program.map(Map::of(memfd), 8)));
        for (label, more) in [
            ("locked", layout.locked),
            ("growsdown", layout.growsdown),
            ("hugetlb", layout.hugetlb),
            ("populate", layout.populate),
            ("stack", layout.stack),
            ("noreserve", layout.noreserve),
            ("noreplace", NOREPLACE),
        ] {
            line += &format!(" +{label}={}", word(program.map(ANYWHERE, 8 | more)));
        }
        recorded.has(&line);
    });
}

/// Every bit of the flags argument on a pipe: which error it gives.
#[test]
fn pipes() {
    agree([3, 3], |recorded| {
        let width = if recorded.is_parisc() { 32 } else { 64 };
        for (label, map_type) in [("shared", SHARED), ("private", PRIVATE), ("shval", VALIDATE)] {
            let mut program = recorded.program();
            let (pipe, layout) =
                (Map::of(program.kernel().pipe().unwrap().0).read_only(), program.layout());
            let hint = program.ground(PAGE);
            let mut line = format!("pipe {label} base={}", word(program.map(pipe, map_type)));
            let bits: Vec<u32> = (0..width)
                .filter(|bit| 1 << bit & (layout.type_mask | layout.anonymous) == 0)
                .collect();
            let answers: Vec<_> = bits
                .iter()
                .map(|bit| word(program.map(pipe.at(hint), map_type | 1 << bit)))
                .collect();
            for error in ["ENODEV", "EINVAL"] {
                let those = bits.iter().zip(&answers).filter(|(_, answer)| **answer == error);
                let those: Vec<String> = those.map(|(bit, _)| bit.to_string()).collect();
                if !those.is_empty() {
                    line += &format!(" {error}@{}", those.join(","));
                }
            }
            recorded.has(&line);
        }
    });
}

#[test]
fn fixed_addresses() {
    agree([5, 5], |recorded| {
        let mut program = recorded.program();
        let (ground, fixed) = (program.ground(64 * PAGE), program.layout().fixed);
        let occupied = at(program.map(ANYWHERE.at(ground), PRIVATE), ground);
        let replaced = at(program.map(ANYWHERE.at(ground), PRIVATE | fixed), ground);
        let unaligned = word(program.map(ANYWHERE.at(ground + 1), PRIVATE | fixed));
        let hint = word(program.map(ANYWHERE.at(ground + 1), PRIVATE));
        recorded.has(&format!(
            "fixed nofixed-occupied=ok at={occupied} fixed-occupied=ok at={replaced} fixed-unaligned={unaligned} \
             nofixed-unaligned={hint}"
        ));
        let free = program.hole();
        recorded.says(
            "fixed nofixed-free-hint",
            &[format!("at={}", at(program.map(ANYWHERE.at(free), PRIVATE), free))],
        );
        let file = Map::of(program.memfd());
        let ground = program.ground(65 << 16).next_multiple_of(1 << 16);
        for map_type in [SHARED, PRIVATE] {
            let fitting = (0..64).filter(|step| {
                program.map(file.at(ground + (step << 16)), map_type | fixed).is_ok()
            });
            let fitting = format!("ok={}/64", fitting.count());
            recorded.says("fixed nofixed-free-hint", &[fitting]);
        }
        let last = program.map(file.at(ground), SHARED | fixed);
        recorded.says("fixed nofixed-free-hint", &[format!("lasterr={}", word(last))]);
        if recorded.is_parisc() {
            let [one, other] = [(); 2].map(|()| program.map(file, SHARED).unwrap() % (4 << 20));
            assert_eq!(one, other, "two shared mappings of one file");
        }
    });
}

#[test]
fn addresses_that_are_not_to_be_replaced() {
    agree([21, 21], |recorded| {
        for (label, map_type) in [
            ("anon-private", PRIVATE),
            ("anon-shared", SHARED),
            ("memfd-private", PRIVATE),
            ("memfd-shared", SHARED),
            ("memfd-shval", VALIDATE),
        ] {
            let mut words = Vec::new();
            for (case, more, is_taken) in [
                ("overlap", false, true),
                ("free", false, false),
                ("free+FIXED", true, false),
                ("overlap+FIXED", true, true),
            ] {
                let mut program = recorded.program();
                let map =
                    if label.starts_with("anon") { ANYWHERE } else { Map::of(program.memfd()) };
                let fixed = if more { program.layout().fixed } else { 0 };
                let hole = program.hole();
                // With MAP_FIXED an address of the file's colour.
                let of_file =
                    program.map(map, if map_type == VALIDATE { SHARED } else { map_type }).unwrap();
                let free = if more {
                    hole - (8 << 20) + of_file.wrapping_sub(hole) % (4 << 20)
                } else {
                    hole
                };
                if is_taken {
                    program.map(ANYWHERE.at(free), PRIVATE | program.layout().fixed).unwrap();
                }
                let result = program.map(map.at(free), map_type | fixed | NOREPLACE);
                let said = result.map_or_else(
                    |errno| name(errno).into(),
                    |_| format!("ok(at={})", at(result, free)),
                );
                words.push(format!("{case}={said}"));
            }
            recorded.says(&format!("noreplace {label}"), &words);
        }
        let mut program = recorded.program();
        let ground = program.ground(PAGE);
        recorded.has(&format!(
            "noreplace unaligned={}",
            word(program.map(ANYWHERE.at(ground + 1), PRIVATE | NOREPLACE))
        ));
    });
}

/// `MAP_32BIT` and `MAP_ABOVE4G` by the numbers of x86, hints, and an address space that is full.
#[test]
fn address_ranges() {
    agree([10, 7], |recorded| {
        let anywhere = recorded.program().map(ANYWHERE, PRIVATE).unwrap();
        recorded.says("addr plain=ok", &[format!("{anywhere:#x}")]);
        let low = 0x3000_0000;
        let mut program = recorded.program();
        let mut words = Vec::new();
        for bits in [0, 0x80, 0x40, 0xc0] {
            let at = program.map(ANYWHERE.at(low), PRIVATE | bits).unwrap();
            words.push(if bits == 0 {
                format!("at={}", u8::from(at == low))
            } else {
                format!("{at:#x}")
            });
            program.unmap(at, PAGE).unwrap();
        }
        recorded.says("addr lowhint plain", &words);
        let memfd = Map::of(program.memfd());
        recorded.has(&format!("addr memfd-shval+40={}", word(program.map(memfd, VALIDATE | 0x40))));
        recorded.has(&format!("addr memfd-shval+80={}", word(program.map(memfd, VALIDATE | 0x80))));
        if recorded.is_parisc() {
            return;
        }
        let mut program = recorded.program();
        let (high, far) = (20 << 30, 1 << 56);
        let hinted = program.map(ANYWHERE.at(high), PRIVATE);
        let plain = u8::from(hinted == Ok(high));
        program.unmap(hinted.unwrap(), PAGE).unwrap();
        let low = program.map(ANYWHERE.at(high), PRIVATE | 0x40).unwrap();
        let far = program.map(ANYWHERE.at(far), PRIVATE).unwrap();
        recorded.has(&format!(
            "addr 20Ghint plain at={plain} +0x40 ok at=0 {low:#x} hint2^56 ok {far:#x}"
        ));
        let block = ANYWHERE.len(64 << 20);
        let mut program = recorded.program();
        let blocks = std::iter::from_fn(|| program.map(block, PRIVATE | 0x40).ok()).count();
        let last = word(program.map(block, PRIVATE | 0x40));
        recorded.has(&format!("env map_32bit 64M-blocks={blocks} then={last} last={last}"));
        let mut program = recorded.program();
        let mut size = 1 << 47;
        while size >= PAGE {
            match program.map(Map { prot: 0, ..ANYWHERE }.len(size), PRIVATE) {
                Ok(at) if at < 1 << 32 => {
                    program.unmap(at, size).unwrap();
                    size /= 2;
                }
                Ok(_) => {}
                Err(_) => size /= 2,
            }
        }
        let [plain, above] = [0, 0x80].map(|bit| {
            let at = program.map(ANYWHERE, PRIVATE | bit).unwrap();
            program.unmap(at, PAGE).unwrap();
            format!("{at:#x}")
        });
        assert_eq!(plain, above);
        recorded.says("above4g-fill", &[plain]);
    });
}

#[test]
fn huge_pages() {
    agree([46, 42], |recorded| {
        let mut program = recorded.program();
        let (layout, memfd) = (program.layout(), Map::of(program.memfd()));
        let hugetlb = layout.hugetlb;
        let size = 2 << 20;
        for (label, map_type) in [("private", PRIVATE), ("shared", SHARED), ("shval", VALIDATE)] {
            for log2 in [0, 12, 13, 14, 16, 18, 19, 20, 21, 22, 23, 24, 25, 28, 29, 30, 31, 34, 63]
            {
                if map_type != PRIVATE && ![0, 13, 21, 30].contains(&log2) {
                    continue;
                }
                let answer =
                    program.map(ANYWHERE.len(size), map_type | hugetlb | log2 << HUGE_SHIFT);
                recorded.has(&format!("huge {label} log2={log2} {}", word(answer)));
            }
            let mapped = program.map(ANYWHERE.len(size), map_type | hugetlb | layout.noreserve);
            let said = mapped.map_or_else(
                |errno| name(errno).into(),
                |at| {
                    let flags = program.vm_flags(at);
                    let (part, whole) =
                        (word(program.unmap(at, PAGE)), word(program.unmap(at, size)));
                    format!("ok vmflags={flags} munmap-1page={part} munmap-full={whole}")
                },
            );
            recorded.has(&format!("huge {label} noreserve {said}"));
        }
        let mut line =
            format!("huge memfd-shared+hugetlb={}", word(program.map(memfd, SHARED | hugetlb)));
        line += &format!(" shval={}", word(program.map(memfd, VALIDATE | hugetlb)));
        line += &format!(
            " sizebits-without-hugetlb shared={}",
            word(program.map(memfd, SHARED | 21 << HUGE_SHIFT))
        );
        line += &format!(" shval={}", word(program.map(memfd, VALIDATE | 21 << HUGE_SHIFT)));
        recorded.has(&line);
        let mut words = Vec::new();
        for log2 in [0, 13, 14, 16, 20, 21, 24, 25, 29, 30, 34] {
            let mapped =
                program.map(ANYWHERE, PRIVATE | hugetlb | layout.noreserve | log2 << HUGE_SHIFT);
            let said = mapped.map_or_else(
                |errno| name(errno).into(),
                |at| format!("ok(len={size},munmap1={})", word(program.unmap(at, PAGE))),
            );
            words.push(format!("log2_{log2}={said}"));
        }
        recorded.says("hugenr", &words);
        if !recorded.is_parisc() {
            recorded.rules.pool = 4;
            let mut program = recorded.program();
            for (label, map_type, log2) in [
                ("private", PRIVATE, 0),
                ("private", PRIVATE, 21),
                ("shared", SHARED, 0),
                ("shared", SHARED, 21),
            ] {
                let at = program.map(ANYWHERE, map_type | hugetlb | log2 << HUGE_SHIFT).unwrap();
                let flags = program.vm_flags(at);
                let (part, whole) = (word(program.unmap(at, PAGE)), word(program.unmap(at, size)));
                recorded.has(&format!(
                    "huge {label} log2={log2} ok len={size} vmflags={flags} KernelPageSize=2048 Locked=0 \
                     munmap-1page={part} munmap-full={whole}"
                ));
            }
        }
    });
}

/// What a file says after a store through a mapping of it, and what the mapping says.
#[test]
fn map_types() {
    agree([9, 8], |recorded| {
        let anonymous = recorded.program().layout().anonymous;
        let mut program = recorded.program();
        for map_type in [SHARED, PRIVATE, VALIDATE, SHARED | anonymous, PRIVATE | anonymous] {
            let fd: Fd = program.memfd();
            program.kernel().write(fd, b"Q").result().unwrap();
            let said = program.map(Map::of(fd), map_type).map_or_else(
                |errno| name(errno).into(),
                |at| {
                    let saw = match program.get(at).unwrap() {
                        0 => '0',
                        byte => char::from(byte),
                    };
                    let flags = program.vm_flags(at);
                    program.put(at, b'W').unwrap();
                    let after = char::from(program.pread(fd));
                    program.unmap(at, PAGE).unwrap();
                    format!("ok saw={saw} file-after={after} vmflags={flags}")
                },
            );
            recorded.has(&format!("misc type={map_type:x} {said}"));
        }
        let empty = format!("len0={}", word(program.map(ANYWHERE.len(0), PRIVATE)));
        let long =
            format!("hugelen={}", word(program.map(ANYWHERE.len(u64::MAX - PAGE + 1), PRIVATE)));
        let layout = program.layout();
        let bad = Map { fd: 99, ..ANYWHERE };
        let bad = format!("anon-badfd={}", word(program.map(bad, PRIVATE | layout.anonymous)));
        let none = format!(
            "file-fd-1={}",
            word(
                program
                    .kernel()
                    .mmap(&Mmap { addr: 0, len: PAGE, prot: 1, flags: PRIVATE, fd: NO_FD })
                    .result()
            )
        );
        recorded.says(&format!("misc {empty}"), &[bad, none, long]);
        if !recorded.is_parisc() {
            let (memfd, bit63) = (Map::of(program.memfd()), 1 << 63);
            let private = word(program.map(ANYWHERE, PRIVATE | bit63));
            let shared = word(program.map(memfd, SHARED | bit63));
            let validated = word(program.map(memfd, VALIDATE | bit63));
            recorded.has(&format!(
                "misc bit63 anon-private={private} memfd-shared={shared} memfd-shval={validated}"
            ));
        }
    });
}
