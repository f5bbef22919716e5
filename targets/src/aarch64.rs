//! 64-bit ARM.

use crate::target::{Backend, DebianPackage, Elf, Machine, Target};
use mapprobe::arch::Arch;

pub(super) static TARGET: Target = Target {
    arch: Arch::Aarch64,
    debian: "arm64",
    triple: "aarch64-unknown-linux-musl",
    backend: Backend::Native {
        linker: "aarch64-linux-gnu-gcc",
        libc: Some(DebianPackage { name: "musl-dev", arch: "arm64" }),
        rustflags: &[
            // Outlined atomics choose their instructions in a constructor, and the program's own
            // entry point (probe/src/rt.rs) runs none.
            "-Ctarget-feature=-outline-atomics",
        ],
    },
    packages: &["gcc-aarch64-linux-gnu"],
    elf: Elf { machine: 183, bits: 64, big_endian: false },
    budget: 136 << 10,
    emulator: Some("qemu-aarch64-static"),
    newer_than_headers: &[],
    machine: Machine {
        qemu: "qemu-system-aarch64",
        package: "qemu-system-arm",
        arguments: &["-M", "virt", "-cpu", "cortex-a72"],
        memory: 512,
        console: "ttyAMA0",
    },
};
