//! Fetches packages of any suite and architecture from Debian's archive, without apt.
//!
//! Verified as apt does it: keyring -> `InRelease` (by gpgv) -> SHA-256 of the package index ->
//! SHA-256 of the package. The archive is the one in apt's configuration.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use dist::cache::Cache;
//! use dist::debian::{Mirror, extract};
//! let (cache, mirror) = (Cache::open()?, Mirror::from_apt()?);
//! let index = mirror.index(&cache, "bookworm", "arm64")?;
//! let package = index.newest("linux-image-6.1.0-*-cloud-arm64")?;
//! let deb = package.fetch(&cache)?;
//! extract(&[&deb], "boot", &cache.path().join("kernels").join(&package.sha256))?;
//! # Ok(())
//! # }
//! ```

mod fetch;
mod index;
mod release;
mod sources;
mod unpack;
mod version;

pub use fetch::sha256;
pub use index::{Index, Package, matches};
pub use unpack::{extract, unpack};
pub use version::compare;

use crate::cache::Cache;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::Read;
use std::path::PathBuf;

/// Debian's archive as configured on this machine.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// Such as `http://host/debian`.
    pub uri: String,
    /// The archive of the `*-security` suites, if configured.
    pub security: Option<String>,
    /// This machine's suite, such as `bookworm`.
    pub suite: String,
    /// The keys that sign the suites.
    pub keyring: PathBuf,
    /// apt's proxy. If none, that of the environment is used.
    proxy: Option<String>,
}

impl Mirror {
    /// The mirror that apt uses, from `/etc/apt/sources.list` and `/etc/apt/sources.list.d/`.
    pub fn from_apt() -> Result<Mirror> {
        let sources = sources::read()?;
        let debian = |security: bool| {
            let fits = |source: &&sources::Source| {
                source.suite.contains("-security") == security
                    && source.components.iter().any(|name| name == "main")
            };
            sources.iter().filter(fits).find(|source| source.is_debian())
        };
        let Some(main) = debian(false) else {
            bail!(
                "apt on this machine has no Debian archive with the component main in \
                 /etc/apt/sources.list or \
                 /etc/apt/sources.list.d/. Add one, for example `deb \
                 http://deb.debian.org/debian bookworm main`."
            )
        };
        let keyring = [main.signed_by.clone(), Some(sources::KEYRING.into())]
            .into_iter()
            .flatten()
            .find(|path| path.is_file());
        let Some(keyring) = keyring else {
            bail!(
                "Debian's signing keys are missing ({}). Install debian-archive-keyring.",
                sources::KEYRING
            )
        };
        Ok(Mirror {
            uri: main.uri.clone(),
            security: debian(true).map(|source| source.uri.clone()),
            suite: main.suite.clone(),
            keyring,
            proxy: sources::proxy(),
        })
    }

    /// The packages in the component main of a suite, for an architecture by Debian's name
    /// (`arm64`). Fetches the index each time; without a network it uses the index of an earlier
    /// run and prints a warning.
    pub fn index(&self, cache: &Cache, suite: &str, arch: &str) -> Result<Index> {
        let uri = match &self.security {
            Some(security) if suite.ends_with("-security") => security,
            _ => &self.uri,
        };
        let agent = fetch::agent(self.proxy.as_deref())?;
        let release = release::verified(&agent, cache, uri, suite, &self.keyring)?;
        let name = format!("main/binary-{arch}/Packages.xz");
        let Some(entry) = release.entry(&name) else {
            bail!(
                "The suite {suite} at {uri} has no architecture {arch}: its release file lists \
                 no {name}. It has: {}.",
                release.field("Architectures").unwrap_or("no list of architectures")
            )
        };
        let by_hash = format!("main/binary-{arch}/by-hash/SHA256/{}", entry.sha256);
        let path = if release.field("Acquire-By-Hash") == Some("yes") { &by_hash } else { &name };
        let file = fetch::File {
            uri: format!("{uri}/dists/{suite}/{path}"),
            what: format!("package index of {suite} for {arch}"),
            name: "Packages.xz",
            sha256: &entry.sha256,
            size: entry.size,
        };
        let path = fetch::verified(&agent, cache, &file)?;
        let mut text = String::new();
        let packed =
            fs::File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        liblzma::read::XzDecoder::new(packed).read_to_string(&mut text).with_context(|| {
            format!("{} is not a valid xz file; delete it and try again", path.display())
        })?;
        Ok(Index::new(text, uri, suite, arch, self.proxy.clone()))
    }
}
