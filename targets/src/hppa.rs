//! PA-RISC. Neither rustc nor LLVM has a backend for it: the program goes through WebAssembly and C (`hppa/` beside `src/`).

use super::{Arch, Elf, Machine, Route, Target};

pub(super) static TARGET: Target = Target {
    arch: Arch::Hppa,
    debian: "hppa",
    triple: "wasm32-unknown-unknown",
    route: Route::Wasm2c { compiler: "hppa-linux-gnu-gcc", shim: "hppa" },
    packages: &["wabt", "gcc-hppa-linux-gnu", "libc6-dev-hppa-cross"],
    elf: Elf { machine: 15, bits: 32, big_endian: true },
    budget: 80 << 10,
    emulator: Some("qemu-hppa-static"),
    newer_than_headers: &[(
        "MAP_DROPPABLE",
        "came with Linux 6.11; Debian 12's linux-libc-dev-hppa-cross is of 6.1",
    )],
    machine: Machine {
        qemu: "qemu-system-hppa",
        package: "qemu-system-misc",
        arguments: &[],
        memory: 256,
        console: "ttyS0",
    },
};
