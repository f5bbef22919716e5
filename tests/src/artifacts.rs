//! Build artifacts of `dist`: the released programs, their packages, and examples of the probe's
//! package that are built in the same way. Each is built once per process.

use crate::host_packages;
use crate::per_arch::PerArch;
use anyhow::{Context, Result};
use dist::package::Packages;
use dist::{Artifact, Options, packages, toolchain};
use mapprobe::arch::Arch;
use std::path::{Path, PathBuf};
use targets::Target;

/// The artifacts for an architecture, without packages.
pub fn of(arch: Arch) -> Result<&'static Artifact> {
    static BUILT: PerArch<Artifact> = PerArch::new();
    BUILT.get(arch, || build(arch, &Options::default()))
}

/// The artifacts for an architecture, packages included.
pub fn packaged(arch: Arch) -> Result<&'static Artifact> {
    static BUILT: PerArch<Artifact> = PerArch::new();
    let packages = Packages { deb: true, tar: true };
    BUILT.get(arch, || build(arch, &Options { packages, ..Options::default() }))
}

/// The bytes of the released program.
pub fn program(arch: Arch) -> Result<Vec<u8>> {
    read(&of(arch)?.path)
}

/// The path of an example of the probe's package, built like the released program.
pub fn example(arch: Arch, name: &str) -> Result<PathBuf> {
    let target = targets::of(arch);
    install_tools(target)?;
    dist::build_example(target, name, &Options::default())
}

/// The bytes of an [`example`].
pub fn example_program(arch: Arch, name: &str) -> Result<Vec<u8>> {
    read(&example(arch, name)?)
}

fn build(arch: Arch, options: &Options) -> Result<Artifact> {
    let target = targets::of(arch);
    install_tools(target)?;
    let built = dist::build(&[target], options)?;
    built.into_iter().next().context("dist built nothing.")
}

/// Installs the tools of the build. Unlike `dist`, it waits for other processes that install.
fn install_tools(target: &'static Target) -> Result<()> {
    if toolchain::with_sources().is_none() {
        host_packages::renew(&toolchain::PACKAGES)?;
    }
    let toolchain = toolchain::require_sources()?;
    let missing = packages::missing(&[target], &toolchain);
    let names: Vec<&str> =
        missing.iter().flat_map(|missing| missing.packages.iter().copied()).collect();
    host_packages::need(&names)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read.", path.display()))
}
