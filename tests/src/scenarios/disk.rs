//! The disks of scenarios.

use crate::host_packages;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

/// Bytes: enough for a scratch file or a small root, and little to carry into a scenario.
const SIZE: u64 = 4 << 20;

/// An empty ext4 file system. Its blocks are as large as x86's pages, which DAX needs (Documentation/filesystems/dax.rst).
pub fn ext4() -> Result<Vec<u8>> {
    made(&[])
}

/// An ext4 file system that holds what is in a directory.
pub fn ext4_of(directory: &Path) -> Result<Vec<u8>> {
    let directory = directory.to_str().context("The directory's name is no text.")?;
    made(&["-d", directory])
}

fn made(arguments: &[&str]) -> Result<Vec<u8>> {
    host_packages::need(host_packages::DISKS)?;
    let file = tempfile::NamedTempFile::new().context("A temporary file cannot be made.")?;
    File::options().write(true).open(file.path()).and_then(|file| file.set_len(SIZE))?;
    let mut command = Command::new("/sbin/mkfs.ext4");
    command.args(["-q", "-b", "4096", "-O", "^has_journal"]).args(arguments).arg(file.path());
    let said = command
        .output()
        .context("/sbin/mkfs.ext4 cannot be started; its Debian package is e2fsprogs.")?;
    if !said.status.success() {
        bail!(
            "mkfs.ext4 ended with {}: {}",
            said.status,
            String::from_utf8_lossy(&said.stderr).trim()
        );
    }
    fs::read(file.path()).with_context(|| format!("{} cannot be read.", file.path().display()))
}
