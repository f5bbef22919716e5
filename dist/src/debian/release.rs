//! A suite's release file: which indices it has, each with its SHA-256, signed by the archive's keys.

use super::fetch;
use super::unpack::beside;
use crate::cache::Cache;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The text of a release file whose signature was good.
#[derive(Debug)]
pub struct Release(String);

/// One line of its list.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

impl Release {
    /// The value of a field of one line.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }

    /// What the SHA256 list says of a file.
    pub fn entry(&self, name: &str) -> Option<Entry> {
        let list = self.0.lines().skip_while(|line| *line != "SHA256:").skip(1);
        list.take_while(|line| line.starts_with(' ')).find_map(|line| {
            let mut words = line.split_whitespace();
            let entry = Entry { sha256: words.next()?.into(), size: words.next()?.parse().ok()? };
            (words.next()? == name && entry.sha256.len() == 64).then_some(entry)
        })
    }
}

/// Fetches a suite's `InRelease` and checks its signature. When the archive cannot be reached, the one of an earlier run
/// serves, its signature checked again.
pub fn verified(
    agent: &ureq::Agent,
    cache: &Cache,
    uri: &str,
    suite: &str,
    keyring: &Path,
) -> Result<Release> {
    let from = format!("{uri}/dists/{suite}/InRelease");
    let name = format!("release/{}-InRelease", from.replace(['/', ':'], "_"));
    let kept = cache.path().join(&name);
    let _lock = cache.lock(&name)?;
    match fetch::text(agent, &from) {
        Ok(signed) => {
            let new = beside(&kept, "new");
            fs::write(&new, signed).with_context(|| format!("{} cannot be written", new.display()))?;
            let release = check(&new, keyring, &from)?;
            fs::rename(&new, &kept).with_context(|| format!("{} cannot be written", kept.display()))?;
            Ok(release)
        }
        Err(failure) if kept.is_file() && !failure.is::<fetch::Gone>() => {
            crate::progress::say(&format!("{from} could not be fetched ({failure:#}); the copy of an earlier run is used."));
            check(&kept, keyring, &from)
        }
        Err(failure) if failure.is::<fetch::Gone>() => Err(failure.context(format!(
            "The archive {uri} has no suite {suite}. It may have moved to another archive since; another mirror in apt's \
             configuration may still have it"
        ))),
        Err(failure) => Err(failure),
    }
}

/// The signed text, when at least one signature is good and none is bad. gpgv itself fails as soon as one of several keys is
/// not in the keyring, which is normal between releases; apt, too, is content with one.
fn check(signed: &Path, keyring: &Path, from: &str) -> Result<Release> {
    let plain = beside(signed, "plain");
    let _ = fs::remove_file(&plain);
    let said = Command::new("gpgv")
        .args(["--status-fd", "1", "--keyring"])
        .arg(keyring)
        .arg("--output")
        .arg(&plain)
        .arg(signed)
        .output()
        .context("gpgv, which checks Debian's signatures, cannot be started; install the Debian package gpgv")?;
    let status = String::from_utf8_lossy(&said.stdout);
    let has = |word: &str| {
        status
            .lines()
            .any(|line| line.strip_prefix("[GNUPG:] ").is_some_and(|line| line.starts_with(word)))
    };
    if !has("GOODSIG ") || has("BADSIG ") {
        bail!(
            "{from} is not signed by a key of {}; nothing of it is used. If the suite is newer than the keyring, update \
             debian-archive-keyring. gpgv said: {}",
            keyring.display(),
            String::from_utf8_lossy(&said.stderr).trim()
        );
    }
    let text =
        fs::read_to_string(&plain).with_context(|| format!("gpgv wrote no text of {from}"))?;
    let _ = fs::remove_file(&plain);
    Ok(Release(text))
}

#[cfg(test)]
mod tests {
    use super::{Entry, Release, beside, check};
    use crate::debian::sources::KEYRING;
    use std::fs;

    #[test]
    fn finds_the_sha256_and_not_the_md5_of_an_index() {
        let (md5, sha) = ("0".repeat(32), "a".repeat(64));
        let text = format!(
            "Suite: x\nAcquire-By-Hash: yes\nMD5Sum:\n {md5} 7 main/binary-arm64/Packages.xz\nSHA256:\n {sha} 7 \
             main/binary-arm64/Packages.xz\n"
        );
        let release = Release(text);
        assert_eq!(
            release.entry("main/binary-arm64/Packages.xz"),
            Some(Entry { sha256: sha, size: 7 })
        );
        assert_eq!(release.entry("main/binary-hppa/Packages.xz"), None);
        assert_eq!(release.field("Acquire-By-Hash"), Some("yes"));
    }

    /// The names hold the archive's host, and with it dots: one suite's files must not be another's.
    #[test]
    fn the_files_of_suites_are_told_apart() {
        let files = ["a.example_bookworm-InRelease", "a.example_sid-InRelease"]
            .map(|name| beside(name.as_ref(), "new"));
        assert_eq!(
            files.map(|file| file.display().to_string()),
            ["a.example_bookworm-InRelease.new", "a.example_sid-InRelease.new"]
        );
    }

    #[test]
    fn a_release_file_without_a_good_signature_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let forged = folder.path().join("InRelease");
        fs::write(&forged, "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSuite: x\n")
            .unwrap();
        let refusal =
            check(&forged, KEYRING.as_ref(), "http://a.example/InRelease").unwrap_err().to_string();
        assert!(refusal.contains("is not signed by a key of"), "{refusal}");
    }
}
