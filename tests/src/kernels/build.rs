//! Builds a kernel from Debian's source package.

use anyhow::{Context, Result, bail};
use dist::debian::extract;
use dist::progress::Step;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds a kernel in the directory `work`, which takes 1.5 GB and some minutes. Returns the path
/// of the image in `work`.
pub fn vmlinux(
    name: &str,
    source: &Path,
    make: &[&str],
    configuration: &[&str],
    work: &Path,
) -> Result<PathBuf> {
    let log = work.join("log");
    let step = Step::begin(format!("{name}: unpacking the kernel's source"));
    let unpacked = work.join("unpacked");
    extract(&[source], "usr/src", &unpacked)?;
    let tree = work.join("tree");
    fs::create_dir(&tree)?;
    let archive = tarball(&unpacked.join("usr/src"))?;
    let mut tar = Command::new("tar");
    tar.args(["x", "--strip-components=1", "-f"]).arg(archive).arg("-C").arg(&tree);
    run(&mut tar, &log)?;
    step.done();

    let make = |goals: &[&str]| {
        let mut command = Command::new("make");
        command.arg("-C").arg(&tree).args(make).args(goals);
        // Without these two variables every build makes another image.
        command.env("KBUILD_BUILD_TIMESTAMP", "1970-01-01").env("KBUILD_BUILD_USER", "lab");
        run(&mut command, &log)
    };
    make(&["allnoconfig"])?;
    let mut merge = Command::new("scripts/kconfig/merge_config.sh");
    merge.current_dir(&tree).args(["-m", "-O", ".", ".config"]);
    for (number, piece) in configuration.iter().enumerate() {
        let file = work.join(format!("configuration-{number}"));
        fs::write(&file, piece)?;
        merge.arg(file);
    }
    run(&mut merge, &log)?;
    make(&["olddefconfig"])?;
    check(&tree.join(".config"), configuration)?;

    let step = Step::begin(format!("{name}: building the kernel, which takes some minutes"));
    let jobs = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    make(&[&format!("-j{jobs}"), "vmlinux"])?;
    step.done();
    Ok(tree.join("vmlinux"))
}

/// Checks that `make olddefconfig` kept the configuration. It silently drops an option with an
/// unmet dependency.
fn check(config: &Path, configuration: &[&str]) -> Result<()> {
    let config = fs::read_to_string(config)?;
    let has = |line: &str| config.lines().any(|have| have == line);
    let requested = configuration
        .iter()
        .flat_map(|piece| piece.lines())
        .filter(|line| line.starts_with("CONFIG_"));
    let name = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
    // A later piece may switch off an option of an earlier one.
    let switched_off = |line: &str| {
        let off = format!("# {} is not set", name(line));
        configuration.iter().flat_map(|piece| piece.lines()).any(|other| other == off)
    };
    let dropped: Vec<&str> = requested.filter(|line| !has(line) && !switched_off(line)).collect();
    if !dropped.is_empty() {
        bail!("The kernel's configuration dropped {}: a dependency is off.", dropped.join(", "));
    }
    Ok(())
}

/// The source archive of the package.
pub fn tarball(directory: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(directory)
        .with_context(|| format!("The source package has no {}.", directory.display()))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    paths
        .find(|path| path.to_string_lossy().ends_with(".tar.xz") && path.is_file())
        .with_context(|| format!("{} has no .tar.xz file.", directory.display()))
}

/// Runs a command with its output in a file. The error has the end of the output.
fn run(command: &mut Command, log: &Path) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let file = File::create(log)?;
    let status = command
        .stdin(std::process::Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("{program} cannot be started."))?;
    if !status.success() {
        let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(40)..].join("\n");
        bail!("{command:?} ended with {status}:\n{end}");
    }
    Ok(())
}
