//! The simulated kernel against the effect tests of the recordings of Linux 4.10.17 (lines that
//! begin with `E`): each test makes the recorded calls and compares every word of the line. This
//! file covers which calls succeed, and at which address; `recorded_memory_effects.rs` covers the
//! rest.
//!
//! Not compared, because it is not simulated: page faults counted by `getrusage` (`populate`),
//! `VmLck` and `munlock` (`locked`), `mprotect` (`env ro-big`), a touch from user mode (`growsdown
//! user-touch`), `RLIMIT_AS` (`env rlimit_as`), page 0 (`env as-is`, `noreplace@0`; mapping it
//! panics), memfds with huge pages, executable mappings (`denywrite-file`), file offsets and
//! unassigned `PROT_*` bits (`misc`), and settings of the kernel (`thp`, `rlimit`, `nr_hugepages`,
//! `overcommit_memory`; rules of the simulated kernel). Addresses are compared by their relation to
//! each other.

use kernel::{Fd, Mmap, NO_FD, OpenMode, PROT_NONE};
use program::recorded::{at, compare_with_recordings};
use program::{
    ANYWHERE, BIT24, DROPPABLE, Map, NOREPLACE, PAGE, PRIVATE, SHARED, VALIDATE, error_name,
    outcome,
};

mod program;

const HUGE_SHIFT: u32 = 26;

#[test]
fn validation() {
    compare_with_recordings([39, 39], |recorded| {
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
                program.open(path, OpenMode::Read).unwrap()
            };
            let mut words =
                vec![format!("base={}", outcome(program.map(Map::of(fd).read_only(), VALIDATE)))];
            for bit in [21, 22, 23, 24, 25, 31] {
                words.push(format!(
                    "bit{bit}={}",
                    outcome(program.map(Map::of(fd).read_only(), VALIDATE | 1 << bit))
                ));
            }
            recorded.expect_words(&format!("shval {backing}"), &words);
        }
        let mut program = recorded.program();
        let hugetlb = program.numbers().hugetlb;
        recorded
            .expect_line(&format!("shval anon base={}", outcome(program.map(ANYWHERE, VALIDATE))));
        recorded.expect_line(&format!(
            "shval anon+hugetlb={}",
            outcome(program.map(ANYWHERE, VALIDATE | hugetlb))
        ));
        let file = Map::of(program.open("/tmpfs/file", OpenMode::Read).unwrap());
        let rejected = outcome(program.map(file, VALIDATE | BIT24));
        let (shared, bad) = (
            outcome(program.map(file, SHARED)),
            outcome(program.map(Map::of(99), VALIDATE | BIT24)),
        );
        recorded.expect_line(&format!(
            "shval rofile+PROT_WRITE+bit24={rejected} shared={shared} badfd+bit24={bad}"
        ));
        let directory = program.open("/tmpfs", OpenMode::Read).unwrap();
        let (pipe, smaps) = (
            program.kernel().pipe().unwrap().read_end,
            program.open("/proc/self/smaps", OpenMode::Read).unwrap(),
        );
        let mut words = Vec::new();
        for (label, fd, flags) in [
            ("base", directory, VALIDATE),
            ("bit24", directory, VALIDATE | BIT24),
            ("shared", directory, SHARED),
            ("pipe-base", pipe, VALIDATE),
            ("pipe-bit24", pipe, VALIDATE | BIT24),
            ("procfile-base", smaps, VALIDATE),
            ("procfile-bit24", smaps, VALIDATE | BIT24),
        ] {
            words.push(format!("{label}={}", outcome(program.map(Map::of(fd).read_only(), flags))));
        }
        recorded.expect_words("shval directory", &words);
        let (numbers, memfd) = (program.numbers(), program.memfd());
        let mut line = format!("droppable anon={}", outcome(program.map(ANYWHERE, DROPPABLE)));
        line += &format!(" memfd={}", outcome(program.map(Map::of(memfd), DROPPABLE)));
        for (label, more) in [
            ("locked", numbers.locked),
            ("growsdown", numbers.growsdown),
            ("hugetlb", numbers.hugetlb),
            ("populate", numbers.populate),
            ("stack", numbers.stack),
            ("noreserve", numbers.noreserve),
            ("noreplace", NOREPLACE),
        ] {
            line += &format!(" +{label}={}", outcome(program.map(ANYWHERE, DROPPABLE | more)));
        }
        recorded.expect_line(&line);
    });
}

/// The error of every bit on a pipe, which cannot be mapped.
#[test]
fn pipes() {
    compare_with_recordings([3, 3], |recorded| {
        let width = if recorded.is_parisc() { 32 } else { 64 };
        for (label, map_type) in [("shared", SHARED), ("private", PRIVATE), ("shval", VALIDATE)] {
            let mut program = recorded.program();
            let (pipe, numbers) =
                (Map::of(program.kernel().pipe().unwrap().read_end).read_only(), program.numbers());
            let hint = program.reserve(PAGE);
            let mut line = format!("pipe {label} base={}", outcome(program.map(pipe, map_type)));
            let bits: Vec<u32> = (0..width)
                .filter(|bit| 1 << bit & (numbers.type_mask | numbers.anonymous) == 0)
                .collect();
            let results: Vec<_> = bits
                .iter()
                .map(|bit| outcome(program.map(pipe.at(hint), map_type | 1 << bit)))
                .collect();
            for error in ["ENODEV", "EINVAL"] {
                let matching = bits.iter().zip(&results).filter(|(_, result)| **result == error);
                let matching: Vec<String> = matching.map(|(bit, _)| bit.to_string()).collect();
                if !matching.is_empty() {
                    line += &format!(" {error}@{}", matching.join(","));
                }
            }
            recorded.expect_line(&line);
        }
    });
}

#[test]
fn fixed_addresses() {
    compare_with_recordings([5, 5], |recorded| {
        let mut program = recorded.program();
        let (reserved, fixed) = (program.reserve(64 * PAGE), program.numbers().fixed);
        let occupied = at(program.map(ANYWHERE.at(reserved), PRIVATE), reserved);
        let replaced = at(program.map(ANYWHERE.at(reserved), PRIVATE | fixed), reserved);
        let unaligned = outcome(program.map(ANYWHERE.at(reserved + 1), PRIVATE | fixed));
        let hint = outcome(program.map(ANYWHERE.at(reserved + 1), PRIVATE));
        recorded.expect_line(&format!(
            "fixed nofixed-occupied=ok at={occupied} fixed-occupied=ok at={replaced} \
             fixed-unaligned={unaligned} nofixed-unaligned={hint}"
        ));
        let unmapped = program.hole();
        recorded.expect_words(
            "fixed nofixed-free-hint",
            &[format!("at={}", at(program.map(ANYWHERE.at(unmapped), PRIVATE), unmapped))],
        );
        let file = Map::of(program.memfd());
        let reserved = program.reserve(65 << 16).next_multiple_of(1 << 16);
        for map_type in [SHARED, PRIVATE] {
            let fitting = (0..64).filter(|step| {
                program.map(file.at(reserved + (step << 16)), map_type | fixed).is_ok()
            });
            let fitting = format!("ok={}/64", fitting.count());
            recorded.expect_words("fixed nofixed-free-hint", &[fitting]);
        }
        let last = program.map(file.at(reserved), SHARED | fixed);
        recorded.expect_words("fixed nofixed-free-hint", &[format!("lasterr={}", outcome(last))]);
        if recorded.is_parisc() {
            let [one, other] = [(); 2].map(|()| program.map(file, SHARED).unwrap() % (4 << 20));
            assert_eq!(one, other, "two shared mappings of one file");
        }
    });
}

#[test]
fn fixed_noreplace() {
    compare_with_recordings([21, 21], |recorded| {
        for (label, map_type) in [
            ("anon-private", PRIVATE),
            ("anon-shared", SHARED),
            ("memfd-private", PRIVATE),
            ("memfd-shared", SHARED),
            ("memfd-shval", VALIDATE),
        ] {
            let mut words = Vec::new();
            for (case, more, is_occupied) in [
                ("overlap", false, true),
                ("free", false, false),
                ("free+FIXED", true, false),
                ("overlap+FIXED", true, true),
            ] {
                let mut program = recorded.program();
                let map =
                    if label.starts_with("anon") { ANYWHERE } else { Map::of(program.memfd()) };
                let fixed = if more { program.numbers().fixed } else { 0 };
                let hole = program.hole();
                // With MAP_FIXED the address must have the file's cache colour.
                let of_file =
                    program.map(map, if map_type == VALIDATE { SHARED } else { map_type }).unwrap();
                let unmapped = if more {
                    hole - (8 << 20) + of_file.wrapping_sub(hole) % (4 << 20)
                } else {
                    hole
                };
                if is_occupied {
                    program.map(ANYWHERE.at(unmapped), PRIVATE | program.numbers().fixed).unwrap();
                }
                let result = program.map(map.at(unmapped), map_type | fixed | NOREPLACE);
                let result = result.map_or_else(
                    |errno| error_name(errno).into(),
                    |_| format!("ok(at={})", at(result, unmapped)),
                );
                words.push(format!("{case}={result}"));
            }
            recorded.expect_words(&format!("noreplace {label}"), &words);
        }
        let mut program = recorded.program();
        let reserved = program.reserve(PAGE);
        recorded.expect_line(&format!(
            "noreplace unaligned={}",
            outcome(program.map(ANYWHERE.at(reserved + 1), PRIVATE | NOREPLACE))
        ));
    });
}

/// `MAP_32BIT` and `MAP_ABOVE4G` by their numbers on x86, hints, and a full address space.
#[test]
fn address_ranges() {
    compare_with_recordings([10, 7], |recorded| {
        let anywhere = recorded.program().map(ANYWHERE, PRIVATE).unwrap();
        recorded.expect_words("addr plain=ok", &[format!("{anywhere:#x}")]);
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
        recorded.expect_words("addr lowhint plain", &words);
        let memfd = Map::of(program.memfd());
        recorded.expect_line(&format!(
            "addr memfd-shval+40={}",
            outcome(program.map(memfd, VALIDATE | 0x40))
        ));
        recorded.expect_line(&format!(
            "addr memfd-shval+80={}",
            outcome(program.map(memfd, VALIDATE | 0x80))
        ));
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
        recorded.expect_line(&format!(
            "addr 20Ghint plain at={plain} +0x40 ok at=0 {low:#x} hint2^56 ok {far:#x}"
        ));
        let block = ANYWHERE.len(64 << 20);
        let mut program = recorded.program();
        let blocks = std::iter::from_fn(|| program.map(block, PRIVATE | 0x40).ok()).count();
        let last = outcome(program.map(block, PRIVATE | 0x40));
        recorded.expect_line(&format!("env map_32bit 64M-blocks={blocks} then={last} last={last}"));
        let mut program = recorded.program();
        let mut size = 1 << 47;
        while size >= PAGE {
            match program.map(ANYWHERE.prot(PROT_NONE).len(size), PRIVATE) {
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
        recorded.expect_words("above4g-fill", &[plain]);
    });
}

#[test]
fn huge_pages() {
    compare_with_recordings([46, 42], |recorded| {
        let mut program = recorded.program();
        let (numbers, memfd) = (program.numbers(), Map::of(program.memfd()));
        let hugetlb = numbers.hugetlb;
        let size = 2 << 20;
        for (label, map_type) in [("private", PRIVATE), ("shared", SHARED), ("shval", VALIDATE)] {
            for log2 in [0, 12, 13, 14, 16, 18, 19, 20, 21, 22, 23, 24, 25, 28, 29, 30, 31, 34, 63]
            {
                if map_type != PRIVATE && ![0, 13, 21, 30].contains(&log2) {
                    continue;
                }
                let result =
                    program.map(ANYWHERE.len(size), map_type | hugetlb | log2 << HUGE_SHIFT);
                recorded.expect_line(&format!("huge {label} log2={log2} {}", outcome(result)));
            }
            let mapped = program.map(ANYWHERE.len(size), map_type | hugetlb | numbers.noreserve);
            let result = mapped.map_or_else(
                |errno| error_name(errno).into(),
                |at| {
                    let flags = program.vm_flags(at);
                    let (part, whole) =
                        (outcome(program.unmap(at, PAGE)), outcome(program.unmap(at, size)));
                    format!("ok vmflags={flags} munmap-1page={part} munmap-full={whole}")
                },
            );
            recorded.expect_line(&format!("huge {label} noreserve {result}"));
        }
        let mut line =
            format!("huge memfd-shared+hugetlb={}", outcome(program.map(memfd, SHARED | hugetlb)));
        line += &format!(" shval={}", outcome(program.map(memfd, VALIDATE | hugetlb)));
        line += &format!(
            " sizebits-without-hugetlb shared={}",
            outcome(program.map(memfd, SHARED | 21 << HUGE_SHIFT))
        );
        line += &format!(" shval={}", outcome(program.map(memfd, VALIDATE | 21 << HUGE_SHIFT)));
        recorded.expect_line(&line);
        let mut words = Vec::new();
        for log2 in [0, 13, 14, 16, 20, 21, 24, 25, 29, 30, 34] {
            let mapped =
                program.map(ANYWHERE, PRIVATE | hugetlb | numbers.noreserve | log2 << HUGE_SHIFT);
            let result = mapped.map_or_else(
                |errno| error_name(errno).into(),
                |at| format!("ok(len={size},munmap1={})", outcome(program.unmap(at, PAGE))),
            );
            words.push(format!("log2_{log2}={result}"));
        }
        recorded.expect_words("hugenr", &words);
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
                let (part, whole) =
                    (outcome(program.unmap(at, PAGE)), outcome(program.unmap(at, size)));
                recorded.expect_line(&format!(
                    "huge {label} log2={log2} ok len={size} vmflags={flags} KernelPageSize=2048 \
                     Locked=0 munmap-1page={part} munmap-full={whole}"
                ));
            }
        }
    });
}

/// The content of a file and of its mapping, before and after a store through the mapping.
#[test]
fn map_types() {
    compare_with_recordings([9, 8], |recorded| {
        let anonymous = recorded.program().numbers().anonymous;
        let mut program = recorded.program();
        for map_type in [SHARED, PRIVATE, VALIDATE, SHARED | anonymous, PRIVATE | anonymous] {
            let fd: Fd = program.memfd();
            program.kernel().write(fd, b"Q").result().unwrap();
            let result = program.map(Map::of(fd), map_type).map_or_else(
                |errno| error_name(errno).into(),
                |at| {
                    let saw = match program.load(at).unwrap() {
                        0 => '0',
                        byte => char::from(byte),
                    };
                    let flags = program.vm_flags(at);
                    program.store(at, b'W').unwrap();
                    let after = char::from(program.first_byte(fd));
                    program.unmap(at, PAGE).unwrap();
                    format!("ok saw={saw} file-after={after} vmflags={flags}")
                },
            );
            recorded.expect_line(&format!("misc type={map_type:x} {result}"));
        }
        let empty = format!("len0={}", outcome(program.map(ANYWHERE.len(0), PRIVATE)));
        let long = format!(
            "hugelen={}",
            outcome(program.map(ANYWHERE.len(usize::MAX - PAGE + 1), PRIVATE))
        );
        let numbers = program.numbers();
        let bad_fd = Map { fd: 99, ..ANYWHERE };
        let bad =
            format!("anon-badfd={}", outcome(program.map(bad_fd, PRIVATE | numbers.anonymous)));
        let none = format!(
            "file-fd-1={}",
            outcome(
                program
                    .kernel()
                    .mmap(&Mmap { addr: 0, len: PAGE, prot: 1, flags: PRIVATE, fd: NO_FD })
                    .result()
            )
        );
        recorded.expect_words(&format!("misc {empty}"), &[bad, none, long]);
        if !recorded.is_parisc() {
            let (memfd, bit63) = (Map::of(program.memfd()), 1 << 63);
            let private = outcome(program.map(ANYWHERE, PRIVATE | bit63));
            let shared = outcome(program.map(memfd, SHARED | bit63));
            let validated = outcome(program.map(memfd, VALIDATE | bit63));
            recorded.expect_line(&format!(
                "misc bit63 anon-private={private} memfd-shared={shared} memfd-shval={validated}"
            ));
        }
    });
}
