//! mapprobe in the initramfs of distributions: the report is on the console and in the real root,
//! and the boot continues whatever the program does. `initramfs_hooks.rs` tests the hooks without a
//! boot.

use dist::archive::{self, Entry};
use lab::console::{self, Framed};
use lab::initramfs::{self, Installed};
use lab::kernels::{self, Kernel};
use lab::qemu::{Boot, Status};
use lab::{artifacts, report};
use std::fs;
use std::sync::OnceLock;

/// The steps of the real root's init: it prints the file that the initramfs created.
const SHOW_REPORT: &[&str] = &["print /run/initramfs/mapprobe.json"];

fn kernel() -> &'static Kernel {
    kernels::named("x86_64-6.1").unwrap()
}

fn installed() -> Installed {
    Installed::new(kernel(), &artifacts::program(kernel().arch).unwrap()).unwrap()
}

/// An image of initramfs-tools with mapprobe, made once.
fn tools() -> Vec<u8> {
    static IMAGE: OnceLock<Vec<u8>> = OnceLock::new();
    let make = || {
        let installed = installed();
        installed.file("etc/initramfs-tools/conf.d/mapprobe", 0o644, "MAPPROBE=y\n").unwrap();
        installed.mkinitramfs().unwrap().0
    };
    IMAGE.get_or_init(make).clone()
}

/// Boots. The guest must power off without a panic.
#[track_caller]
fn boot(initramfs: &[u8], steps: &[&str], append: &str) -> Boot {
    let disk = initramfs::disk(kernel(), steps).unwrap();
    let boot = initramfs::boot(kernel(), initramfs, &disk, append).unwrap();
    assert_eq!(console::read(&boot.log).panic, None, "{}", boot.last_lines());
    assert_eq!(boot.status, Status::PoweredOff, "{}", boot.last_lines());
    boot
}

/// The frames on the console in order. Each must be whole and have exit code 0.
#[track_caller]
fn framed(boot: &Boot) -> Vec<String> {
    let whole = |framed| match framed {
        Framed::Whole { report, exit: 0 } => String::from_utf8(report).unwrap(),
        other => panic!("{other:?}:\n{}", boot.last_lines()),
    };
    console::reports(&boot.log).into_iter().map(whole).collect()
}

/// The report of the hook must be followed by the same report from the real root.
#[track_caller]
fn reports_and_boots(initramfs: &[u8]) {
    let boot = boot(initramfs, SHOW_REPORT, "");
    let framed = framed(&boot);
    let [on_the_console, in_the_root] = framed.as_slice() else {
        panic!("{} frames", framed.len())
    };
    let report = report::parse(on_the_console.as_bytes()).unwrap();
    assert!(report["complete"] == true && report["process"]["pid"] != 1, "{}", report["process"]);
    assert!(on_the_console == in_the_root, "{on_the_console}\nis not\n{in_the_root}");
}

#[test]
fn initramfs_tools() {
    reports_and_boots(&tools());
}

/// Without systemd, which triples the time of the boot; its hooks are the same.
#[test]
fn dracut() {
    let modules = [
        "--modules",
        "dash base fs-lib rootfs-block udev-rules kernel-modules",
        "--add",
        "mapprobe",
    ];
    reports_and_boots(&installed().dracut(&modules).unwrap().0);
}

#[test]
fn appended_to_another_initramfs() {
    let initramfs =
        [tools(), fs::read(&artifacts::of(kernel().arch).unwrap().archive).unwrap()].concat();
    let boot = boot(&initramfs, SHOW_REPORT, "rdinit=/mapprobe");
    let framed = framed(&boot);
    let [of_init, on_the_console, in_the_root] = framed.as_slice() else {
        panic!("{} frames", framed.len())
    };
    let pid = |text: &str| report::parse(text.as_bytes()).unwrap()["process"]["pid"].as_u64();
    assert_eq!(pid(of_init), Some(1), "the program runs before everything else");
    assert!(pid(on_the_console) > Some(1), "and the /init that was there is started");
    assert!(on_the_console == in_the_root);
}

/// Writes kernel messages from before the report until the report is complete.
const NOISE: &str = "\
report=/run/initramfs/mapprobe.json
[ ! -e /dev/kmsg ] || while [ ! -e $report ] && [ ! -e $report.failed ]; do
    echo 'lab noise: something happened to a device' > /dev/kmsg
done &
";

/// The number of foreign messages inside the first frame.
fn noise_within(log: &str) -> usize {
    let frame =
        log.split("mapprobe: begin ").nth(1).and_then(|rest| rest.split("mapprobe: end ").next());
    frame.unwrap_or_default().matches("lab noise: ").count()
}

#[test]
fn a_report_survives_kernel_messages() {
    // The init of initramfs-tools reads every file of this directory.
    let noise = archive::write_gz(&[Entry::file("conf/conf.d/noise", 0o644, NOISE)]).unwrap();
    let initramfs = [tools(), noise].concat();
    let boot = boot(&initramfs, SHOW_REPORT, "ignore_loglevel loglevel=7 printk.devkmsg=on");
    let count = noise_within(&boot.text());
    assert!(count > 0, "no message is between the lines of the report:\n{}", boot.last_lines());
    let framed = framed(&boot);
    let [on_the_console, in_the_root] = framed.as_slice() else {
        panic!("{} frames", framed.len())
    };
    assert!(
        on_the_console == in_the_root,
        "{count} messages in it: {on_the_console}\nis not\n{in_the_root}"
    );
}

/// A program that fails in place of mapprobe: the boot continues, and the console has an error
/// message.
#[test]
fn a_failing_program_does_not_stop_the_boot() {
    let program = Entry::file("usr/bin/mapprobe", 0o755, "#!/bin/sh\necho half a rep\nexit 2\n");
    let initramfs = [tools(), archive::write_gz(&[program]).unwrap()].concat();
    let boot = boot(&initramfs, &["print /run/initramfs/mapprobe.json.failed"], "");
    assert!(
        boot.text().contains("mapprobe: no report, it ended with 2\n"),
        "{}",
        boot.last_lines()
    );
    assert_eq!(framed(&boot), ["half a rep\n"]);
}
