//! The architectures, as values: a report or a recording made on one can be read on any other.
//! Nothing here knows how to build or boot them; that is the `targets` package.

/// An architecture of the flag table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit x86, `arch/x86`.
    X86_64,
    /// 64-bit ARM, `arch/arm64`.
    Aarch64,
    /// PA-RISC, `arch/parisc`: a 32-bit program, on a 32-bit or a 64-bit kernel.
    Hppa,
}

impl Arch {
    /// Every architecture, in the order of the table's columns.
    pub const ALL: [Arch; 3] = [Arch::X86_64, Arch::Aarch64, Arch::Hppa];

    /// Their names, in the same order.
    pub(crate) const NAMES: [&str; 3] = ["x86_64", "aarch64", "hppa"];

    /// The name used in reports and file names, as `uname -m` spells it on a 64-bit machine.
    pub const fn name(self) -> &'static str {
        Arch::NAMES[self as usize]
    }

    /// How many bits the flags argument of `mmap` has in a program of this architecture.
    pub const fn flag_bits(self) -> u32 {
        match self {
            Arch::X86_64 | Arch::Aarch64 => 64,
            Arch::Hppa => 32,
        }
    }

    /// The architecture this program was compiled for. A wasm build runs on hppa only (see `targets/hppa/`).
    pub const fn native() -> Arch {
        if cfg!(target_arch = "x86_64") {
            Arch::X86_64
        } else if cfg!(target_arch = "aarch64") {
            Arch::Aarch64
        } else if cfg!(target_family = "wasm") {
            Arch::Hppa
        } else {
            panic!("mapprobe has no flag table for this architecture")
        }
    }
}

const _: Arch = Arch::native();
