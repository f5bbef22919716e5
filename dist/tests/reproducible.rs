//! Builds are reproducible: the same sources in another directory give the same bytes.
//! SOURCE_DATE_EPOCH changes dates only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

/// The lists of artifacts. SHA256SUMS lists all other files.
const LISTS: [&str; 2] = ["manifest.json", "SHA256SUMS"];

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a workspace")
}

/// Runs `dist` on the sources in a directory.
fn dist(sources: &Path, arguments: &[&str], date: Option<&str>) -> Output {
    let mut dist = Command::new(env!("CARGO_BIN_EXE_dist"));
    dist.args(arguments).env("MAPPROBE_SOURCES", sources).env_remove("SOURCE_DATE_EPOCH");
    if let Some(date) = date {
        dist.env("SOURCE_DATE_EPOCH", date);
    }
    dist.output().unwrap()
}

/// Builds these architectures and all their packages. Returns the directory of artifacts.
fn packaged(sources: &Path, architectures: &[&str], date: Option<&str>) -> PathBuf {
    let output = dist(sources, &[&["--install", "--deb", "--tar"], architectures].concat(), date);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    sources.join("dist/out")
}

/// Copies the sources, including uncommitted changes, without ignored files.
fn copy(to: &Path) {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output =
        Command::new("git").args(list).current_dir(workspace()).output().expect("git runs");
    assert!(output.status.success(), "{output:?}");
    let names = String::from_utf8(output.stdout).unwrap();
    for name in names.split_terminator('\0').filter(|name| workspace().join(name).is_file()) {
        fs::create_dir_all(to.join(name).parent().unwrap()).unwrap();
        fs::copy(workspace().join(name), to.join(name)).unwrap();
    }
}

/// The file names in SHA256SUMS.
fn listed(out: &Path) -> Vec<String> {
    let sums = fs::read_to_string(out.join("SHA256SUMS")).unwrap();
    sums.lines().map(|line| line.split_once("  ").unwrap().1.to_owned()).collect()
}

#[test]
fn another_directory_gives_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let there =
        directory.path().join("a directory with a longer path than most working copies have");
    copy(&there);
    // In parallel: rustc and the linkers rarely use more than one processor.
    let (there, here) = thread::scope(|scope| {
        let there = scope.spawn(|| packaged(&there, &[], None));
        let here = packaged(workspace(), &[], None);
        (there.join().expect("the copy is built"), here)
    });
    let files = listed(&there);
    // Three architectures: a program, an initramfs, a bill of materials, and two packages each.
    assert_eq!(files.len(), 15, "{files:?}");
    for file in files.iter().map(String::as_str).chain(LISTS) {
        let (one, other) =
            (fs::read(here.join(file)).unwrap(), fs::read(there.join(file)).unwrap());
        let differs = one.iter().zip(&other).position(|(one, other)| one != other);
        assert!(
            one == other,
            "{file} differs: {} and {} bytes, first at {differs:?}",
            one.len(),
            other.len()
        );
    }

    // Another date changes only dates.
    let later = packaged(there.ancestors().nth(2).unwrap(), &["x86_64"], Some("86400"));
    let same =
        |name: &str| fs::read(here.join(name)).unwrap() == fs::read(later.join(name)).unwrap();
    assert!(same("mapprobe-x86_64") && same("mapprobe-x86_64.cpio.gz"));
    for (tool, arguments, package) in [("dpkg-deb", "-c", ".deb"), ("tar", "tvf", ".tar.gz")] {
        let files = listed(&later);
        let package = files.iter().find(|file| file.ends_with(package)).unwrap();
        let list = Command::new(tool)
            .arg(arguments)
            .arg(later.join(package))
            .env("TZ", "UTC")
            .output()
            .unwrap();
        let list = String::from_utf8(list.stdout).unwrap();
        assert!(
            list.lines().count() > 20
                && list.lines().all(|line| line.contains(" 1970-01-02 00:00 ")),
            "{list}"
        );
    }
    let materials = fs::read_to_string(later.join("mapprobe-x86_64.cdx.json")).unwrap();
    assert!(materials.contains("\"timestamp\": \"1970-01-02T00:00:00Z\""), "{materials}");
}

#[test]
fn an_invalid_date_is_reported_before_the_build() {
    let directory = tempfile::tempdir().unwrap();
    let output = dist(directory.path(), &["x86_64"], Some("yesterday"));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        message.contains("SOURCE_DATE_EPOCH is \"yesterday\"; a number of seconds since 1970"),
        "{message}"
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_file_of_a_package_is_reported_before_the_build() {
    let directory = tempfile::tempdir().unwrap();
    let missing = "dist/completions/mapprobe.fish";
    copy(directory.path());
    fs::remove_file(directory.path().join(missing)).unwrap();
    for option in ["--deb", "--tar"] {
        let output = dist(directory.path(), &[option, "hppa"], None);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(
            message.contains(&format!("{missing} cannot be read; dist/package/contents.txt says")),
            "{message}"
        );
        assert!(
            !directory.path().join("dist/out").exists()
                && !directory.path().join("target").exists()
        );
    }
}
