//! Where mapprobe runs: one literal per architecture. To add one, add a column to the flag table (`mapprobe::flags`), a file
//! here, and its name to [`ALL`]; everything else walks this list.

use mapprobe::arch::Arch;

mod aarch64;
mod hppa;
mod x86_64;

/// Every target, in the order of the table's columns.
pub const ALL: [&Target; 3] = [&x86_64::TARGET, &aarch64::TARGET, &hppa::TARGET];

/// An architecture: how its program is built, what a right file looks like, and how a machine of it is booted.
#[derive(Debug)]
pub struct Target {
    /// The column of the flag table.
    pub arch: Arch,
    /// Debian's name for it.
    pub debian: &'static str,
    /// What `rustc --target` compiles for.
    pub triple: &'static str,
    /// From what `rustc` makes to a static program.
    pub route: Route,
    /// Debian packages the route needs, beside a Rust toolchain with the std sources.
    pub packages: &'static [&'static str],
    /// `e_machine`, `EI_CLASS` and `EI_DATA` of the program, `elf(5)`.
    pub elf: Elf,
    /// Largest size of the delivered file when std was rebuilt: bytes.
    pub budget: u64,
    /// The program that runs it on other machines, and its Debian package; none where the build machine usually does.
    pub emulator: Option<&'static str>,
    /// Flags that the kernel headers of the route's packages do not name yet, each with the reason.
    pub newer_than_headers: &'static [(&'static str, &'static str)],
    /// How a machine is booted.
    pub machine: Machine,
}

/// How the compiler's output becomes a static program.
#[derive(Debug)]
pub enum Route {
    /// rustc links it, with this C compiler as linker driver.
    Native {
        /// The linker driver.
        linker: &'static str,
        /// The Debian package and architecture whose static C library is linked when the build machine's own does not fit.
        libc: Option<(&'static str, &'static str)>,
        /// What this architecture alone needs of rustc when std is rebuilt.
        rustflags: &'static [&'static str],
        /// What the linker is told about the order of the program's parts when std is rebuilt: a script for GNU ld.
        layout: Option<&'static str>,
    },
    /// rustc makes WebAssembly, wasm2c makes C of it, and this cross compiler a program, together with a host shim.
    Wasm2c {
        /// The cross compiler.
        compiler: &'static str,
        /// The folder of the host shim, below this package.
        shim: &'static str,
    },
}

/// The identification of an ELF file, `elf(5)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elf {
    /// `e_machine`, `include/uapi/linux/elf-em.h`.
    pub machine: u16,
    /// 32 or 64.
    pub bits: u8,
    /// Whether numbers are stored with the highest byte first.
    pub big_endian: bool,
}

/// A machine that QEMU emulates. Guests and kernels are the lab's; this is what all of them share.
#[derive(Debug)]
pub struct Machine {
    /// The program.
    pub qemu: &'static str,
    /// Its Debian package.
    pub package: &'static str,
    /// Arguments that choose machine and processor.
    pub arguments: &'static [&'static str],
    /// Memory: MiB.
    pub memory: u32,
    /// The kernel's name of the serial console.
    pub console: &'static str,
}

/// The target of an architecture.
pub fn of(arch: Arch) -> &'static Target {
    ALL[arch as usize]
}

/// The target with a name, such as `hppa`.
pub fn named(name: &str) -> Option<&'static Target> {
    ALL.into_iter().find(|target| target.arch.name() == name)
}

#[cfg(test)]
mod tests {
    use super::{ALL, Arch, named, of};

    #[test]
    fn every_architecture_has_its_target() {
        assert_eq!(ALL.map(|target| target.arch), Arch::ALL);
        for arch in Arch::ALL {
            assert_eq!(of(arch).arch, arch);
            assert_eq!(named(arch.name()).map(|target| target.arch), Some(arch));
        }
    }
}
