//! The rows of the scenarios. To add one, add a row here and its expectations in
//! `expectations/scenarios/`. A kernel that cannot be booted in it gets a row of [`SKIPS`].

use super::scenario::{Scenario, Skip};

/// Every scenario, the plain one first.
pub static ALL: &[Scenario] = &[
    ROOT,
    Scenario { name: "user", setup: Some(&[PROC, "user 1000"]), euid: 1000, ..ROOT },
    Scenario { name: "hugepages", append: "hugepages=4", ..ROOT },
    Scenario {
        name: "memlock-0",
        setup: Some(&[PROC, "memlock 0", "user 1000"]),
        euid: 1000,
        ..ROOT
    },
    // The program mounts /proc itself only as PID 1.
    Scenario { name: "no-proc", setup: Some(&[]), ..ROOT },
    Scenario {
        name: "dax",
        // Memory from 512 MiB to 576 MiB becomes persistent memory
        // (Documentation/admin-guide/kernel-parameters.txt, `memmap=`).
        append: "memmap=64M!512M",
        memory: &[("*", 768)],
        modules: &["libnvdimm", "nd_btt", "nd_pmem", "nd_e820"],
        disk: true,
        setup: Some(&[
            PROC,
            "mount devtmpfs /dev",
            "module /modules/libnvdimm",
            "module /modules/nd_btt",
            "module /modules/nd_pmem",
            "module /modules/nd_e820",
            "wait /dev/pmem0",
            "copy /disk /dev/pmem0",
            "mount ext4 /dax /dev/pmem0 dax",
        ]),
        arguments: "--path /dax",
        ..ROOT
    },
    Scenario { name: "seccomp", setup: Some(&[PROC, "reject-locked"]), ..ROOT },
    Scenario {
        name: "overcommit-2",
        setup: Some(&[PROC, "write /proc/sys/vm/overcommit_memory 2"]),
        ..ROOT
    },
    Scenario { name: "small", memory: SMALL, ..ROOT },
];

/// The program as PID 1.
const ROOT: Scenario = Scenario {
    name: "root",
    append: "",
    memory: &[],
    modules: &[],
    disk: false,
    setup: None,
    arguments: "",
    euid: 0,
};

const PROC: &str = "mount proc /proc";

/// Little memory, in MiB. The least that boots, found by trial: on x86_64 64 (5.10), 72 (6.1) and
/// 80; on aarch64 48 (6.1, 6.12), 56 (5.10), 64, and 80 (16 KiB pages); on hppa 16, the least that
/// the firmware accepts. With 64 MiB, aarch64-7.x has no huge page left in one of three boots, and
/// `MAP_STACK` has no visible effect; so architectures with huge pages get a little more.
const SMALL: &[(&str, u32)] =
    &[("aarch64-*-16k", 80), ("x86_64-*", 96), ("aarch64-*", 96), ("hppa*", 16)];

/// The combinations that are not booted.
pub static SKIPS: &[Skip] = &[
    Skip {
        scenario: "hugepages",
        kernels: "hppa-*",
        reason: "a 32-bit PA-RISC kernel has no huge pages: arch/parisc/Kconfig selects \
                 ARCH_SUPPORTS_HUGETLBFS for PA 2.0 only",
    },
    Skip { scenario: "dax", kernels: "aarch64-*", reason: NO_MEMMAP },
    Skip { scenario: "dax", kernels: "hppa*", reason: NO_MEMMAP },
    Skip {
        scenario: "seccomp",
        kernels: "hppa*",
        reason: "the lab's configuration (tests/kernels/hppa.config) has no CONFIG_SECCOMP, which \
                 depends on CONFIG_NET",
    },
    Skip {
        scenario: "small",
        kernels: "hppa-6.1",
        reason: "under QEMU 7.2 it runs out of memory while booting with less than the machine's \
                 256 MiB (under QEMU 10, 16 MiB are enough)",
    },
];

const NO_MEMMAP: &str = "persistent memory is emulated with memmap=, which only x86 supports \
                         (arch/x86/kernel/e820.c)";
