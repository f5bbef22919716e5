//! The lab's own programs, compiled from `scenarios/*.c` for every architecture.

use crate::per_arch::PerArch;
use crate::{host_packages, process};
use anyhow::{Context, Result};
use mapprobe::arch::Arch;
use std::path::Path;
use std::process::Command;
use targets::{Backend, Target};

/// The first words that [`test_program`] prints as PID 1.
pub const REACHED: &str = "lab test program: pid 1, arguments:";

/// A program in place of the init of another project.
pub fn test_program(target: &Target) -> Result<Vec<u8>> {
    compiled("test_program.c", target)
}

/// A program that creates a hostile environment and starts mapprobe in it.
pub fn hostile(target: &Target) -> Result<Vec<u8>> {
    compiled("hostile.c", target)
}

/// The program that does the steps of a scenario. It can be the init of a disk too.
pub fn setup(arch: Arch) -> Result<&'static [u8]> {
    static COMPILED: PerArch<Vec<u8>> = PerArch::new();
    Ok(COMPILED.get(arch, || compiled("setup.c", targets::of(arch)))?)
}

/// Compiles a program.
fn compiled(source: &str, target: &Target) -> Result<Vec<u8>> {
    host_packages::need(host_packages::CROSS_COMPILERS)?;
    let compiler = match target.backend {
        Backend::Native { linker, .. } => linker,
        Backend::Wasm2c { compiler, .. } => compiler,
    };
    let directory = tempfile::tempdir().context("A temporary directory cannot be created.")?;
    let program = directory.path().join("program");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(source);
    let mut command = Command::new(compiler);
    command.args(["-static", "-O", "-Wall", "-Werror", "-o"]).args([&program, &source]);
    // musl-gcc has no kernel headers. A cross compiler finds its own before these.
    command.args(["-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"]);
    process::run(&mut command).with_context(|| format!("{}", source.display()))?;
    std::fs::read(&program).with_context(|| format!("{} cannot be read.", program.display()))
}
