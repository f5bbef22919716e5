//! What runs in a guest: initramfs archives, and the lab's own small program (`guests/guest.c`).

use crate::kernels::Kernel;
use crate::machine;
use crate::qemu::{self, Boot, Guest};
use anyhow::{Context, Result, bail};
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

/// An initramfs of these files: path without a slash at its beginning, content. All are executable.
pub fn initramfs(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    let end: (&str, &[u8]) = ("TRAILER!!!", &[]);
    for (number, (path, content)) in files.iter().copied().chain([end]).enumerate() {
        let fields = [number, 0o100755, 0, 0, 1, 0, content.len(), 0, 0, 0, 0, path.len() + 1, 0];
        archive.extend_from_slice(b"070701");
        archive.extend(fields.iter().flat_map(|field| format!("{field:08x}").into_bytes()));
        archive.extend_from_slice(path.as_bytes());
        archive.push(0);
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(4), 0);
    }
    archive
}

/// Boots a kernel of the lab with an initramfs of these files, and with these words at the end of its command line.
pub fn boot(kernel: &Kernel, files: &[(&str, &[u8])], append: &str) -> Result<Boot> {
    machine::need(machine::GUESTS)?;
    let image = kernel.image()?;
    let initramfs = initramfs(files);
    let machine = &targets::of(kernel.arch).machine;
    let append = format!("{} {append}", kernel.append);
    let guest = Guest {
        append: &append,
        arguments: kernel.arguments,
        ..Guest::new(kernel.name, machine, &image.path, &initramfs)
    };
    qemu::boot(&guest)
}
