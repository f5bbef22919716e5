//! Rust source to what rustc makes of it: a static program, or WebAssembly.

use crate::toolchain::Toolchain;
use crate::workspace;
use anyhow::{Context, Result, bail};
use cargo_metadata::{Artifact, Message, TargetKind};
use std::path::{Path, PathBuf};
use targets::Target;

/// What is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// The program.
    Program,
    /// `probe/examples/NAME.rs`.
    Example(&'a str),
}

impl Source<'_> {
    /// The name of what comes out.
    pub fn name(&self) -> &str {
        match self {
            Source::Program => "mapprobe",
            Source::Example(name) => name,
        }
    }
}

/// Flags of a compiler. Those that name a folder of this machine are kept apart: the manifest says the others.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// The same on every machine.
    pub everywhere: Vec<String>,
    /// With folders of this machine.
    pub here: Vec<String>,
}

impl Flags {
    /// Adds flags that are the same on every machine.
    pub fn add<'a>(&mut self, flags: impl IntoIterator<Item = &'a str>) {
        self.everywhere.extend(flags.into_iter().map(String::from));
    }
}

/// What cargo is told when std is rebuilt, beside the flags of the compiler.
pub const BUILD_STD: [&str; 2] =
    ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];

/// A crate that was compiled for a program: what cargo calls it, and where its `Cargo.toml` is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    /// cargo's own identification, as `registry+https://...#libc@0.2.191`.
    pub id: String,
    /// Its `Cargo.toml`.
    pub manifest: PathBuf,
}

/// What rustc made.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The file.
    pub path: PathBuf,
    /// The crates it was made of, those of a rebuilt std among them; none that run while compiling.
    pub crates: Vec<Crate>,
}

/// Compiles for a target with these flags and those of every target, which are added to them. `link` goes to the linker of the
/// program alone.
pub fn compile(
    toolchain: &Toolchain,
    triple: &str,
    source: Source,
    rustflags: &mut Flags,
    link: &[String],
) -> Result<Compiled> {
    let target_dir = workspace::work().join("cargo");
    if toolchain.std.is_some() {
        // No landing pads, no messages, no unwinder: no panic is reachable (ARCHITECTURE.md, "What always holds").
        rustflags.add(["-Zunstable-options", "-Cpanic=immediate-abort"]);
        // What only panic messages and `{:?}` would use; and measured: inlining makes the program larger.
        rustflags.add([
            "-Zlocation-detail=none",
            "-Zfmt-debug=none",
            "-Cllvm-args=--inline-threshold=0",
        ]);
    }
    for folder in workspace::private(&toolchain.folders()) {
        // What replaces a folder must not be a folder of anybody's machine.
        rustflags.here.push(format!("--remap-path-prefix={}=/build", folder.display()));
    }
    let all: Vec<String> = rustflags.everywhere.iter().chain(&rustflags.here).cloned().collect();
    let mut cargo = toolchain.cargo();
    cargo.args([
        "rustc",
        "--message-format=json-render-diagnostics",
        "--release",
        "--locked",
        "--package",
        "mapprobe",
        "--target",
        triple,
    ]);
    cargo.arg("--target-dir").arg(&target_dir).env("CARGO_ENCODED_RUSTFLAGS", all.join("\x1f"));
    match source {
        Source::Program => cargo.args(["--bin", "mapprobe"]),
        Source::Example(name) => cargo.args(["--example", name]),
    };
    if toolchain.std.is_some() {
        cargo.args(BUILD_STD);
    }
    cargo.arg("--").args(link);
    let said = cargo
        .output()
        .with_context(|| format!("{} cannot be started", toolchain.cargo.display()))?;
    if !said.status.success() {
        let text = String::from_utf8_lossy(&said.stderr);
        bail!(
            "{} could not be compiled for {triple} with {}:\n{}",
            source.name(),
            toolchain.version,
            text.trim()
        );
    }
    let extension = if triple.starts_with("wasm") { ".wasm" } else { "" };
    let folder = target_dir.join(triple).join("release");
    let folder = if source == Source::Program { folder } else { folder.join("examples") };
    let crates = crates(&said.stdout, &target_dir.join(triple), source)
        .context("cargo's messages cannot be read")?;
    Ok(Compiled { path: folder.join(format!("{}{extension}", source.name())), crates })
}

/// The crates that cargo reports to lie below the folder of a target, the program itself left aside.
fn crates(messages: &[u8], folder: &Path, source: Source) -> Result<Vec<Crate>> {
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
        if library && filenames.iter().any(|file| file.as_std_path().starts_with(folder)) {
            crates.push(Crate { id: package_id.repr, manifest: manifest_path.into() });
        }
    }
    if crates.is_empty() {
        bail!("no crate of {} is in them", source.name());
    }
    crates.sort();
    crates.dedup();
    Ok(crates)
}

/// Runs a tool of the build to its end. An error has what the tool said.
pub fn run(command: &mut std::process::Command) -> Result<()> {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let said = command.output().with_context(|| format!("{name} cannot be started"))?;
    if !said.status.success() {
        bail!(
            "{name} ended with {}:\n{}",
            said.status,
            String::from_utf8_lossy(&said.stderr).trim()
        );
    }
    Ok(())
}

/// Where the linker writes what it put into a program, as a path from the workspace: a flag that is the same everywhere.
pub fn map(target: &Target, source: Source) -> PathBuf {
    Path::new("target/dist").join(target.arch.name()).join(format!("{}.map", source.name()))
}

/// Where the intermediate files of a target are.
pub fn folder(target: &Target) -> PathBuf {
    workspace::work().join(target.arch.name())
}
