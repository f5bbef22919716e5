//! Makes the requested packages of a program: Debian package, tarball.

use crate::contents::{Kind, packed};
use crate::{compile, date, deb, tarball, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use targets::Target;

/// The packages to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packages {
    pub deb: bool,
    pub tar: bool,
}

/// The build output that packages contain.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    pub program: &'a [u8],
    pub initramfs: &'a [u8],
    pub sbom: &'a [u8],
}

/// Fails if a source file of the requested packages is missing.
pub fn check_sources(wanted: Packages) -> Result<()> {
    for (kind, wanted) in [(Kind::Deb, wanted.deb), (Kind::Tar, wanted.tar)] {
        if wanted {
            packed(kind, |_| Ok(Vec::new())).context("The packages cannot be made")?;
        }
    }
    Ok(())
}

/// Returns file names and contents.
pub fn make(
    wanted: Packages,
    target: &Target,
    contents: Contents,
) -> Result<Vec<(String, Vec<u8>)>> {
    let part = |name: &str| match name {
        "program" => Ok(contents.program.to_vec()),
        "initramfs" => Ok(contents.initramfs.to_vec()),
        "materials" => Ok(contents.sbom.to_vec()),
        "changelog" => changelog(),
        other => bail!("contents.txt names [{other}], which dist/src/package.rs does not generate"),
    };
    let mut packages = Vec::new();
    if wanted.deb {
        let work = compile::directory(target).join("deb");
        packages.push((deb::name(target), deb::write(target, &packed(Kind::Deb, part)?, &work)?));
    }
    if wanted.tar {
        packages.push((
            format!("{}.tar.gz", tarball::name(target)),
            tarball::write(target, &packed(Kind::Tar, part)?)?,
        ));
    }
    Ok(packages)
}

fn changelog() -> Result<Vec<u8>> {
    let ours = fs::read_to_string(workspace::root().join("CHANGELOG.md"))
        .context("cannot read CHANGELOG.md")?;
    let date = date::text("%a, %d %b %Y %H:%M:%S +0000")?;
    Ok(deb::changelog(&ours, &deb::maintainer()?, &date)?.into())
}
