//! Disk images for guests, and what a guest shares with this machine.

use crate::{host_packages, process};
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Bytes of an image: enough for a scratch file or a small root, and little in an initramfs.
const SIZE: u64 = 4 << 20;

/// An empty ext4 file system. Its blocks have the size of x86's pages, as DAX requires
/// (Documentation/filesystems/dax.rst).
pub fn ext4() -> Result<Vec<u8>> {
    mkfs(&[])
}

/// An ext4 file system with the content of a directory.
pub fn ext4_of(directory: &Path) -> Result<Vec<u8>> {
    let directory = directory.to_str().context("The path of the directory is not UTF-8.")?;
    mkfs(&["-d", directory])
}

/// A squashfs file system with the file `file`.
pub fn squashfs() -> Result<Vec<u8>> {
    host_packages::need(host_packages::SQUASHFS)?;
    let (content, to) = (directory_with_a_file()?, tempdir()?);
    let image = to.path().join("image");
    let mut command = Command::new("mksquashfs");
    command.arg(content.path()).arg(&image).args(["-quiet", "-no-progress", "-no-xattrs"]);
    process::run(&mut command)?;
    fs::read(&image).with_context(|| format!("{} cannot be read.", image.display()))
}

/// A temporary directory with the file `file`, which is longer than any page of the lab's kernels.
pub fn directory_with_a_file() -> Result<TempDir> {
    let directory = tempdir()?;
    let file = directory.path().join("file");
    fs::write(&file, [b'l'; 1 << 16])
        .with_context(|| format!("{} cannot be written.", file.display()))?;
    Ok(directory)
}

fn tempdir() -> Result<TempDir> {
    tempfile::tempdir().context("A temporary directory cannot be created.")
}

fn mkfs(arguments: &[&str]) -> Result<Vec<u8>> {
    host_packages::need(host_packages::DISKS)?;
    let file = tempfile::NamedTempFile::new().context("A temporary file cannot be created.")?;
    File::options().write(true).open(file.path()).and_then(|file| file.set_len(SIZE))?;
    let mut command = Command::new("/sbin/mkfs.ext4");
    command.args(["-q", "-b", "4096", "-O", "^has_journal"]).args(arguments).arg(file.path());
    process::run(&mut command)?;
    fs::read(file.path()).with_context(|| format!("{} cannot be read.", file.path().display()))
}
