//! Which QEMU runs a kernel. Debian 12's knows one PA-RISC machine, the 32-bit B160L, and Linux 6.12 panics in it.

use crate::{cache_entry, host_packages};
use anyhow::{Context, Result};
use dist::cache::Cache;
use dist::debian::{Mirror, Package, extract};
use mapprobe::arch::Arch;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use targets::Machine;

/// A QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulator {
    /// The one that is installed on this machine.
    Installed,
    /// The one of [`SUITE`], unpacked into the cache: nothing is installed, and apt's sources stay as they are.
    Backports,
}

/// Where the newer QEMU comes from. Its libraries are those of Debian 12.
const SUITE: &str = "bookworm-backports";
/// PA-RISC's emulator is in the first; that of other architectures is in other packages. The others hold its firmware.
const PACKAGES: [&str; 3] = ["qemu-system-misc", "qemu-system-data", "qemu-system-common"];

/// An emulator that can be started.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file, or the name of an installed one.
    pub path: PathBuf,
    /// Where it finds its firmware, if not where it was installed.
    pub firmware: Option<PathBuf>,
}

impl Program {
    /// Its version, in its own words.
    pub fn version(&self) -> Result<String> {
        let path = self.path.display();
        let said = Command::new(&self.path).arg("--version").output();
        let said = said.with_context(|| format!("{path} cannot be started."))?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        said.lines()
            .next()
            .map(str::to_owned)
            .with_context(|| format!("{path} does not tell its version."))
    }
}

impl Emulator {
    /// The program for a machine: installed, or fetched now unless it is in the cache.
    pub fn program(self, machine: &Machine) -> Result<Program> {
        // The newer one needs the installed one's libraries.
        host_packages::need(host_packages::QEMU)?;
        match self {
            Emulator::Installed => Ok(Program { path: machine.qemu.into(), firmware: None }),
            Emulator::Backports => {
                let usr = fetched(&Cache::open()?)?;
                Ok(Program {
                    path: usr.join("bin").join(machine.qemu),
                    firmware: Some(usr.join("share/qemu")),
                })
            }
        }
    }
}

/// The `usr` of the unpacked packages.
fn fetched(cache: &Cache) -> Result<PathBuf> {
    let recipe = format!("{} of {SUITE}", PACKAGES.join(", "));
    let item = cache_entry::get(cache, ("emulator", "emulator"), &recipe, |to, work| {
        make(cache, to, work)
    })?;
    Ok(item.directory.join("usr"))
}

/// Makes the directory `usr` in the directory `to`.
fn make(cache: &Cache, to: &Path, work: &Path) -> Result<Package> {
    host_packages::need(host_packages::ARCHIVE)?;
    let index = Mirror::from_apt()?.index(cache, SUITE, targets::of(Arch::native()).debian)?;
    let packages = PACKAGES.iter().map(|name| index.newest(name)).collect::<Result<Vec<_>>>()?;
    let files = packages.iter().map(|package| package.fetch(cache)).collect::<Result<Vec<_>>>()?;
    let unpacked = work.join("unpacked");
    extract(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>(), "usr", &unpacked)?;
    fs::rename(unpacked.join("usr"), to.join("usr"))?;
    let [program, ..] = packages.as_slice() else { unreachable!("PACKAGES is not empty") };
    Ok(program.clone())
}
