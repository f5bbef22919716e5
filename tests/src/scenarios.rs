//! The scenarios of the lab, and the initramfs of each.
//!
//! Without setup steps the program is PID 1. With steps PID 1 is `scenarios/setup.c`: it does the
//! steps in a child, which then becomes the program.

mod disk;
mod programs;
mod rows;
mod scenario;

pub use disk::ext4_of;
pub use programs::{REACHED, hostile, setup, test_program};
pub use rows::{ALL, SKIPS};
pub use scenario::{GuestFile, Scenario, ShownOn, Skip};

use crate::kernels::Kernel;
use crate::qemu::{self, Boot, VmConfig};
use anyhow::Result;
use dist::archive::{self, Entry};
use dist::debian::matches;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// The scenario with a name, if there is one.
pub fn named(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}

/// An initramfs of executable files: paths without a leading slash, with their content.
pub fn initramfs(files: &[(&str, &[u8])]) -> Vec<u8> {
    let entries: Vec<Entry> =
        files.iter().map(|(path, content)| Entry::file(*path, 0o755, *content)).collect();
    archive::write(&entries)
}

/// Boots a kernel of the lab with an initramfs and with arguments at the end of its command line.
pub fn boot(kernel: &Kernel, initramfs: &[u8], append: &str) -> Result<Boot> {
    let image = kernel.image()?;
    let machine = &targets::of(kernel.arch).machine;
    let emulator = kernel.emulator.program(machine)?;
    let append = format!("{} {append}", kernel.append);
    let config = VmConfig::new(kernel.name, machine, &image.path, initramfs);
    qemu::boot(&VmConfig { emulator, append: &append, arguments: kernel.arguments, ..config })
}

/// Everything that a boot needs besides the kernel image.
#[derive(Debug)]
pub struct Prepared {
    initramfs: Vec<u8>,
    /// The kernel's command line.
    append: String,
    /// Arguments of QEMU.
    qemu: Vec<String>,
    /// The directory that the guest shares with this machine. It is removed after the boot.
    _share: Option<TempDir>,
}

impl Scenario {
    /// The reason why a kernel is not booted in the scenario, if it is not.
    pub fn skipped(&self, kernel: &Kernel) -> Option<&'static str> {
        let among = |patterns: &[&str]| patterns.iter().any(|name| matches(name, kernel.name));
        let skip =
            SKIPS.iter().find(|skip| skip.scenarios.contains(&self.name) && among(skip.kernels));
        let elsewhere = self.shown_on.filter(|shown| !among(shown.kernels));
        skip.map(|skip| skip.reason).or(elsewhere.map(|shown| shown.reason))
    }

    /// Prepares a boot with a program. `arguments` follow the arguments of the scenario.
    pub fn prepare(&self, kernel: &Kernel, program: &[u8], arguments: &str) -> Result<Prepared> {
        let arguments: Vec<&str> =
            self.arguments.split_whitespace().chain(arguments.split_whitespace()).collect();
        let arguments = arguments.join(" ");
        let mut qemu: Vec<String> =
            kernel.arguments.iter().map(|argument| (*argument).to_owned()).collect();
        if let Some((_, memory)) =
            self.memory.iter().find(|(kernels, _)| matches(kernels, kernel.name))
        {
            qemu.extend(["-m".into(), memory.to_string()]);
        }
        let share = self.share.then(disk::directory_with_a_file).transpose()?;
        if let Some(share) = &share {
            let path = share.path().display();
            qemu.extend([
                "-fsdev".into(),
                format!("local,id=lab,path={path},security_model=none"),
                "-device".into(),
                "virtio-9p-pci,fsdev=lab,mount_tag=lab".into(),
            ]);
        }
        let append = format!("{} {}", kernel.append, self.append);
        let Some(steps) = self.setup else {
            let append =
                if arguments.is_empty() { append } else { format!("{append} -- {arguments}") };
            let initramfs = initramfs(&[("init", program)]);
            return Ok(Prepared { initramfs, append, qemu, _share: share });
        };
        let modules = kernel.modules(self.modules_of(kernel))?;
        let loads = modules.iter().map(|(name, _)| format!("module /modules/{name}\n"));
        let steps = steps.iter().map(|step| format!("{step}\n"));
        let steps: String = loads.chain(steps).collect();
        let mut entries = vec![
            Entry::file("init", 0o755, setup(kernel.arch)?),
            Entry::file("mapprobe", 0o755, program),
            Entry::file("setup", 0o644, format!("{steps}run /mapprobe {arguments}\n")),
            Entry::directory("modules"),
        ];
        for (name, module) in modules {
            entries.push(Entry::file(format!("modules/{name}"), 0o644, module));
        }
        for file in self.files {
            entries.push(match file {
                GuestFile::Ext4 => Entry::file("disk", 0o644, disk::ext4()?),
                GuestFile::Squashfs => Entry::file("squashfs", 0o644, disk::squashfs()?),
            });
        }
        Ok(Prepared { initramfs: archive::write(&entries), append, qemu, _share: share })
    }

    /// The modules that a kernel needs.
    fn modules_of(&self, kernel: &Kernel) -> &'static [&'static str] {
        let row = self.modules.iter().find(|(kernels, _)| matches(kernels, kernel.name));
        row.map_or(&[], |(_, modules)| *modules)
    }
}

impl Prepared {
    /// Boots a kernel. `name` is for the progress display.
    pub fn boot(
        &self,
        name: &str,
        kernel: &Kernel,
        image: &Path,
        deadline: Duration,
    ) -> Result<Boot> {
        let machine = &targets::of(kernel.arch).machine;
        let emulator = kernel.emulator.program(machine)?;
        let arguments: Vec<&str> = self.qemu.iter().map(String::as_str).collect();
        let config = VmConfig::new(name, machine, image, &self.initramfs);
        let append = &self.append;
        qemu::boot(&VmConfig { emulator, append, arguments: &arguments, deadline, ..config })
    }
}

#[cfg(test)]
mod tests;
