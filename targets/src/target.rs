//! What is known about an architecture: how its program is built and checked, and how a machine is
//! booted.

use mapprobe::arch::Arch;

#[derive(Debug)]
pub struct Target {
    pub arch: Arch,
    /// Debian's name of the architecture.
    pub debian: &'static str,
    /// The argument of `rustc --target`.
    pub triple: &'static str,
    pub backend: Backend,
    /// Debian packages that the backend needs, besides a Rust toolchain with the sources of std.
    pub packages: &'static [&'static str],
    pub elf: Elf,
    /// The largest size of the program in bytes. Enforced when std was rebuilt.
    pub budget: u64,
    /// The program that emulates the architecture on other machines. None for x86_64, the usual
    /// build machine.
    pub emulator: Option<&'static str>,
    /// Flags that the kernel headers in [`Target::packages`] do not define yet, each with the
    /// reason.
    pub newer_than_headers: &'static [(&'static str, &'static str)],
    pub machine: Machine,
}

/// How the compiler's output becomes a static program.
#[derive(Debug)]
pub enum Backend {
    /// rustc compiles, and links with a C compiler as linker driver.
    Native {
        linker: &'static str,
        /// Where the static C library comes from, if the linker driver has no suitable one.
        libc: Option<DebianPackage>,
        /// Compiler flags for this architecture only.
        rustflags: &'static [&'static str],
    },
    /// rustc compiles to WebAssembly, wasm2c translates that to C, and a cross compiler compiles
    /// the C.
    Wasm2c {
        compiler: &'static str,
        /// The directory below `targets/` with the C runtime that is compiled into the program.
        runtime: &'static str,
    },
}

/// A package of Debian's archive for a given architecture.
#[derive(Clone, Copy, Debug)]
pub struct DebianPackage {
    pub name: &'static str,
    pub arch: &'static str,
}

/// The identification of an ELF file, `elf(5)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elf {
    /// `e_machine`, `include/uapi/linux/elf-em.h`.
    pub machine: u16,
    /// `EI_CLASS`: 32 or 64.
    pub bits: u8,
    /// `EI_DATA`.
    pub big_endian: bool,
}

/// A machine that QEMU emulates.
#[derive(Debug)]
pub struct Machine {
    /// The program, such as `qemu-system-aarch64`.
    pub qemu: &'static str,
    /// Its Debian package.
    pub package: &'static str,
    /// Arguments that choose machine and processor.
    pub arguments: &'static [&'static str],
    /// In MiB.
    pub memory: u32,
    /// The kernel's name of the serial console.
    pub console: &'static str,
}
