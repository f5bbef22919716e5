//! The same sources give the same bytes, wherever they lie: here, and in a folder with another path, another length of it and no
//! trace of earlier builds. And the date of everything is the one that the environment says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

/// Everything that says what was delivered; all other files are listed in the second.
const LISTS: [&str; 2] = ["manifest.json", "SHA256SUMS"];

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is a folder of the workspace")
}

/// Runs this `dist`, which builds the sources in a folder.
fn dist(sources: &Path, arguments: &[&str], date: Option<&str>) -> Output {
    let mut dist = Command::new(env!("CARGO_BIN_EXE_dist"));
    dist.args(arguments).env("MAPPROBE_SOURCES", sources).env_remove("SOURCE_DATE_EPOCH");
    if let Some(date) = date {
        dist.env("SOURCE_DATE_EPOCH", date);
    }
    dist.output().unwrap()
}

/// As `dist` with every package of these architectures, which must succeed.
fn packaged(sources: &Path, architectures: &[&str], date: Option<&str>) -> PathBuf {
    let made = dist(sources, &[&["--install", "--deb", "--tar"], architectures].concat(), date);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    sources.join("dist/out")
}

/// The sources as git knows them, with what is not committed yet, in a new folder.
fn copy(to: &Path) {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let said = Command::new("git").args(list).current_dir(workspace()).output().expect("git runs");
    assert!(said.status.success(), "{said:?}");
    let names = String::from_utf8(said.stdout).unwrap();
    for name in names.split_terminator('\0').filter(|name| workspace().join(name).is_file()) {
        fs::create_dir_all(to.join(name).parent().unwrap()).unwrap();
        fs::copy(workspace().join(name), to.join(name)).unwrap();
    }
}

/// The files of a list of checksums.
fn listed(out: &Path) -> Vec<String> {
    let sums = fs::read_to_string(out.join("SHA256SUMS")).unwrap();
    sums.lines().map(|line| line.split_once("  ").unwrap().1.to_owned()).collect()
}

#[test]
fn another_folder_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let there =
        folder.path().join("a folder with a longer name than that of anybody's working copy");
    copy(&there);
    // Both at once: rustc and the linkers seldom use more than one processor.
    let (there, here) = thread::scope(|scope| {
        let there = scope.spawn(|| packaged(&there, &[], None));
        let here = packaged(workspace(), &[], None);
        (there.join().expect("the other folder is built"), here)
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
            "{file} is not the same: {} and {} bytes, from {differs:?}",
            one.len(),
            other.len()
        );
    }

    // Another date changes nothing but dates.
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
fn a_date_that_is_none_is_said_before_anything_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let refused = dist(folder.path(), &["x86_64"], Some("yesterday"));
    let sentence = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(
        sentence.contains("SOURCE_DATE_EPOCH is \"yesterday\"; a number of seconds since 1970"),
        "{sentence}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A file that a package lists and the sources lack: a sentence, before anything is built.
#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = "dist/completions/mapprobe.fish";
    copy(folder.path());
    fs::remove_file(folder.path().join(missing)).unwrap();
    for option in ["--deb", "--tar"] {
        let failed = dist(folder.path(), &[option, "hppa"], None);
        let sentence = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert_eq!(failed.status.code(), Some(1), "{sentence}");
        assert!(
            sentence.contains(&format!("{missing} cannot be read; dist/package/contents.txt says")),
            "{sentence}"
        );
        assert!(!folder.path().join("dist/out").exists() && !folder.path().join("target").exists());
    }
}
