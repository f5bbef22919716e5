//! The packages of a program: what is asked for of a Debian package and a tarball.

use crate::contents::{Kind, packed};
use crate::{compile, date, deb, tarball, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use targets::Target;

/// Which packages are made beside a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packages {
    /// A Debian package.
    pub deb: bool,
    /// A tarball.
    pub tar: bool,
}

/// What was made of a program, and goes into its packages.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// The program.
    pub program: &'a [u8],
    /// The initramfs with it.
    pub initramfs: &'a [u8],
    /// Its bill of materials.
    pub materials: &'a [u8],
}

/// Whether every file of the project is there that the wanted packages hold: asked before anything is built.
///
/// # Errors
/// A sentence that names a file.
pub fn ready(wanted: Packages) -> Result<()> {
    for (kind, wanted) in [(Kind::Deb, wanted.deb), (Kind::Tar, wanted.tar)] {
        if wanted {
            packed(kind, |_| Ok(Vec::new())).context("Nothing can be packaged")?;
        }
    }
    Ok(())
}

/// The packages that are wanted: file names and contents.
pub fn make(wanted: Packages, target: &Target, made: Made) -> Result<Vec<(String, Vec<u8>)>> {
    let part = |name: &str| match name {
        "program" => Ok(made.program.to_vec()),
        "initramfs" => Ok(made.initramfs.to_vec()),
        "materials" => Ok(made.materials.to_vec()),
        "changelog" => changelog(),
        other => bail!("nothing is made that is called [{other}] (dist/src/package.rs)"),
    };
    let mut packages = Vec::new();
    if wanted.deb {
        let work = compile::folder(target).join("deb");
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
        .context("CHANGELOG.md cannot be read")?;
    let date = date::text("%a, %d %b %Y %H:%M:%S +0000")?;
    Ok(deb::changelog(&ours, &deb::maintainer()?, &date)?.into())
}
