//! Logs written by hand. The checksums are from Python's `zlib.crc32`.

use super::*;

const REPORT: &str = "{\n  \"schema\": \"mapprobe.report\",\n  \"path\": \"a\\\\b\"\n}\n";

const CLEAN: &str = r#"mapprobe: begin 1
mapprobe:0001:1be100a4:{\n
mapprobe:0002:6af20eb2:  "schema": "mapprobe.report",\n
mapprobe:0003:76a7079f:  "path": "a\\\\b"\n
mapprobe:0004:1f6c7c16:}\n
mapprobe: end lines=4 bytes=52 crc32=5defa829 exit=0
"#;

/// The clean log with one line replaced.
fn with(line: usize, replacement: &[&str]) -> String {
    let lines = CLEAN.lines().enumerate();
    let text: Vec<String> = lines
        .flat_map(|(at, old)| match at == line {
            true => replacement.iter().map(|new| (*new).to_owned()).collect(),
            false => vec![old.to_owned()],
        })
        .collect();
    text.join("\n") + "\n"
}

fn line(number: usize) -> &'static str {
    CLEAN.lines().nth(number).unwrap()
}

#[track_caller]
fn assert_whole(log: &str) {
    assert_eq!(
        read(log.as_bytes()).report,
        Framed::Whole { report: REPORT.into(), exit: 0 },
        "{log}"
    );
}

#[track_caller]
fn assert_damaged(log: &str, expected: &[u32], message: &str) {
    match read(log.as_bytes()).report {
        Framed::Damaged { lines, reason } => {
            assert_eq!(lines, expected, "{reason}");
            assert!(reason.contains(message), "{reason}");
        }
        other => panic!("{other:?}\n{log}"),
    }
}

#[test]
fn a_clean_log_gives_the_report() {
    assert_whole(CLEAN);
    assert_eq!(read(CLEAN.as_bytes()).panic, None);
}

#[test]
fn an_empty_log_has_no_report() {
    for log in
        ["", "Linux version 6.1\r\n[    1.0] mapprobe\r\nmapprobe: out of memory\r\nmapprobe:x\r\n"]
    {
        assert_eq!(read(log.as_bytes()), Reading::default(), "{log}");
    }
}

#[test]
fn a_serial_console_adds_carriage_returns() {
    assert_whole(&CLEAN.replace('\n', "\r\n"));
}

#[test]
fn kernel_messages_between_lines_are_skipped() {
    assert_whole(&with(2, &["[    1.234567] random: crng init done", "", line(2), "\u{1b}[0m"]));
}

#[test]
fn text_before_the_marker_is_skipped() {
    assert_whole(&with(2, &[&format!("[    1.234567] usb 1-1: mapprobe: n{}", line(2))]));
    assert_whole(&with(5, &[&format!("\u{1b}[2J{}", line(5))]));
    assert_whole(&with(0, &[&format!("Loading, please wait...{}", line(0))]));
}

#[test]
fn bytes_that_are_not_utf8_are_skipped() {
    let mut log = b"\xff\xfe\x00".to_vec();
    log.extend(CLEAN.bytes());
    log.extend(b"\xff\xc0\n");
    assert_eq!(read(&log).report, Framed::Whole { report: REPORT.into(), exit: 0 });
}

#[test]
fn a_kernel_message_inside_a_line_is_removed() {
    for at in [0, 3, 10, 15, 40, line(2).len()] {
        let (head, tail) = line(2).split_at(at);
        let message =
            "[    1.234567] clocksource: tsc\r\n[12345.000001] mapprobe:0002:6af20eb2:  \r\n";
        assert_whole(&with(2, &[&format!("{head}{message}{tail}")]));
    }
}

#[test]
fn a_kernel_message_without_a_time_damages_the_line_it_is_in() {
    for message in [
        "clocksource: tsc",
        "[   1.234] tsc",
        "[    1.23456x] tsc",
        "[a.123456] tsc",
        "[.123456] tsc",
    ] {
        let (head, tail) = line(2).split_at(40);
        assert_damaged(&with(2, &[&format!("{head}{message}"), tail]), &[2], "Damaged lines: [2]");
        let (head, tail) = line(3).split_at(15);
        assert_damaged(&with(3, &[&format!("{head}{message}"), tail]), &[3], "Damaged lines: [3]");
    }
}

#[test]
fn a_valid_copy_repairs_a_damaged_line() {
    assert_whole(&with(2, &[&line(2).replace("schema", "scheme"), line(2)]));
    assert_whole(&with(2, &[line(2), line(2)]));
}

#[test]
fn two_whole_lines_of_one_number_must_agree() {
    assert_damaged(&with(1, &[line(1), r"mapprobe:0001:23ac4644:[\n"]), &[1], "Damaged lines: [1]");
}

#[test]
fn a_missing_line_is_named() {
    assert_damaged(&with(3, &[]), &[3], "missing lines: [3]");
}

#[test]
fn an_extra_line_is_damage() {
    assert_damaged(&with(4, &[line(4), r"mapprobe:0005:23ac4644:[\n"]), &[5], "Damaged lines: [5]");
}

#[test]
fn an_unknown_escape_is_damage() {
    assert_damaged(&with(1, &[r"mapprobe:0001:2f972428:a\tb"]), &[1], "Damaged lines: [1]");
}

#[test]
fn valid_lines_of_another_report_do_not_fit_the_end() {
    assert_damaged(&with(1, &[r"mapprobe:0001:23ac4644:[\n"]), &[], "5defa829 were announced");
}

#[test]
fn a_report_that_does_not_end_is_truncated() {
    assert_eq!(read(with(5, &[]).as_bytes()).report, Framed::Truncated(4));
    assert_eq!(
        read(with(5, &["mapprobe: end lines=4 bytes=52 crc32=5de[    9.1] x"]).as_bytes()).report,
        Framed::Truncated(4)
    );
    assert_eq!(read(b"mapprobe: begin 1\n").report, Framed::Truncated(0));
}

#[test]
fn a_report_without_its_begin_is_damaged() {
    assert_damaged(&with(0, &[]), &[], "begins the report is missing");
}

#[test]
fn another_version_is_rejected() {
    assert_damaged(&with(0, &["mapprobe: begin 2"]), &[], "format 2");
}

#[test]
fn the_last_whole_report_counts() {
    assert_whole(&format!("{}{CLEAN}", with(2, &[])));
    assert_whole(&format!("{CLEAN}{}", with(2, &[])));
    let second = CLEAN.replace("exit=0", "exit=3");
    assert_eq!(
        read(format!("{CLEAN}{second}").as_bytes()).report,
        Framed::Whole { report: REPORT.into(), exit: 3 }
    );
}

#[test]
fn a_panic_is_seen_with_and_without_a_report() {
    let output =
        "[    2.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000004";
    for log in [format!("{CLEAN}{output}\r\n"), format!("{output}\r\n")] {
        assert_eq!(read(log.as_bytes()).panic.as_deref(), Some(output));
    }
    assert_whole(&format!("{CLEAN}{output}\r\n"));
}
