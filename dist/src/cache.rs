//! The folder where downloads stay between runs, shared by every process of a user: each entry has its own lock file, and
//! appears under its name only when it is whole.

use anyhow::{Context, Result, bail};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A folder of verified downloads and of what was unpacked from them.
#[derive(Clone, Debug)]
pub struct Cache(PathBuf);

impl Cache {
    /// `$MAPPROBE_CACHE`, else `$XDG_CACHE_HOME/mapprobe`, else `~/.cache/mapprobe`; made when it is not there.
    pub fn open() -> Result<Cache> {
        let folder =
            |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = match (folder("MAPPROBE_CACHE"), folder("XDG_CACHE_HOME"), folder("HOME")) {
            (Some(own), _, _) => own,
            (None, Some(cache), _) => cache.join("mapprobe"),
            (None, None, Some(home)) => home.join(".cache/mapprobe"),
            (None, None, None) => bail!(
                "There is no folder for downloads: none of MAPPROBE_CACHE, XDG_CACHE_HOME and HOME is set. Set MAPPROBE_CACHE."
            ),
        };
        Cache::at(path)
    }

    /// A cache in a folder of the caller's choice.
    pub fn at(path: impl Into<PathBuf>) -> Result<Cache> {
        let path = path.into();
        fs::create_dir_all(&path).with_context(|| {
            format!("{} cannot be made; set MAPPROBE_CACHE to another folder", path.display())
        })?;
        Ok(Cache(path))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Waits until no other process works on the entry `name`, a path below the cache, and keeps others waiting until the
    /// answer is dropped. The entry's parent folder exists afterwards.
    pub fn lock(&self, name: &str) -> Result<Lock> {
        Lock::take(&self.0.join(format!("{name}.lock")))
    }
}

/// A file locked by this process until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the file at `path`, which is made when it is not there, after waiting for whoever holds it.
    pub fn take(path: &Path) -> Result<Lock> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("{} cannot be made", parent.display()))?;
        }
        let file = File::options().create(true).truncate(false).write(true).open(path);
        let file =
            file.with_context(|| format!("the lock file {} cannot be opened", path.display()))?;
        file.lock().with_context(|| format!("{} cannot be locked", path.display()))?;
        Ok(Lock { _file: file })
    }
}
