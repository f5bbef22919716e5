//! Finds a Rust toolchain for the build: one with the sources of std, which can rebuild it, or else
//! the installed one. Never runs rustup, which may download.

use crate::workspace::{self, program};
use anyhow::{Context, Result, bail};
use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's packages of a toolchain with the sources of std.
pub const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

#[derive(Clone, Debug)]
pub struct Toolchain {
    /// Printed and recorded, so without paths of this machine.
    pub name: String,
    pub cargo: PathBuf,
    pub rustc: PathBuf,
    /// The output of `rustc -V`.
    pub version: String,
    /// The directory with `lib/rustlib`.
    pub sysroot: PathBuf,
    /// The sources of std. None if std is used as installed.
    pub std: Option<Sources>,
    /// Whether unstable options need `RUSTC_BOOTSTRAP=1`.
    pub bootstrap: bool,
}

/// The sources of std.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The directory with `library`.
    pub path: PathBuf,
    /// The Rust release.
    pub version: String,
}

impl Toolchain {
    /// A command that runs this toolchain's cargo with its own rustc.
    pub fn cargo(&self) -> Command {
        let mut command = workspace::command(&self.cargo);
        command.env("RUSTC", &self.rustc);
        if self.bootstrap {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        command
    }

    /// Directories of this machine whose paths rustc may write into a program.
    pub fn directories(&self) -> Vec<PathBuf> {
        let sources = self.std.iter().map(|std| std.path.clone());
        sources.chain([self.sysroot.join("lib/rustlib")]).collect()
    }

    /// The Rust release of std.
    pub fn std_version(&self) -> &str {
        match &self.std {
            Some(std) => &std.version,
            None => self.version.split_whitespace().nth(1).unwrap_or_default(),
        }
    }

    /// Whether std is installed for a target.
    pub fn has(&self, triple: &str) -> bool {
        self.sysroot.join("lib/rustlib").join(triple).join("lib").is_dir()
    }

    /// The error message for a target whose std is neither installed nor available as sources.
    pub fn lacks(&self, triple: &str) -> String {
        format!(
            "{} has neither the sources of std nor std for {triple}. Install the Debian packages \
             {} (or use \
             --install as root), or run `rustup component add rust-src` for a nightly, or \
             `rustup target add {triple}`.",
            self.version,
            PACKAGES.join(" ")
        )
    }
}

/// A toolchain that can rebuild std. In order of preference: a rustup nightly, another toolchain of
/// rustup, Debian's.
pub fn with_sources() -> Option<Toolchain> {
    candidates().into_iter().find(has_immediate_abort)
}

/// [`with_sources`], or an error that names what is installed and what to install.
pub fn require_sources() -> Result<Toolchain> {
    with_sources().with_context(|| {
        let too_old: Vec<String> = candidates()
            .iter()
            .map(|toolchain| format!("{} ({})", toolchain.name, toolchain.version))
            .collect();
        let found = match too_old.is_empty() {
            true => "No Rust toolchain with the sources of std was found".to_string(),
            false => format!(
                "{} has the sources of std, but is too old for -Cpanic=immediate-abort",
                too_old.join(", ")
            ),
        };
        format!(
            "{found}. Install or upgrade the Debian packages {} (Debian 12 has them in \
             bookworm-security), or add rust-src \
             to a rustup nightly.",
            PACKAGES.join(" ")
        )
    })
}

/// The toolchain that runs this process, or else the one in `PATH`, with its installed std.
pub fn installed() -> Result<Toolchain> {
    let running = std::env::var_os("CARGO").map(PathBuf::from).filter(|path| path.is_file());
    // rustup's own bin directory has a proxy, which may choose another toolchain or download one.
    let is_proxy = |cargo: &Path| cargo.with_file_name("rustup").symlink_metadata().is_ok();
    let cargo = running.or_else(|| program("cargo")).filter(|cargo| !is_proxy(cargo));
    let toolchain = cargo.and_then(|cargo| {
        let rustc = cargo.with_file_name("rustc");
        toolchain("the installed toolchain", &cargo, &rustc, false)
    });
    match toolchain {
        Some(toolchain) => Ok(Toolchain { std: None, ..toolchain }),
        None => bail!(
            "No Rust toolchain was found. Install the Debian packages {}, or run this through \
             cargo.",
            PACKAGES.join(" ")
        ),
    }
}

/// Every toolchain on this machine that has the sources of std, the preferred one first.
fn candidates() -> Vec<Toolchain> {
    let debian =
        toolchain("Debian's rustc", Path::new("/usr/bin/cargo"), Path::new("/usr/bin/rustc"), true);
    let rustup = rustup_directories().into_iter().filter_map(|path| {
        let name = file_name(&path);
        let channel = name.split_once('-').map_or(name.as_str(), |(channel, _)| channel);
        let (cargo, rustc) = (path.join("bin/cargo"), path.join("bin/rustc"));
        toolchain(&format!("rustup's {channel}"), &cargo, &rustc, !name.starts_with("nightly"))
    });
    rustup.chain(debian).filter(|toolchain| toolchain.std.is_some()).collect()
}

/// rustup's toolchains with the sources of std: nightlies first, undated before dated, newest
/// first.
fn rustup_directories() -> Vec<PathBuf> {
    let toolchains = workspace::rustup_home().map(|home| home.join("toolchains"));
    let mut found: Vec<PathBuf> = toolchains
        .iter()
        .flat_map(|path| entries(path))
        .filter(|path| path.join("lib/rustlib/src/rust/library/Cargo.toml").is_file())
        .collect();
    found.sort_by_key(|path| {
        let name = file_name(path);
        let dated = name.split('-').nth(1).is_some_and(|word| word.parse::<u32>().is_ok());
        (!name.starts_with("nightly"), dated, Reverse(name))
    });
    found
}

/// Describes a toolchain by running its rustc. None if a program is missing or fails.
fn toolchain(name: &str, cargo: &Path, rustc: &Path, bootstrap: bool) -> Option<Toolchain> {
    if !cargo.is_file() || !rustc.is_file() {
        return None;
    }
    let run = |arguments: &[&str]| {
        let output = workspace::command(rustc).args(arguments).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_string();
        output.status.success().then_some(text)
    };
    let version = run(&["-V"])?;
    let sysroot = PathBuf::from(run(&["--print", "sysroot"])?);
    let mut toolchain = Toolchain {
        name: name.into(),
        cargo: cargo.into(),
        rustc: rustc.into(),
        version,
        std: None,
        bootstrap,
        sysroot,
    };
    toolchain.std = sources(&toolchain);
    Some(toolchain)
}

fn sources(toolchain: &Toolchain) -> Option<Sources> {
    let path = toolchain.sysroot.join("lib/rustlib/src/rust");
    if !path.join("library/Cargo.toml").is_file() {
        return None;
    }
    let recorded = ["version", "src/version"]
        .iter()
        .find_map(|file| fs::read_to_string(path.join(file)).ok())
        .and_then(|text| text.split_whitespace().next().map(String::from));
    Some(Sources { version: recorded.unwrap_or_else(|| toolchain.std_version().into()), path })
}

/// Whether rustc knows the panic strategy of the build.
fn has_immediate_abort(toolchain: &Toolchain) -> bool {
    let mut command = workspace::command(&toolchain.rustc);
    if toolchain.bootstrap {
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    let output =
        command.args(["-Zunstable-options", "-Cpanic=immediate-abort", "--print", "cfg"]).output();
    output.is_ok_and(|output| output.status.success())
}

/// Finds a linker for WebAssembly: the toolchain's own `rust-lld`, `wasm-ld` in `PATH`, or the
/// `rust-lld` of another rustup toolchain.
pub fn wasm_ld(toolchain: &Toolchain) -> Option<PathBuf> {
    let rust_lld = |sysroot: &Path| {
        entries(&sysroot.join("lib/rustlib"))
            .map(|target| target.join("bin/rust-lld"))
            .find(|path| path.is_file())
    };
    let others = workspace::rustup_home().map(|home| home.join("toolchains"));
    rust_lld(&toolchain.sysroot)
        .or_else(|| program("wasm-ld"))
        .or_else(|| others.and_then(|path| entries(&path).find_map(|other| rust_lld(&other))))
}

/// The sorted entries of a directory. None if there is no such directory.
fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.into_iter()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
