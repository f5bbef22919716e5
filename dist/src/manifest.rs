//! The lists of build artifacts: `manifest.json`, and `SHA256SUMS` for `sha256sum -c`.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

pub const MANIFEST: &str = "manifest.json";
pub const SUMS: &str = "SHA256SUMS";

/// All artifacts in a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always `mapprobe.manifest`.
    pub schema: String,
    /// Of mapprobe.
    pub version: String,
    /// One row per architecture, in the order of the targets.
    pub files: Vec<Row>,
}

/// A program and the files made from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Such as `hppa`.
    pub arch: String,
    /// The file name of the program.
    pub file: String,
    /// In bytes.
    pub size: u64,
    /// The largest size allowed.
    pub budget: u64,
    /// Allowed only if std was not rebuilt.
    pub over_budget: bool,
    /// In hexadecimal.
    pub sha256: String,
    /// The initramfs with the program as `/mapprobe`.
    pub archive: Item,
    /// The bill of materials.
    pub sbom: Item,
    /// Packages of this program, including those of earlier runs.
    pub packages: Vec<Item>,
    /// The argument of `rustc --target`.
    pub target: String,
    pub std_rebuilt: bool,
    /// The Rust release of std.
    pub std: String,
    pub toolchain: String,
    /// The output of `rustc -V`.
    pub rustc: String,
    /// Flags for rustc, without those that name a directory of the build machine.
    pub rustflags: Vec<String>,
    /// Arguments of cargo that rebuild std.
    pub cargo: Vec<String>,
    /// The linker and its flags. For wasm2c the cross compiler and its flags.
    pub linker: Vec<String>,
}

/// A file made from a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub file: String,
    /// In bytes.
    pub size: u64,
    /// In hexadecimal.
    pub sha256: String,
}

impl Item {
    pub fn of(file: impl Into<String>, bytes: &[u8]) -> Item {
        Item { file: file.into(), size: bytes.len() as u64, sha256: sha256(bytes) }
    }
}

/// The SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Manifest {
    /// Reads the manifest of a directory. Drops rows whose files are missing or changed.
    pub fn of(directory: &Path) -> Manifest {
        let text = fs::read(directory.join(MANIFEST)).unwrap_or_default();
        let mut manifest: Manifest = serde_json::from_slice(&text).unwrap_or_default();
        let same = |file: &str, sum: &str| {
            fs::read(directory.join(file)).is_ok_and(|bytes| sha256(&bytes) == sum)
        };
        let there = |item: &Item| same(&item.file, &item.sha256);
        manifest
            .files
            .retain(|row| same(&row.file, &row.sha256) && there(&row.archive) && there(&row.sbom));
        manifest.files.iter_mut().for_each(|row| row.packages.retain(there));
        manifest
    }

    /// Replaces the row of an architecture. `order` has the names of all architectures. Keeps
    /// packages of the same program, and returns the file names of packages of another program.
    #[must_use]
    pub fn put(&mut self, mut row: Row, order: &[&str]) -> Vec<String> {
        let mut stale = Vec::new();
        for old in self.files.extract_if(.., |other| other.arch == row.arch) {
            let same = old.sha256 == row.sha256;
            let others: Vec<Item> = old
                .packages
                .into_iter()
                .filter(|old| row.packages.iter().all(|new| new.file != old.file))
                .collect();
            match same {
                true => row.packages.extend(others),
                false => stale.extend(others.into_iter().map(|item| item.file)),
            }
        }
        row.packages.sort_by(|a, b| a.file.cmp(&b.file));
        self.files.push(row);
        self.files.sort_by_key(|row| order.iter().position(|arch| *arch == row.arch));
        stale
    }

    /// Writes `manifest.json` and `SHA256SUMS`.
    pub fn write(&mut self, directory: &Path) -> Result<()> {
        self.schema = "mapprobe.manifest".into();
        self.version = env!("CARGO_PKG_VERSION").into();
        let mut text =
            serde_json::to_string_pretty(self).context("cannot write the manifest as JSON")?;
        text.push('\n');
        replace(&directory.join(SUMS), self.sums().as_bytes(), 0o644)?;
        replace(&directory.join(MANIFEST), text.as_bytes(), 0o644)
    }

    /// In the format of `sha256sum`.
    fn sums(&self) -> String {
        let line = |file: &str, sum: &str| format!("{sum}  {file}\n");
        let lines = |row: &Row| {
            let others = [&row.archive, &row.sbom].into_iter().chain(&row.packages);
            line(&row.file, &row.sha256)
                + &others.map(|item| line(&item.file, &item.sha256)).collect::<String>()
        };
        self.files.iter().map(lines).collect()
    }
}

/// Replaces a file atomically.
pub fn replace(path: &Path, bytes: &[u8], permissions: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.new"));
    let permissions = fs::Permissions::from_mode(permissions);
    let written = fs::write(&new, bytes).and_then(|()| fs::set_permissions(&new, permissions));
    written
        .and_then(|()| fs::rename(&new, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{Item, MANIFEST, Manifest, Row, SUMS, replace, sha256};
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    const ORDER: [&str; 3] = ["x86_64", "aarch64", "hppa"];

    /// Adds a program to a manifest. Returns the stale packages.
    fn add(directory: &Path, arch: &str, content: &str, packages: &[&str]) -> Vec<String> {
        let mut manifest = Manifest::of(directory);
        let file = format!("mapprobe-{arch}");
        replace(&directory.join(&file), content.as_bytes(), 0o755).unwrap();
        let item = |name: String| {
            replace(&directory.join(&name), name.as_bytes(), 0o644).unwrap();
            Item::of(name.clone(), name.as_bytes())
        };
        let row = Row {
            arch: arch.into(),
            archive: item(format!("{file}.cpio.gz")),
            sbom: item(format!("{file}.cdx.json")),
            packages: packages.iter().map(|name| item(format!("{file}.{name}"))).collect(),
            file,
            size: content.len() as u64,
            budget: 100,
            over_budget: false,
            sha256: sha256(content.as_bytes()),
            target: "t".into(),
            std_rebuilt: true,
            std: "1".into(),
            toolchain: "t".into(),
            rustc: "r".into(),
            rustflags: vec![],
            cargo: vec![],
            linker: vec![],
        };
        let stale = manifest.put(row, &ORDER);
        manifest.write(directory).unwrap();
        stale
    }

    fn listed(directory: &Path) -> Vec<String> {
        Manifest::of(directory).files.into_iter().map(|row| row.arch).collect()
    }

    #[test]
    fn rows_are_dropped_if_their_files_are_gone() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        for arch in ["hppa", "x86_64", "aarch64"] {
            add(directory, arch, arch, &[]);
        }
        assert_eq!(listed(directory), ORDER);
        fs::write(directory.join("mapprobe-aarch64"), "changed").unwrap();
        fs::remove_file(directory.join("mapprobe-hppa.cpio.gz")).unwrap();
        add(directory, "x86_64", "again", &["deb"]);
        assert_eq!(listed(directory), ["x86_64"]);
        let checked = Command::new("sha256sum")
            .args(["-c", "--strict", SUMS])
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(checked.status.success(), "{checked:?}");
        let names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".new")), "{names:?}");
    }

    #[test]
    fn packages_are_kept_for_the_same_program() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let packages = || {
            let files = Manifest::of(directory).files.into_iter().flat_map(|row| row.packages);
            files.map(|item| item.file).collect::<Vec<_>>()
        };
        add(directory, "hppa", "one", &["deb"]);
        assert!(add(directory, "hppa", "one", &["tar.gz"]).is_empty());
        assert_eq!(packages(), ["mapprobe-hppa.deb", "mapprobe-hppa.tar.gz"]);
        assert!(add(directory, "hppa", "one", &[]).is_empty());
        fs::write(directory.join("mapprobe-hppa.deb"), "changed").unwrap();
        assert_eq!(packages(), ["mapprobe-hppa.tar.gz"]);
        assert_eq!(add(directory, "hppa", "two", &["deb"]), ["mapprobe-hppa.tar.gz"]);
        assert_eq!(packages(), ["mapprobe-hppa.deb"]);
    }

    #[test]
    fn an_unreadable_manifest_is_empty() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(MANIFEST), "{").unwrap();
        assert_eq!(Manifest::of(directory.path()), Manifest::default());
    }
}
