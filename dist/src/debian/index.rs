//! The packages of a suite, from its `Packages` file.

use super::{fetch, version};
use crate::cache::Cache;
use anyhow::{Result, anyhow};
use std::path::PathBuf;

/// The packages of one suite and architecture.
#[derive(Debug)]
pub struct Index {
    text: String,
    uri: String,
    suite: String,
    arch: String,
    proxy: Option<String>,
}

/// A package of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Such as `musl-dev`.
    pub name: String,
    /// Includes the epoch.
    pub version: String,
    pub suite: String,
    /// Such as `arm64` or `all`.
    pub arch: String,
    /// Relative to the archive.
    pub filename: String,
    /// In hexadecimal.
    pub sha256: String,
    /// In bytes.
    pub size: u64,
    uri: String,
    proxy: Option<String>,
}

impl Index {
    pub(super) fn new(
        text: String,
        uri: &str,
        suite: &str,
        arch: &str,
        proxy: Option<String>,
    ) -> Index {
        Index { text, uri: uri.into(), suite: suite.into(), arch: arch.into(), proxy }
    }

    /// The newest package whose name matches a pattern, such as `linux-image-6.1.0-*-cloud-amd64`.
    /// Packages of the same version are ordered by name. The error lists similar names.
    pub fn newest(&self, pattern: &str) -> Result<Package> {
        self.newest_where(|name| matches(pattern, name)).ok_or_else(|| {
            let start = pattern.split('*').next().unwrap_or_default();
            let mut near: Vec<&str> = self.names().filter(|name| name.starts_with(start)).collect();
            near.sort_by(|a, b| version::compare(b, a));
            near.truncate(12);
            let there = match near.is_empty() {
                true => "no package with that prefix".into(),
                false => near.join(", "),
            };
            anyhow!(
                "No package {pattern} is in {} for {} at {}. Available: {there}. The archive may \
                 have changed; update the pattern.",
                self.suite,
                self.arch,
                self.uri
            )
        })
    }

    /// The package with this name and version. The error lists the available versions.
    pub fn exact(&self, name: &str, version: &str) -> Result<Package> {
        let named = self.stanzas().filter(|stanza| self::name(stanza) == name);
        let there: Vec<Package> = named.filter_map(|stanza| self.package(stanza)).collect();
        if let Some(package) = there.iter().find(|package| package.version == version) {
            return Ok(package.clone());
        }
        let versions: Vec<&str> = there.iter().map(|package| package.version.as_str()).collect();
        let there = if versions.is_empty() { "no version".into() } else { versions.join(", ") };
        let Index { suite, arch, uri, .. } = self;
        Err(anyhow!(
            "{name} {version} is not in {suite} for {arch} at {uri}. Available: {there}. The \
             archive has changed."
        ))
    }

    /// The newest package whose name the caller accepts.
    pub fn newest_where(&self, accepts: impl Fn(&str) -> bool) -> Option<Package> {
        let order = |a: &Package, b: &Package| {
            version::compare(&a.version, &b.version)
                .then_with(|| version::compare(&a.name, &b.name))
        };
        self.stanzas()
            .filter(|stanza| accepts(name(stanza)))
            .filter_map(|stanza| self.package(stanza))
            .max_by(order)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.stanzas().map(name)
    }

    fn stanzas(&self) -> impl Iterator<Item = &str> {
        self.text
            .split("\n\n")
            .map(|stanza| stanza.trim_start_matches('\n'))
            .filter(|stanza| !stanza.is_empty())
    }

    fn package(&self, stanza: &str) -> Option<Package> {
        let field = |name: &str| {
            let value = stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.map(|value| value.trim().to_string())
        };
        Some(Package {
            name: field("Package")?,
            version: field("Version")?,
            suite: self.suite.clone(),
            arch: field("Architecture")?,
            filename: field("Filename")?,
            sha256: field("SHA256").filter(|digits| digits.len() == 64)?,
            size: field("Size")?.parse().ok()?,
            uri: self.uri.clone(),
            proxy: self.proxy.clone(),
        })
    }
}

impl Package {
    /// Fetches the package into the cache and verifies it. Returns the path of the file.
    pub fn fetch(&self, cache: &Cache) -> Result<PathBuf> {
        let name = self.filename.rsplit('/').next().unwrap_or(&self.filename);
        let file = fetch::File {
            uri: format!("{}/{}", self.uri, self.filename),
            what: name.into(),
            name,
            sha256: &self.sha256,
            size: self.size,
        };
        fetch::verified(&fetch::agent(self.proxy.as_deref())?, cache, &file)
    }
}

/// The package name: the first line of a stanza.
fn name(stanza: &str) -> &str {
    let first = stanza.split('\n').next().unwrap_or_default();
    first.strip_prefix("Package: ").unwrap_or_default()
}

/// Whether a name matches a pattern, in which `*` matches any characters or none.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| matches(rest, &name[at..]))
}

#[cfg(test)]
mod tests {
    use super::{Index, matches};
    use crate::cache::Cache;
    use std::io::{BufRead, BufReader, Write};

    fn index(packages: &[(&str, &str)]) -> Index {
        let stanza = |(name, version): &(&str, &str)| {
            format!(
                "Package: {name}\nVersion: {version}\nArchitecture: arm64\nDescription: a \
                 thing\n Package: not-this\n\
                 Filename: pool/{name}.deb\nSize: 5\nSHA256: {}\n",
                "a".repeat(64)
            )
        };
        let text = packages.iter().map(stanza).collect::<Vec<_>>().join("\n");
        Index::new(text, "http://a.example/debian", "bookworm", "arm64", None)
    }

    #[test]
    fn patterns_match_whole_names() {
        assert!(matches("linux-*-cloud-arm64", "linux-image-6.1.0-9-cloud-arm64"));
        assert!(!matches("linux-*-cloud-arm64", "linux-image-6.1.0-9-cloud-arm64-dbg"));
        assert!(
            matches("a*", "a")
                && matches("*", "")
                && !matches("a", "ab")
                && matches("a*b*c", "a-b-b-c")
        );
    }

    #[test]
    fn the_newest_package_has_the_highest_version() {
        let index = index(&[
            ("image-9-cloud", "6.1.9-1"),
            ("image-10-cloud", "6.1.10-1"),
            ("image-10-cloud-dbg", "7-1"),
        ]);
        let newest = index.newest("image-*-cloud").unwrap();
        assert_eq!(
            (newest.name.as_str(), newest.version.as_str(), newest.size),
            ("image-10-cloud", "6.1.10-1", 5)
        );
        assert_eq!(newest.filename, "pool/image-10-cloud.deb");
        assert_eq!(index.names().count(), 3);
    }

    #[test]
    fn a_missing_version_is_reported_with_the_available_ones() {
        let index = index(&[("modules", "7.2-1"), ("modules", "7.3-1"), ("modules-rt", "7.1-1")]);
        assert_eq!(index.exact("modules", "7.2-1").unwrap().version, "7.2-1");
        let error = index.exact("modules", "7.1-1").unwrap_err().to_string();
        for part in [
            "modules 7.1-1 is not in bookworm for arm64",
            "Available: 7.2-1, 7.3-1.",
            "has changed",
        ] {
            assert!(error.contains(part), "{error}");
        }
        assert!(index.exact("headers", "1").unwrap_err().to_string().contains("no version"));
    }

    /// While a mirror is updated, its index may list a package that is gone.
    #[test]
    fn a_listed_package_that_is_gone_is_reported() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut index = index(&[("image-10-cloud", "6.1.10-1")]);
        index.uri = format!("http://{}/debian", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let request: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            assert_eq!(request[0], "GET /debian/pool/image-10-cloud.deb HTTP/1.1");
            stream
                .write_all(
                    b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                )
                .unwrap();
        });
        let directory = tempfile::tempdir().unwrap();
        let package = index.newest("image-*-cloud").unwrap();
        let error =
            format!("{:#}", package.fetch(&Cache::at(directory.path()).unwrap()).unwrap_err());
        for part in [
            "the index lists image-10-cloud.deb",
            "may be being updated",
            "/debian/pool/image-10-cloud.deb does not exist",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_missing_package_is_reported_with_similar_names() {
        let error = index(&[("image-11-cloud", "1"), ("other", "1")])
            .newest("image-10-*")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("No package image-10-*")
                && error.contains("no package with that prefix"),
            "{error}"
        );
        let error = index(&[("image-11-cloud", "1"), ("other", "1")])
            .newest("image-*-rt")
            .unwrap_err()
            .to_string();
        assert!(error.contains("image-11-cloud") && !error.contains("other"), "{error}");
    }
}
