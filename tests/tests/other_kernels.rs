//! The program under what stands between it and Linux: QEMU's user mode, old and new, Valgrind, and
//! gVisor, whose own kernel runs the program. Each is named in the report by a sign that no Linux
//! gives, and the verdicts are what a program gets there.

use lab::{artifacts, emulator, host_packages, report};
use mapprobe::arch::Arch;
use serde_json::Value;
use std::process::Command;

const EMULATOR: &str = "system call emulator";

/// The flag rows and the environment of a run.
struct Found {
    name: String,
    report: Value,
}

/// Runs the program of an architecture behind another command.
#[track_caller]
fn run(command: &mut Command, arch: Arch) -> Found {
    let program = &artifacts::of(arch).unwrap().path;
    let name = format!("{} for {}", command.get_program().to_string_lossy(), arch.name());
    let run = command.arg(program).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{name}: {run:?}");
    Found { name, report: report::parse(&run.stdout).unwrap() }
}

impl Found {
    /// Compares the names in `environment`, and the beginning of the evidence of the first.
    #[track_caller]
    fn expect_environment(&self, names: &[&str], sign: &str) {
        let environment = self.report["environment"].as_array().unwrap();
        let found: Vec<&str> =
            environment.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{}: {environment:?}", self.name);
        let evidence = environment[0]["evidence"].as_str().unwrap();
        assert!(evidence.starts_with(sign), "{}: {evidence}", self.name);
    }

    /// Compares the verdict about flags, without `MAP_`.
    #[track_caller]
    fn expect(&self, verdict: &str, flags: &str) {
        for flag in flags.split(' ') {
            let rows = self.report["flags"].as_array().unwrap();
            let row = rows.iter().find(|row| row["name"] == format!("MAP_{flag}")).unwrap();
            assert_eq!(row["verdict"], verdict, "{}: {row:#}", self.name);
        }
    }
}

/// The verdict about `MAP_GROWSDOWN`. A program's own store reaches the host, which lets a mapping
/// grow; system calls about memory that QEMU did not map fail with `EFAULT` (`access_ok` in
/// `linux-user/qemu.h`). For 32-bit programs QEMU keeps all addresses mapped
/// (`mmap_reserve_or_unmap` in `linux-user/mmap.c`), and nothing grows.
fn growth(arch: Arch) -> &'static str {
    if arch == Arch::Hppa { "unavailable" } else { "inconclusive" }
}

/// `target_mmap` in `linux-user/mmap.c` of QEMU 7.2 gives map type 3 without flags to the host with
/// `MAP_ANONYMOUS`, which is `EINVAL`; with `MAP_FIXED` it does not make that call.
#[test]
fn qemu_7() {
    host_packages::need(host_packages::EMULATORS).unwrap();
    for arch in [Arch::Aarch64, Arch::Hppa] {
        let found = run(&mut Command::new(targets::of(arch).emulator.unwrap()), arch);
        let environment = found.report["environment"].as_array().unwrap();
        assert_eq!(environment[0]["name"], EMULATOR, "{}", found.name);
        found.expect("inconclusive", "SHARED_VALIDATE");
        found.expect(growth(arch), "GROWSDOWN");
    }
}

/// `do_mmap` in `linux-user/syscall.c` of QEMU 10 takes the flags as an `int`, so that bits 32 to
/// 63 are lost, and its `TARGET_LEGACY_MAP_MASK` lacks the huge page sizes: they are rejected. It
/// passes on `MAP_POPULATE` and `MAP_FIXED_NOREPLACE`, drops `MAP_STACK`, and rejects map type 8.
#[test]
fn qemu_10() {
    for (arch, program, sign) in [
        (Arch::X86_64, "qemu-x86_64", "MAP_SHARED_VALIDATE accepts bits 32 to 63"),
        (Arch::Aarch64, "qemu-aarch64", "MAP_SHARED_VALIDATE accepts bits 32 to 63"),
        (Arch::Hppa, "qemu-hppa", "MAP_SHARED_VALIDATE rejects bits of the huge page size"),
    ] {
        let path = emulator::static_program("qemu-user", program).unwrap();
        let found = run(&mut Command::new(path), arch);
        found.expect_environment(&[EMULATOR], sign);
        found.expect("honored", "SHARED PRIVATE SHARED_VALIDATE FIXED POPULATE FIXED_NOREPLACE");
        found.expect(growth(arch), "GROWSDOWN");
        found.expect("ignored", "STACK DENYWRITE EXECUTABLE");
        found.expect("unknown", "DROPPABLE");
    }
}

/// Valgrind keeps the flags in an `int`, too, and places every mapping itself with `MAP_FIXED`
/// (`ML_(generic_PRE_sys_mmap)` in `coregrind/m_syswrap/syswrap-generic.c`).
#[test]
fn valgrind() {
    host_packages::need(host_packages::INSTRUMENTERS).unwrap();
    let found = run(Command::new("valgrind").arg("--quiet"), Arch::native());
    found.expect_environment(&[EMULATOR], "MAP_SHARED_VALIDATE accepts bits 32 to 63");
    found.expect("honored", "SHARED PRIVATE POPULATE LOCKED");
}

/// `Mmap` in `pkg/sentry/syscalls/linux/sys_mmap.go` of gVisor looks at `MAP_SHARED` and
/// `MAP_PRIVATE` alone. `MAP_HUGETLB` and `MAP_FIXED_NOREPLACE` are ignored, `mincore` shows every
/// page as resident, memory is not counted, and `vm.overcommit_memory` is 0.
#[test]
fn gvisor() {
    let path = emulator::static_program("runsc", "runsc").unwrap();
    let mut command = Command::new(path);
    command.args(["--rootless", "--network=none", "--ignore-cgroups", "--platform=ptrace", "do"]);
    let found = run(&mut command, Arch::native());
    let names = ["not Linux", "blind mincore", "unlimited memory"];
    found.expect_environment(&names, "bits 2 and 3 of the type field are dropped");
    found.expect("honored", "SHARED PRIVATE FIXED ANONYMOUS");
    found.expect("ignored", "HUGETLB FIXED_NOREPLACE DENYWRITE");
    found.expect("unknown", "SHARED_VALIDATE DROPPABLE");
}
