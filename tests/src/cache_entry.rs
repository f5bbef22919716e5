//! What was fetched or made once and is used again: a directory below the cache, with a note of where its content came from.
//!
//! What is there is used without asking the archive; delete its directory to get the newest.

use anyhow::{Context, Result};
use dist::cache::Cache;
use dist::debian::{Mirror, Package};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// Where something came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// What was asked for, word for word: another recipe makes something else.
    pub recipe: String,
    /// The Debian package it came from.
    pub package: String,
    /// That package's version.
    pub version: String,
    /// That package's SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// Something in stock.
#[derive(Debug)]
pub struct CacheEntry {
    /// Where its files are.
    pub directory: PathBuf,
    /// Where they came from.
    pub provenance: Provenance,
}

/// The item at `place` below the cache, made by `make` unless it is there: that fills its first directory, works in its second,
/// which is thrown away, and tells from which package it took what it put there. The note of that is a file `kind`.json.
pub fn get(
    cache: &Cache,
    (place, kind): (&str, &str),
    recipe: &str,
    make: impl FnOnce(&Path, &Path) -> Result<Package>,
) -> Result<CacheEntry> {
    let (directory, work) =
        (cache.path().join(place), cache.path().join(format!("{place}.making")));
    let note = format!("{kind}.json");
    let _lock = cache.lock(place)?;
    if let Some(provenance) = read(&directory.join(&note)).filter(|there| there.recipe == recipe) {
        return Ok(CacheEntry { directory, provenance });
    }
    // A killed run may have left half of it.
    remove_directory(&work)?;
    let new = work.join("new");
    fs::create_dir_all(&new).with_context(|| format!("{} cannot be made.", new.display()))?;
    let made = make(&new, &work).and_then(|Package { name, version, sha256, .. }| {
        let provenance = Provenance { recipe: recipe.to_owned(), package: name, version, sha256 };
        fs::write(new.join(&note), serde_json::to_string_pretty(&provenance)? + "\n")?;
        remove_directory(&directory)?;
        fs::rename(&new, &directory)
            .with_context(|| format!("{} cannot be made.", directory.display()))?;
        Ok(provenance)
    });
    remove_directory(&work)?;
    Ok(CacheEntry { directory, provenance: made? })
}

/// Where a file came from that somebody brought: nobody knows, but what is in it can be told.
pub fn of_file(path: &Path) -> Result<Provenance> {
    let (recipe, package) = (String::new(), path.display().to_string());
    Ok(Provenance { recipe, package, version: String::new(), sha256: dist::debian::sha256(path)? })
}

/// The newest package of the archive with a name in which `*` stands for anything.
pub fn newest_package(cache: &Cache, suite: &str, arch: &str, package: &str) -> Result<Package> {
    Mirror::from_apt()?.index(cache, suite, arch)?.newest(package)
}

/// What an earlier run noted.
fn read(note: &Path) -> Option<Provenance> {
    serde_json::from_slice(&fs::read(note).ok()?).ok()
}

/// Removes a directory, if there is one.
pub fn remove_directory(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed.", directory.display()))
        }
        _ => Ok(()),
    }
}
