//! The architectures mapprobe supports: how each program is built and checked, and how a machine is
//! booted.
//!
//! To add one, add a column to the flag table (`mapprobe::flags`), a file here, and its name to
//! [`ALL`] and [`of`].

pub mod target;

mod aarch64;
mod hppa;
mod x86_64;

pub use target::{Backend, DebianPackage, Elf, Machine, Target};

use mapprobe::arch::Arch;

/// Every target, in the order of the flag table's columns.
pub const ALL: [&Target; 3] = [&x86_64::TARGET, &aarch64::TARGET, &hppa::TARGET];

pub fn of(arch: Arch) -> &'static Target {
    match arch {
        Arch::X86_64 => &x86_64::TARGET,
        Arch::Aarch64 => &aarch64::TARGET,
        Arch::Hppa => &hppa::TARGET,
    }
}

/// Finds a target by the name of its architecture, such as `hppa`.
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
