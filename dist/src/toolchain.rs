//! The Rust toolchain of the build: one that has the sources of std and can rebuild it, or else one with std installed.
//! Looks at the disk only; rustup itself is never run, since it may download.

use crate::workspace::{self, program};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Debian's packages that make a toolchain with the sources of std.
pub const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// A compiler and its cargo.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// For people, without a path of this machine.
    pub name: String,
    /// Its cargo.
    pub cargo: PathBuf,
    /// Its compiler.
    pub rustc: PathBuf,
    /// What `rustc -V` says.
    pub version: String,
    /// The folder with `lib/rustlib`.
    pub sysroot: PathBuf,
    /// The sources of std: where, and of which release. None when std is only installed.
    pub std: Option<Sources>,
    /// Whether `RUSTC_BOOTSTRAP=1` is needed to use unstable options.
    pub bootstrap: bool,
}

/// The sources of std.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The folder that holds `library`.
    pub path: PathBuf,
    /// The Rust release.
    pub version: String,
}

impl Toolchain {
    /// A command that uses this toolchain and no other.
    pub fn cargo(&self) -> std::process::Command {
        let mut command = workspace::command(&self.cargo);
        command.env("RUSTC", &self.rustc);
        if self.bootstrap {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        command
    }

    /// Folders of this machine that the compiler may mention.
    pub fn folders(&self) -> Vec<PathBuf> {
        let sources = self.std.iter().map(|std| std.path.clone());
        sources.chain([self.sysroot.join("lib/rustlib")]).collect()
    }

    /// Whether std for a target is installed.
    pub fn has(&self, triple: &str) -> bool {
        self.sysroot.join("lib/rustlib").join(triple).join("lib").is_dir()
    }

    /// The sentence that it can neither rebuild std for a target nor has it.
    pub fn lacks(&self, triple: &str) -> String {
        format!(
            "{} has neither the sources of std nor std for {triple}. Install the Debian packages {} (or say --install as root), \
             or `rustup component add rust-src` to a nightly, or `rustup target add {triple}`.",
            self.version,
            PACKAGES.join(" ")
        )
    }

    /// The folder of the toolchain's own programs, such as `rust-lld`, for the machine it runs on.
    pub fn tools(&self) -> Vec<PathBuf> {
        entries(&self.sysroot.join("lib/rustlib"))
            .map(|target| target.join("bin"))
            .filter(|path| path.is_dir())
            .collect()
    }
}

/// A toolchain that can rebuild std: a rustup nightly, any other of rustup's toolchains, or Debian's.
pub fn with_sources() -> Option<Toolchain> {
    candidates()
        .into_iter()
        .find(|toolchain| toolchain.std.is_some() && can_abort_immediately(toolchain))
}

/// [`with_sources`], or a sentence that says what is here instead and what to install.
pub fn require_sources() -> Result<Toolchain> {
    with_sources().with_context(|| {
        let older: Vec<String> = candidates().iter().map(|toolchain| format!("{} ({})", toolchain.name, toolchain.version)).collect();
        let here = match older.is_empty() {
            true => "No Rust toolchain with the sources of std is here".to_string(),
            false => format!("{} has the sources of std, but is too old for -Cpanic=immediate-abort", older.join(", ")),
        };
        format!(
            "{here}. Install or upgrade the Debian packages {} (Debian 12 has them in bookworm-security), or add rust-src to a rustup nightly.",
            PACKAGES.join(" ")
        )
    })
}

/// The toolchain that runs cargo now, with whatever std it has installed.
pub fn installed() -> Result<Toolchain> {
    let cargo = std::env::var_os("CARGO").map(PathBuf::from).filter(|path| path.is_file());
    let beside = |cargo: PathBuf| {
        let rustc = cargo.with_file_name("rustc");
        rustc.is_file().then(|| known("the installed toolchain", &cargo, &rustc, false)).flatten()
    };
    // A cargo in rustup's own bin folder is a proxy, whose choice is not ours to make.
    let not_proxy = |path: &PathBuf| path.with_file_name("rustup").symlink_metadata().is_err();
    let Some(mut found) = cargo.or_else(|| program("cargo")).filter(not_proxy).and_then(beside)
    else {
        bail!(
            "No Rust toolchain for the build was found. Install the Debian packages {}, or start this through cargo.",
            PACKAGES.join(" ")
        )
    };
    found.std = None;
    Ok(found)
}

/// Every toolchain on this machine that has sources of std, the best first.
fn candidates() -> Vec<Toolchain> {
    let toolchains = workspace::rustup_home().map(|home| home.join("toolchains"));
    let has_sources =
        |path: &PathBuf| path.join("lib/rustlib/src/rust/library/Cargo.toml").is_file();
    let mut rustup: Vec<PathBuf> =
        toolchains.iter().flat_map(|path| entries(path)).filter(has_sources).collect();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // Nightlies first, the one without a date before the others, then the newest.
    rustup.sort_by_key(|path| {
        let name = name(path);
        let dated = name.split('-').nth(1).is_some_and(|word| word.parse::<u32>().is_ok());
        (!name.starts_with("nightly"), dated, std::cmp::Reverse(name))
    });
    let from_rustup = rustup.iter().filter_map(|path| {
        let name = name(path);
        let host = name.split_once('-').map_or(name.as_str(), |(channel, _)| channel);
        known(
            &format!("rustup's {host}"),
            &path.join("bin/cargo"),
            &path.join("bin/rustc"),
            !name.starts_with("nightly"),
        )
    });
    let debian =
        known("Debian's rustc", Path::new("/usr/bin/cargo"), Path::new("/usr/bin/rustc"), true);
    from_rustup.chain(debian).filter(|toolchain| toolchain.std.is_some()).collect()
}

/// A toolchain by its programs. Compilers of a rustup toolchain are asked only when their sources are there.
fn known(name: &str, cargo: &Path, rustc: &Path, bootstrap: bool) -> Option<Toolchain> {
    if !cargo.is_file() || !rustc.is_file() {
        return None;
    }
    let said = |arguments: &[&str]| {
        let said = workspace::command(rustc)
            .args(arguments)
            .output()
            .ok()
            .filter(|said| said.status.success())?;
        Some(String::from_utf8_lossy(&said.stdout).trim().to_string())
    };
    let version = said(&["-V"])?;
    let sysroot = PathBuf::from(said(&["--print", "sysroot"])?);
    let sources = sysroot.join("lib/rustlib/src/rust");
    let release = version.split_whitespace().nth(1).unwrap_or_default().to_string();
    let own = ["version", "src/version"]
        .iter()
        .find_map(|file| fs::read_to_string(sources.join(file)).ok());
    let std = sources.join("library/Cargo.toml").is_file().then(|| Sources {
        path: sources,
        version: own
            .and_then(|text| text.split_whitespace().next().map(String::from))
            .unwrap_or(release),
    });
    Some(Toolchain {
        name: name.into(),
        cargo: cargo.into(),
        rustc: rustc.into(),
        version,
        sysroot,
        std,
        bootstrap,
    })
}

/// Older compilers do not know the panic strategy of the build. Found out by asking, not by version.
fn can_abort_immediately(toolchain: &Toolchain) -> bool {
    let mut command = workspace::command(&toolchain.rustc);
    if toolchain.bootstrap {
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    let asked =
        command.args(["-Zunstable-options", "-Cpanic=immediate-abort", "--print", "cfg"]).output();
    asked.is_ok_and(|said| said.status.success())
}

/// What a folder holds, sorted; nothing when it is not there.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.into_iter()
}

/// Where to look for a linker that is part of LLVM: the chosen toolchain first, since it fits its compiler, then `PATH`,
/// then any other of rustup's toolchains. `name` is the name it answers to, `ld.lld` or `wasm-ld`.
pub fn lld(name: &str, toolchain: &Toolchain) -> Option<PathBuf> {
    let rust_lld = |folder: PathBuf| Some(folder.join("rust-lld")).filter(|path| path.is_file());
    let others = workspace::rustup_home().map(|home| home.join("toolchains"));
    let others = others
        .iter()
        .flat_map(|path| entries(path))
        .flat_map(|toolchain| entries(&toolchain.join("lib/rustlib")));
    let own = toolchain.tools().into_iter().find_map(rust_lld);
    own.or_else(|| program(name))
        .or_else(|| others.map(|target| target.join("bin")).find_map(rust_lld))
}
