//! The kernels of the lab: rows of data. To add one, add a row here and a file of facts beside the others (`facts/`).
//!
//! An image that the cache has is used without asking the archive; delete its folder below `kernels/` in the cache to get
//! the newest.

mod build;

use crate::machine;
use anyhow::{Context, Result, bail};
use dist::cache::Cache;
use dist::debian::{Mirror, Package, extract};
use mapprobe::arch::Arch;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// A kernel of the lab.
#[derive(Debug)]
pub struct Kernel {
    /// Architecture and series, such as `x86_64-6.1`; also the name of its facts.
    pub name: &'static str,
    /// What it runs on.
    pub arch: Arch,
    /// Where it comes from.
    pub origin: Origin,
    /// Arguments of QEMU beside those of the architecture's machine; where one is given twice, the last counts.
    pub arguments: &'static [&'static str],
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
        /// The cross compiler, and its Debian package.
        compiler: (&'static str, &'static str),
    },
}

/// Every kernel. The tests walk this list.
pub const ALL: [&Kernel; 3] = [
    &Kernel {
        name: "x86_64-6.1",
        arch: Arch::X86_64,
        origin: Origin::Packaged { suite: "bookworm", package: "linux-image-6.1.0-*-cloud-amd64" },
        arguments: &[],
    },
    &Kernel {
        name: "aarch64-6.1",
        arch: Arch::Aarch64,
        origin: Origin::Packaged { suite: "bookworm", package: "linux-image-6.1.0-*-cloud-arm64" },
        arguments: &[],
    },
    &Kernel {
        name: "hppa-6.1",
        arch: Arch::Hppa,
        origin: Origin::Built {
            suite: "bookworm",
            package: "linux-source-6.1",
            make: &["ARCH=parisc", "CROSS_COMPILE=hppa-linux-gnu-"],
            configuration: &[include_str!("../kernels/hppa.config")],
            compiler: ("hppa-linux-gnu-gcc", "gcc-hppa-linux-gnu"),
        },
        arguments: &[],
    },
];

/// The kernel with a name.
pub fn named(name: &str) -> Result<&'static Kernel> {
    let known = || ALL.map(|kernel| kernel.name).join(", ");
    ALL.into_iter()
        .find(|kernel| kernel.name == name)
        .with_context(|| format!("No kernel {name}; there are: {}", known()))
}

/// What was got: `kernel.json` beside the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// What the row asked for, word for word: another recipe makes another image.
    pub recipe: String,
    /// The Debian package it came from.
    pub package: String,
    /// That package's version.
    pub version: String,
    /// That package's SHA-256, in hexadecimal digits.
    pub sha256: String,
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
        self.image_in(&Cache::open()?).with_context(|| format!("There is no kernel {} to boot.", self.name))
    }

    fn image_in(&self, cache: &Cache) -> Result<Image> {
        let recipe = self.recipe()?;
        let place = cache.path().join("kernels");
        let (folder, work) = (place.join(self.name), place.join(format!("{}.making", self.name)));
        let _lock = cache.lock(&format!("kernels/{}", self.name))?;
        if let Some(provenance) = kept(&folder).filter(|kept| kept.recipe == recipe) {
            return Ok(Image { path: folder.join("image"), provenance });
        }
        // Beside its place, so that it can be renamed there when it is whole. What a killed run left there goes first.
        let made = clear(&work).and_then(|()| self.make(cache, recipe, &work)).and_then(|provenance| {
            clear(&folder)?;
            fs::rename(work.join("new"), &folder).with_context(|| format!("{} cannot be made.", folder.display()))?;
            Ok(provenance)
        });
        clear(&work)?;
        Ok(Image { path: folder.join("image"), provenance: made? })
    }

    /// Makes `new/image` and `new/kernel.json` in the folder `work`.
    fn make(&self, cache: &Cache, recipe: String, work: &Path) -> Result<Provenance> {
        machine::need(machine::ARCHIVE)?;
        let new = work.join("new");
        fs::create_dir_all(&new).with_context(|| format!("{} cannot be made.", new.display()))?;
        let (package, image) = match &self.origin {
            Origin::Packaged { suite, package } => {
                let package = find(cache, suite, targets::of(self.arch).debian, package)?;
                let unpacked = work.join("unpacked");
                extract(&[&package.fetch(cache)?], "boot", &unpacked)?;
                (package, only_image(&unpacked.join("boot"))?)
            }
            Origin::Built { suite, package, make, configuration, .. } => {
                machine::need(machine::KERNEL_BUILD)?;
                // The source is the same for all architectures.
                let package = find(cache, suite, "amd64", package)?;
                let vmlinux = build::vmlinux(self.name, &package.fetch(cache)?, make, configuration, work)?;
                (package, vmlinux)
            }
        };
        fs::rename(&image, new.join("image")).with_context(|| format!("{} cannot be moved.", image.display()))?;
        let Package { name, version, sha256, .. } = package;
        let provenance = Provenance { recipe, package: name, version, sha256 };
        fs::write(new.join("kernel.json"), serde_json::to_string_pretty(&provenance)? + "\n")?;
        Ok(provenance)
    }

    /// Everything that decides what the image is, the version of the package excepted.
    fn recipe(&self) -> Result<String> {
        Ok(match &self.origin {
            Origin::Packaged { suite, package } => format!("{package} of {suite}"),
            Origin::Built { suite, package, make, configuration, compiler: (compiler, debian) } => {
                machine::need(&[debian])?;
                let version = build::compiler_version(compiler)?;
                format!("{package} of {suite}; {}; {version}; {}", make.join(" "), configuration.concat())
            }
        })
    }
}

/// Removes a folder, if there is one.
fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed.", folder.display()))
        }
        _ => Ok(()),
    }
}

/// What an earlier run left.
fn kept(folder: &Path) -> Option<Provenance> {
    folder.join("image").is_file().then_some(())?;
    serde_json::from_slice(&fs::read(folder.join("kernel.json")).ok()?).ok()
}

/// The newest package of that name.
fn find(cache: &Cache, suite: &str, arch: &str, package: &str) -> Result<Package> {
    Mirror::from_apt()?.index(cache, suite, arch)?.newest(package)
}

/// The one kernel image in a package's `boot` folder.
fn only_image(boot: &Path) -> Result<PathBuf> {
    let mut images = Vec::new();
    for entry in fs::read_dir(boot).with_context(|| format!("The package has no {}.", boot.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("vmlinuz-") || name.starts_with("vmlinux-") {
            images.push(path);
        }
    }
    match images.as_slice() {
        [one] => Ok(one.clone()),
        _ => bail!("The package should hold one kernel image below boot, and holds {}: {images:?}.", images.len()),
    }
}
