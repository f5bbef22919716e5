//! The base image of the Dockerfiles, made from Debian's packages without a registry.

use crate::{cache_entry, host_packages, process};
use anyhow::Result;
use dist::cache::Cache;
use dist::debian::Mirror;
use dist::progress::Step;
use dist::workspace;
use mapprobe::arch::Arch;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The name of the image in the Dockerfiles.
pub const IMAGE: &str = "docker.io/library/debian:bookworm";
const SUITE: &str = "bookworm";
/// The package whose version is the version of Debian.
const RELEASE: &str = "base-files";

/// Commands in the directory of the new system after `debootstrap`. They apply the settings of the
/// official image and remove downloaded files.
const FINISH: &str = "echo force-unsafe-io >etc/dpkg/dpkg.cfg.d/docker-apt-speedup
rm -rf etc/apt/sources.list var/lib/apt/lists/* var/cache/apt/archives/*.deb";

/// The tarball of the image in the cache.
pub fn tarball() -> Result<PathBuf> {
    let (cache, mirror) = (Cache::open()?, Mirror::from_apt()?);
    let sources = sources(&mirror);
    let recipe = format!("debootstrap --variant=minbase {SUITE}\n{FINISH}\n{sources}");
    let item = cache_entry::get(&cache, ("containers/debian", "image"), &recipe, |to, work| {
        host_packages::need(host_packages::CONTAINERS)?;
        let package = cache_entry::newest_package(
            &cache,
            SUITE,
            targets::of(Arch::native()).debian,
            RELEASE,
        )?;
        let system = work.join("system");
        // debootstrap mounts /proc there.
        let mut debootstrap =
            workspace::command(Path::new(env!("CARGO_MANIFEST_DIR")).join("containers/isolated"));
        debootstrap
            .args(["debootstrap", "--variant=minbase", "--keyring"])
            .arg(&mirror.keyring)
            .arg(SUITE)
            .arg(&system)
            .arg(&mirror.uri);
        let acquire = acquire()?;
        let proxy = acquire.lines().find_map(|line| line.strip_prefix("Acquire::http::Proxy \""));
        if let Some((proxy, _)) =
            proxy.and_then(|proxy| proxy.split_once('"')).filter(|(proxy, _)| proxy.contains(':'))
        {
            debootstrap.env("http_proxy", proxy);
        }
        let step = Step::begin(format!("making the base image {IMAGE}"));
        process::run(&mut debootstrap)?;
        fs::write(system.join("etc/apt/sources.list.d/debian.sources"), sources)?;
        process::run(Command::new("sh").args(["-e", "-c", FINISH]).current_dir(&system))?;
        process::run(
            Command::new("tar")
                .args(["-c", "-z", "--numeric-owner", "-f"])
                .arg(to.join("image.tar.gz"))
                .arg("-C")
                .arg(&system)
                .arg("."),
        )?;
        step.done();
        Ok(package)
    })?;
    Ok(item.directory.join("image.tar.gz"))
}

/// The sources of the official image, with the mirror of this machine.
fn sources(mirror: &Mirror) -> String {
    let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let stanza = |uri: &str, suites: &str| {
        format!(
            "Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main\nSigned-By: {keyring}\n"
        )
    };
    let security = mirror.security.iter().map(|uri| stanza(uri, &format!("{SUITE}-security")));
    [stanza(&mirror.uri, &format!("{SUITE} {SUITE}-updates"))]
        .into_iter()
        .chain(security)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The settings of apt for containers: those of this machine. `inside` is the directory of the
/// certificates, if there are any.
pub fn apt(inside: Option<&str>) -> Result<String> {
    let trust = inside
        .map(|directory| format!("Acquire::https::CaInfo \"{directory}/certificates.crt\";\n"));
    Ok(acquire()? + &trust.unwrap_or_default())
}

/// The settings of this machine's apt for proxies, dates and retries.
fn acquire() -> Result<String> {
    let dump = process::stdout(Command::new("apt-config").args(["dump", "Acquire"]))?;
    let ours = ["Acquire::http", "Acquire::Check-", "Acquire::Retries"];
    let lines = dump.lines().filter(|line| ours.iter().any(|start| line.starts_with(start)));
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockerfiles_start_with_the_base_image() {
        for file in ["targets/hppa/Dockerfile", "tests/containers/cross.Dockerfile"] {
            let text = fs::read_to_string(workspace::root().join(file)).unwrap();
            let first = text.lines().find_map(|line| line.strip_prefix("FROM ")).unwrap();
            assert_eq!(first.split(' ').next(), Some(IMAGE), "{file}");
        }
    }
}
