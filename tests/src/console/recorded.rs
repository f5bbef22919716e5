//! Recorded consoles (`tests/console/`, described in its README). The expected results were written
//! by hand.

use super::*;

/// The report on all of these consoles, rebuilt by another program that checked every line.
const REPORT: &[u8] = include_bytes!("../../console/report.txt");

fn whole() -> Framed {
    Framed::Whole { report: REPORT.into(), exit: 0 }
}

#[track_caller]
fn panicked(reading: &Reading) {
    let panic = reading.panic.as_deref().unwrap_or_default();
    assert!(panic.contains("Kernel panic - not syncing: Attempted to kill init!"), "{reading:?}");
}

#[test]
fn clean() {
    let reading = read(include_bytes!("../../console/clean.log"));
    assert_eq!(reading, Reading { report: whole(), panic: None });
}

#[test]
fn a_panic_before_any_output() {
    let reading = read(include_bytes!("../../console/panic-before.log"));
    panicked(&reading);
    assert_eq!(reading.report, Framed::Nothing);
}

#[test]
fn a_panic_after_39_lines() {
    let reading = read(include_bytes!("../../console/panic-in-the-middle.log"));
    panicked(&reading);
    assert_eq!(reading.report, Framed::Truncated(39));
}

#[test]
fn a_power_off_in_the_middle_of_line_40() {
    let reading = read(include_bytes!("../../console/truncated.log"));
    assert_eq!(reading, Reading { report: Framed::Truncated(39), panic: None });
}

#[test]
fn a_time_out_after_39_lines() {
    let reading = read(include_bytes!("../../console/time-out.log"));
    assert_eq!(reading, Reading { report: Framed::Truncated(39), panic: None });
}

#[test]
fn all_lines_and_no_end() {
    let reading = read(include_bytes!("../../console/no-end.log"));
    assert_eq!(reading, Reading { report: Framed::Truncated(69), panic: None });
}

#[test]
fn a_kernel_message_inside_line_20() {
    let log = include_bytes!("../../console/message-inside-a-line.log");
    assert_eq!(read(log), Reading { report: whole(), panic: None });
    // A message without a recognizable time cannot be removed.
    let log = String::from_utf8_lossy(log).replace("[    3.288085] sysrq", "[some time] sysrq");
    let Framed::Damaged { lines, reason } = read(log.as_bytes()).report else { panic!("{log}") };
    assert_eq!((lines, reason.as_str()), (vec![20], "Damaged lines: [20]; missing lines: []."));
}

/// Without a working console the report arrives as kernel messages, with others between them.
#[test]
fn a_report_as_kernel_messages() {
    let log = include_bytes!("../../console/messages-of-the-kernel.log");
    assert!(log.split(|&byte| byte == b'\n').all(|line| !line.starts_with(MARKER)));
    assert_eq!(read(log), Reading { report: whole(), panic: None });
}

#[test]
fn a_damaged_report_and_then_a_whole_one() {
    let log = include_bytes!("../../console/two-reports.log");
    assert_eq!(
        log.windows(MARKER.len() + 6).filter(|window| window.ends_with(b" begin")).count(),
        2
    );
    assert_eq!(read(log), Reading { report: whole(), panic: None });
}

/// A truncated console never gives a report.
#[test]
fn a_truncated_console_never_gives_a_report() {
    let log = include_bytes!("../../console/clean.log");
    let digit = b"exit=0";
    let end = log.windows(digit.len()).rposition(|window| window == digit).unwrap() + digit.len();
    for cut in (0..end).step_by(7).chain([end - 1]) {
        let report = read(&log[..cut]).report;
        assert!(matches!(report, Framed::Nothing | Framed::Truncated(_)), "{cut}: {report:?}");
    }
    assert_eq!(read(&log[..end]).report, whole());
}
