//! What a build needs beside a Rust toolchain: found here, or named, or installed with apt-get.

use crate::cache::Cache;
use crate::toolchain::{self, Toolchain};
use crate::workspace::{self, program};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, SystemTime};
use targets::{Route, Target};

/// Package lists older than this are renewed before something is installed.
const STALE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A program, and the Debian packages that bring it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What is not there.
    pub what: String,
    /// What to install.
    pub packages: Vec<&'static str>,
}

/// What the routes of these targets need and this machine has not. Without a toolchain only the other tools are looked at.
pub fn missing(targets: &[&'static Target], toolchain: &Toolchain) -> Vec<Missing> {
    let mut missing = Vec::new();
    for target in targets {
        let mut need = |there: bool, what: &str, packages: &[&'static str]| {
            let entry = Missing { what: what.into(), packages: packages.to_vec() };
            if !there && !missing.contains(&entry) {
                missing.push(entry);
            }
        };
        let has = |name: &str| program(name).is_some();
        let fallback = toolchain.std.is_none();
        match target.route {
            Route::Native { .. } if fallback => {}
            Route::Native { linker, libc, .. } => {
                need(has(linker), linker, target.packages);
                if libc.is_some() {
                    need(
                        toolchain::lld("ld.lld", toolchain).is_some(),
                        "a linker that answers to ld.lld",
                        &["lld"],
                    );
                    need(has("gpgv"), "gpgv", &["gpgv"]);
                    need(has("dpkg-deb"), "dpkg-deb", &["dpkg"]);
                    let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
                    need(fs::exists(keys).unwrap_or(false), keys, &["debian-archive-keyring"]);
                }
            }
            Route::Wasm2c { compiler, .. } => {
                need(has("wasm2c"), "wasm2c", target.packages);
                need(has(compiler), compiler, target.packages);
                need(
                    !has(compiler) || has_kernel_headers(compiler),
                    "asm/mman.h of the target",
                    target.packages,
                );
                need(
                    toolchain::lld("wasm-ld", toolchain).is_some(),
                    "a linker that answers to wasm-ld",
                    &["lld"],
                );
            }
        }
    }
    missing
}

/// Whether a cross compiler finds the kernel's headers of its target.
fn has_kernel_headers(compiler: &str) -> bool {
    let asked = workspace::command(compiler)
        .args(["-include", "asm/mman.h", "-E", "-x", "c", "/dev/null"])
        .output();
    asked.is_ok_and(|said| said.status.success())
}

/// Sees to it that nothing is missing: installs it when that is wanted and possible, else fails naming the packages.
pub fn provide(missing: &[Missing], install: bool) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let packages: BTreeSet<&str> =
        missing.iter().flat_map(|missing| missing.packages.iter().copied()).collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    let whats: Vec<&str> = missing.iter().map(|missing| missing.what.as_str()).collect();
    let (whats, names) = (whats.join(", "), packages.join(" "));
    if !install {
        bail!(
            "The build needs what is not here: {whats}. Install the Debian packages {names}, or say --install as root."
        );
    }
    // One apt-get at a time; for whoever waited it finds nothing left to do.
    let _lock = Cache::open()?.lock("apt-get")?;
    apt_get(&packages).with_context(|| {
        format!("The build needs {whats}; the Debian packages {names} could not be installed")
    })
}

/// Installs Debian packages, as root.
pub fn apt_get(packages: &[&str]) -> Result<()> {
    if program("apt-get").is_none() {
        bail!("apt-get is not here; this machine is no Debian");
    }
    let root = workspace::command("id")
        .arg("-u")
        .output()
        .is_ok_and(|said| said.stdout.trim_ascii() == b"0");
    if !root {
        bail!("only root may install; run it as root, or install them yourself");
    }
    if lists_are_stale() {
        run(&["update"])?;
    }
    let install = [&["install", "-y", "--no-install-recommends"][..], packages].concat();
    // A list can name a file that the mirror has replaced since: renew it and try once more.
    run(&install).or_else(|_| run(&["update"]).and_then(|()| run(&install)))
}

fn run(arguments: &[&str]) -> Result<()> {
    let step = crate::progress::Step::begin(format!("apt-get {}", arguments.join(" ")));
    let said = workspace::command("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output();
    let said = said.context("apt-get cannot be started")?;
    if !said.status.success() {
        let text = String::from_utf8_lossy(&said.stderr);
        bail!("apt-get {} ended with {}: {}", arguments.join(" "), said.status, text.trim());
    }
    step.done();
    Ok(())
}

/// Whether apt has no package lists, or only old ones.
fn lists_are_stale() -> bool {
    let lists = fs::read_dir("/var/lib/apt/lists").into_iter().flatten().flatten();
    let lists = lists.filter(|entry| entry.file_name().to_string_lossy().contains("_Packages"));
    // Most lists keep the archive's time; the folder tells when the last one came.
    let renewed =
        fs::metadata("/var/lib/apt/lists/partial").and_then(|found| found.modified()).ok();
    let age = renewed.and_then(|time| SystemTime::now().duration_since(time).ok());
    lists.count() == 0 || age.is_none_or(|age| age > STALE)
}
