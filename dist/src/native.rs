//! The backend for architectures that rustc supports: rustc compiles and links a static program
//! with musl.

use crate::cache::Cache;
use crate::compile::{self, Built, Compiled, Flags, Source};
use crate::debian::{self, Mirror, Package};
use crate::toolchain::Toolchain;
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use targets::{DebianPackage, Target};

/// A static program at a fixed address. `check` rejects others: they would relocate themselves.
const STATIC: [&str; 2] = ["-Crelocation-model=static", "-Ctarget-feature=+crt-static"];

/// With std rebuilt to abort at once on a panic.
const REBUILT_STD: [&str; 5] = [
    // Link with the C library of the linker driver: Debian's rustc has none of its own.
    "-Clink-self-contained=no",
    // Nothing unwinds. Unwind tables would add 19 kB.
    "-Cforce-unwind-tables=no",
    // The program has its own entry point (probe/src/rt.rs), which needs no C library.
    "-Clink-arg=-nostartfiles",
    "-Clink-arg=-Wl,--entry=mapprobe_entry",
    // The C library's start code, which is not linked, would apply RELRO. Its padding is 1.1 kB.
    "-Crelro-level=off",
];

/// Builds with std rebuilt, or with an installed std when the toolchain has no sources.
pub fn build(
    toolchain: &Toolchain,
    target: &Target,
    source: Source,
    linker: &str,
    libc: Option<DebianPackage>,
    rustflags: &[&str],
) -> Result<Built> {
    let mut flags = Flags::default();
    flags.add(STATIC);
    let mut triple = target.triple.to_string();
    let mut used = linker;
    let mut fetched = None;
    let directory = compile::directory(target);
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    if toolchain.std.is_none() {
        triple = installed_triple(toolchain, target)?;
        if triple != target.triple || libc.is_none() {
            used = "cc";
        }
    } else {
        flags.add(REBUILT_STD);
        flags.add(rustflags.iter().copied());
        flags.here.push(format!("-L{}", empty_libunwind(target)?.display()));
        if let Some(package) = libc {
            let (package, libraries) = fetch_libc(package)?;
            flags.here.push(format!("-L{}", libraries.display()));
            fetched = Some(package);
        }
    }
    if used != "cc" {
        flags.add([format!("-Clinker={linker}").as_str()]);
    }
    let map = compile::map(target, source);
    let link = [format!("-Clink-arg=-Wl,-Map={}", map.display())];
    let Compiled { path, crates } =
        compile::compile(toolchain, target, &triple, source, &mut flags, &link)?;
    Ok(Built {
        path,
        triple,
        rustflags: flags.everywhere,
        linker: vec![used.into()],
        crates,
        map: workspace::root().join(map),
        libc: fetched,
    })
}

/// The target's own triple if its std is installed, else that of glibc, which can be linked
/// statically too.
fn installed_triple(toolchain: &Toolchain, target: &Target) -> Result<String> {
    let gnu = target.triple.replace("-musl", "-gnu");
    let found = [target.triple, &gnu].into_iter().find(|triple| toolchain.has(triple));
    found.map(String::from).with_context(|| toolchain.lacks(target.triple))
}

/// A directory with an empty `libunwind.a`, which std names to the linker. Nothing unwinds, and the
/// linker drivers have no unwinder for musl.
fn empty_libunwind(target: &Target) -> Result<PathBuf> {
    let directory = compile::directory(target).join("libunwind");
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    let archive = directory.join("libunwind.a");
    fs::write(&archive, "!<arch>\n")
        .with_context(|| format!("cannot write {}", archive.display()))?;
    Ok(directory)
}

/// Fetches and unpacks a package with another architecture's static C library. Returns the
/// directory of `libc.a`.
fn fetch_libc(package: DebianPackage) -> Result<(Package, PathBuf)> {
    let (cache, mirror) = (Cache::open()?, Mirror::from_apt()?);
    let package = mirror.index(&cache, &mirror.suite, package.arch)?.newest(package.name)?;
    let libraries = debian::unpack(&cache, &[&package], "usr/lib")?.join("usr/lib");
    let mut directories =
        fs::read_dir(&libraries).into_iter().flatten().flatten().map(|entry| entry.path());
    match directories.find(|path| path.join("libc.a").is_file()) {
        Some(directory) => Ok((package, directory)),
        None => bail!("{} {} has no libc.a below usr/lib", package.name, package.version),
    }
}
