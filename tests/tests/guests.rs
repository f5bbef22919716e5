//! The lab itself, on real kernels: that a guest's end is told apart, and that a frame survives a serial console. Without
//! mapprobe: its own guest program speaks.

use lab::console::{self, Framed};
use lab::kernels::{self, Kernel};
use lab::qemu::{self, Boot, Guest, Status};
use lab::{guests, machine};
use std::time::Duration;

const LOG: &str = r#"mapprobe: begin 1
mapprobe:0001:1be100a4:{\n
mapprobe:0002:6af20eb2:  "schema": "mapprobe.report",\n
mapprobe:0003:76a7079f:  "path": "a\\\\b"\n
mapprobe:0004:1f6c7c16:}\n
mapprobe: end lines=4 bytes=52 crc32=5defa829 exit=0
"#;

fn boot(kernel: &Kernel, end: &str, seconds: u64) -> Boot {
    machine::need(machine::GUESTS).unwrap();
    let target = targets::of(kernel.arch);
    let image = kernel.image().unwrap();
    let program = guests::program(target).unwrap();
    let initramfs = guests::initramfs(&[("init", &program), ("log", LOG.as_bytes())]);
    let append = format!("-- {end}");
    let guest = Guest {
        append: &append,
        arguments: kernel.arguments,
        deadline: Duration::from_secs(seconds),
        ..Guest::new(kernel.name, &target.machine, &image.path, &initramfs)
    };
    qemu::boot(&guest).unwrap()
}

/// A frame printed to the guest's console arrives whole, and the guest's power-off is seen as one.
fn prints_and_powers_off(name: &str) {
    let boot = boot(kernels::named(name).unwrap(), "power-off", 120);
    assert_eq!(boot.status, Status::PoweredOff, "{}", boot.text());
    assert!(boot.text().contains(&format!("{} [power-off]", guests::REACHED)), "{}", boot.text());
    let reading = console::read(&boot.log);
    assert_eq!(reading.panic, None);
    let report = "{\n  \"schema\": \"mapprobe.report\",\n  \"path\": \"a\\\\b\"\n}\n".into();
    assert_eq!(reading.report, Framed::Whole { report, exit: 0 }, "{}", boot.text());
}

#[test]
fn a_frame_survives_x86_64() {
    prints_and_powers_off("x86_64-6.1");
}

#[test]
fn a_frame_survives_aarch64() {
    prints_and_powers_off("aarch64-6.1");
}

#[test]
fn a_frame_survives_hppa() {
    prints_and_powers_off("hppa-6.1");
}

#[test]
fn an_init_that_exits_is_a_panic() {
    let boot = boot(kernels::named("x86_64-6.1").unwrap(), "exit", 120);
    assert_eq!(boot.status, Status::Restarted, "{}", boot.text());
    let panic = console::read(&boot.log).panic.expect("the kernel says that it panics");
    assert!(panic.contains("Attempted to kill init"), "{panic}");
}

#[test]
fn a_restart_is_no_power_off() {
    let boot = boot(kernels::named("x86_64-6.1").unwrap(), "restart", 120);
    assert_eq!((&boot.status, console::read(&boot.log).panic), (&Status::Restarted, None), "{}", boot.text());
}

#[test]
fn a_guest_that_hangs_is_ended_and_keeps_its_log() {
    let boot = boot(kernels::named("hppa-6.1").unwrap(), "hang", 10);
    assert_eq!(boot.status, Status::TimedOut, "{}", boot.text());
    assert!(boot.text().contains(guests::REACHED), "{}", boot.text());
}

#[test]
fn a_qemu_that_fails_says_why() {
    let kernel = kernels::named("hppa-6.1").unwrap();
    machine::need(machine::GUESTS).unwrap();
    let image = kernel.image().unwrap();
    let guest = Guest {
        arguments: &["-no-such-argument"],
        ..Guest::new("a wrong argument", &targets::of(kernel.arch).machine, &image.path, b"")
    };
    let Status::Failed(reason) = qemu::boot(&guest).unwrap().status else { panic!("it did not fail") };
    assert!(reason.contains("-no-such-argument: invalid option"), "{reason}");
}
