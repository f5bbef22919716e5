//! 64-bit ARM.

use super::{Arch, Elf, Machine, Route, Target};

pub(super) static TARGET: Target = Target {
    arch: Arch::Aarch64,
    debian: "arm64",
    triple: "aarch64-unknown-linux-musl",
    route: Route::Native {
        linker: "aarch64-linux-gnu-gcc",
        libc: Some(("musl-dev", "arm64")),
        rustflags: &[
            // Otherwise a constructor, which nothing would run, asks the C library which atomic instructions there are.
            "-Ctarget-feature=-outline-atomics",
            // Outlined functions have sequences in common, too.
            "-Cllvm-args=-machine-outliner-reruns=1",
        ],
        layout: None,
    },
    packages: &["gcc-aarch64-linux-gnu"],
    elf: Elf { machine: 183, bits: 64, big_endian: false },
    budget: 60 << 10,
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
