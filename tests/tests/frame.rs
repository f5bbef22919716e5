//! The frame, checked with another implementation of its checksum.

use lab::artifacts;
use lab::console::{self, Framed};
use mapprobe::arch::Arch;
use mapprobe::frame;
use std::fs::File;
use std::process::Command;

fn framed(report: &str) -> Vec<String> {
    let mut lines = Vec::new();
    frame::for_each_line(report, 3, &mut |line| {
        lines.push(line.strip_suffix('\n').expect("a whole line").to_string())
    });
    lines
}

fn crc32(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

#[test]
fn lines_are_short_numbered_and_checksummed_and_make_up_the_report() {
    let report = "{\n  \"path\": \"C:\\\\\",\n".to_string() + &"long ".repeat(40) + "\n}\n";
    let lines = framed(&report);
    assert_eq!(lines[0], "mapprobe: begin 1");
    let mut rebuilt = String::new();
    for (at, line) in lines[1..lines.len() - 1].iter().enumerate() {
        assert!(line.len() < 90, "{line}");
        let (head, payload) = line.split_at("mapprobe:0001:00000000:".len());
        assert_eq!(head, format!("mapprobe:{:04}:{}:", at + 1, crc32(payload)));
        rebuilt += payload;
    }
    assert_eq!(rebuilt, report.replace('\\', "\\\\").replace('\n', "\\n"));
    let (count, bytes, sum) = (lines.len() - 2, report.len(), crc32(&report));
    assert_eq!(
        lines[lines.len() - 1],
        format!("mapprobe: end lines={count} bytes={bytes} crc32={sum} exit=3")
    );
}

#[test]
fn an_empty_report_is_framed_too() {
    assert_eq!(
        framed(""),
        ["mapprobe: begin 1", "mapprobe: end lines=0 bytes=0 crc32=00000000 exit=3"]
    );
}

#[test]
fn numbers_grow_beyond_four_digits() {
    let lines = framed(&"x\n".repeat(10_000));
    assert!(
        lines[9_999].starts_with("mapprobe:9999:") && lines[10_000].starts_with("mapprobe:10000:")
    );
}

#[test]
fn no_character_is_split() {
    let report = "\u{fffd}".repeat(100) + "x" + &"\u{1f980}".repeat(100);
    let lines = framed(&report);
    let payloads: String = lines[1..lines.len() - 1]
        .iter()
        .map(|line| &line["mapprobe:0001:00000000:".len()..])
        .collect();
    assert_eq!(payloads, report);
}

/// `--framed` prints the report on standard output and the frame on standard error.
#[test]
fn framed_prints_the_report_twice() {
    let program = &artifacts::of(Arch::X86_64).unwrap().path;
    for arguments in [&["--framed"][..], &["sweep", "--framed"], &["--framed", "--format", "table"]]
    {
        let run = Command::new(program).args(arguments).output().expect("the program runs");
        assert_eq!(run.status.code(), Some(0), "{arguments:?}");
        let Framed::Whole { report, exit } = console::read(&run.stderr).report else {
            panic!("{arguments:?}: not whole")
        };
        assert!(
            report == run.stdout && exit == 0 && !report.is_empty(),
            "{arguments:?}: {}",
            run.stdout.len()
        );
    }
    let full = File::options().write(true).open("/dev/full").unwrap();
    let run =
        Command::new(program).arg("--framed").stdout(full).output().expect("the program runs");
    assert_eq!(run.status.code(), Some(2));
    assert!(
        matches!(console::read(&run.stderr).report, Framed::Whole { exit: 2, .. }),
        "the console has the report"
    );
}
