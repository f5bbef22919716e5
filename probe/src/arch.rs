//! The architectures, as values: a report or a recording of one architecture can be read on any
//! other. The `targets` package builds and boots them.

/// An architecture of the flag table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit x86, `arch/x86`.
    X86_64,
    /// 64-bit ARM, `arch/arm64`.
    Aarch64,
    /// PA-RISC, `arch/parisc`: a 32-bit program on a 32-bit or a 64-bit kernel.
    Hppa,
}

impl Arch {
    pub const ALL: [Arch; 3] = [Arch::X86_64, Arch::Aarch64, Arch::Hppa];

    /// The name in reports and file names, as `uname -m` spells it on a 64-bit machine.
    pub const fn name(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64",
            Arch::Aarch64 => "aarch64",
            Arch::Hppa => "hppa",
        }
    }

    pub fn from_name(name: &str) -> Option<Arch> {
        Arch::ALL.into_iter().find(|arch| arch.name() == name)
    }

    /// The width of the flags argument of `mmap(2)` in bits.
    pub const fn flag_bits(self) -> u32 {
        match self {
            Arch::X86_64 | Arch::Aarch64 => 64,
            Arch::Hppa => 32,
        }
    }

    /// The bits that select a map type: `MAP_TYPE` in `include/uapi/asm-generic/mman-common.h` and
    /// `arch/parisc/include/uapi/asm/mman.h`.
    pub const fn type_mask(self) -> usize {
        match self {
            Arch::X86_64 | Arch::Aarch64 => 0x0f,
            Arch::Hppa => 0x2b,
        }
    }

    /// The architecture that this program was compiled for. A WebAssembly build runs on hppa only
    /// (`targets/hppa/`).
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

// Stops the build for any other architecture.
const _: Arch = Arch::native();
