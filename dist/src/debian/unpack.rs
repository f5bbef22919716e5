//! Unpacks packages without installing them.

use super::index::Package;
use crate::cache::{Cache, Lock};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Unpacks the files below `prefix` (such as `boot`; empty for all) of packages into a new
/// directory `to`. An existing directory is complete and left unchanged, so its name should contain
/// a hash of the packages.
pub fn extract(debs: &[&Path], prefix: &str, to: &Path) -> Result<()> {
    let _lock = Lock::take(&beside(to, "lock"))?;
    if to.is_dir() {
        return Ok(());
    }
    let new = beside(to, "new");
    if new.exists() {
        fs::remove_dir_all(&new).with_context(|| format!("cannot remove {}", new.display()))?;
    }
    fs::create_dir_all(&new).with_context(|| format!("cannot create {}", new.display()))?;
    for deb in debs {
        members(deb, prefix.trim_matches('/'), &new)?;
    }
    fs::rename(&new, to).with_context(|| format!("cannot create {}", to.display()))
}

/// Appends an extension to a path.
pub(super) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

/// Fetches packages and unpacks them into one directory of the cache. Returns the directory.
pub fn unpack(cache: &Cache, packages: &[&Package], prefix: &str) -> Result<PathBuf> {
    let debs = packages.iter().map(|package| package.fetch(cache)).collect::<Result<Vec<_>>>()?;
    let names: Vec<String> = packages
        .iter()
        .map(|package| format!("{}-{}", package.name, &package.sha256[..16]))
        .collect();
    let prefix_name = prefix.trim_matches('/').replace('/', "-");
    let name = [names.join("+"), prefix_name].join("@");
    let to = cache.path().join("unpacked").join(name.trim_end_matches('@'));
    extract(&debs.iter().map(PathBuf::as_path).collect::<Vec<_>>(), prefix, &to)?;
    Ok(to)
}

/// `dpkg-deb --fsys-tarfile DEB | tar x -C TO ./PREFIX`.
fn members(deb: &Path, prefix: &str, to: &Path) -> Result<()> {
    let missing = "cannot start dpkg-deb; install the Debian package dpkg";
    let mut packed = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdout(Stdio::piped())
        .spawn()
        .context(missing)?;
    let tar = packed.stdout.take().context("cannot read the output of dpkg-deb")?;
    let member = if prefix.is_empty() { ".".into() } else { format!("./{prefix}") };
    let unpacked = Command::new("tar")
        .args(["x", "--no-same-owner", "-C"])
        .arg(to)
        .arg(member)
        .stdin(tar)
        .output();
    let unpacked = unpacked.context("cannot start tar; install the Debian package tar")?;
    let packed = packed.wait().context("cannot wait for dpkg-deb")?;
    if !unpacked.status.success() || !packed.success() {
        bail!(
            "{} could not be unpacked below {prefix:?}: dpkg-deb exited with {packed}, tar with \
             {}: {}",
            deb.display(),
            unpacked.status,
            String::from_utf8_lossy(&unpacked.stderr).trim()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::extract;
    use std::fs;
    use std::process::Command;

    #[test]
    fn unpacks_one_directory_of_a_package_or_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let tree = directory.path().join("tree");
        for (path, text) in [
            (
                "DEBIAN/control",
                "Package: sample\nVersion: 1\nArchitecture: all\nMaintainer: m \
                 <m@example.org>\nDescription: s\n",
            ),
            ("boot/vmlinuz", "kernel"),
            ("usr/share/doc/sample", "text"),
        ] {
            fs::create_dir_all(tree.join(path).parent().unwrap()).unwrap();
            fs::write(tree.join(path), text).unwrap();
        }
        let deb = directory.path().join("sample.deb");
        let built = Command::new("dpkg-deb")
            .arg("--build")
            .arg(&tree)
            .arg(&deb)
            .output()
            .expect("dpkg-deb runs");
        assert!(built.status.success(), "{built:?}");
        let to = directory.path().join("out");
        extract(&[&deb], "boot", &to).unwrap();
        assert_eq!(fs::read(to.join("boot/vmlinuz")).unwrap(), b"kernel");
        assert!(!to.join("usr").exists());
        let absent = directory.path().join("absent");
        assert!(extract(&[&deb], "no/such", &absent).is_err() && !absent.exists());
    }
}
