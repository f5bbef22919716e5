//! Which scenarios the lab has: what a kernel is booted in. To add one, add a row here and a file of expectations (`expectations/scenarios/`); a kernel
//! that cannot show it is named in [`SKIPS`], with the reason.

use super::{Scenario, Skip};

/// Every scenario, the plain one first. The tests walk this list.
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
        // Memory from 512 MiB to 576 MiB is taken for persistent memory, Documentation/admin-guide/kernel-parameters.txt, `memmap=`.
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
        words: "--path /dax",
        ..ROOT
    },
    Scenario { name: "seccomp", setup: Some(&[PROC, "refuse-locked"]), ..ROOT },
    Scenario {
        name: "overcommit-2",
        setup: Some(&[PROC, "write /proc/sys/vm/overcommit_memory 2"]),
        ..ROOT
    },
    Scenario { name: "small", memory: SMALL, ..ROOT },
];

/// The program as PID 1, and nothing else.
const ROOT: Scenario = Scenario {
    name: "root",
    append: "",
    memory: &[],
    modules: &[],
    disk: false,
    setup: None,
    words: "",
    euid: 0,
};

const PROC: &str = "mount proc /proc";

/// Little memory, in MiB. The least that boots was found by trying: on x86_64 64 (5.10), 72 (6.1) and 80, on aarch64 48 (6.1, 6.12), 56 (5.10),
/// 64 and 80 (16 KiB pages), on hppa 16, less than which the firmware does not take. With 64, aarch64-7.x has no huge page to spare in one of
/// three boots, and `MAP_STACK` cannot be seen: where there are such pages, a little more is given.
const SMALL: &[(&str, u32)] =
    &[("aarch64-*-16k", 80), ("x86_64-*", 96), ("aarch64-*", 96), ("hppa*", 16)];

/// What is left out, and why.
pub static SKIPS: &[Skip] = &[
    Skip {
        scenario: "hugepages",
        kernels: "hppa-*",
        reason: "a 32-bit PA-RISC kernel has no huge pages: arch/parisc/Kconfig selects ARCH_SUPPORTS_HUGETLBFS for PA 2.0 only",
    },
    Skip { scenario: "dax", kernels: "aarch64-*", reason: NO_MEMMAP },
    Skip { scenario: "dax", kernels: "hppa*", reason: NO_MEMMAP },
    Skip {
        scenario: "seccomp",
        kernels: "hppa*",
        reason: "the lab's own configuration (tests/kernels/hppa.config) has no CONFIG_SECCOMP, which needs CONFIG_NET there",
    },
    Skip {
        scenario: "small",
        kernels: "hppa-6.1",
        reason: "under QEMU 7.2 it runs out of memory while booting with less than the 256 MiB it always has (16 are enough under QEMU 10)",
    },
];

const NO_MEMMAP: &str = "persistent memory is made of memory by memmap=..!.., which only x86 reads (arch/x86/kernel/e820.c)";
