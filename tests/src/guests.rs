//! What runs in a guest: initramfs archives, and the lab's own small program (`guests/guest.c`).

use crate::kernels::Kernel;
use crate::machine;
use crate::qemu::{self, Boot, Guest};
use anyhow::{Context, Result, bail};
use dist::archive::{self, Entry};
use std::path::Path;
use std::process::Command;
use targets::{Route, Target};

/// The line with which the lab's own guest program starts.
pub const REACHED: &str = "lab guest: pid 1, arguments:";

/// The lab's own guest program for an architecture.
pub fn program(target: &Target) -> Result<Vec<u8>> {
    machine::need(machine::GUEST_PROGRAMS)?;
    let compiler = match target.route {
        Route::Native { linker, .. } => linker,
        Route::Wasm2c { compiler, .. } => compiler,
    };
    let folder = tempfile::tempdir().context("A temporary folder cannot be made.")?;
    let program = folder.path().join("guest");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/guest.c");
    let said = Command::new(compiler)
        .args(["-static", "-O", "-Wall", "-Werror", "-o"])
        .args([&program, &source])
        .output()
        .with_context(|| format!("{compiler} cannot be started."))?;
    if !said.status.success() {
        bail!("{compiler} failed on {}: {}", source.display(), String::from_utf8_lossy(&said.stderr));
    }
    std::fs::read(&program).with_context(|| format!("{} cannot be read.", program.display()))
}

/// An initramfs of these programs: path without a slash at its beginning, content.
pub fn initramfs(files: &[(&str, &[u8])]) -> Vec<u8> {
    let entries: Vec<Entry> = files.iter().map(|(path, content)| Entry::file(*path, 0o755, *content)).collect();
    archive::write(&entries)
}

/// Boots a kernel of the lab with an initramfs, and with these words at the end of its command line.
pub fn boot(kernel: &Kernel, initramfs: &[u8], append: &str) -> Result<Boot> {
    let machine = &targets::of(kernel.arch).machine;
    let emulator = kernel.emulator.program(machine)?;
    let image = kernel.image()?;
    let append = format!("{} {append}", kernel.append);
    let guest = Guest {
        emulator,
        append: &append,
        arguments: kernel.arguments,
        ..Guest::new(kernel.name, machine, &image.path, initramfs)
    };
    qemu::boot(&guest)
}
