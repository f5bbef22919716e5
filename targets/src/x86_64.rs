//! 64-bit x86.

use super::{Arch, Elf, Machine, Route, Target};

pub(super) static TARGET: Target = Target {
    arch: Arch::X86_64,
    debian: "amd64",
    triple: "x86_64-unknown-linux-musl",
    route: Route::Native { linker: "musl-gcc", libc: None, rustflags: &[] },
    packages: &["musl-tools"],
    elf: Elf { machine: 62, bits: 64, big_endian: false },
    budget: 58 << 10,
    emulator: None,
    newer_than_headers: &[],
    machine: Machine {
        qemu: "qemu-system-x86_64",
        package: "qemu-system-x86",
        arguments: &[],
        memory: 512,
        console: "ttyS0",
    },
};
