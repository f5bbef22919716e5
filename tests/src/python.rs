//! Python virtual environments in the cache, one for each list of pinned versions.

use crate::{host_packages, process};
use anyhow::{Context, Result};
use dist::cache::Cache;
use dist::manifest::sha256;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter of an environment with the packages of `requirements`, a requirements file of
/// pip.
///
/// # Errors
/// The environment cannot be created; the error has the output of pip.
pub fn with(requirements: &Path) -> Result<PathBuf> {
    host_packages::need(host_packages::PYTHON)?;
    let list = fs::read(requirements)
        .with_context(|| format!("{} cannot be read", requirements.display()))?;
    let cache = Cache::open()?;
    let name = format!("python/{}", &sha256(&list)[..16]);
    let (directory, whole) = (cache.path().join(&name), cache.path().join(&name).join("whole"));
    let _lock = cache.lock(&name)?;
    if !whole.is_file() {
        // A run that was killed may have left an incomplete environment.
        process::run(
            Command::new("/usr/bin/python3").args(["-m", "venv", "--clear"]).arg(&directory),
        )?;
        let mut pip = Command::new(directory.join("bin/pip"));
        pip.args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary=:all:",
            "-r",
        ]);
        process::run(pip.arg(requirements))?;
        fs::write(&whole, "").with_context(|| format!("{} cannot be written", whole.display()))?;
    }
    Ok(directory.join("bin/python"))
}
