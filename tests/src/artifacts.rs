//! The program as it is delivered, and the examples that are built the same way: by `dist`, once per process.

use crate::host_packages;
use anyhow::{Context, Result, anyhow};
use dist::package::Packages;
use dist::{Delivered, Options, packages, toolchain};
use mapprobe::arch::Arch;
use std::path::PathBuf;
use std::sync::OnceLock;
use targets::Target;

/// What is delivered for an architecture.
pub fn of(arch: Arch) -> Result<&'static Delivered> {
    static DELIVERED: [OnceLock<Result<Delivered, String>>; Arch::ALL.len()] =
        [const { OnceLock::new() }; 3];
    let built = DELIVERED[arch as usize]
        .get_or_init(|| deliver(arch, &Options::default()).map_err(|error| format!("{error:#}")));
    built.as_ref().map_err(|sentence| anyhow!("{sentence}"))
}

/// The same, with its packages.
pub fn packaged(arch: Arch) -> Result<&'static Delivered> {
    static PACKAGED: [OnceLock<Result<Delivered, String>>; Arch::ALL.len()] =
        [const { OnceLock::new() }; 3];
    let options = Options { packages: Packages { deb: true, tar: true }, ..Options::default() };
    let built = PACKAGED[arch as usize]
        .get_or_init(|| deliver(arch, &options).map_err(|error| format!("{error:#}")));
    built.as_ref().map_err(|sentence| anyhow!("{sentence}"))
}

/// The delivered program.
pub fn program(arch: Arch) -> Result<Vec<u8>> {
    read(&of(arch)?.path)
}

/// An example of the program's package, built as the program is: where it is.
pub fn example(arch: Arch, name: &str) -> Result<PathBuf> {
    let target = targets::of(arch);
    provide(target)?;
    dist::build_example(target, name, &Options::default())
}

/// The content of [`example`].
pub fn example_program(arch: Arch, name: &str) -> Result<Vec<u8>> {
    read(&example(arch, name)?)
}

fn deliver(arch: Arch, options: &Options) -> Result<Delivered> {
    let target = targets::of(arch);
    provide(target)?;
    let delivered = dist::deliver(&[target], options)?;
    delivered.into_iter().next().context("dist delivered nothing")
}

/// Installs what the build needs, with the lab's own care for other processes that install something.
fn provide(target: &'static Target) -> Result<()> {
    if toolchain::with_sources().is_none() {
        host_packages::renew(&toolchain::PACKAGES)?;
    }
    let toolchain = toolchain::require_sources()?;
    let missing = packages::missing(&[target], &toolchain);
    host_packages::need(
        &missing.iter().flat_map(|missing| missing.packages.iter().copied()).collect::<Vec<_>>(),
    )
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read.", path.display()))
}
