//! What lies in the folder of delivered files, in words: `manifest.json` for programs, `SHA256SUMS` for `sha256sum -c`.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// The name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// The name of the list of checksums.
pub const SUMS: &str = "SHA256SUMS";

/// Everything delivered, in the order of the targets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always `mapprobe.manifest`.
    pub schema: String,
    /// The version of mapprobe.
    pub version: String,
    /// One row per architecture.
    pub files: Vec<Row>,
}

/// A program and its archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// As `hppa`.
    pub arch: String,
    /// The program's file name.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// Bytes it may have.
    pub budget: u64,
    /// Whether it has more: possible only when std was not rebuilt.
    pub over_budget: bool,
    /// In hexadecimal digits.
    pub sha256: String,
    /// The initramfs with the program as `/mapprobe`.
    pub archive: Item,
    /// The bill of materials: what is inside the program.
    pub sbom: Item,
    /// Its packages, those of earlier runs among them as long as the program is the same.
    pub packages: Vec<Item>,
    /// What rustc compiled for.
    pub target: String,
    /// Whether std was compiled for this program, or taken as installed.
    pub std_rebuilt: bool,
    /// The Rust release of std.
    pub std: String,
    /// Which toolchain, in words.
    pub toolchain: String,
    /// What its compiler says of itself.
    pub rustc: String,
    /// The compiler's flags, but for those that name a folder of the building machine.
    pub rustflags: Vec<String>,
    /// cargo's options that concern std.
    pub cargo: Vec<String>,
    /// What turned the compiler's output into a program, and its flags.
    pub linker: Vec<String>,
}

/// A file that goes with a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its file name.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

impl Item {
    /// A file with this content.
    pub fn of(file: impl Into<String>, bytes: &[u8]) -> Item {
        Item { file: file.into(), size: bytes.len() as u64, sha256: sha256(bytes) }
    }
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Manifest {
    /// The manifest of a folder, without the rows whose files are not there any more or have changed since.
    pub fn of(folder: &Path) -> Manifest {
        let text = fs::read(folder.join(MANIFEST)).unwrap_or_default();
        let mut manifest: Manifest = serde_json::from_slice(&text).unwrap_or_default();
        let same = |file: &str, sum: &str| {
            fs::read(folder.join(file)).is_ok_and(|bytes| sha256(&bytes) == sum)
        };
        let there = |item: &Item| same(&item.file, &item.sha256);
        manifest
            .files
            .retain(|row| same(&row.file, &row.sha256) && there(&row.archive) && there(&row.sbom));
        manifest.files.iter_mut().for_each(|row| row.packages.retain(there));
        manifest
    }

    /// Puts a row in the place of its architecture; `order` has the names of all architectures. Packages of the same program
    /// stay; the answer names those of another one.
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

    /// Writes the manifest and the list of checksums that goes with it.
    pub fn write(&mut self, folder: &Path) -> Result<()> {
        self.schema = "mapprobe.manifest".into();
        self.version = env!("CARGO_PKG_VERSION").into();
        let mut text = serde_json::to_string_pretty(self)
            .context("the manifest could not be written as JSON")?;
        text.push('\n');
        replace(&folder.join(SUMS), self.sums().as_bytes(), 0o644)?;
        replace(&folder.join(MANIFEST), text.as_bytes(), 0o644)
    }

    /// What `sha256sum` would print.
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

/// Puts a file in the place of another in one step, so that nobody ever reads half of it.
pub fn replace(path: &Path, bytes: &[u8], permissions: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.new"));
    let permissions = fs::Permissions::from_mode(permissions);
    let written = fs::write(&new, bytes).and_then(|()| fs::set_permissions(&new, permissions));
    written
        .and_then(|()| fs::rename(&new, path))
        .with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{Item, MANIFEST, Manifest, Row, SUMS, replace, sha256};
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    const ORDER: [&str; 3] = ["x86_64", "aarch64", "hppa"];

    /// Answers which files are stale.
    fn deliver(folder: &Path, arch: &str, content: &str, packages: &[&str]) -> Vec<String> {
        let mut manifest = Manifest::of(folder);
        let file = format!("mapprobe-{arch}");
        replace(&folder.join(&file), content.as_bytes(), 0o755).unwrap();
        let item = |name: String| {
            replace(&folder.join(&name), name.as_bytes(), 0o644).unwrap();
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
        manifest.write(folder).unwrap();
        stale
    }

    fn listed(folder: &Path) -> Vec<String> {
        Manifest::of(folder).files.into_iter().map(|row| row.arch).collect()
    }

    #[test]
    fn rows_of_other_architectures_stay_while_their_files_do() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for arch in ["hppa", "x86_64", "aarch64"] {
            deliver(folder, arch, arch, &[]);
        }
        assert_eq!(listed(folder), ORDER);
        fs::write(folder.join("mapprobe-aarch64"), "changed").unwrap();
        fs::remove_file(folder.join("mapprobe-hppa.cpio.gz")).unwrap();
        deliver(folder, "x86_64", "again", &["deb"]);
        assert_eq!(listed(folder), ["x86_64"]);
        let checked = Command::new("sha256sum")
            .args(["-c", "--strict", SUMS])
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(checked.status.success(), "{checked:?}");
        let names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".new")), "{names:?}");
    }

    #[test]
    fn packages_stay_as_long_as_their_program() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let packages = || {
            let files = Manifest::of(folder).files.into_iter().flat_map(|row| row.packages);
            files.map(|item| item.file).collect::<Vec<_>>()
        };
        deliver(folder, "hppa", "one", &["deb"]);
        assert!(deliver(folder, "hppa", "one", &["tar.gz"]).is_empty());
        assert_eq!(packages(), ["mapprobe-hppa.deb", "mapprobe-hppa.tar.gz"]);
        assert!(deliver(folder, "hppa", "one", &[]).is_empty());
        fs::write(folder.join("mapprobe-hppa.deb"), "changed").unwrap();
        assert_eq!(packages(), ["mapprobe-hppa.tar.gz"]);
        assert_eq!(deliver(folder, "hppa", "two", &["deb"]), ["mapprobe-hppa.tar.gz"]);
        assert_eq!(packages(), ["mapprobe-hppa.deb"]);
    }

    #[test]
    fn a_manifest_that_cannot_be_read_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(MANIFEST), "{").unwrap();
        assert_eq!(Manifest::of(folder.path()), Manifest::default());
    }
}
