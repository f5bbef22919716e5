//! The directory that keeps downloads between runs. Processes share it: each entry has a lock file,
//! and an entry gets its name when it is complete.

use anyhow::{Context, Result, bail};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A directory of verified downloads and their unpacked contents.
#[derive(Clone, Debug)]
pub struct Cache(PathBuf);

impl Cache {
    /// `$MAPPROBE_CACHE`, else `$XDG_CACHE_HOME/mapprobe`, else `~/.cache/mapprobe`. Created if
    /// missing.
    pub fn open() -> Result<Cache> {
        let variable =
            |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = match (variable("MAPPROBE_CACHE"), variable("XDG_CACHE_HOME"), variable("HOME"))
        {
            (Some(own), _, _) => own,
            (None, Some(cache), _) => cache.join("mapprobe"),
            (None, None, Some(home)) => home.join(".cache/mapprobe"),
            (None, None, None) => bail!(
                "There is no directory for downloads: MAPPROBE_CACHE, XDG_CACHE_HOME and HOME \
                 are unset. Set MAPPROBE_CACHE."
            ),
        };
        Cache::at(path)
    }

    /// The cache in this directory. Created if missing.
    pub fn at(path: impl Into<PathBuf>) -> Result<Cache> {
        let path = path.into();
        fs::create_dir_all(&path).with_context(|| {
            format!("cannot create {}; set MAPPROBE_CACHE to another directory", path.display())
        })?;
        Ok(Cache(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Locks the entry `name`, a path below the cache, against other processes. Creates the entry's
    /// parent directory.
    pub fn lock(&self, name: &str) -> Result<Lock> {
        Lock::take(&self.0.join(format!("{name}.lock")))
    }
}

/// A locked file. Unlocked when dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for and locks the file at `path`. Creates it if missing.
    pub fn take(path: &Path) -> Result<Lock> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot create {}", parent.display()))?;
        }
        let file = File::options().create(true).truncate(false).write(true).open(path);
        let file = file.with_context(|| format!("cannot open the lock file {}", path.display()))?;
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(Lock { _file: file })
    }
}
