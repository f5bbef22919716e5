//! 64-bit x86.

use super::{Arch, Elf, Machine, Route, Target};

pub(super) static TARGET: Target = Target {
    arch: Arch::X86_64,
    debian: "amd64",
    triple: "x86_64-unknown-linux-musl",
    route: Route::Native {
        linker: "musl-gcc",
        libc: None,
        rustflags: &[
            // Nothing is linked at run time: calls need no table of addresses.
            "-Zplt=yes",
            // Measured: a value that is kept for later costs more than making it again.
            "-Cllvm-args=-disable-machine-cse",
            // Callers know which registers a function leaves alone. Not on aarch64, where outlined code uses some of them afterwards.
            "-Cllvm-args=-enable-ipra",
        ],
        layout: Some(include_str!("../x86_64.ld")),
    },
    packages: &["musl-tools"],
    elf: Elf { machine: 62, bits: 64, big_endian: false },
    budget: 56 << 10,
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
