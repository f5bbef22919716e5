//! Reads apt's configuration, `sources.list(5)`.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's keys, from the package debian-archive-keyring.
pub const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A suite of an archive.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Without a trailing slash.
    pub uri: String,
    /// Such as `bookworm` or `bookworm-security`.
    pub suite: String,
    pub components: Vec<String>,
    /// The keyring, if configured.
    pub signed_by: Option<PathBuf>,
}

impl Source {
    /// Whether this is a mirror of Debian, judged by the path: the host can have any name.
    pub fn is_debian(&self) -> bool {
        let path = self.uri.rsplit('/').next().unwrap_or_default();
        self.uri.starts_with("http")
            && (path == "debian" || path == "debian-security" || self.uri.contains("/debian/"))
    }
}

/// All sources, in apt's order.
pub fn read() -> Result<Vec<Source>> {
    let mut paths: Vec<PathBuf> = fs::read_dir("/etc/apt/sources.list.d")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths.insert(0, "/etc/apt/sources.list".into());
    let mut sources = Vec::new();
    for path in paths {
        let parse: fn(&str) -> Vec<Source> = match path.extension().and_then(|end| end.to_str()) {
            Some("list") => lines,
            Some("sources") => stanzas,
            _ => continue,
        };
        if path.is_file() {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            sources.extend(parse(&text));
        }
    }
    Ok(sources)
}

/// apt's proxy for HTTP.
pub fn proxy() -> Option<String> {
    let output = Command::new("apt-config")
        .args(["dump", "--format", "%v%n", "Acquire::http::Proxy"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines()
        .next()
        .map(str::trim)
        .filter(|line| !line.is_empty() && *line != "DIRECT")
        .map(String::from)
}

/// The one-line style: `deb [option=value ..] URI suite component ..`.
fn lines(text: &str) -> Vec<Source> {
    let line = |line: &str| {
        let line = line.split('#').next()?.trim().strip_prefix("deb")?;
        let line = line.strip_prefix([' ', '\t'])?.trim();
        let (options, rest) = match line.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", line),
        };
        let signed_by =
            options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        let mut columns = rest.split_whitespace();
        Some(Source {
            uri: columns.next()?.trim_end_matches('/').into(),
            suite: columns.next()?.into(),
            components: columns.map(String::from).collect(),
            signed_by: signed_by.and_then(key_file),
        })
    };
    text.lines().filter_map(line).collect()
}

/// The deb822 style: stanzas of fields with several values.
fn stanzas(text: &str) -> Vec<Source> {
    let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let text = text.join("\n");
    let mut sources = Vec::new();
    for stanza in text.split("\n\n") {
        let values = |name: &str| -> Vec<String> {
            let mut found = false;
            let mut values = Vec::new();
            for line in stanza.lines() {
                let continued = line.starts_with([' ', '\t']);
                if !continued {
                    found = line
                        .split(':')
                        .next()
                        .is_some_and(|field| field.eq_ignore_ascii_case(name));
                }
                let value = if continued {
                    line
                } else {
                    line.split_once(':').map_or("", |(_, value)| value)
                };
                if found {
                    values.extend(value.split_whitespace().map(String::from));
                }
            }
            values
        };
        let disabled = values("Enabled").first().is_some_and(|value| {
            ["no", "false", "without", "off", "disable"].contains(&value.as_str())
        });
        if disabled || !values("Types").iter().any(|kind| kind == "deb") {
            continue;
        }
        for uri in values("URIs") {
            for suite in values("Suites") {
                sources.push(Source {
                    uri: uri.trim_end_matches('/').into(),
                    suite: suite.clone(),
                    components: values("Components"),
                    signed_by: values("Signed-By").first().and_then(|path| key_file(path)),
                });
            }
        }
    }
    sources
}

/// gpgv reads binary keyrings only. For a fingerprint or an armored key the default keyring is
/// used.
fn key_file(path: &str) -> Option<PathBuf> {
    (path.starts_with('/') && path.ends_with(".gpg")).then(|| Path::new(path).into())
}

#[cfg(test)]
mod tests {
    use super::{lines, stanzas};

    #[test]
    fn reads_the_one_line_style() {
        let found = lines(
            "# deb http://no.example/debian sid main\n\
             deb-src http://a.example/debian sid main\n\
             deb [arch=amd64 signed-by=/k/debian.gpg] http://a.example/debian/ bookworm main \
             contrib # mine\n",
        );
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].uri.as_str(), found[0].suite.as_str()),
            ("http://a.example/debian", "bookworm")
        );
        assert_eq!(found[0].components, ["main", "contrib"]);
        assert_eq!(found[0].signed_by.as_deref(), Some("/k/debian.gpg".as_ref()));
        assert!(found[0].is_debian());
    }

    #[test]
    fn reads_stanzas_with_comments_and_continued_fields() {
        let found = stanzas(
            "Types: deb\n# a comment\nURIs: http://a.example/debian\nSuites: bookworm\n \
             bookworm-updates\nComponents: main\n\
             Signed-By: /k/debian.gpg\n\nTypes: deb\nEnabled: no\nURIs: \
             http://b.example/debian\nSuites: sid\nComponents: main\n\n\
             Types: deb-src\nURIs: http://c.example/debian\nSuites: sid\nComponents: main\n",
        );
        let suites: Vec<&str> = found.iter().map(|source| source.suite.as_str()).collect();
        assert_eq!(suites, ["bookworm", "bookworm-updates"]);
        assert!(
            found
                .iter()
                .all(|source| source.uri == "http://a.example/debian"
                    && source.components == ["main"])
        );
    }

    #[test]
    fn other_archives_are_not_debian() {
        assert!(!lines("deb https://deb.nodesource.com/node_20.x nodistro main")[0].is_debian());
        assert!(lines("deb http://m.example/mirror/debian bookworm main")[0].is_debian());
    }
}
