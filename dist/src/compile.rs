//! Runs cargo: Rust source to a static program or to WebAssembly.

use crate::debian::Package;
use crate::toolchain::Toolchain;
use crate::workspace;
use anyhow::{Context, Result, bail};
use cargo_metadata::{Artifact, Message, TargetKind};
use std::path::{Path, PathBuf};
use targets::{Backend, Target};

/// What is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// mapprobe.
    Program,
    /// `probe/examples/NAME.rs`.
    Example(&'a str),
}

impl Source<'_> {
    /// The file name of the program.
    pub fn name(&self) -> &str {
        match self {
            Source::Program => "mapprobe",
            Source::Example(name) => name,
        }
    }
}

/// Flags for rustc.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// The same on every machine. Recorded in the manifest.
    pub everywhere: Vec<String>,
    /// With directories of this machine.
    pub here: Vec<String>,
}

impl Flags {
    pub fn add<'a>(&mut self, flags: impl IntoIterator<Item = &'a str>) {
        self.everywhere.extend(flags.into_iter().map(String::from));
    }
}

/// Arguments of cargo that rebuild std for a target. The default features of std would compile the
/// crates that print a backtrace.
pub fn build_std(target: &Target) -> [&'static str; 2] {
    let features = match target.backend {
        // 1.4 kB less on x86_64, and 0.9 kB on aarch64.
        Backend::Native { .. } => "-Zbuild-std-features=optimize_for_size",
        // With that feature, hppa would have 2.7 kB more.
        Backend::Wasm2c { .. } => "-Zbuild-std-features=",
    };
    ["-Zbuild-std=std,panic_abort", features]
}

/// A crate that was compiled into a program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    /// cargo's identification, such as `registry+https://...#libc@0.2.191`.
    pub id: String,
    /// The path of its `Cargo.toml`.
    pub manifest: PathBuf,
}

/// The output of cargo.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub path: PathBuf,
    /// Includes the crates of a rebuilt std. Excludes mapprobe, procedural macros and build
    /// scripts.
    pub crates: Vec<Crate>,
}

/// A program, and how it was built.
#[derive(Debug)]
pub struct Built {
    pub path: PathBuf,
    /// The argument of `rustc --target`.
    pub triple: String,
    /// [`Flags::everywhere`].
    pub rustflags: Vec<String>,
    /// The linker and its flags. For wasm2c the cross compiler and its flags.
    pub linker: Vec<String>,
    pub crates: Vec<Crate>,
    /// The linker's map file.
    pub map: PathBuf,
    /// The package of the C library, unless it is the linker's own.
    pub libc: Option<Package>,
}

/// Compiles a program. `link` has further flags for its last link step.
pub fn compile(
    toolchain: &Toolchain,
    target: &Target,
    triple: &str,
    source: Source,
    rustflags: &mut Flags,
    link: &[String],
) -> Result<Compiled> {
    let target_dir = workspace::work().join("cargo");
    if toolchain.std.is_some() {
        // A panic aborts without a message: no panic is reachable (ARCHITECTURE.md, "What always
        // holds").
        rustflags.add(["-Zunstable-options", "-Cpanic=immediate-abort"]);
    }
    for directory in workspace::private(&toolchain.directories()) {
        rustflags.here.push(format!("--remap-path-prefix={}=/build", directory.display()));
    }
    let all: Vec<String> = rustflags.everywhere.iter().chain(&rustflags.here).cloned().collect();
    let mut cargo = toolchain.cargo();
    cargo
        .args(["rustc", "--message-format=json-render-diagnostics", "--release", "--locked"])
        .args(["--package", "mapprobe", "--target", triple])
        .arg("--target-dir")
        .arg(&target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", all.join("\x1f"));
    match source {
        Source::Program => cargo.args(["--bin", "mapprobe"]),
        Source::Example(name) => cargo.args(["--example", name]),
    };
    if toolchain.std.is_some() {
        cargo.args(build_std(target));
    }
    cargo.arg("--").args(link);
    let output =
        cargo.output().with_context(|| format!("cannot start {}", toolchain.cargo.display()))?;
    if !output.status.success() {
        bail!(
            "{} could not be compiled for {triple} with {}:\n{}",
            source.name(),
            toolchain.version,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let target_dir = target_dir.join(triple);
    let crates =
        crates(&output.stdout, &target_dir, source).context("cannot read cargo's messages")?;
    let release = target_dir.join("release");
    let directory = match source {
        Source::Program => release,
        Source::Example(_) => release.join("examples"),
    };
    let extension = if triple.starts_with("wasm") { ".wasm" } else { "" };
    Ok(Compiled { path: directory.join(format!("{}{extension}", source.name())), crates })
}

/// The libraries among cargo's messages whose files are in the directory of the target. Those of
/// build scripts and procedural macros are elsewhere.
fn crates(messages: &[u8], target_dir: &Path, source: Source) -> Result<Vec<Crate>> {
    let mut crates = Vec::new();
    for message in Message::parse_stream(messages) {
        let Message::CompilerArtifact(Artifact {
            package_id,
            manifest_path,
            target,
            filenames,
            ..
        }) = message?
        else {
            continue;
        };
        let library =
            !target.kind.iter().any(|kind| matches!(kind, TargetKind::Bin | TargetKind::Example));
        if library && filenames.iter().any(|file| file.as_std_path().starts_with(target_dir)) {
            crates.push(Crate { id: package_id.repr, manifest: manifest_path.into() });
        }
    }
    if crates.is_empty() {
        bail!("they name no crate of {}", source.name());
    }
    crates.sort();
    crates.dedup();
    Ok(crates)
}

/// The path of the linker's map file, relative to the workspace, so that the flag is the same on
/// every machine.
pub fn map(target: &Target, source: Source) -> PathBuf {
    Path::new("target/dist").join(target.arch.name()).join(format!("{}.map", source.name()))
}

/// The directory of a target's intermediate files.
pub fn directory(target: &Target) -> PathBuf {
    workspace::work().join(target.arch.name())
}
