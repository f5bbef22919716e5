//! Builds, checks, runs and packages mapprobe for a list of targets.

use crate::archive::{self, Entry};
use crate::cache::Lock;
use crate::compile::{Built, Source, build_std};
use crate::manifest::{Item, Manifest, Row, replace, sha256};
use crate::package::{self, Contents, Packages};
use crate::packages::{self, Missing};
use crate::progress::{Step, say};
use crate::smoke::{self, Smoke};
use crate::toolchain::{self, Toolchain};
use crate::{check, compile, native, sbom, strip, wasm2c, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use targets::{ALL, Backend, Target};

#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Install missing Debian packages with apt-get, as root.
    pub install: bool,
    /// Use the installed std even if its sources are available.
    pub installed_std: bool,
    /// The packages to make.
    pub packages: Packages,
}

/// The files of one target in `dist/out`. They passed every check.
#[derive(Clone, Debug)]
pub struct Artifact {
    pub target: &'static Target,
    /// The program.
    pub path: PathBuf,
    /// An initramfs with the program as `/mapprobe`.
    pub archive: PathBuf,
    /// The requested packages.
    pub packages: Vec<PathBuf>,
    /// The program's row in the manifest.
    pub row: Row,
    pub smoke: Smoke,
}

/// Builds mapprobe for each target. Concurrent builds in a workspace wait for each other.
///
/// # Errors
/// A message for every target that failed. The files of the others are in `dist/out` nevertheless.
pub fn build(targets: &[&'static Target], options: &Options) -> Result<Vec<Artifact>> {
    package::check_sources(options.packages)?;
    let _lock = lock()?;
    let toolchain = prepare(targets, options)?;
    let (mut artifacts, mut failures) = (Vec::new(), Vec::new());
    for target in targets {
        let artifact = build_program(&toolchain, target, Source::Program)
            .and_then(|built| finish(&toolchain, target, &built, options.packages));
        match artifact {
            Ok(artifact) => artifacts.push(artifact),
            Err(error) => {
                failures.push(format!("Building mapprobe-{} failed. {error:#}", target.arch.name()))
            }
        }
    }
    match failures.is_empty() {
        true => Ok(artifacts),
        false => bail!("{}", failures.join("\n")),
    }
}

/// Builds `probe/examples/NAME.rs` and returns its path. It is checked like the program, except for
/// its size. It is not run, because examples are made to be booted.
pub fn build_example(target: &'static Target, name: &str, options: &Options) -> Result<PathBuf> {
    let _lock = lock()?;
    let toolchain = prepare(&[target], options)?;
    let built = build_program(&toolchain, target, Source::Example(name))?;
    let bytes = read(&built.path)?;
    check(&toolchain, target, &bytes, false)
        .with_context(|| format!("The example {name} failed its checks"))?;
    // The next build overwrites its own output, while the caller may still use this one.
    let directory = workspace::work().join("examples");
    let copy = directory.join(format!("{name}-{}", target.arch.name()));
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    replace(&copy, &bytes, 0o755)?;
    Ok(copy)
}

fn lock() -> Result<Lock> {
    Lock::take(&workspace::work().join("lock"))
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Finds the toolchain and makes sure that no other tool is missing.
fn prepare(targets: &[&'static Target], options: &Options) -> Result<Toolchain> {
    let toolchain = match options.installed_std {
        true => toolchain::installed()?,
        false => find_toolchain(options.install)?,
    };
    let Toolchain { name, version, .. } = &toolchain;
    match &toolchain.std {
        Some(std) => say(&format!("toolchain: {name}, {version}; rebuilding std {}", std.version)),
        None => {
            let why = if options.installed_std { None } else { toolchain::require_sources().err() };
            let why = why.map_or_else(String::new, |why| format!(" {why}"));
            say(&format!(
                "toolchain: {name}, {version}; using the installed std, which makes larger \
                 files.{why}"
            ));
        }
    }
    packages::provide(&packages::missing(targets, &toolchain), options.install)?;
    packages::provide(&packages::missing(targets, &toolchain), false)?;
    Ok(toolchain)
}

/// A toolchain with the sources of std, installed if allowed; otherwise one without.
fn find_toolchain(install: bool) -> Result<Toolchain> {
    if let Some(toolchain) = toolchain::with_sources() {
        return Ok(toolchain);
    }
    if install {
        let what = "a Rust toolchain with the sources of std".to_string();
        packages::provide(&[Missing { what, packages: toolchain::PACKAGES.to_vec() }], true)?;
    }
    match toolchain::with_sources() {
        Some(toolchain) => Ok(toolchain),
        None => toolchain::installed(),
    }
}

/// Compiles, links and strips a program.
fn build_program(toolchain: &Toolchain, target: &Target, source: Source) -> Result<Built> {
    let step = Step::begin(format!("{}: building {}", target.arch.name(), source.name()));
    let built = match target.backend {
        Backend::Native { linker, libc, rustflags } => {
            native::build(toolchain, target, source, linker, libc, rustflags)?
        }
        Backend::Wasm2c { compiler, runtime } => {
            wasm2c::build(toolchain, target, source, compiler, runtime)?
        }
    };
    // cargo would rebuild its own output if it were changed.
    let path = compile::directory(target).join(format!("{}-stripped", source.name()));
    replace(&path, &strip::section_headers(read(&built.path)?), 0o755)?;
    step.done();
    Ok(Built { path, ..built })
}

/// Fails with a message for every check that a program does not pass.
fn check(toolchain: &Toolchain, target: &Target, bytes: &[u8], budgeted: bool) -> Result<()> {
    let private = workspace::private(&toolchain.directories());
    let paths: Vec<String> =
        private.iter().filter_map(|path| path.to_str()).map(String::from).collect();
    let failed = check::failed_checks(bytes, target, &paths, budgeted);
    if failed.is_empty() {
        return Ok(());
    }
    bail!("{}", check::messages(&failed, target))
}

/// Checks and runs a program, then writes it and the files made from it to `dist/out`.
fn finish(
    toolchain: &Toolchain,
    target: &'static Target,
    built: &Built,
    wanted: Packages,
) -> Result<Artifact> {
    let arch = target.arch.name();
    let program = read(&built.path)?;
    check(toolchain, target, &program, toolchain.std.is_some())?;
    let step = Step::begin(format!("{arch}: smoke test"));
    let smoke = smoke::run(target, &built.path)?;
    match &smoke {
        Smoke::Skipped(_) => step.say(&format!("{arch}: smoke test {smoke}")),
        _ => step.done(),
    }

    let initramfs = archive::write_gz(&[Entry::file("mapprobe", 0o755, program.clone())])?;
    let sbom = sbom::components(toolchain, target, built)
        .and_then(|components| sbom::write(target, &program, &components))
        .context("The bill of materials could not be made")?;
    let contents = Contents { program: &program, initramfs: &initramfs, sbom: &sbom };
    let packages =
        package::make(wanted, target, contents).context("The packages could not be made")?;
    let file = format!("mapprobe-{arch}");
    let row = Row {
        arch: arch.into(),
        size: program.len() as u64,
        budget: target.budget,
        over_budget: check::over_budget(&program, target),
        sha256: sha256(&program),
        target: built.triple.clone(),
        std_rebuilt: toolchain.std.is_some(),
        std: toolchain.std_version().into(),
        toolchain: toolchain.name.clone(),
        rustc: toolchain.version.clone(),
        rustflags: built.rustflags.clone(),
        cargo: match toolchain.std {
            Some(_) => build_std(target).map(String::from).to_vec(),
            None => Vec::new(),
        },
        linker: built.linker.clone(),
        archive: Item::of(format!("{file}.cpio.gz"), &initramfs),
        sbom: Item::of(format!("{file}.cdx.json"), &sbom),
        file,
        packages: packages.iter().map(|(name, bytes)| Item::of(name, bytes)).collect(),
    };

    let out = workspace::out();
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    // Read before the files are replaced, since rows of changed files are dropped.
    let mut manifest = Manifest::of(&out);
    replace(&out.join(&row.file), &program, 0o755)?;
    replace(&out.join(&row.archive.file), &initramfs, 0o644)?;
    replace(&out.join(&row.sbom.file), &sbom, 0o644)?;
    for (name, bytes) in &packages {
        replace(&out.join(name), bytes, 0o644)?;
    }
    for stale in manifest.put(row.clone(), &ALL.map(|target| target.arch.name())) {
        fs::remove_file(out.join(&stale))
            .with_context(|| format!("cannot remove {stale}, a package of an older program"))?;
    }
    manifest.write(&out)?;
    Ok(Artifact {
        target,
        path: out.join(&row.file),
        archive: out.join(&row.archive.file),
        packages: row.packages.iter().map(|item| out.join(&item.file)).collect(),
        row,
        smoke,
    })
}
