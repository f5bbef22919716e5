//! The program as PID 1 in a hostile environment: without a console, with files that accept no
//! output, without the right to mount or to create anything. It reports where it can, the next init
//! finds the environment unchanged, and the kernel neither panics nor is kept busy.

use dist::archive::{self, Entry};
use lab::console::{self, Framed};
use lab::qemu::{self, Boot, Status, VmConfig};
use lab::{artifacts, host_packages, kernels, report, scenarios};
use targets::Machine;

/// The environments of `scenarios/hostile.c` that work on every architecture, one after the other.
const CHAIN: [&str; 8] =
    ["closed", "full", "file", "broken-pipe", "hung-up", "slow", "no-proc", "read-only"];

/// An initramfs without a console: `/dev/console` is a directory. It contains mapprobe and
/// the program that creates the environments.
fn initramfs(name: &str) -> Vec<u8> {
    let arch = kernels::named(name).unwrap().arch;
    archive::write(&[
        Entry::directory("dev"),
        Entry::directory("dev/console"),
        Entry::directory("lab"),
        Entry::directory("lab/proc"),
        Entry::device("lab/console", 0o600, 5, 1),
        Entry::device("lab/full", 0o600, 1, 7),
        Entry::device("lab/kmsg", 0o600, 1, 11),
        Entry::device("lab/ttyS0", 0o600, 4, 64),
        Entry::file("init", 0o755, scenarios::hostile(targets::of(arch)).unwrap()),
        Entry::file("mapprobe", 0o755, artifacts::program(arch).unwrap()),
    ])
}

/// Boots with the program as `/init`. The guest must power off without a panic, after which it
/// would hang.
#[track_caller]
fn boot(name: &str, arguments: &str) -> Boot {
    let boot = scenarios::boot(
        kernels::named(name).unwrap(),
        &initramfs(name),
        &format!("panic=0 {arguments}"),
    )
    .unwrap();
    check(name, &boot);
    boot
}

#[track_caller]
fn check(name: &str, boot: &Boot) {
    assert_eq!(console::read(&boot.log).panic, None, "{name}: {}", boot.text());
    assert_eq!(boot.status, Status::PoweredOff, "{name}: {}", boot.text());
}

/// The report on the console, which must be whole.
#[track_caller]
fn report(log: &str) -> String {
    match console::read(log.as_bytes()).report {
        Framed::Whole { report, exit: 0 } => String::from_utf8(report).unwrap(),
        other => panic!("{other:?}:\n{log}"),
    }
}

/// The text before a line and the text behind it.
#[track_caller]
fn around<'a>(log: &'a str, line: &str) -> (&'a str, &'a str) {
    log.split_once(line).unwrap_or_else(|| panic!("no {line:?}:\n{log}"))
}

/// The rest of a line.
fn rest(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Boots without a console, then in each environment. Every init prints the open files and the
/// mounts that it finds; they must be those that the previous init left.
#[track_caller]
fn in_a_hostile_environment(name: &str, environments: &[&str]) {
    let log = boot(name, &format!("rdinit=/mapprobe -- {}", environments.join(" "))).text();
    let (first, mut log) = around(&log, "lab hostile: finds ");
    report::parse(report(first).as_bytes()).unwrap();
    let (_, state) = rest(log).split_once(": ").unwrap();
    assert!(
        state.starts_with("open; mounted "),
        "{name}: more files are open than expected: {state}"
    );
    let mut no_proc = false;
    for environment in environments {
        let (_, behind) = around(log, &format!("lab hostile: leaves {environment}: "));
        let left = rest(behind);
        let (output, next) = around(behind, "lab hostile: finds ");
        let table = report(output);
        assert!(table.contains("\nMAP_FIXED_NOREPLACE  "), "{name} {environment}: {table}");
        // /proc stays a file in all later environments.
        no_proc |= *environment == "no-proc";
        assert_eq!(table.contains(" no /proc\n"), no_proc, "{name} {environment}: {table}");
        let (_, found) = rest(next).split_once(": ").unwrap();
        assert_eq!(
            found, left,
            "{name}: the next init finds another environment than before {environment}"
        );
        log = next;
    }
}

#[test]
fn on_x86_64() {
    in_a_hostile_environment("x86_64-6.1", &[&CHAIN[..], &["no-mount"]].concat());
}
#[test]
fn on_aarch64() {
    in_a_hostile_environment("aarch64-6.1", &CHAIN);
}

#[test]
fn on_hppa() {
    in_a_hostile_environment("hppa-6.1", &CHAIN);
}

/// Boots an x86_64 kernel with another console than the serial line of the log.
#[track_caller]
fn boot_with_console(console: &'static str, append: &str) -> String {
    host_packages::need(host_packages::QEMU).unwrap();
    let kernel = kernels::named("x86_64-6.1").unwrap();
    let Machine { qemu, package, arguments, memory, .. } = targets::of(kernel.arch).machine;
    let machine = Machine { qemu, package, arguments, memory, console };
    let image = kernel.image().unwrap();
    let initramfs = initramfs(kernel.name);
    let config = VmConfig::new("a guest without a console", &machine, &image.path, &initramfs);
    let boot = qemu::boot(&VmConfig { append: &format!("panic=0 {append}"), ..config }).unwrap();
    check(kernel.name, &boot);
    boot.text()
}

/// The console is a missing serial line, which returns EIO. The kernel's messages go to another
/// one, and the whole report is among them, although the kernel accepts only ten messages of a file
/// in five seconds.
#[test]
fn without_a_working_console_the_report_is_among_kernel_messages() {
    let log = boot_with_console("ttyS1", "earlyprintk=serial,ttyS0,115200,keep rdinit=/mapprobe");
    assert!(log.contains("] mapprobe: begin 1\n"), "{log}");
    report::parse(report(&log).as_bytes()).unwrap();
}

/// Without any console the report is in the kernel's log, which the next init prints.
#[test]
fn without_any_console_the_report_is_in_the_log() {
    let log = boot_with_console("null", "rdinit=/mapprobe -- log --format table");
    assert!(report(&log).contains("\nMAP_FIXED_NOREPLACE  "), "{log}");
}

/// The program may not power off: all of its processes sleep, and it does not restart the `/init`
/// that started it.
#[test]
fn without_the_right_to_power_off_the_program_sleeps() {
    for (word, used) in [("stuck", 0..=0), ("powerless", 0..=1)] {
        let log = boot("x86_64-6.1", &format!("-- {word}")).text();
        let (output, rests) = around(&log, "lab hostile: mapprobe is S");
        assert!(report(output).contains("\nMAP_FIXED_NOREPLACE  "), "{word}: {log}");
        let ticks = rest(rests).split_whitespace().find_map(|word| word.parse().ok()).unwrap();
        assert!(used.contains(&ticks), "{word}: {}", rest(rests));
        assert!(!rests.contains("mapprobe:"), "{word}: {log}");
    }
}

/// A filter that kills ends a child of the init, not the init. (The lab's PA-RISC kernels have no
/// filters.)
#[test]
fn a_filter_that_kills_does_not_end_the_init() {
    for name in ["x86_64-6.1", "aarch64-6.1"] {
        let log = boot(name, "rdinit=/mapprobe -- killing").text();
        let (_, behind) = around(&log, "lab hostile: leaves killing: ");
        let (output, _) = around(behind, "lab hostile: finds ");
        let table = report(output);
        let words: Vec<&str> = table.split_whitespace().collect();
        let words = words.join(" ");
        assert!(words.contains("system call filter killed by memfd_create, mincore"), "{table}");
    }
}
