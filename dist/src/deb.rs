//! A Debian package: a folder with files and `DEBIAN/`, made a package by `dpkg-deb`. It serves architectures that no other
//! tool knows, and takes nothing from the machine but its compression: every file has the same date and belongs to root.

use crate::compile::run;
use crate::contents::Packed;
use crate::manifest::replace;
use crate::{date, workspace};
use anyhow::{Context, Result, bail};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};
use targets::Target;

/// The description of the package, below the workspace.
const CONTROL: &str = "dist/package/control";
/// The name of the package and of the file of its architecture.
pub fn name(target: &Target) -> String {
    format!("mapprobe_{}_{}.deb", env!("CARGO_PKG_VERSION"), target.debian)
}

/// A Debian package with these files. `work` is a folder of its own, which is emptied before.
pub fn write(target: &Target, files: &[Packed], work: &Path) -> Result<Vec<u8>> {
    let tree = work.join("tree");
    if tree.exists() {
        fs::remove_dir_all(&tree)
            .with_context(|| format!("{} cannot be removed", tree.display()))?;
    }
    for file in files {
        put(&tree.join(&file.path), &file.bytes, file.permissions)?;
    }
    put(&tree.join("DEBIAN/control"), control(target, files)?.as_bytes(), 0o644)?;
    let paths = files.iter().map(|file| &file.path);
    let sums = workspace::command("md5sum")
        .args(paths)
        .current_dir(&tree)
        .output()
        .context("md5sum cannot be started")?;
    put(&tree.join("DEBIAN/md5sums"), &sums.stdout, 0o644)?;
    settle(&tree, SystemTime::UNIX_EPOCH + Duration::from_secs(date::seconds()?))?;
    let deb = work.join(name(target));
    let mut dpkg_deb = workspace::command("dpkg-deb");
    // xz, which every dpkg reads, with one thread: how many there are could be seen in the result.
    dpkg_deb
        .args(["--build", "--root-owner-group", "-Zxz", "--threads-max=1"])
        .arg(&tree)
        .arg(&deb);
    run(dpkg_deb.env(date::EPOCH, date::seconds()?.to_string()))?;
    fs::read(&deb).with_context(|| format!("{} cannot be read", deb.display()))
}

fn put(path: &Path, bytes: &[u8], permissions: u32) -> Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    replace(path, bytes, permissions)
}

/// Gives a folder and all that is in it one date, and every folder the permissions that folders have.
fn settle(folder: &Path, date: SystemTime) -> Result<()> {
    for entry in
        fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?
    {
        let entry = entry.with_context(|| format!("{} cannot be read", folder.display()))?.path();
        if entry.is_dir() { settle(&entry, date)? } else { dated(&entry, date)? }
    }
    let permissions = fs::set_permissions(folder, Permissions::from_mode(0o755));
    permissions
        .with_context(|| format!("the permissions of {} cannot be set", folder.display()))?;
    dated(folder, date)
}

fn dated(path: &Path, date: SystemTime) -> Result<()> {
    let set = File::open(path).and_then(|file| file.set_modified(date));
    set.with_context(|| format!("the date of {} cannot be set", path.display()))
}

/// `DEBIAN/control`, with the installed size in KiB as Debian's policy estimates it: files rounded up, one for each folder.
fn control(target: &Target, files: &[Packed]) -> Result<String> {
    let folders = files.iter().flat_map(|file| Path::new(&file.path).ancestors().skip(1));
    let folders: std::collections::BTreeSet<&Path> = folders.collect();
    let size =
        files.iter().map(|file| file.bytes.len().div_ceil(1024)).sum::<usize>() + folders.len();
    let text = fs::read_to_string(workspace::root().join(CONTROL))
        .with_context(|| format!("{CONTROL} cannot be read"))?;
    let text = text
        .replace("{version}", env!("CARGO_PKG_VERSION"))
        .replace("{architecture}", target.debian);
    Ok(text.replace("{size}", &size.to_string()))
}

/// The newest part of a changelog of ours (`## VERSION ...` and a list) as Debian writes it, deb-changelog(5).
pub fn changelog(ours: &str, maintainer: &str, date: &str) -> Result<String> {
    let Some((heading, rest)) =
        ours.split_once("\n## ").and_then(|(_, newest)| newest.split_once('\n'))
    else {
        bail!("CHANGELOG.md has no heading of a version: a line such as `## 1.2.3` was expected")
    };
    let version = heading.split_whitespace().next().unwrap_or_default();
    let rest = rest.split("\n## ").next().unwrap_or_default();
    let mut items: Vec<String> = Vec::new();
    for line in rest.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match (line.strip_prefix("- "), items.last_mut()) {
            (None, Some(item)) => *item += &format!(" {line}"),
            (item, _) => items.push(item.unwrap_or(line).into()),
        }
    }
    let form = textwrap::Options::new(78).initial_indent("  * ").subsequent_indent("    ");
    let items: String = items.iter().map(|item| textwrap::fill(item, &form) + "\n").collect();
    Ok(format!(
        "mapprobe ({version}) unstable; urgency=medium\n\n{items}\n -- {maintainer}  {date}\n"
    ))
}

/// Who `DEBIAN/control` says maintains it.
pub fn maintainer() -> Result<String> {
    let text = fs::read_to_string(workspace::root().join(CONTROL))
        .with_context(|| format!("{CONTROL} cannot be read"))?;
    let name = text.lines().find_map(|line| line.strip_prefix("Maintainer: "));
    name.map(String::from).with_context(|| format!("{CONTROL} has no line Maintainer"))
}

#[cfg(test)]
mod tests {
    use super::changelog;

    const LONG: &str = "A line that is as long as our lines are, which is more than the eighty characters that Debian has room for.";

    #[test]
    fn the_newest_version_is_an_entry_of_debian() {
        let ours = "# Changelog\n\nWords.\n\n## 1.2.0 (not yet)\n\n- One thing\n  and more of it.\n- LONG\n\n## 1.1.0\n\n- Old.\n";
        assert_eq!(
            changelog(
                &ours.replace("LONG", LONG),
                "m <m@example.org>",
                "Thu, 01 Jan 2026 00:00:00 +0000"
            )
            .unwrap(),
            "mapprobe (1.2.0) unstable; urgency=medium\n\n  * One thing and more of it.\n  * A line that is as \
             long as our lines are, which is more than the eighty\n    characters that Debian has room for.\n\n \
             -- m <m@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n"
        );
        assert!(changelog("# Changelog\n", "m", "d").is_err());
    }
}
