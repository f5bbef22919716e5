//! 64-bit x86.

use crate::target::{Backend, Elf, Machine, Target};
use mapprobe::arch::Arch;

pub(super) static TARGET: Target = Target {
    arch: Arch::X86_64,
    debian: "amd64",
    triple: "x86_64-unknown-linux-musl",
    backend: Backend::Native {
        linker: "musl-gcc",
        libc: None,
        rustflags: &[
            // Otherwise code and constants are padded to separate pages: 4.2 kB.
            "-Clink-arg=-Wl,-z,noseparate-code",
        ],
    },
    packages: &["musl-tools"],
    elf: Elf { machine: 62, bits: 64, big_endian: false },
    budget: 144 << 10,
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
