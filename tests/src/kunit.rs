//! KUnit's parser of test results, from the source package of a kernel.

use crate::kernels::build;
use crate::{cache_entry, host_packages, process};
use anyhow::{Context, Result};
use dist::cache::Cache;
use dist::debian::extract;
use std::path::PathBuf;
use std::process::Command;

/// The path of the parser in the kernel's source tree.
const PLACE: &str = "tools/testing/kunit";
const SUITE: &str = "bookworm";
const PACKAGE: &str = "linux-source-6.1";

/// The directory with the Python module `kunit_parser`.
pub fn parser() -> Result<PathBuf> {
    let cache = Cache::open()?;
    let recipe = format!("{PLACE} of {PACKAGE} of {SUITE}");
    let item = cache_entry::get(&cache, ("kunit", "kunit"), &recipe, |to, work| {
        host_packages::need(host_packages::ARCHIVE)?;
        let package = cache_entry::newest_package(&cache, SUITE, "amd64", PACKAGE)?;
        let unpacked = work.join("unpacked");
        extract(&[&package.fetch(&cache)?], "usr/src", &unpacked)?;
        let mut tar = Command::new("tar");
        tar.args(["x", "--strip-components=4", "--wildcards", "--directory"]).arg(to).arg("--file");
        tar.arg(build::tarball(&unpacked.join("usr/src"))?).arg(format!("*/{PLACE}/*.py"));
        process::run(&mut tar).with_context(|| format!("{PACKAGE} has no {PLACE}."))?;
        Ok(package)
    })?;
    Ok(item.directory)
}
