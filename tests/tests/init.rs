//! The program as PID 1: it reports in every case, the machine continues or powers off, and the
//! kernel never panics.

use lab::console::{self, Framed};
use lab::qemu::{Boot, Status};
use lab::{artifacts, kernels, report, scenarios};
use mapprobe::arch::Arch;
use std::fs;
use std::process::Command;

const ALL: [&str; 3] = ["x86_64-6.1", "aarch64-6.1", "hppa-6.1"];

/// Boots with an initramfs and kernel command line arguments. The guest must power off without a
/// panic.
#[track_caller]
fn boot(name: &str, initramfs: &[u8], append: &str) -> Boot {
    let boot = scenarios::boot(kernels::named(name).unwrap(), initramfs, append).unwrap();
    assert_eq!(console::read(&boot.log).panic, None, "{name}: {}", boot.text());
    assert_eq!(boot.status, Status::PoweredOff, "{name}: {}", boot.text());
    boot
}

/// Boots the released program as `/init`.
#[track_caller]
fn boot_init(name: &str, append: &str) -> Boot {
    let program = artifacts::program(kernels::named(name).unwrap().arch).unwrap();
    boot(name, &scenarios::initramfs(&[("init", &program)]), append)
}

/// The report on the console, which must be whole.
#[track_caller]
fn report(boot: &Boot) -> String {
    match console::read(&boot.log).report {
        Framed::Whole { report, .. } => String::from_utf8(report).unwrap(),
        other => panic!("{other:?}:\n{}", boot.text()),
    }
}

#[test]
fn arguments_follow_two_dashes() {
    for name in ["x86_64-6.1", "hppa-6.1"] {
        let table = report(&boot_init(name, "-- --format table"));
        assert!(
            serde_json::from_str::<serde_json::Value>(&table).is_err(),
            "{name}: not a table: {table}"
        );
        assert!(
            table.contains("MAP_FIXED_NOREPLACE") && table.contains("honored"),
            "{name}: {table}"
        );
        // A console is a terminal, but a framed report has no colors.
        assert!(!table.contains('\u{1b}'), "{name}: {table}");
    }
}

/// An initramfs with the lab's test program as `/init`, and the released archive appended to it.
fn appended(arch: Arch) -> Vec<u8> {
    let next = scenarios::test_program(targets::of(arch)).unwrap();
    let mut initramfs = scenarios::initramfs(&[("init", &next)]);
    initramfs.extend(fs::read(&artifacts::of(arch).unwrap().archive).unwrap());
    initramfs
}

#[test]
fn starts_the_next_init() {
    for name in ALL {
        let initramfs = appended(kernels::named(name).unwrap().arch);
        let boot = boot(name, &initramfs, "rdinit=/mapprobe");
        report::parse(report(&boot).as_bytes()).unwrap();
        let text = boot.text();
        let (end, reached) = (text.find("mapprobe: end "), text.find(scenarios::REACHED));
        assert!(
            end.is_some() && end < reached,
            "{name}: the next init comes after the report: {text}"
        );
    }
}

#[test]
fn the_next_init_gets_the_foreign_arguments() {
    for name in ["x86_64-6.1", "hppa-6.1"] {
        let initramfs = appended(kernels::named(name).unwrap().arch);
        let boot = boot(name, &initramfs, "rdinit=/mapprobe single -- --format table");
        assert!(report(&boot).starts_with("mapprobe "), "{}", boot.text());
        // On hppa, QEMU appends `earlycon=pdc`.
        let foreign = if name == "hppa-6.1" { "[single] [earlycon=pdc]" } else { "[single]" };
        assert!(
            boot.text().contains(&format!("{} {foreign}\n", scenarios::REACHED)),
            "{}",
            boot.text()
        );
    }
}

#[test]
fn wrong_arguments_are_reported_and_the_report_is_printed() {
    for name in ["x86_64-6.1", "hppa-6.1"] {
        let boot = boot_init(name, "-- --no-such-option");
        report::parse(report(&boot).as_bytes()).unwrap();
        let exit = match console::read(&boot.log).report {
            Framed::Whole { exit, .. } => exit,
            other => panic!("{other:?}"),
        };
        assert_eq!(exit, 2, "{name}: the exit code of the run");
        let text = boot.text();
        let message = text
            .lines()
            .find(|line| line.contains("mapprobe: ") && line.contains("--no-such-option"));
        assert!(message.is_some(), "{name}: no message about the wrong argument:\n{text}");
    }
}

#[test]
fn foreign_arguments_on_the_command_line_are_ignored() {
    let arguments = "quiet=maybe nonsense mapprobe.nothing=1 \"two words\" --=-- é%s\\n -x x=";
    let report = report(&boot_init("x86_64-6.1", arguments));
    assert_eq!(report::parse(report.as_bytes()).unwrap()["complete"], true, "{report}");
}

#[test]
fn a_full_heap_prints_a_message_and_powers_off() {
    for name in ALL {
        let program =
            artifacts::example_program(kernels::named(name).unwrap().arch, "full_heap").unwrap();
        let text = boot(name, &scenarios::initramfs(&[("init", &program)]), "").text();
        assert!(
            text.lines().any(|line| line.contains("mapprobe: ") && line.contains("heap")),
            "{name}: {text}"
        );
    }
}

#[test]
fn a_trap_prints_a_message_and_powers_off() {
    let program = artifacts::example_program(Arch::Hppa, "trap").unwrap();
    let text = boot("hppa-6.1", &scenarios::initramfs(&[("init", &program)]), "").text();
    assert!(
        text.lines().any(|line| line.contains("mapprobe: ") && line.contains("trap")),
        "{text}"
    );
}

/// PID 1 of a container: a plain report on stdout, and only this process ends.
#[test]
fn pid_1_of_a_container_prints_a_plain_report_and_exits() {
    let program = &artifacts::of(Arch::X86_64).unwrap().path;
    let mut command = Command::new("unshare");
    if !lab::host_packages::is_root() {
        command.arg("--map-root-user");
    }
    let run = command
        .args(["--pid", "--fork", "--kill-child"])
        .arg(program)
        .output()
        .expect("unshare runs");
    let (report, output) =
        (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert_eq!(run.status.code(), Some(0), "{report}\n{output}");
    let report = report::parse(&run.stdout).unwrap();
    assert_eq!(report["process"]["pid"], 1, "{report:#}");
    assert_eq!(output, "");
}
