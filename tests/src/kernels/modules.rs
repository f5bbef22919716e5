//! Modules of a packaged kernel, from the package of its image or the accompanying package.

use super::kernel::{Kernel, Origin};
use crate::cache_entry::Provenance;
use crate::{cache_entry, host_packages, process};
use anyhow::{Context, Result, bail};
use dist::cache::Cache;
use dist::debian::{Mirror, Package, extract};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// In Debian's development suite the image and the modules have separate packages of the same
/// version.
const PACKAGE_PREFIXES: (&str, &str) = ("linux-binary-", "linux-modules-");

impl Kernel {
    /// Modules by their names without an extension, each with its uncompressed content.
    pub fn modules(&self, names: &[&'static str]) -> Result<Vec<(&'static str, Vec<u8>)>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let Origin::Packaged { suite, .. } = self.origin else {
            bail!(
                "{} is built without modules; a scenario that needs {} cannot be booted.",
                self.name,
                names.join(", ")
            )
        };
        let (image, cache) = (self.image()?.provenance, Cache::open()?);
        let place = format!("modules/{}/{}", self.name, names.join("+"));
        let item = cache_entry::get(
            &cache,
            (&place, "modules"),
            &recipe(&names.join(", "), &image),
            |to, work| {
                let package = self.package_of_modules(&cache, suite, &image)?;
                let unpacked = work.join("unpacked");
                extract(&[&package.fetch(&cache)?], "", &unpacked)?;
                names.iter().try_for_each(|name| {
                    write_uncompressed(&package, &unpacked, name, &to.join(name))
                })?;
                Ok(package)
            },
        )?;
        let read = |name: &&'static str| Ok((*name, fs::read(item.directory.join(name))?));
        names
            .iter()
            .map(read)
            .collect::<Result<_>>()
            .with_context(|| format!("The cached modules of {} cannot be read.", self.name))
    }

    /// The files that the kernel's package installs, for generators of an initramfs: a directory
    /// with `boot/config-RELEASE` and `usr/lib/modules/RELEASE`, including the lists of depmod.
    pub fn installed(&self) -> Result<PathBuf> {
        let Origin::Packaged { suite, .. } = self.origin else {
            bail!("{} has no package.", self.name)
        };
        host_packages::need(host_packages::INITRAMFS)?;
        let (image, cache) = (self.image()?.provenance, Cache::open()?);
        let place = format!("installed/{}", self.name);
        let item =
            cache_entry::get(&cache, (&place, "installed"), &recipe("all", &image), |to, work| {
                let package = self.package_of_modules(&cache, suite, &image)?;
                let (unpacked, usr) = (work.join("unpacked"), to.join("usr"));
                extract(&[&package.fetch(&cache)?], "", &unpacked)?;
                fs::create_dir(&usr)?;
                fs::rename(unpacked.join("lib"), usr.join("lib"))
                    .context("The package has no modules.")?;
                fs::rename(unpacked.join("boot"), to.join("boot"))
                    .context("The package has no configuration.")?;
                for release in fs::read_dir(usr.join("lib/modules"))? {
                    let mut depmod = Command::new("/sbin/depmod");
                    process::run(depmod.arg("-b").arg(&usr).arg(release?.file_name()))?;
                }
                Ok(package)
            })?;
        Ok(item.directory)
    }

    /// The package with the modules of an image.
    fn package_of_modules(
        &self,
        cache: &Cache,
        suite: &str,
        image: &Provenance,
    ) -> Result<Package> {
        host_packages::need(host_packages::ARCHIVE)?;
        let index = Mirror::from_apt()?.index(cache, suite, targets::of(self.arch).debian)?;
        index
            .exact(&image.package.replace(PACKAGE_PREFIXES.0, PACKAGE_PREFIXES.1), &image.version)
            .with_context(|| {
                let kernel = cache.path().join("kernels").join(self.name);
                format!("Delete {} to get a newer kernel with its modules.", kernel.display())
            })
    }
}

/// The modules match exactly one image.
fn recipe(what: &str, image: &Provenance) -> String {
    format!("{what} for {} {} {}", image.package, image.version, image.sha256)
}

/// Writes a module uncompressed.
fn write_uncompressed(package: &Package, directory: &Path, name: &str, to: &Path) -> Result<()> {
    let Some(module) = find(directory, &[&format!("{name}.ko"), &format!("{name}.ko.xz")])? else {
        bail!("{} {} has no module {name}.ko or {name}.ko.xz.", package.name, package.version)
    };
    if module.extension().is_some_and(|end| end == "ko") {
        fs::copy(&module, to)?;
        return Ok(());
    }
    let plain = process::run(Command::new("xz").arg("-dc").arg(&module))?;
    fs::write(to, plain.stdout).with_context(|| format!("{} cannot be written.", to.display()))
}

/// A file with one of these names below a directory.
fn find(directory: &Path, names: &[&str]) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(directory)
        .with_context(|| format!("{} cannot be read.", directory.display()))?
    {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if let found @ Some(_) = find(&entry.path(), names)? {
                return Ok(found);
            }
        } else if names.iter().any(|name| entry.file_name() == *name) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}
