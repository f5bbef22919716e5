//! The signed release file of a suite. It lists the package indices with their SHA-256.

use super::fetch;
use super::unpack::beside;
use crate::cache::Cache;
use crate::progress;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The text of a release file with a good signature.
#[derive(Debug)]
pub struct Release(String);

/// A line of the SHA256 list.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

impl Release {
    /// The value of a one-line field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }

    /// The entry of a file in the SHA256 list.
    pub fn entry(&self, name: &str) -> Option<Entry> {
        let list = self.0.lines().skip_while(|line| *line != "SHA256:").skip(1);
        list.take_while(|line| line.starts_with(' ')).find_map(|line| {
            let mut columns = line.split_whitespace();
            let entry =
                Entry { sha256: columns.next()?.into(), size: columns.next()?.parse().ok()? };
            (columns.next()? == name && entry.sha256.len() == 64).then_some(entry)
        })
    }
}

/// Fetches a suite's `InRelease` and checks its signature. If the archive is unreachable, checks
/// and uses the file of an earlier run.
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
            fs::write(&new, signed).with_context(|| format!("cannot write {}", new.display()))?;
            let release = check(&new, keyring, &from)?;
            fs::rename(&new, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
            Ok(release)
        }
        Err(error) if kept.is_file() && !error.is::<fetch::NotFound>() => {
            let warning = format!("cannot fetch {from} ({error:#}); using an earlier copy");
            progress::say(&warning);
            check(&kept, keyring, &from)
        }
        Err(error) if error.is::<fetch::NotFound>() => Err(error.context(format!(
            "The archive {uri} has no suite {suite}. It may have moved to another archive; try \
             another mirror in apt's \
             configuration"
        ))),
        Err(error) => Err(error),
    }
}

/// The signed text, if at least one signature is good and none is bad. gpgv fails if one of several
/// keys is not in the keyring, which is normal between releases; apt accepts that too.
fn check(signed: &Path, keyring: &Path, from: &str) -> Result<Release> {
    let plain = beside(signed, "plain");
    let _ = fs::remove_file(&plain);
    let output = Command::new("gpgv")
        .args(["--status-fd", "1", "--keyring"])
        .arg(keyring)
        .arg("--output")
        .arg(&plain)
        .arg(signed)
        .output()
        .context(
            "cannot start gpgv, which checks Debian's signatures; install the Debian package gpgv",
        )?;
    let status = String::from_utf8_lossy(&output.stdout);
    let has = |word: &str| {
        status
            .lines()
            .any(|line| line.strip_prefix("[GNUPG:] ").is_some_and(|line| line.starts_with(word)))
    };
    if !has("GOODSIG ") || has("BADSIG ") {
        bail!(
            "{from} is not signed by a key of {} and was not used. If the suite is newer than \
             the keyring, update \
             debian-archive-keyring. gpgv's output: {}",
            keyring.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let text = fs::read_to_string(&plain)
        .with_context(|| format!("gpgv did not write the text of {from}"))?;
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
            "Suite: x\nAcquire-By-Hash: yes\nMD5Sum:\n {md5} 7 \
             main/binary-arm64/Packages.xz\nSHA256:\n {sha} 7 \
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

    /// A host name has dots, so `Path::with_extension` would give several suites the same name.
    #[test]
    fn suites_have_distinct_files() {
        let files = ["a.example_bookworm-InRelease", "a.example_sid-InRelease"]
            .map(|name| beside(name.as_ref(), "new"));
        assert_eq!(
            files.map(|file| file.display().to_string()),
            ["a.example_bookworm-InRelease.new", "a.example_sid-InRelease.new"]
        );
    }

    #[test]
    fn a_release_file_without_a_good_signature_is_rejected() {
        let directory = tempfile::tempdir().unwrap();
        let forged = directory.path().join("InRelease");
        fs::write(&forged, "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSuite: x\n")
            .unwrap();
        let refusal =
            check(&forged, KEYRING.as_ref(), "http://a.example/InRelease").unwrap_err().to_string();
        assert!(refusal.contains("is not signed by a key of"), "{refusal}");
    }
}
