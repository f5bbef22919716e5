//! The simulated kernel against recorded sweeps of Linux 4.10.17 (lines that begin with `S`): the
//! result of `mmap` with every single bit, for every map type and kind of file.

use kernel::{Fd, NO_FD, OpenMode};
use program::recorded::{HPPA, X86_64};
use program::{Map, PRIVATE, Program, SHARED, VALIDATE, error_name};
use simulator::{Machine, Rules};

mod program;

/// Opens the file of a sweep.
fn open_backing(program: &mut Program, name: &str) -> Fd {
    match name {
        "anon" => NO_FD,
        "memfd" => program.memfd(),
        "tmpfs" => program.open("/tmpfs/file", OpenMode::ReadWrite).expect("a file"),
        "exe" => program.open("/tmpfs/file", OpenMode::Read).expect("a file"),
        "zero" => program.open("/dev/zero", OpenMode::ReadWrite).expect("a device"),
        _ => panic!("unknown backing {name}"),
    }
}

fn map_type(name: &str) -> usize {
    match name {
        "shared" => SHARED,
        "private" => PRIVATE,
        "shval" => VALIDATE,
        number => {
            let digits = number.strip_prefix('t').expect("a map type in hexadecimal");
            usize::from_str_radix(digits, 16).expect("a map type in hexadecimal")
        }
    }
}

/// The result of a sweep's call on the simulated kernel, in the recording's words.
fn simulate(mut program: Program, backing: &str, flags: usize) -> &'static str {
    let fd = open_backing(&mut program, backing);
    // The hint is an occupied page, of the file's cache colour.
    let shared = if fd == NO_FD { PRIVATE } else { SHARED };
    let hint = program.map(Map::of(fd).read_only(), shared).expect("an occupied page");
    match program.map(Map::of(fd).read_only().at(hint), flags) {
        Ok(addr) if addr == hint => "ok athint",
        Ok(addr) if addr < 1 << 31 => "ok low2G",
        Ok(_) => "ok else",
        Err(errno) => error_name(errno),
    }
}

#[track_caller]
fn compare(recording: &str, machine: Machine, expected_lines: usize) {
    let program = Program::on(Rules::new(machine, (4, 10)));
    let (mut compared, mut mismatches) = (0, Vec::new());
    for line in recording.lines().filter(|line| line.starts_with("S ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["S", backing, type_name, bit, ref result @ ..] = words[..] else {
            panic!("a line of a sweep: {line}");
        };
        let bit = bit.strip_prefix("bit=").map_or(0, |bit| 1 << bit.parse::<u32>().unwrap());
        let recorded = match result {
            ["ok", place] => format!("ok {place}"),
            [_, error] => error.to_string(),
            _ => panic!("a result: {line}"),
        };
        let simulated = simulate(program.clone(), backing, map_type(type_name) | bit);
        compared += 1;
        if simulated != recorded {
            mismatches.push(format!("{line}: simulated: {simulated}"));
        }
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
    assert_eq!(compared, expected_lines);
}

#[test]
fn x86_64_4_10() {
    compare(X86_64, Machine::X86, 2784);
}

#[test]
fn hppa_4_10() {
    compare(HPPA, Machine::Parisc, 2304);
}
