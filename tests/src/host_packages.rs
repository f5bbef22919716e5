//! What this machine must have: Debian packages, by need. A test says what it needs; what is missing is installed when this
//! process may do that, and named otherwise.

use anyhow::{Context, Result};
use dist::cache::Cache;
use std::process::Command;

/// To boot scenarios of every architecture.
pub const QEMU: &[&str] = &["qemu-system-x86", "qemu-system-arm", "qemu-system-misc"];
/// To run programs of other architectures here.
pub const EMULATORS: &[&str] = &["qemu-user-static"];
/// To build a kernel from its source, the cross compiler excepted.
pub const KERNEL_BUILD: &[&str] = &[
    "bc",
    "bison",
    "flex",
    "gcc",
    "libc6-dev",
    "libelf-dev",
    "libssl-dev",
    "make",
    "perl",
    "xz-utils",
];
/// To compile the lab's own scenario programs for every architecture.
pub const CROSS_COMPILERS: &[&str] = &[
    "musl-tools",
    "linux-libc-dev",
    "gcc-aarch64-linux-gnu",
    "libc6-dev-arm64-cross",
    "gcc-hppa-linux-gnu",
    "libc6-dev-hppa-cross",
];
/// To build in containers: what runs them, and what makes the base image.
pub const CONTAINERS: &[&str] =
    &["podman", "crun", "debootstrap", "util-linux", "debian-archive-keyring"];
/// To make disks for scenarios.
pub const DISKS: &[&str] = &["e2fsprogs"];
/// To make an initramfs as Debian machines do, in both ways; the packages `dracut` and `initramfs-tools` themselves exclude each other.
pub const INITRAMFS: &[&str] =
    &["initramfs-tools-core", "dracut-core", "busybox", "kmod", "udev", "zstd"];
/// To watch a program's system calls.
pub const TRACING: &[&str] = &["strace"];
/// To look at a page as a reader does.
pub const BROWSER: &[&str] = &["chromium", "fonts-dejavu-core"];
/// To read a manual page as two programs do.
pub const MANUALS: &[&str] = &["man-db", "mandoc"];
/// To complete lines in shells.
pub const COMPLETING_SHELLS: &[&str] = &["bash", "bash-completion", "fish", "zsh"];
/// To read results of tests, in Perl and in Python.
pub const TEST_READERS: &[&str] = &["perl", "python3"];
/// To run scripts of POSIX shells.
pub const SHELLS: &[&str] = &["dash", "busybox"];
/// To run a program on a terminal: it brings `script`.
pub const TERMINAL: &[&str] = &["bsdutils"];
/// To gather expectations about a machine.
pub const ANSIBLE: &[&str] = &["ansible-core", "python3"];
/// To compile and run a small C program.
pub const COMPILER: &[&str] = &["gcc", "libc6-dev"];
/// To look at packages as Debian does.
pub const PACKAGING: &[&str] = &["dpkg", "lintian"];
/// To install Python's packages in a directory of their own.
pub const PYTHON: &[&str] = &["python3", "python3-venv"];
/// To fetch packages: signatures, and the members of a package.
pub const ARCHIVE: &[&str] = &["debian-archive-keyring", "dpkg", "gpgv", "tar", "xz-utils"];

/// Makes sure that these Debian packages are installed.
///
/// # Errors
/// Names what is missing when this process may not install it, or apt-get failed.
pub fn need(packages: &[&str]) -> Result<()> {
    if missing(packages)?.is_empty() {
        return Ok(());
    }
    // One apt-get at a time; whoever waited looks again.
    let _lock = Cache::open()?.lock("apt-get")?;
    install(&missing(packages)?)
}

/// Installs these Debian packages, or upgrades them where they are installed and too old.
///
/// # Errors
/// As [`need`].
pub fn renew(packages: &[&str]) -> Result<()> {
    let _lock = Cache::open()?.lock("apt-get")?;
    install(packages)
}

fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.join(" ");
    dist::packages::apt_get(packages).with_context(|| {
        format!("The tests need Debian packages: apt-get install --no-install-recommends {names}")
    })
}

/// Those of the packages that are not installed.
fn missing<'a>(packages: &[&'a str]) -> Result<Vec<&'a str>> {
    let found = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .args(packages)
        .output()
        .with_context(|| {
            format!(
                "dpkg-query cannot be started. The tests set up Debian 12; elsewhere, install what is called {} there \
                 and a dpkg-query that says so.",
                packages.join(", ")
            )
        })?;
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    let installed = |name: &str| found.lines().any(|line| line == format!("{name} installed"));
    Ok(packages.iter().copied().filter(|name| !installed(name)).collect())
}

/// Whether this process has the rights of root.
pub fn is_root() -> bool {
    // Of the four numbers after `Uid:` the second is the effective one, proc(5).
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_packages_are_told_from_others() {
        assert_eq!(missing(&["dpkg", "no-such-package"]).unwrap(), ["no-such-package"]);
        need(&["dpkg"]).unwrap();
    }
}
