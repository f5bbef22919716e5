//! cross from crates.io. It must not change the user's toolchains: with a recent rustup it would
//! update them. `cross/rustup` replaces rustup.

use anyhow::{Context, Result, ensure};
use dist::cache::Cache;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The newest release on crates.io.
pub const VERSION: &str = "0.2.5";

/// The cargo that started this process. rustup's proxy of that name may change toolchains.
fn cargo() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO")
        .map(PathBuf::from)
        .context("cargo did not start this process, and cross needs cargo.")?;
    ensure!(!cargo.with_file_name("rustup").exists(), "{} may be rustup's.", cargo.display());
    Ok(cargo)
}

/// A command that can reach neither the user's rustup nor a server of toolchains. The replacement
/// of rustup logs its arguments to the file `rustup.log` in `home`.
pub fn guarded(program: &Path, home: &Path) -> Result<Command> {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).env("RUSTUP_HOME", home.join("rustup"));
    command
        .env("CARGO_HOME", dist::workspace::cargo_home().context("The home of cargo is unknown.")?);
    command
        .env("RUSTUP_DIST_SERVER", "http://127.0.0.1:9")
        .env("RUSTUP_UPDATE_ROOT", "http://127.0.0.1:9");
    command.env("CROSS_CUSTOM_TOOLCHAIN", "1");
    for (name, value) in env::vars_os() {
        let text = name.to_string_lossy().to_lowercase();
        if text.ends_with("_proxy")
            || ["cargo_http_", "cargo_net_", "cargo_registr", "cargo_source_"]
                .iter()
                .any(|it| text.starts_with(it))
        {
            command.env(name, value);
        }
    }
    let tools = cargo()?;
    let tools = tools.parent().context("The path of cargo has no directory.")?;
    let replacements = Path::new(env!("CARGO_MANIFEST_DIR")).join("cross");
    let path = [replacements.as_path(), tools, Path::new("/usr/bin"), Path::new("/bin")];
    command.env("PATH", env::join_paths(path)?).env("RUSTUP_LOG", home.join("rustup.log"));
    Ok(command)
}

/// The program cross, compiled once and kept in the cache.
pub fn program() -> Result<PathBuf> {
    let cache = Cache::open()?;
    let name = format!("cross-{VERSION}");
    let (_lock, directory) = (cache.lock(&name)?, cache.path().join(&name));
    let program = directory.join("bin/cross");
    if !program.is_file() {
        dist::progress::say(&format!("compiling cross {VERSION}, which takes some minutes"));
        let work = tempfile::tempdir_in(cache.path())?;
        let mut install = guarded(&cargo()?, work.path())?;
        install
            .args(["install", "cross", "--version", VERSION, "--locked", "--root"])
            .arg(&directory);
        let made = install.env("CARGO_TARGET_DIR", work.path().join("target")).output()?;
        ensure!(
            made.status.success(),
            "cross {VERSION}: {}",
            String::from_utf8_lossy(&made.stderr)
        );
    }
    Ok(program)
}
