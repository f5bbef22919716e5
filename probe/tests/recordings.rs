//! The kernel made of rules against what real kernels before 4.15 answered: the sweep of single calls, cell by cell.

use mapprobe::kernel::model::{Machine, Rules};
use mapprobe::kernel::{Fd, How, NO_FD};
use program::{Map, PRIVATE, Program, SHARED, name};

mod program;

/// A file for every backing of the sweep, by its name there.
fn backing(program: &mut Program, name: &str) -> Fd {
    match name {
        "anon" => NO_FD,
        "memfd" => program.memfd(),
        "tmpfs" => program.open("/tmpfs/file", How::ReadWrite).expect("a file"),
        "exe" => program.open("/tmpfs/file", How::Read).expect("a file"),
        "zero" => program.open("/dev/zero", How::ReadWrite).expect("a device"),
        _ => panic!("{name}"),
    }
}

/// The answers to one `mmap` per line of a recording's sweep, asked of the model: where they differ, and how many were compared.
fn differences(recording: &str, rules: Rules) -> (usize, Vec<String>) {
    let fresh = Program::on(rules);
    let (mut compared, mut differ) = (0, Vec::new());
    for line in recording.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["S", backed, map_type, bit, ref answer @ ..] = words[..] else { continue };
        let map_type = match map_type {
            "shared" => 1,
            "private" => 2,
            "shval" => 3,
            other => u64::from_str_radix(other.strip_prefix('t').unwrap(), 16).unwrap(),
        };
        let bit = bit.strip_prefix("bit=").map_or(0, |bit| 1 << bit.parse::<u32>().unwrap());
        let mut program = fresh.clone();
        let fd = backing(&mut program, backed);
        // The hint is a page that is taken, and of the colour of the file.
        let shared = if fd == NO_FD { PRIVATE } else { SHARED };
        let hint = program.map(Map::of(fd).read_only(), shared).unwrap();
        let got = program.map(Map::of(fd).read_only().at(hint), map_type | bit);
        let got = match got {
            Ok(addr) if addr == hint => "ok athint",
            Ok(addr) if addr < 1 << 31 => "ok low2G",
            Ok(_) => "ok else",
            Err(errno) => name(errno),
        };
        let recorded = match answer {
            ["ok", place] => format!("ok {place}"),
            [_, name] => name.to_string(),
            _ => panic!("{line}"),
        };
        compared += 1;
        if got != recorded {
            differ.push(format!("{line}: the model says {got}"));
        }
    }
    (compared, differ)
}

#[track_caller]
fn agrees(recording: &str, machine: Machine, cells: usize) {
    let (compared, differ) = differences(recording, Rules::new(machine, (4, 10)));
    assert_eq!(
        differ.len(),
        0,
        "{} of {compared} cells differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
    assert_eq!(compared, cells);
    let swept = recording.lines().filter(|line| line.starts_with("S ")).count();
    assert_eq!(compared, swept, "every cell of the sweep");
}

#[test]
fn x86_64_4_10() {
    agrees(include_str!("recordings/x86_64-4.10.17.txt"), Machine::X86, 2784);
}

#[test]
fn hppa_4_10() {
    agrees(include_str!("recordings/hppa-4.10.17.txt"), Machine::Parisc, 2304);
}
