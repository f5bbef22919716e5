//! The tools of a build besides the Rust toolchain: which are missing, and the Debian packages that
//! have them.

use crate::cache::Cache;
use crate::progress::Step;
use crate::toolchain::{self, Toolchain};
use crate::workspace::{self, program};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, SystemTime};
use targets::{Backend, Target};

/// Package lists older than this are updated before an installation.
const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

const ARCHIVE_KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A missing tool, and the Debian packages that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub what: String,
    pub packages: Vec<&'static str>,
}

/// The tools that the backends of these targets need and this machine lacks.
pub fn missing(targets: &[&'static Target], toolchain: &Toolchain) -> Vec<Missing> {
    let mut missing = Vec::new();
    for target in targets {
        let mut need = |present: bool, what: &str, packages: &[&'static str]| {
            let entry = Missing { what: what.into(), packages: packages.to_vec() };
            if !present && !missing.contains(&entry) {
                missing.push(entry);
            }
        };
        let has = |name: &str| program(name).is_some();
        match target.backend {
            // The installed std is linked by the toolchain's own means.
            Backend::Native { .. } if toolchain.std.is_none() => {}
            Backend::Native { linker, libc, .. } => {
                need(has(linker), linker, target.packages);
                if libc.is_some() {
                    need(has("gpgv"), "gpgv", &["gpgv"]);
                    need(has("dpkg-deb"), "dpkg-deb", &["dpkg"]);
                    let keys = fs::exists(ARCHIVE_KEYS).unwrap_or(false);
                    need(keys, ARCHIVE_KEYS, &["debian-archive-keyring"]);
                }
            }
            Backend::Wasm2c { compiler, .. } => {
                need(has("wasm2c"), "wasm2c", target.packages);
                need(has(compiler), compiler, target.packages);
                let headers = !has(compiler) || has_kernel_headers(compiler);
                need(headers, "asm/mman.h of the target", target.packages);
                need(toolchain::wasm_ld(toolchain).is_some(), "wasm-ld", &["lld"]);
            }
        }
    }
    missing
}

/// Whether a cross compiler finds the kernel headers of its target.
fn has_kernel_headers(compiler: &str) -> bool {
    let output = workspace::command(compiler)
        .args(["-include", "asm/mman.h", "-E", "-x", "c", "/dev/null"])
        .output();
    output.is_ok_and(|output| output.status.success())
}

/// Installs what is missing if `install` is set. Otherwise fails with the names of the packages.
pub fn provide(missing: &[Missing], install: bool) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let packages: BTreeSet<&str> =
        missing.iter().flat_map(|missing| missing.packages.iter().copied()).collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    let tools: Vec<&str> = missing.iter().map(|missing| missing.what.as_str()).collect();
    let (tools, names) = (tools.join(", "), packages.join(" "));
    if !install {
        bail!(
            "The build needs {tools}. Install the Debian packages {names}, or use --install as \
             root."
        );
    }
    // Other processes wait for the lock, and then find the packages installed.
    let _lock = Cache::open()?.lock("apt-get")?;
    apt_get(&packages).with_context(|| {
        format!("The build needs {tools}; the Debian packages {names} could not be installed")
    })
}

/// Installs Debian packages, as root.
pub fn apt_get(packages: &[&str]) -> Result<()> {
    if program("apt-get").is_none() {
        bail!("apt-get is missing; this machine does not run Debian");
    }
    let root = workspace::command("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if !root {
        bail!("installing packages requires root");
    }
    if lists_are_old() {
        run(&["update"])?;
    }
    let install = [&["install", "-y", "--no-install-recommends"][..], packages].concat();
    // A list can name a file that the mirror has replaced since. An update corrects it.
    run(&install).or_else(|_| run(&["update"]).and_then(|()| run(&install)))
}

fn run(arguments: &[&str]) -> Result<()> {
    let step = Step::begin(format!("apt-get {}", arguments.join(" ")));
    let output = workspace::command("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output()
        .context("cannot start apt-get")?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("apt-get {} exited with {}: {}", arguments.join(" "), output.status, stderr.trim());
    }
    step.done();
    Ok(())
}

/// Whether apt has no package lists, or only old ones.
fn lists_are_old() -> bool {
    let lists = fs::read_dir("/var/lib/apt/lists").into_iter().flatten().flatten();
    let lists = lists.filter(|entry| entry.file_name().to_string_lossy().contains("_Packages"));
    // The lists are dated by the archive. The directory is dated by the last download.
    let updated =
        fs::metadata("/var/lib/apt/lists/partial").and_then(|found| found.modified()).ok();
    let age = updated.and_then(|time| SystemTime::now().duration_since(time).ok());
    lists.count() == 0 || age.is_none_or(|age| age > MAX_AGE)
}
