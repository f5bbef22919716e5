//! A kernel of the lab, and how its image is obtained.

use super::build;
use crate::cache_entry::{self, Provenance};
use crate::emulator::Emulator;
use crate::{host_packages, process};
use anyhow::{Context, Result, bail};
use dist::cache::Cache;
use dist::debian::{Package, extract};
use mapprobe::arch::Arch;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A kernel of the lab.
#[derive(Debug)]
pub struct Kernel {
    /// Architecture and series, such as `x86_64-6.1`; also the name of its file of expectations.
    pub name: &'static str,
    pub arch: Arch,
    pub origin: Origin,
    pub emulator: Emulator,
    /// QEMU arguments in addition to those of the machine. The last of repeated arguments applies.
    pub arguments: &'static [&'static str],
    /// Kernel command line arguments in addition to those of every guest.
    pub append: &'static str,
    /// Whether every `cargo test` boots the kernel. `cargo lab` boots all kernels.
    pub quick: bool,
}

/// The origin of a kernel.
#[derive(Debug)]
pub enum Origin {
    /// A Debian package with an image.
    Packaged {
        /// Such as `bookworm`.
        suite: &'static str,
        /// The name of the package. `*` is a wildcard for the parts that change with updates.
        package: &'static str,
        /// The directory of the image in the package, or one above it.
        directory: &'static str,
    },
    /// A Debian source package, built with `make allnoconfig`, the configuration and `make
    /// vmlinux`.
    Built {
        /// Such as `bookworm`.
        suite: &'static str,
        /// The package with the source, such as `linux-source-6.1`.
        package: &'static str,
        /// Variables for make.
        make: &'static [&'static str],
        /// Pieces of configuration. The last of contradicting lines applies.
        configuration: &'static [&'static str],
        /// The cross compilers, the kernel's own first, each with its Debian package.
        compilers: &'static [(&'static str, &'static str)],
    },
}

impl Origin {
    /// The suite of the package.
    pub fn suite(&self) -> &'static str {
        match self {
            Origin::Packaged { suite, .. } | Origin::Built { suite, .. } => suite,
        }
    }
}

/// A kernel image that can be booted.
#[derive(Debug)]
pub struct Image {
    pub path: PathBuf,
    pub provenance: Provenance,
}

impl Kernel {
    /// The image. It is downloaded or built if the cache does not have it.
    pub fn image(&self) -> Result<Image> {
        self.image_in(&Cache::open()?)
            .with_context(|| format!("The kernel {} is not available.", self.name))
    }

    fn image_in(&self, cache: &Cache) -> Result<Image> {
        let place = format!("kernels/{}", self.name);
        let item = cache_entry::get(cache, (&place, "kernel"), &self.recipe()?, |to, work| {
            self.make(cache, to, work)
        })?;
        Ok(Image { path: item.directory.join("image"), provenance: item.provenance })
    }

    /// Creates the file `image` in the directory `to`.
    fn make(&self, cache: &Cache, to: &Path, work: &Path) -> Result<Package> {
        host_packages::need(host_packages::ARCHIVE)?;
        let (package, image) = match &self.origin {
            Origin::Packaged { suite, package, directory } => {
                let package = cache_entry::newest_package(
                    cache,
                    suite,
                    targets::of(self.arch).debian,
                    package,
                )?;
                let unpacked = work.join("unpacked");
                extract(&[&package.fetch(cache)?], directory, &unpacked)?;
                let image = only_image(&unpacked)
                    .with_context(|| format!("{} has no usable image.", package.name))?;
                (package, image)
            }
            Origin::Built { suite, package, make, configuration, .. } => {
                host_packages::need(host_packages::KERNEL_BUILD)?;
                // The package is independent of the architecture, so every index has it.
                let package = cache_entry::newest_package(cache, suite, "amd64", package)?;
                let vmlinux =
                    build::vmlinux(self.name, &package.fetch(cache)?, make, configuration, work)?;
                (package, vmlinux)
            }
        };
        fs::rename(&image, to.join("image"))
            .with_context(|| format!("{} cannot be moved.", image.display()))?;
        Ok(package)
    }

    /// Everything that determines the image, except the version of the package.
    fn recipe(&self) -> Result<String> {
        Ok(match &self.origin {
            Origin::Packaged { suite, package, .. } => format!("{package} of {suite}"),
            Origin::Built { suite, package, make, configuration, compilers } => {
                host_packages::need(
                    &compilers.iter().map(|(_, debian)| *debian).collect::<Vec<_>>(),
                )?;
                let versions: Result<Vec<_>> = compilers
                    .iter()
                    .map(|(compiler, _)| process::version(&mut Command::new(compiler)))
                    .collect();
                let version = versions?.join(", ");
                format!(
                    "{package} of {suite}; {}; {version}; {}",
                    make.join(" "),
                    configuration.concat()
                )
            }
        })
    }
}

/// The one kernel image below a directory.
fn only_image(directory: &Path) -> Result<PathBuf> {
    let mut images = Vec::new();
    collect_images(directory, &mut images)?;
    match images.as_slice() {
        [one] => Ok(one.clone()),
        _ => bail!("It should hold one kernel image, and holds {}: {images:?}.", images.len()),
    }
}

fn collect_images(directory: &Path, images: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)
        .with_context(|| format!("{} cannot be read.", directory.display()))?
    {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            collect_images(&entry.path(), images)?;
        } else if ["vmlinuz", "vmlinux-"].iter().any(|image| name.starts_with(image)) {
            images.push(entry.path());
        }
    }
    Ok(())
}
