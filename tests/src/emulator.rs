//! The QEMU that runs a kernel. Debian 12's QEMU has one PA-RISC machine, the 32-bit B160L, on
//! which Linux 6.12 panics; a newer one comes from backports.

use crate::{cache_entry, host_packages, process};
use anyhow::{Result, ensure};
use dist::cache::Cache;
use dist::debian::{Mirror, Package, extract};
use mapprobe::arch::Arch;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use targets::Machine;

/// A version of QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulator {
    /// The QEMU that is installed on the host.
    Installed,
    /// The QEMU of [`SUITE`], unpacked into the cache. Nothing is installed on the host.
    Backports,
}

/// The suite of the newer QEMU. Its libraries are those of Debian 12.
const SUITE: &str = "bookworm-backports";
/// The package of PA-RISC's emulator.
const PROGRAM: &str = "qemu-system-misc";
/// The packages of its firmware.
const FIRMWARE: [&str; 2] = ["qemu-system-data", "qemu-system-common"];

/// A QEMU that can be started.
#[derive(Clone, Debug)]
pub struct Program {
    /// A file, or the name of an installed program.
    pub path: PathBuf,
    /// The directory of the firmware, if it is not the built-in one.
    pub firmware: Option<PathBuf>,
}

impl Program {
    /// The version line that QEMU prints.
    pub fn version(&self) -> Result<String> {
        process::version(&mut Command::new(&self.path))
    }
}

impl Emulator {
    /// The program for a machine. It is downloaded if the cache does not have it.
    pub fn program(self, machine: &Machine) -> Result<Program> {
        // The QEMU of backports needs the libraries of the installed one.
        host_packages::need(host_packages::QEMU)?;
        match self {
            Emulator::Installed => Ok(Program { path: machine.qemu.into(), firmware: None }),
            Emulator::Backports => {
                let usr = unpacked(&Cache::open()?)?;
                Ok(Program {
                    path: usr.join("bin").join(machine.qemu),
                    firmware: Some(usr.join("share/qemu")),
                })
            }
        }
    }
}

/// A program of a package of [`SUITE`] that needs no library, such as QEMU's user mode. It is
/// unpacked into the cache.
///
/// # Errors
/// The package cannot be downloaded or unpacked, or has no such program.
pub fn static_program(package: &str, program: &str) -> Result<PathBuf> {
    let cache = Cache::open()?;
    let recipe = format!("{package} of {SUITE}");
    let entry = cache_entry::get(&cache, (package, package), &recipe, |to, work| {
        host_packages::need(host_packages::ARCHIVE)?;
        let arch = targets::of(Arch::native()).debian;
        let package = cache_entry::newest_package(&cache, SUITE, arch, package)?;
        let unpacked = work.join("unpacked");
        extract(&[&package.fetch(&cache)?], "usr", &unpacked)?;
        fs::rename(unpacked.join("usr"), to.join("usr"))?;
        Ok(package)
    })?;
    let path = entry.directory.join("usr/bin").join(program);
    ensure!(path.is_file(), "{package} has no {program}.");
    Ok(path)
}

/// The `usr` directory of the unpacked packages.
fn unpacked(cache: &Cache) -> Result<PathBuf> {
    let recipe = format!("{PROGRAM}, {} of {SUITE}", FIRMWARE.join(", "));
    let entry = cache_entry::get(cache, ("emulator", "emulator"), &recipe, |to, work| {
        unpack(cache, to, work)
    })?;
    Ok(entry.directory.join("usr"))
}

/// Creates the directory `usr` in the directory `to`.
fn unpack(cache: &Cache, to: &Path, work: &Path) -> Result<Package> {
    host_packages::need(host_packages::ARCHIVE)?;
    let index = Mirror::from_apt()?.index(cache, SUITE, targets::of(Arch::native()).debian)?;
    let program = index.newest(PROGRAM)?;
    let mut files = vec![program.fetch(cache)?];
    for name in FIRMWARE {
        files.push(index.newest(name)?.fetch(cache)?);
    }
    let unpacked = work.join("unpacked");
    extract(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>(), "usr", &unpacked)?;
    fs::rename(unpacked.join("usr"), to.join("usr"))?;
    Ok(program)
}
