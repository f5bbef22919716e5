//! The base image of the Dockerfiles, made from Debian's packages without a registry.

use crate::{cache_entry, host_packages};
use anyhow::{Context, Result, ensure};
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
            workspace::command(Path::new(env!("CARGO_MANIFEST_DIR")).join("containers/apart"));
        debootstrap
            .args(["debootstrap", "--variant=minbase", "--keyring"])
            .arg(&mirror.keyring)
            .arg(SUITE)
            .arg(&system)
            .arg(&mirror.uri);
        let acquire = acquire();
        let proxy = acquire.lines().find_map(|line| line.strip_prefix("Acquire::http::Proxy \""));
        if let Some((proxy, _)) =
            proxy.and_then(|proxy| proxy.split_once('"')).filter(|(proxy, _)| proxy.contains(':'))
        {
            debootstrap.env("http_proxy", proxy);
        }
        let step = Step::begin(format!("making the base image {IMAGE}"));
        said(&mut debootstrap)?;
        fs::write(system.join("etc/apt/sources.list.d/debian.sources"), sources)?;
        said(Command::new("sh").args(["-e", "-c", FINISH]).current_dir(&system))?;
        said(
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
pub fn apt(inside: Option<&str>) -> String {
    let trust = inside
        .map(|directory| format!("Acquire::https::CaInfo \"{directory}/certificates.crt\";\n"));
    acquire() + &trust.unwrap_or_default()
}

/// The settings of this machine's apt for proxies, dates and retries.
fn acquire() -> String {
    let said = Command::new("apt-config")
        .args(["dump", "Acquire"])
        .output()
        .map(|said| said.stdout)
        .unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    let ours = ["Acquire::http", "Acquire::Check-", "Acquire::Retries"];
    let lines = said.lines().filter(|line| ours.iter().any(|start| line.starts_with(start)));
    lines.map(|line| format!("{line}\n")).collect()
}

fn said(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let said = command.output().with_context(|| format!("{name} cannot be started."))?;
    let texts =
        [&said.stdout, &said.stderr].map(|text| String::from_utf8_lossy(text).trim().to_owned());
    ensure!(said.status.success(), "{name} ended with {}: {}", said.status, texts.join("\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockerfiles_begin_with_the_image_that_is_made() {
        for file in ["targets/hppa/Dockerfile", "tests/containers/cross.Dockerfile"] {
            let text = fs::read_to_string(workspace::root().join(file)).unwrap();
            let first = text.lines().find_map(|line| line.strip_prefix("FROM ")).unwrap();
            assert_eq!(first.split(' ').next(), Some(IMAGE), "{file}");
        }
    }
}
