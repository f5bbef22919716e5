//! Cache entries: directories below the cache with something that was downloaded or built once,
//! each with a note of the Debian package that it came from.
//!
//! An existing entry is used without contacting the archive. Delete its directory to get the newest
//! package.

use anyhow::{Context, Result};
use dist::cache::Cache;
use dist::debian::{Mirror, Package};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The origin of a cache entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// How the entry is built. If the recipe changes, the entry is built again.
    pub recipe: String,
    /// The name of the Debian package.
    pub package: String,
    pub version: String,
    /// The SHA-256 of the package in hexadecimal digits.
    pub sha256: String,
}

/// An entry of the cache.
#[derive(Debug)]
pub struct CacheEntry {
    pub directory: PathBuf,
    pub provenance: Provenance,
}

/// The entry at `path` below the cache.
///
/// If it is missing, `make` fills its first directory and returns the package that the content came
/// from. Its second directory is for temporary files. The note is the file `kind`.json.
pub fn get(
    cache: &Cache,
    (path, kind): (&str, &str),
    recipe: &str,
    make: impl FnOnce(&Path, &Path) -> Result<Package>,
) -> Result<CacheEntry> {
    let directory = cache.path().join(path);
    let work = cache.path().join(format!("{path}.making"));
    let note = format!("{kind}.json");
    let _lock = cache.lock(path)?;
    if let Some(provenance) = read(&directory.join(&note)).filter(|read| read.recipe == recipe) {
        return Ok(CacheEntry { directory, provenance });
    }
    // A run that was killed may have left an incomplete entry.
    remove_directory(&work)?;
    let new = work.join("new");
    fs::create_dir_all(&new).with_context(|| format!("{} cannot be created.", new.display()))?;
    let made = make(&new, &work).and_then(|Package { name, version, sha256, .. }| {
        let provenance = Provenance { recipe: recipe.to_owned(), package: name, version, sha256 };
        fs::write(new.join(&note), serde_json::to_string_pretty(&provenance)? + "\n")?;
        remove_directory(&directory)?;
        fs::rename(&new, &directory)
            .with_context(|| format!("{} cannot be created.", directory.display()))?;
        Ok(provenance)
    });
    remove_directory(&work)?;
    Ok(CacheEntry { directory, provenance: made? })
}

/// The provenance of a file from outside the cache: its path and its checksum.
pub fn of_file(path: &Path) -> Result<Provenance> {
    let (recipe, package) = (String::new(), path.display().to_string());
    Ok(Provenance { recipe, package, version: String::new(), sha256: dist::debian::sha256(path)? })
}

/// The newest package of the archive whose name matches `package`, in which `*` is a wildcard.
pub fn newest_package(cache: &Cache, suite: &str, arch: &str, package: &str) -> Result<Package> {
    Mirror::from_apt()?.index(cache, suite, arch)?.newest(package)
}

/// The note of an earlier run, if it can be read.
fn read(note: &Path) -> Option<Provenance> {
    serde_json::from_slice(&fs::read(note).ok()?).ok()
}

/// Removes a directory, if it exists.
pub fn remove_directory(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed.", directory.display()))
        }
        _ => Ok(()),
    }
}
