//! The directories of a build, and commands with a clean environment.

use anyhow::{Context, Result, bail};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The environment variable that names another directory with the sources of mapprobe. They are
/// built in that directory instead.
pub const SOURCES: &str = "MAPPROBE_SOURCES";

/// The directory of the sources: the workspace of this package, or the value of [`SOURCES`].
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a workspace");
        let named = env::var_os(SOURCES).filter(|value| !value.is_empty());
        named.map_or_else(
            || here.into(),
            |directory| std::path::absolute(&directory).unwrap_or_else(|_| directory.into()),
        )
    });
    &ROOT
}

/// The directory of build artifacts.
pub fn out() -> PathBuf {
    root().join("dist/out")
}

/// The directory of intermediate files.
pub fn work() -> PathBuf {
    root().join("target/dist")
}

/// cargo's directory, with the registry.
pub fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".cargo")))
}

/// rustup's directory, with the toolchains.
pub fn rustup_home() -> Option<PathBuf> {
    env::var_os("RUSTUP_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".rustup")))
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// Directories of this machine that no program may name. The longest path is first, so that a
/// directory is replaced before its parent.
pub fn private(toolchain: &[PathBuf]) -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> =
        [home(), cargo_home(), rustup_home()].into_iter().flatten().collect();
    directories.push(root().into());
    directories.extend(toolchain.iter().cloned());
    directories.extend(directories.clone().iter().filter_map(|path| path.canonicalize().ok()));
    directories.retain(|path| path.is_absolute() && path.components().count() > 1);
    directories.sort_by_key(|path| std::cmp::Reverse(path.as_os_str().len()));
    directories.dedup();
    directories
}

/// A command that runs in [`root`] without the variables that cargo and rustup set for this
/// process, which would choose the toolchain, flags and directories of the build.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    let kept = ["CARGO_HOME", "RUSTUP_HOME"];
    let kept_prefixes = ["CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_"];
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let set_by_cargo =
            text.starts_with("CARGO") || text.starts_with("RUST") || text == "LD_LIBRARY_PATH";
        let keep =
            kept.contains(&&*text) || kept_prefixes.iter().any(|prefix| text.starts_with(prefix));
        if set_by_cargo && !keep {
            command.env_remove(&name);
        }
    }
    // Tests match the messages of tools.
    command.env("LC_ALL", "C").current_dir(root());
    command
}

/// Finds a program in `PATH`.
pub fn program(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

/// Runs a program to its end. The error includes what it wrote to stderr.
pub fn run(command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!(
            "{name} exited with {}:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
