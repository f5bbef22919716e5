//! From targets to delivered files: build, check, run, package.

use crate::archive::{self, Entry};
use crate::cache::Lock;
use crate::compile::{BUILD_STD, Source};
use crate::manifest::{Item, Manifest, Row, replace, sha256};
use crate::native::{self, Built};
use crate::package::{self, Made, Packages};
use crate::packages::{self, Missing};
use crate::progress::{Step, say};
use crate::smoke::{self, Smoke};
use crate::toolchain::{self, Toolchain};
use crate::{check, compile, sbom, trim, wasm2c, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use targets::{ALL, Route, Target};

/// What may be done to get there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Install missing Debian packages with apt-get, as root.
    pub install: bool,
    /// Use an installed std even when its sources are here.
    pub installed_std: bool,
    /// Make these packages, too.
    pub packages: Packages,
}

/// A file that passed every check and lies in `dist/out`.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// What it is for.
    pub target: &'static Target,
    /// The program.
    pub path: PathBuf,
    /// The initramfs with the program as `/mapprobe`.
    pub archive: PathBuf,
    /// The packages that were asked for.
    pub packages: Vec<PathBuf>,
    /// Its row in the manifest.
    pub row: Row,
    /// What became of its smoke test.
    pub smoke: Smoke,
}

/// Builds, checks, runs and packages mapprobe for these targets. Processes that do so at the same time wait for each other.
///
/// # Errors
/// A sentence for every target that could not be delivered; the others are in `dist/out` all the same.
pub fn deliver(targets: &[&'static Target], options: &Options) -> Result<Vec<Delivered>> {
    package::ready(options.packages)?;
    let _lock = lock()?;
    let toolchain = prepare(targets, options)?;
    let (mut delivered, mut failures) = (Vec::new(), Vec::new());
    for target in targets {
        match build(&toolchain, target, Source::Program)
            .and_then(|built| package(&toolchain, target, &built, options.packages))
        {
            Ok(package) => delivered.push(package),
            Err(failure) => failures
                .push(format!("mapprobe-{} is not delivered. {failure:#}", target.arch.name())),
        }
    }
    match failures.is_empty() {
        true => Ok(delivered),
        false => bail!("{}", failures.join("\n")),
    }
}

/// Builds `probe/examples/NAME.rs` the same way, and answers where it is. It is checked like the program but for its size,
/// and it is not run: such programs are made to boot with.
pub fn build_example(target: &'static Target, name: &str, options: &Options) -> Result<PathBuf> {
    let _lock = lock()?;
    let toolchain = prepare(&[target], options)?;
    let built = build(&toolchain, target, Source::Example(name))?;
    let bytes = fs::read(&built.path)
        .with_context(|| format!("{} cannot be read", built.path.display()))?;
    refuse(&toolchain, target, &bytes, false)
        .with_context(|| format!("The example {name} is not usable"))?;
    // The next build of the same name writes there again, while a caller may still use this one.
    let kept = workspace::work().join("examples").join(format!("{name}-{}", target.arch.name()));
    fs::create_dir_all(workspace::work().join("examples"))
        .context("target/dist/examples cannot be made")?;
    replace(&kept, &bytes, 0o755)?;
    Ok(kept)
}

fn lock() -> Result<Lock> {
    Lock::take(&workspace::work().join("lock"))
}

/// Finds the toolchain and sees to it that nothing is missing.
fn prepare(targets: &[&'static Target], options: &Options) -> Result<Toolchain> {
    let found = || if options.installed_std { None } else { toolchain::with_sources() };
    let mut chosen = found();
    if chosen.is_none() && options.install && !options.installed_std {
        let what = "a Rust toolchain with the sources of std".to_string();
        packages::provide(&[Missing { what, packages: toolchain::PACKAGES.to_vec() }], true)?;
        chosen = found();
    }
    let toolchain = match chosen {
        Some(toolchain) => toolchain,
        None => toolchain::installed()?,
    };
    match &toolchain.std {
        Some(std) => say(&format!(
            "toolchain: {}, {}; std {} is rebuilt",
            toolchain.name, toolchain.version, std.version
        )),
        None => {
            let why = if options.installed_std { None } else { toolchain::require_sources().err() };
            let why = why.map_or_else(String::new, |why| format!(" {why}"));
            let Toolchain { name, version, .. } = &toolchain;
            say(&format!(
                "toolchain: {name}, {version}; std is used as installed, which makes larger files.{why}"
            ));
        }
    }
    packages::provide(&packages::missing(targets, &toolchain), options.install)?;
    let still = packages::missing(targets, &toolchain);
    packages::provide(&still, false)?;
    Ok(toolchain)
}

fn build(toolchain: &Toolchain, target: &Target, source: Source) -> Result<Built> {
    let step = Step::begin(format!("{}: building {}", target.arch.name(), source.name()));
    let built = match target.route {
        Route::Native { linker, libc, rustflags, layout } => {
            native::build(toolchain, target, source, (linker, libc), (rustflags, layout))
        }
        Route::Wasm2c { compiler, shim } => {
            wasm2c::build(toolchain, target, source, compiler, shim)
        }
    };
    let built = built?;
    let bytes = fs::read(&built.path)
        .with_context(|| format!("{} cannot be read", built.path.display()))?;
    // What cargo made stays as it is, or cargo would find it damaged.
    let trimmed =
        Built { path: compile::folder(target).join(format!("{}-trimmed", source.name())), ..built };
    fs::create_dir_all(compile::folder(target))
        .context("the folder of intermediate files cannot be made")?;
    replace(&trimmed.path, &trim::section_headers(bytes), 0o755)?;
    step.done();
    Ok(trimmed)
}

/// An error with a sentence for everything that is wrong with a file.
fn refuse(toolchain: &Toolchain, target: &Target, bytes: &[u8], budgeted: bool) -> Result<()> {
    let private = workspace::private(&toolchain.folders());
    let paths: Vec<String> =
        private.iter().filter_map(|path| path.to_str()).map(String::from).collect();
    let refusals = check::refusals(bytes, target, &paths, budgeted);
    if refusals.is_empty() {
        return Ok(());
    }
    bail!("{}", check::sentences(&refusals, target))
}

/// Checks and runs a built file, then puts it and what is made of it into `dist/out`.
fn package(
    toolchain: &Toolchain,
    target: &'static Target,
    built: &Built,
    wanted: Packages,
) -> Result<Delivered> {
    let arch = target.arch.name();
    let bytes = fs::read(&built.path)
        .with_context(|| format!("{} cannot be read", built.path.display()))?;
    refuse(toolchain, target, &bytes, toolchain.std.is_some())?;
    let step = Step::begin(format!("{arch}: smoke test"));
    let smoke = smoke::run(target, &built.path)?;
    match &smoke {
        Smoke::LeftOut(_) => step.say(&format!("{arch}: smoke test {smoke}")),
        _ => step.done(),
    }

    let out = workspace::out();
    fs::create_dir_all(&out).with_context(|| format!("{} cannot be made", out.display()))?;
    let initramfs = archive::write_gz(&[Entry::file("mapprobe", 0o755, bytes.clone())])?;
    let materials = sbom::components(toolchain, target, built)
        .and_then(|inside| sbom::write(target, &bytes, &inside));
    let materials = materials.context("What is inside the program could not be told")?;
    let made = Made { program: &bytes, initramfs: &initramfs, materials: &materials };
    let made = package::make(wanted, target, made).context("It could not be packaged")?;
    let file = format!("mapprobe-{arch}");
    let (archive, sbom) = (format!("{file}.cpio.gz"), format!("{file}.cdx.json"));
    let release = toolchain.version.split_whitespace().nth(1).unwrap_or_default().to_string();
    let row = Row {
        arch: arch.into(),
        size: bytes.len() as u64,
        budget: target.budget,
        over_budget: check::over_budget(&bytes, target),
        sha256: sha256(&bytes),
        target: built.triple.clone(),
        std_rebuilt: toolchain.std.is_some(),
        std: toolchain.std.as_ref().map_or(release, |std| std.version.clone()),
        toolchain: toolchain.name.clone(),
        rustc: toolchain.version.clone(),
        rustflags: built.rustflags.clone(),
        cargo: if toolchain.std.is_some() {
            BUILD_STD.map(String::from).to_vec()
        } else {
            Vec::new()
        },
        linker: built.linker.clone(),
        file,
        archive: Item::of(archive, &initramfs),
        sbom: Item::of(sbom, &materials),
        packages: made.iter().map(|(name, bytes)| Item::of(name, bytes)).collect(),
    };
    // The rows of before, read before their files are replaced.
    let mut manifest = Manifest::of(&out);
    let path = out.join(&row.file);
    replace(&path, &bytes, 0o755)?;
    replace(&out.join(&row.archive.file), &initramfs, 0o644)?;
    replace(&out.join(&row.sbom.file), &materials, 0o644)?;
    for (name, bytes) in &made {
        replace(&out.join(name), bytes, 0o644)?;
    }
    let packages = row.packages.iter().map(|item| out.join(&item.file)).collect();
    for stale in manifest.put(row.clone(), &ALL.map(|target| target.arch.name())) {
        fs::remove_file(out.join(&stale))
            .with_context(|| format!("{stale}, of another program, cannot be removed"))?;
    }
    manifest.write(&out)?;
    Ok(Delivered { target, archive: out.join(&row.archive.file), path, packages, row, smoke })
}
