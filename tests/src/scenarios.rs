//! What a kernel is booted in: the rows, and what runs in a scenario. The program is its PID 1, or where something is to be done before,
//! the lab's own set-up program (`scenarios/setup.c`) is, which then runs it. `scenarios/scenario.c` stands for other people's programs.

mod disk;
mod rows;

pub use disk::ext4_of;
pub use rows::{ALL, SKIPS};

use crate::host_packages;
use crate::kernels::Kernel;
use crate::qemu::{self, Boot, VmConfig};
use anyhow::{Context, Result, anyhow, bail};
use dist::archive::{self, Entry};
use dist::debian::matches;
use mapprobe::arch::Arch;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use targets::{Route, Target};

/// A scenario of the lab: what a kernel is booted in.
#[derive(Debug)]
pub struct Scenario {
    /// As on the command line; also the name of its expectations.
    pub name: &'static str,
    /// Words for the kernel's command line.
    pub append: &'static str,
    /// Memory in MiB, if not the machine's: the first row with a pattern that fits the kernel's name counts.
    pub memory: &'static [(&'static str, u32)],
    /// Modules of the kernel's own package, as files in `/modules`.
    pub modules: &'static [&'static str],
    /// Whether there is a file `/disk`: an empty ext4 file system.
    pub disk: bool,
    /// What is done before the program runs, in the words of `scenarios/setup.c`; none when the program is PID 1 itself.
    pub setup: Option<&'static [&'static str]>,
    /// Words for the program.
    pub words: &'static str,
    /// The user the program runs as.
    pub euid: u32,
}

/// A scenario that kernels are not booted in.
#[derive(Debug)]
pub struct Skip {
    /// The scenario.
    pub scenario: &'static str,
    /// Which kernels: `*` stands for anything.
    pub kernels: &'static str,
    /// Why they cannot show it.
    pub reason: &'static str,
}

/// The scenario with a name, if there is one.
pub fn named(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}

/// The line with which the lab's own scenario program starts.
pub const REACHED: &str = "lab test program: pid 1, arguments:";

/// The lab's own scenario program for an architecture.
pub fn test_program(target: &Target) -> Result<Vec<u8>> {
    compiled("test_program.c", target)
}

/// The program that keeps bad company, for an architecture.
pub fn hostile(target: &Target) -> Result<Vec<u8>> {
    compiled("hostile.c", target)
}

/// The set-up program for an architecture, which can be the init of a disk too: compiled once per process.
pub fn setup(arch: Arch) -> Result<&'static [u8]> {
    static COMPILED: [OnceLock<Result<Vec<u8>, String>>; Arch::ALL.len()] =
        [const { OnceLock::new() }; 3];
    let compiled = COMPILED[arch as usize].get_or_init(|| {
        let made = compiled("setup.c", targets::of(arch));
        made.map_err(|error| format!("{error:#}"))
    });
    compiled.as_deref().map_err(|sentence| anyhow!("{sentence}"))
}

/// A program of `scenarios/`.
fn compiled(source: &str, target: &Target) -> Result<Vec<u8>> {
    host_packages::need(host_packages::CROSS_COMPILERS)?;
    let compiler = match target.route {
        Route::Native { linker, .. } => linker,
        Route::Wasm2c { compiler, .. } => compiler,
    };
    let directory = tempfile::tempdir().context("A temporary directory cannot be made.")?;
    let program = directory.path().join("program");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(source);
    let said = Command::new(compiler)
        .args(["-static", "-O", "-Wall", "-Werror", "-o"])
        .args([&program, &source])
        // musl-gcc knows no kernel headers. Last in line: a cross compiler finds its own before them.
        .args(["-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"])
        .output()
        .with_context(|| format!("{compiler} cannot be started."))?;
    if !said.status.success() {
        bail!(
            "{compiler} failed on {}: {}",
            source.display(),
            String::from_utf8_lossy(&said.stderr)
        );
    }
    std::fs::read(&program).with_context(|| format!("{} cannot be read.", program.display()))
}

/// An initramfs of these programs: path without a slash at its beginning, content.
pub fn initramfs(files: &[(&str, &[u8])]) -> Vec<u8> {
    let entries: Vec<Entry> =
        files.iter().map(|(path, content)| Entry::file(*path, 0o755, *content)).collect();
    archive::write(&entries)
}

/// Boots a kernel of the lab with an initramfs, and with these words at the end of its command line.
pub fn boot(kernel: &Kernel, initramfs: &[u8], append: &str) -> Result<Boot> {
    let image = kernel.image()?;
    let machine = &targets::of(kernel.arch).machine;
    let emulator = kernel.emulator.program(machine)?;
    let append = format!("{} {append}", kernel.append);
    let config = VmConfig::new(kernel.name, machine, &image.path, initramfs);
    qemu::boot(&VmConfig { emulator, append: &append, arguments: kernel.arguments, ..config })
}

/// All that a scenario is made of, beside the kernel's image.
#[derive(Debug)]
pub struct Prepared {
    initramfs: Vec<u8>,
    append: String,
    arguments: Vec<String>,
}

impl Scenario {
    /// Why a kernel is not booted in it, if it is not.
    pub fn skipped(&self, kernel: &Kernel) -> Option<&'static str> {
        let row = SKIPS
            .iter()
            .find(|skip| skip.scenario == self.name && matches(skip.kernels, kernel.name));
        row.map(|skip| skip.reason)
    }

    /// Makes what boots a kernel in it, with a program and words for that beside the scenario's own.
    pub fn prepare(&self, kernel: &Kernel, program: &[u8], words: &str) -> Result<Prepared> {
        let words: Vec<&str> =
            self.words.split_whitespace().chain(words.split_whitespace()).collect();
        let words = words.join(" ");
        let mut arguments: Vec<String> =
            kernel.arguments.iter().map(|word| (*word).to_owned()).collect();
        if let Some((_, memory)) =
            self.memory.iter().find(|(kernels, _)| matches(kernels, kernel.name))
        {
            arguments.extend(["-m".into(), memory.to_string()]);
        }
        let append = format!("{} {}", kernel.append, self.append);
        let Some(steps) = self.setup else {
            let append = if words.is_empty() { append } else { format!("{append} -- {words}") };
            return Ok(Prepared { initramfs: initramfs(&[("init", program)]), append, arguments });
        };
        let steps: Vec<String> = steps.iter().map(|step| format!("{step}\n")).collect();
        let steps = format!("{}run /mapprobe {words}\n", steps.concat());
        let init = setup(kernel.arch)?;
        let mut entries = vec![
            Entry::file("init", 0o755, init),
            Entry::file("mapprobe", 0o755, program),
            Entry::file("setup", 0o644, steps),
            Entry::folder("modules"),
        ];
        for (name, module) in kernel.modules(self.modules)? {
            entries.push(Entry::file(format!("modules/{name}"), 0o644, module));
        }
        if self.disk {
            entries.push(Entry::file("disk", 0o644, disk::ext4()?));
        }
        Ok(Prepared { initramfs: archive::write(&entries), append, arguments })
    }
}

impl Prepared {
    /// Boots a kernel like this; `name` is for whoever waits.
    pub fn boot(
        &self,
        name: &str,
        kernel: &Kernel,
        image: &Path,
        deadline: Duration,
    ) -> Result<Boot> {
        let machine = &targets::of(kernel.arch).machine;
        let emulator = kernel.emulator.program(machine)?;
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let config = VmConfig::new(name, machine, image, &self.initramfs);
        qemu::boot(&VmConfig {
            emulator,
            append: &self.append,
            arguments: &arguments,
            deadline,
            ..config
        })
    }
}

#[cfg(test)]
mod tests;
