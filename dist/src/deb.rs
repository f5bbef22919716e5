//! Makes a Debian package with `dpkg-deb`. All files have the same date and belong to root.

use crate::contents::Packed;
use crate::manifest::replace;
use crate::{date, workspace};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};
use targets::Target;

/// The template of `DEBIAN/control`, relative to the workspace.
const CONTROL: &str = "dist/package/control";

/// The file name of the package.
pub fn name(target: &Target) -> String {
    format!("mapprobe_{}_{}.deb", env!("CARGO_PKG_VERSION"), target.debian)
}

/// Makes a package of these files. `work` is a directory for intermediate files.
pub fn write(target: &Target, files: &[Packed], work: &Path) -> Result<Vec<u8>> {
    let tree = work.join("tree");
    if tree.exists() {
        fs::remove_dir_all(&tree).with_context(|| format!("cannot remove {}", tree.display()))?;
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
        .context("cannot start md5sum")?;
    put(&tree.join("DEBIAN/md5sums"), &sums.stdout, 0o644)?;
    normalize(&tree, SystemTime::UNIX_EPOCH + Duration::from_secs(date::seconds()?))?;
    let deb = work.join(name(target));
    let mut dpkg_deb = workspace::command("dpkg-deb");
    // Every dpkg can read xz. The number of threads would change the bytes.
    dpkg_deb
        .args(["--build", "--root-owner-group", "-Zxz", "--threads-max=1"])
        .arg(&tree)
        .arg(&deb);
    workspace::run(dpkg_deb.env(date::EPOCH, date::seconds()?.to_string()))?;
    fs::read(&deb).with_context(|| format!("cannot read {}", deb.display()))
}

fn put(path: &Path, bytes: &[u8], permissions: u32) -> Result<()> {
    let directory = path.parent().context("the path of a file has no parent")?;
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    replace(path, bytes, permissions)
}

/// Sets the date of a directory tree, and the permissions of its directories.
fn normalize(directory: &Path, date: SystemTime) -> Result<()> {
    for entry in
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?
    {
        let entry = entry.with_context(|| format!("cannot read {}", directory.display()))?.path();
        if entry.is_dir() { normalize(&entry, date)? } else { set_date(&entry, date)? }
    }
    fs::set_permissions(directory, Permissions::from_mode(0o755))
        .with_context(|| format!("cannot set the permissions of {}", directory.display()))?;
    set_date(directory, date)
}

fn set_date(path: &Path, date: SystemTime) -> Result<()> {
    let set = File::open(path).and_then(|file| file.set_modified(date));
    set.with_context(|| format!("cannot set the date of {}", path.display()))
}

/// `DEBIAN/control`. The installed size is in KiB as Debian's policy estimates it: each file
/// rounded up, and 1 for each directory.
fn control(target: &Target, files: &[Packed]) -> Result<String> {
    let directories: BTreeSet<&Path> =
        files.iter().flat_map(|file| Path::new(&file.path).ancestors().skip(1)).collect();
    let size =
        files.iter().map(|file| file.bytes.len().div_ceil(1024)).sum::<usize>() + directories.len();
    let text = fs::read_to_string(workspace::root().join(CONTROL))
        .with_context(|| format!("cannot read {CONTROL}"))?;
    let text = text
        .replace("{version}", env!("CARGO_PKG_VERSION"))
        .replace("{architecture}", target.debian);
    Ok(text.replace("{size}", &size.to_string()))
}

/// Converts the newest entry of CHANGELOG.md (`## VERSION ...` and a list) to `deb-changelog(5)`.
pub fn changelog(ours: &str, maintainer: &str, date: &str) -> Result<String> {
    let Some((heading, rest)) =
        ours.split_once("\n## ").and_then(|(_, newest)| newest.split_once('\n'))
    else {
        bail!("CHANGELOG.md has no version heading, such as `## 1.2.3`")
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
    let layout = textwrap::Options::new(78).initial_indent("  * ").subsequent_indent("    ");
    let items: String = items.iter().map(|item| textwrap::fill(item, &layout) + "\n").collect();
    Ok(format!(
        "mapprobe ({version}) unstable; urgency=medium\n\n{items}\n -- {maintainer}  {date}\n"
    ))
}

/// The maintainer in `DEBIAN/control`.
pub fn maintainer() -> Result<String> {
    let text = fs::read_to_string(workspace::root().join(CONTROL))
        .with_context(|| format!("cannot read {CONTROL}"))?;
    let name = text.lines().find_map(|line| line.strip_prefix("Maintainer: "));
    name.map(String::from).with_context(|| format!("{CONTROL} has no Maintainer field"))
}

#[cfg(test)]
mod tests {
    use super::changelog;

    const LONG: &str = "A line that is as long as our lines are, which is more than the eighty \
        characters that Debian has room for.";

    #[test]
    fn the_newest_version_becomes_a_debian_changelog_entry() {
        let ours = "# Changelog\n\nWords.\n\n## 1.2.0 (not yet)\n\n- One thing\n  and more of \
                    it.\n- LONG\n\n## 1.1.0\n\n- Old.\n";
        assert_eq!(
            changelog(
                &ours.replace("LONG", LONG),
                "m <m@example.org>",
                "Thu, 01 Jan 2026 00:00:00 +0000"
            )
            .unwrap(),
            "mapprobe (1.2.0) unstable; urgency=medium\n\n  * One thing and more of it.\n  * A \
             line that is as \
             long as our lines are, which is more than the eighty\n    characters that Debian \
             has room for.\n\n \
             -- m <m@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n"
        );
        assert!(changelog("# Changelog\n", "m", "d").is_err());
    }
}
