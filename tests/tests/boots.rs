//! The lab itself on real kernels, with its own test program instead of mapprobe: the end of a
//! guest is recognized, and a frame arrives whole on a serial console.

use lab::console::{self, Framed};
use lab::kernels;
use lab::qemu::{self, Boot, Status, VmConfig};
use lab::run::BootSpec;
use lab::{host_packages, scenarios};
use mapprobe::arch::Arch;
use std::time::Duration;

const LOG: &str = r#"mapprobe: begin 1
mapprobe:0001:1be100a4:{\n
mapprobe:0002:6af20eb2:  "schema": "mapprobe.report",\n
mapprobe:0003:76a7079f:  "path": "a\\\\b"\n
mapprobe:0004:1f6c7c16:}\n
mapprobe: end lines=4 bytes=52 crc32=5defa829 exit=0
"#;

/// Boots the test program, which prints [`LOG`] and ends in the given way.
fn boot(name: &str, end: &str) -> Boot {
    let kernel = kernels::named(name).unwrap();
    let program = scenarios::test_program(targets::of(kernel.arch)).unwrap();
    let initramfs = scenarios::initramfs(&[("init", &program), ("log", LOG.as_bytes())]);
    scenarios::boot(kernel, &initramfs, &format!("-- {end}")).unwrap()
}

/// A frame arrives whole on the console, and the guest's power-off is recognized.
fn prints_and_powers_off(name: &str) {
    let boot = boot(name, "power-off");
    assert_eq!(boot.status, Status::PoweredOff, "{}", boot.text());
    assert!(
        boot.text().contains(&format!("{} [power-off]", scenarios::REACHED)),
        "{}",
        boot.text()
    );
    let reading = console::read(&boot.log);
    assert_eq!(reading.panic, None);
    let report = "{\n  \"schema\": \"mapprobe.report\",\n  \"path\": \"a\\\\b\"\n}\n".into();
    assert_eq!(reading.report, Framed::Whole { report, exit: 0 }, "{}", boot.text());
}

#[test]
fn a_frame_arrives_whole_on_x86_64() {
    prints_and_powers_off("x86_64-6.1");
}

#[test]
fn a_frame_arrives_whole_on_aarch64() {
    prints_and_powers_off("aarch64-6.1");
}

#[test]
fn a_frame_arrives_whole_on_hppa() {
    prints_and_powers_off("hppa-6.1");
}

/// All other boots rely on this to notice a panic.
#[test]
fn an_init_that_exits_is_a_panic() {
    for name in ["x86_64-6.1", "aarch64-6.1", "hppa-6.1"] {
        let boot = boot(name, "exit");
        assert_eq!(boot.status, Status::Restarted, "{name}: {}", boot.text());
        let panic = console::read(&boot.log).panic.expect("the kernel reports its panic");
        assert!(panic.contains("Attempted to kill init"), "{name}: {panic}");
    }
}

#[test]
fn a_restart_is_not_a_power_off() {
    let boot = boot("x86_64-6.1", "restart");
    assert_eq!(
        (&boot.status, console::read(&boot.log).panic),
        (&Status::Restarted, None),
        "{}",
        boot.text()
    );
}

/// Boots the 32-bit hppa machine, which is the fastest.
fn hppa(arguments: &[&str], initramfs: &[u8], append: &str, deadline: Duration) -> Boot {
    host_packages::need(host_packages::QEMU).unwrap();
    let kernel = kernels::named("hppa-6.1").unwrap();
    let image = kernel.image().unwrap();
    let machine = &targets::of(kernel.arch).machine;
    let append = format!("{} {append}", kernel.append);
    let config = VmConfig::new("a guest that fails", machine, &image.path, initramfs);
    qemu::boot(&VmConfig { arguments, append: &append, deadline, ..config }).unwrap()
}

#[test]
fn a_hanging_guest_is_killed_and_its_log_is_kept() {
    let program = scenarios::test_program(targets::of(Arch::Hppa)).unwrap();
    let boot =
        hppa(&[], &scenarios::initramfs(&[("init", &program)]), "-- hang", Duration::from_secs(10));
    assert_eq!(boot.status, Status::TimedOut, "{}", boot.text());
    assert!(boot.text().contains(scenarios::REACHED), "{}", boot.text());
}

/// The error message of `cargo lab`.
#[test]
fn a_hanging_guest_is_reported_with_its_last_lines() {
    let kernel = kernels::named("hppa-6.1").unwrap();
    let program = scenarios::test_program(targets::of(kernel.arch)).unwrap();
    let spec = BootSpec {
        arguments: "hang",
        deadline: Duration::from_secs(10),
        ..BootSpec::of(kernel, &scenarios::ALL[0])
    };
    let failure = spec.boot(&program).unwrap_err().to_string();
    for part in ["was still running after 10 s, and its console has no frame.", scenarios::REACHED]
    {
        assert!(failure.contains(part), "{failure}");
    }
}

/// The plain scenario with other steps before the program.
fn with_steps(setup: &'static [&'static str]) -> scenarios::Scenario {
    scenarios::Scenario { name: "steps", setup: Some(setup), ..scenarios::ALL[0] }
}

#[test]
fn a_failed_step_is_reported_and_the_program_does_not_run() {
    let kernel = kernels::named("hppa-6.1").unwrap();
    let program = scenarios::test_program(targets::of(kernel.arch)).unwrap();
    for (steps, message) in [
        (
            &["mount proc /proc", "module /no/such"][..],
            "lab set-up: module /no/such: No such file or directory",
        ),
        (&["conjure"], "lab set-up: conjure : Function not implemented"),
    ] {
        let scenario = with_steps(steps);
        let failure = BootSpec::of(kernel, &scenario).boot(&program).unwrap_err().to_string();
        assert!(failure.contains(message) && !failure.contains("lab test program:"), "{failure}");
    }
}

/// The output of a program that is not PID 1 arrives in the same frame, with backslashes, long
/// lines and its exit code.
#[test]
fn the_output_of_a_program_after_the_setup_is_framed() {
    for name in ["x86_64-6.1", "aarch64-6.1", "hppa-6.1"] {
        let kernel = kernels::named(name).unwrap();
        let program = scenarios::test_program(targets::of(kernel.arch)).unwrap();
        let scenario = with_steps(&["mount proc /proc", "limit memlock 0", "user 1000"]);
        let long = "back\\slash".repeat(20);
        let spec =
            BootSpec { arguments: &format!("exit {long}"), ..BootSpec::of(kernel, &scenario) };
        let output = spec.boot(&program).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let text = String::from_utf8(output.text).unwrap();
        let (pid, arguments) = text.trim_end().split_once(", ").unwrap();
        assert!(
            pid.starts_with("lab test program: pid ") && pid != "lab test program: pid 1",
            "{name}: {text}"
        );
        assert_eq!(
            (arguments, output.exit),
            (format!("arguments: [exit] [{long}]").as_str(), 3),
            "{name}"
        );
    }
}

#[test]
fn a_failure_of_qemu_has_its_message() {
    let boot = hppa(&["-no-such-argument"], b"", "", Duration::from_secs(60));
    let Status::Failed(reason) = boot.status else { panic!("it did not fail: {boot:?}") };
    assert!(reason.contains("-no-such-argument: invalid option"), "{reason}");
}
