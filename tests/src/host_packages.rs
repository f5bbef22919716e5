//! Debian packages that the host needs, by purpose. A missing package is installed if this process
//! may install it; otherwise the error names it.

use anyhow::{Context, Result};
use dist::cache::Cache;
use std::process::Command;

/// To boot guests of every architecture.
pub const QEMU: &[&str] = &["qemu-system-x86", "qemu-system-arm", "qemu-system-misc"];
/// To run programs of other architectures.
pub const EMULATORS: &[&str] = &["qemu-user-static"];
/// To build a kernel from its source, without the cross compiler.
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
/// To compile the lab's own programs for every architecture.
pub const CROSS_COMPILERS: &[&str] = &[
    "musl-tools",
    "linux-libc-dev",
    "gcc-aarch64-linux-gnu",
    "libc6-dev-arm64-cross",
    "gcc-hppa-linux-gnu",
    "libc6-dev-hppa-cross",
];
/// To build in containers: the engine, and debootstrap for the base image.
pub const CONTAINERS: &[&str] =
    &["podman", "crun", "debootstrap", "util-linux", "debian-archive-keyring"];
/// To create disk images.
pub const DISKS: &[&str] = &["e2fsprogs"];
/// To create a squashfs image.
pub const SQUASHFS: &[&str] = &["squashfs-tools"];
/// To create an initramfs with both generators of Debian. The packages `dracut` and
/// `initramfs-tools` conflict, so only their parts are installed.
pub const INITRAMFS: &[&str] =
    &["initramfs-tools-core", "dracut-core", "busybox", "kmod", "udev", "zstd"];
/// To run a program in an instrumenter.
pub const INSTRUMENTERS: &[&str] = &["valgrind"];
/// To trace system calls.
pub const TRACING: &[&str] = &["strace"];
/// To open a web page.
pub const BROWSER: &[&str] = &["chromium", "fonts-dejavu-core"];
/// To render a manual page with two programs.
pub const MANUALS: &[&str] = &["man-db", "mandoc"];
/// To complete lines in shells.
pub const COMPLETING_SHELLS: &[&str] = &["bash", "bash-completion", "fish", "zsh"];
/// To parse test results in Perl and in Python.
pub const TEST_READERS: &[&str] = &["perl", "python3"];
/// To run scripts of POSIX shells.
pub const SHELLS: &[&str] = &["dash", "busybox"];
/// To run a program on a terminal: the package of `script`.
pub const TERMINAL: &[&str] = &["bsdutils"];
/// To gather local facts with Ansible.
pub const ANSIBLE: &[&str] = &["ansible-core", "python3"];
/// To compile and run a small C program.
pub const COMPILER: &[&str] = &["gcc", "libc6-dev"];
/// To check packages with Debian's tools.
pub const PACKAGING: &[&str] = &["dpkg", "lintian"];
/// To install Python packages in a virtual environment.
pub const PYTHON: &[&str] = &["python3", "python3-venv"];
/// To download packages: signatures, and the members of a package.
pub const ARCHIVE: &[&str] = &["debian-archive-keyring", "dpkg", "gpgv", "tar", "xz-utils"];

/// Makes sure that Debian packages are installed.
///
/// # Errors
/// A package is missing and cannot be installed.
pub fn need(packages: &[&str]) -> Result<()> {
    if missing(packages)?.is_empty() {
        return Ok(());
    }
    // One apt-get at a time. Another process may have installed the packages meanwhile.
    let _lock = Cache::open()?.lock("apt-get")?;
    install(&missing(packages)?)
}

/// Installs Debian packages, or upgrades them.
///
/// # Errors
/// As for [`need`].
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

/// The packages that are not installed.
fn missing<'a>(packages: &[&'a str]) -> Result<Vec<&'a str>> {
    let found = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .args(packages)
        .output()
        .with_context(|| {
            format!(
                "dpkg-query cannot be started. The tests need Debian 12; elsewhere, install the \
                 equivalents of {} and a dpkg-query that lists them.",
                packages.join(", ")
            )
        })?;
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    let installed = |name: &str| found.lines().any(|line| line == format!("{name} installed"));
    Ok(packages.iter().copied().filter(|name| !installed(name)).collect())
}

/// Whether this process has root privileges.
pub fn is_root() -> bool {
    // The second of the four numbers after `Uid:` is the effective one (proc(5)).
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_packages_are_recognized() {
        assert_eq!(missing(&["dpkg", "no-such-package"]).unwrap(), ["no-such-package"]);
        need(&["dpkg"]).unwrap();
    }
}
