//! A kernel of the lab, and how its image gets into the cache.

use super::build;
use crate::cache_entry::{self, Provenance};
use crate::emulator::Emulator;
use crate::host_packages;
use anyhow::{Context, Result, bail};
use dist::cache::Cache;
use dist::debian::{Package, extract};
use mapprobe::arch::Arch;
use std::fs;
use std::path::{Path, PathBuf};

/// A kernel of the lab.
#[derive(Debug)]
pub struct Kernel {
    /// Architecture and series, such as `x86_64-6.1`; also the name of its expectations.
    pub name: &'static str,
    /// What it runs on.
    pub arch: Arch,
    /// Where it comes from.
    pub origin: Origin,
    /// What runs it.
    pub emulator: Emulator,
    /// Arguments of QEMU beside those of the architecture's machine; where one is given twice, the last counts.
    pub arguments: &'static [&'static str],
    /// Words for the kernel's command line beside those every scenario gets.
    pub append: &'static str,
    /// Whether every `cargo test` boots it; `cargo lab` boots the others too.
    pub quick: bool,
}

/// How a kernel is got.
#[derive(Debug)]
pub enum Origin {
    /// Out of a Debian package.
    Packaged {
        /// As `bookworm`.
        suite: &'static str,
        /// The package's name; `*` stands for what changes with every update.
        package: &'static str,
        /// The directory that has the image, itself or further below.
        directory: &'static str,
    },
    /// Built from a Debian source package: `make allnoconfig`, the configuration, `make vmlinux`.
    Built {
        /// As `bookworm`.
        suite: &'static str,
        /// The package that holds the source, such as `linux-source-6.1`.
        package: &'static str,
        /// Variables of the kernel's make.
        make: &'static [&'static str],
        /// Pieces of configuration; where two contradict each other, the last counts.
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

/// A kernel that can be booted.
#[derive(Debug)]
pub struct Image {
    /// The file.
    pub path: PathBuf,
    /// What it was made of.
    pub provenance: Provenance,
}

impl Kernel {
    /// The image: from the cache, or fetched or built now.
    pub fn image(&self) -> Result<Image> {
        self.image_in(&Cache::open()?)
            .with_context(|| format!("There is no kernel {} to boot.", self.name))
    }

    fn image_in(&self, cache: &Cache) -> Result<Image> {
        let place = format!("kernels/{}", self.name);
        let item = cache_entry::get(cache, (&place, "kernel"), &self.recipe()?, |to, work| {
            self.make(cache, to, work)
        })?;
        Ok(Image { path: item.directory.join("image"), provenance: item.provenance })
    }

    /// Makes the file `image` in the directory `to`.
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
                    .with_context(|| format!("{} is of no use.", package.name))?;
                (package, image)
            }
            Origin::Built { suite, package, make, configuration, .. } => {
                host_packages::need(host_packages::KERNEL_BUILD)?;
                // The package is in the index of every architecture, since it belongs to none.
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

    /// Everything that decides what the image is, the version of the package excepted.
    fn recipe(&self) -> Result<String> {
        Ok(match &self.origin {
            Origin::Packaged { suite, package, .. } => format!("{package} of {suite}"),
            Origin::Built { suite, package, make, configuration, compilers } => {
                host_packages::need(
                    &compilers.iter().map(|(_, debian)| *debian).collect::<Vec<_>>(),
                )?;
                let versions: Result<Vec<_>> = compilers
                    .iter()
                    .map(|(compiler, _)| build::compiler_version(compiler))
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

/// The one kernel image in a directory and below it.
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
