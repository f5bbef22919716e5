//! The kernel made of rules against what real kernels before 4.15 answered, cell by cell.

use mapprobe::kernel::model::{Model, PARISC, Rules, X86};
use mapprobe::kernel::{Kernel, Mmap, NO_FD, PROT_NONE, PROT_READ};

const PAGE: u64 = 4096;
const PRIVATE: u64 = 2;

/// The answers to one `mmap` per line of a recording's sweep, asked of the model: `(line, recorded, got)` where they differ, and
/// how many were compared.
fn differences(recording: &str, rules: Rules) -> (usize, Vec<String>) {
    let mut model = Model::new(rules.clone());
    let anonymous = PRIVATE | rules.layout.anonymous;
    let hint = model.mmap(&Mmap { addr: 0, len: PAGE, prot: PROT_NONE, flags: anonymous, fd: NO_FD }).result().unwrap();
    let memfd = model.memfd_create("file").result().unwrap() as i32;
    let (mut compared, mut differ) = (0, Vec::new());
    for line in recording.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["S", backing @ ("anon" | "memfd"), map_type, bit, ref answer @ ..] = words[..] else { continue };
        let map_type = match map_type {
            "shared" => 1,
            "private" => 2,
            "shval" => 3,
            other => u64::from_str_radix(other.strip_prefix('t').unwrap(), 16).unwrap(),
        };
        let bit = bit.strip_prefix("bit=").map_or(0, |bit| 1 << bit.parse::<u32>().unwrap());
        let (fd, backed) = if backing == "anon" { (NO_FD, rules.layout.anonymous) } else { (memfd, 0) };
        let call = Mmap { addr: hint, len: PAGE, prot: PROT_READ, flags: map_type | bit | backed, fd };
        let mut fresh = model.clone();
        let got = match fresh.mmap(&call).result() {
            Ok(addr) if addr == hint => "ok athint".to_string(),
            Ok(_) => "ok".to_string(),
            Err(errno) => errno.name().unwrap().to_string(),
        };
        let recorded = match answer {
            ["ok", "athint"] => "ok athint",
            ["ok", ..] => "ok",
            [_, name] => name,
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
fn agrees(recording: &str, rules: Rules, cells: usize) {
    let (compared, differ) = differences(recording, rules);
    assert_eq!(differ.len(), 0, "{} of {compared} cells differ:\n{}", differ.len(), differ.join("\n"));
    assert_eq!(compared, cells);
}

fn before_4_15() -> Rules {
    Rules { validate: false, noreplace: false, ..Rules::x86_6_1() }
}

#[test]
fn x86_64_4_10() {
    let recording = include_str!("recordings/x86_64-4.10.17.txt");
    agrees(recording, Rules { layout: X86, ..before_4_15() }, 1104);
}

#[test]
fn hppa_4_10() {
    let recording = include_str!("recordings/hppa-4.10.17.txt");
    agrees(recording, Rules { layout: PARISC, huge_sizes: Vec::new(), ..before_4_15() }, 912);
}
