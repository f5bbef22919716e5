//! The rows of the scenarios. To add one, add a row here and its expectations in
//! `expectations/scenarios/`. A kernel that cannot be booted in it gets a row of [`SKIPS`].

use super::scenario::{GuestFile, Scenario, ShownOn, Skip};

/// Every scenario, the plain one first.
pub static ALL: &[Scenario] = &[
    ROOT,
    Scenario { name: "user", setup: Some(&[PROC, "user 1000"]), euid: 1000, ..ROOT },
    Scenario { name: "hugepages", append: "hugepages=4", ..ROOT },
    Scenario {
        name: "memlock-0",
        setup: Some(&[PROC, "limit memlock 0", "user 1000"]),
        euid: 1000,
        ..ROOT
    },
    // The program mounts /proc itself only as PID 1.
    Scenario { name: "no-proc", setup: Some(&[]), ..ROOT },
    Scenario {
        name: "dax",
        append: PMEM,
        memory: PMEM_MEMORY,
        modules: &[("*", &["libnvdimm", "nd_btt", "nd_pmem", "nd_e820"])],
        files: &[GuestFile::Ext4],
        setup: Some(&[
            PROC,
            DEV,
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
    Scenario {
        name: "hugetlb-max-0",
        append: "hugepages=4",
        setup: Some(&[
            PROC,
            SYS,
            CGROUPS,
            "write /cgroup/cgroup.subtree_control +hugetlb",
            "mkdir /cgroup/lab",
            "write /cgroup/lab/hugetlb.2MB.max 0",
            JOIN,
        ]),
        shown_on: shown_on(&["x86_64-5.10", "hppa64-6.12"]),
        ..ROOT
    },
    Scenario {
        name: "hugetlb-rsvd-0",
        append: "hugepages=4",
        setup: Some(&[
            PROC,
            SYS,
            CGROUPS,
            "write /cgroup/cgroup.subtree_control +hugetlb",
            "mkdir /cgroup/lab",
            "write /cgroup/lab/hugetlb.2MB.rsvd.max 0",
            JOIN,
        ]),
        shown_on: shown_on(&["x86_64-7.x", "hppa64-6.12"]),
        ..ROOT
    },
    Scenario {
        name: "memcg-4m",
        setup: Some(&[
            PROC,
            CGROUPS,
            "write /cgroup/cgroup.subtree_control +memory",
            "mkdir /cgroup/lab",
            "write /cgroup/lab/memory.max 4194304",
            JOIN,
        ]),
        shown_on: shown_on(&["x86_64-7.x", "hppa-6.12"]),
        ..ROOT
    },
    Scenario {
        name: "device-dax",
        append: PMEM,
        memory: PMEM_MEMORY,
        modules: &[
            ("x86_64-5.10", &["libnvdimm", "nd_e820", "device_dax", "dax_pmem_core", "dax_pmem"]),
            ("*", &["libnvdimm", "nd_e820", "device_dax", "dax_pmem"]),
        ],
        // What `ndctl create-namespace --mode devdax` writes. The list of pages is kept in ordinary
        // memory (`mode` is `ram`), and the driver makes one character device of the rest.
        setup: Some(&[
            PROC,
            SYS,
            DEV,
            "wait /sys/bus/nd/devices/dax0.0/namespace",
            "write /sys/bus/nd/devices/dax0.0/mode ram",
            "write /sys/bus/nd/devices/dax0.0/align 2097152",
            "write /sys/bus/nd/devices/dax0.0/uuid 6d617070-726f-4265-8c61-620000000001",
            "write /sys/bus/nd/devices/dax0.0/namespace namespace0.0",
            "write /sys/bus/nd/drivers/dax_pmem/bind dax0.0",
            "wait /dev/dax0.0",
        ]),
        arguments: "--path /dev/dax0.0",
        shown_on: shown_on(&["x86_64-5.10", "x86_64-7.x"]),
        ..ROOT
    },
    Scenario {
        name: "9p-none",
        setup: Some(&[PROC, "mount 9p /9p lab trans=virtio,version=9p2000.L,cache=none"]),
        ..NINE_P
    },
    Scenario {
        name: "9p-mmap",
        setup: Some(&[PROC, "mount 9p /9p lab trans=virtio,version=9p2000.L,cache=mmap"]),
        shown_on: shown_on(&["hppa-6.12"]),
        ..NINE_P
    },
    Scenario {
        name: "overlayfs",
        modules: &[("hppa*", &[]), ("*", &["overlay"])],
        setup: Some(&[
            PROC,
            "mkdir /lower",
            "copy /setup /lower/file",
            "mount tmpfs /upper",
            "mkdir /upper/files",
            "mkdir /upper/work",
            "mount overlay /overlay none lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work",
        ]),
        arguments: "--path /overlay",
        shown_on: shown_on(&["x86_64-5.10", "hppa-6.12"]),
        ..ROOT
    },
    Scenario {
        name: "squashfs",
        modules: &[("*", &["loop", "squashfs"])],
        files: &[GuestFile::Squashfs],
        setup: Some(&[PROC, DEV, "loop /squashfs /dev/loop0", "mount squashfs /packed /dev/loop0"]),
        arguments: "--path /packed/file",
        shown_on: shown_on(&["x86_64-7.x"]),
        ..ROOT
    },
    Scenario {
        name: "tmpfs-huge",
        setup: Some(&[PROC, "mount tmpfs /huge none huge=always"]),
        arguments: "--path /huge",
        shown_on: shown_on(&["x86_64-7.x"]),
        ..ROOT
    },
    Scenario {
        name: "hugetlbfs",
        append: "hugepages=4",
        setup: Some(&[PROC, SYS, "mount hugetlbfs /huge"]),
        arguments: "--path /huge",
        shown_on: shown_on(&["x86_64-5.10", "hppa64-6.12"]),
        ..ROOT
    },
    Scenario {
        name: "fuse",
        setup: Some(&[PROC, DEV, "fuse /fuse"]),
        arguments: "--path /fuse/cached --path /fuse/direct",
        shown_on: shown_on(&["x86_64-7.x", "hppa-6.12"]),
        ..ROOT
    },
    Scenario {
        name: "fsize-0",
        setup: Some(&[PROC, "limit fsize 0"]),
        shown_on: shown_on(&["x86_64-7.x", "hppa-6.1"]),
        ..ROOT
    },
    Scenario {
        name: "nofile-8",
        setup: Some(&[PROC, "limit nofile 8"]),
        shown_on: shown_on(&["x86_64-7.x", "hppa-6.1"]),
        ..ROOT
    },
    Scenario {
        name: "seccomp-kill",
        setup: Some(&[PROC, "mkdir /tmp", "kill memfd_create mincore madvise"]),
        shown_on: shown_on(&["x86_64-5.10", "hppa-6.12"]),
        ..ROOT
    },
    // Without /tmp as well, no writable file is left.
    Scenario {
        name: "no-shm",
        setup: Some(&[PROC, "reject memfd_create"]),
        shown_on: shown_on(&["x86_64-7.x", "hppa-6.12"]),
        ..ROOT
    },
];

/// The program as PID 1.
const ROOT: Scenario = Scenario {
    name: "root",
    append: "",
    memory: &[],
    modules: &[],
    files: &[],
    share: false,
    setup: None,
    arguments: "",
    euid: 0,
    shown_on: None,
};

/// A directory of this machine.
const NINE_P: Scenario = Scenario {
    modules: &[("hppa*", &[]), ("*", &["netfs", "9pnet", "9p", "9pnet_virtio"])],
    share: true,
    arguments: "--path /9p/file",
    shown_on: shown_on(&["aarch64-7.x-16k", "hppa-6.12"]),
    ..ROOT
};

const PROC: &str = "mount proc /proc";
const SYS: &str = "mount sysfs /sys";
const DEV: &str = "mount devtmpfs /dev";
const CGROUPS: &str = "mount cgroup2 /cgroup";
/// 0 is the process that writes it (Documentation/admin-guide/cgroup-v2.rst).
const JOIN: &str = "write /cgroup/lab/cgroup.procs 0";

/// Memory from 512 MiB to 576 MiB becomes persistent memory
/// (Documentation/admin-guide/kernel-parameters.txt, `memmap=`).
const PMEM: &str = "memmap=64M!512M";
const PMEM_MEMORY: &[(&str, u32)] = &[("*", 768)];

/// Little memory, in MiB. The least that boots, found by trial: on x86_64 64 (5.10), 72 (6.1) and
/// 80; on aarch64 48 (6.1, 6.12), 56 (5.10), 64, and 80 (16 KiB pages); on hppa 16, the least that
/// the firmware accepts, and with `hppa-features.config` 24, because with less the program cannot
/// make a child process. With 64 MiB, aarch64-7.x has no huge page left in one of three boots, and
/// `MAP_STACK` has no visible effect; so architectures with huge pages get a little more.
const SMALL: &[(&str, u32)] = &[
    ("aarch64-*-16k", 80),
    ("x86_64-*", 96),
    ("aarch64-*", 96),
    ("hppa*-6.12", 24),
    ("hppa*", 16),
];

const fn shown_on(kernels: &'static [&'static str]) -> Option<ShownOn> {
    Some(ShownOn { kernels, reason: "a few kernels show it, and all others would take long" })
}

/// The combinations that are not booted.
pub static SKIPS: &[Skip] = &[
    Skip {
        scenarios: &["hugepages", "hugetlb-max-0", "hugetlb-rsvd-0", "hugetlbfs"],
        kernels: &["hppa-*"],
        reason: "a 32-bit PA-RISC kernel has no huge pages: arch/parisc/Kconfig selects \
                 ARCH_SUPPORTS_HUGETLBFS for PA 2.0 only",
    },
    Skip {
        scenarios: &["dax", "device-dax"],
        kernels: &["aarch64-*", "hppa*"],
        reason: "persistent memory is emulated with memmap=, which only x86 supports \
                 (arch/x86/kernel/e820.c)",
    },
    Skip {
        scenarios: &["seccomp", "seccomp-kill", "no-shm"],
        kernels: PLAIN_HPPA,
        reason: "the configuration of this kernel (tests/kernels/hppa.config) has no \
                 CONFIG_SECCOMP, which depends on CONFIG_NET; the kernels of the newest series \
                 have it (tests/kernels/hppa-features.config)",
    },
    Skip {
        scenarios: &["hugetlb-max-0", "hugetlb-rsvd-0", "memcg-4m"],
        kernels: PLAIN_HPPA,
        reason: "the configuration of this kernel (tests/kernels/hppa.config) has no \
                 CONFIG_CGROUPS",
    },
    Skip {
        scenarios: &["9p-none", "9p-mmap"],
        kernels: &["*64-5.10", "*64-6.1", "*64-6.12", "*64-7.x"],
        reason: "Debian's cloud kernels have no CONFIG_NET_9P",
    },
    Skip {
        scenarios: &["small"],
        kernels: &["hppa-6.1"],
        reason: "under QEMU 7.2 it runs out of memory while booting with less than the machine's \
                 256 MiB (under QEMU 10, 16 MiB are enough)",
    },
];

/// The PA-RISC kernels without `hppa-features.config`.
const PLAIN_HPPA: &[&str] = &["hppa-5.10", "hppa-6.1", "hppa64-6.1"];
