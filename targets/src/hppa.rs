//! PA-RISC. Neither rustc nor LLVM supports it, so the program is compiled through WebAssembly and
//! C (see `targets/hppa/`).

use crate::target::{Backend, Elf, Machine, Target};
use mapprobe::arch::Arch;

pub(super) static TARGET: Target = Target {
    arch: Arch::Hppa,
    debian: "hppa",
    triple: "wasm32-unknown-unknown",
    backend: Backend::Wasm2c { compiler: "hppa-linux-gnu-gcc", runtime: "hppa" },
    packages: &["wabt", "gcc-hppa-linux-gnu", "libc6-dev-hppa-cross"],
    elf: Elf { machine: 15, bits: 32, big_endian: true },
    budget: 252 << 10,
    emulator: Some("qemu-hppa-static"),
    newer_than_headers: &[(
        "MAP_DROPPABLE",
        "added in Linux 6.11; linux-libc-dev-hppa-cross of Debian 12 has the headers of 6.1",
    )],
    machine: Machine {
        qemu: "qemu-system-hppa",
        package: "qemu-system-misc",
        arguments: &[],
        memory: 256,
        console: "ttyS0",
    },
};
