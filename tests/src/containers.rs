//! Builds in containers with the commands of the README, on machines where Podman can start: the
//! program of PA-RISC with its Dockerfile, the two others with cross. Each program is checked and
//! booted.
//!
//! [`engine`] is Podman, [`base`] the base image of all containers.

mod base;
mod engine;

use crate::run::{BootSpec, compare};
use crate::{artifacts, cache_entry, cross, host_packages, kernels, scenarios};
use anyhow::{Context, Result, anyhow, bail, ensure};
use dist::cache::Lock;
use dist::manifest::{Manifest, sha256};
use dist::progress::Step;
use dist::{check, smoke, workspace};
use engine::Engine;
use mapprobe::arch::Arch;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use targets::Target;

/// A build in a container.
#[derive(Debug)]
pub struct Build {
    /// The name in the summary.
    pub name: &'static str,
    pub outcome: Outcome,
}

/// The outcome of a build.
#[derive(Debug)]
pub enum Outcome {
    /// The build was not started, for this reason.
    Skipped(String),
    /// The build failed, or its result is wrong: the error message.
    Failed(String),
    /// The build succeeded, and its result is correct.
    Built {
        /// The time of the build and the boot.
        time: Duration,
        /// The checks that passed.
        findings: String,
    },
}

impl Build {
    /// Whether the build failed.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }
}

/// How a program is built.
#[derive(Clone, Copy)]
enum Method {
    /// With cross, for an architecture.
    Cross(Arch),
    /// With the Dockerfile of PA-RISC.
    Docker,
}

/// The builds by name. The builds with cross share an image, so they are adjacent.
const BUILDS: [(&str, Method); 3] = [
    ("cross x86_64", Method::Cross(Arch::X86_64)),
    ("cross aarch64", Method::Cross(Arch::Aarch64)),
    ("docker hppa", Method::Docker),
];
/// An old artifact that must not get into a container.
const STALE: &str = "dist/out/stale";

/// Runs all builds in the directory `containers` below `directory`, where the output of the
/// commands stays. A failed build does not stop the others.
pub fn builds(directory: &Path) -> Vec<Build> {
    let prepared = prepare(directory);
    let all = |outcome: &dyn Fn() -> Outcome| {
        BUILDS.map(|(name, _)| Build { name, outcome: outcome() }).into()
    };
    let workshop = match prepared {
        Ok(Prepared::Ready(workshop)) => workshop,
        Ok(Prepared::Obstacle(reason)) => return all(&|| Outcome::Skipped(reason.clone())),
        Err(error) => return all(&|| Outcome::Failed(format!("{error:#}"))),
    };
    let mut image = None;
    let mut builds = Vec::new();
    for (name, method) in BUILDS {
        let start = Instant::now();
        let step = Step::begin(format!("{name}: building in a container"));
        let built = match method {
            Method::Cross(arch) => {
                workshop.cross_engine(&mut image).and_then(|engine| workshop.cross(engine, arch))
            }
            Method::Docker => {
                // Two image stores at the same time would need many gigabytes.
                image = None;
                workshop.docker()
            }
        };
        let outcome = match built {
            Ok(findings) => {
                step.done();
                Outcome::Built { time: start.elapsed(), findings }
            }
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        builds.push(Build { name, outcome });
    }
    builds
}

/// The preparation of the builds.
enum Prepared {
    Ready(Workshop),
    /// The reason why this machine cannot start containers.
    Obstacle(String),
}

fn prepare(directory: &Path) -> Result<Prepared> {
    if !host_packages::is_root() {
        let reason = "only root may create the base image and mount for containers";
        return Ok(Prepared::Obstacle(reason.into()));
    }
    if let Err(error) = host_packages::need(host_packages::CONTAINERS) {
        return Ok(Prepared::Obstacle(format!(
            "podman is not installed and cannot be installed: {error:#}"
        )));
    }
    let directory = directory.join("containers");
    let lock = Lock::take(&directory.with_extension("lock"))?;
    cache_entry::remove_directory(&directory)?;
    if let Some(reason) = engine::obstacle(&directory, &artifacts::program(Arch::native())?)? {
        return Ok(Prepared::Obstacle(reason));
    }
    // The reference for the container's artifacts.
    artifacts::packaged(Arch::Hppa)?;
    let project = directory.join("project");
    copy(workspace::root(), &project, Path::new(""))?;
    fs::create_dir_all(project.join(STALE).parent().context("STALE is a path in a directory.")?)?;
    fs::write(project.join(STALE), "of another build\n")?;
    Ok(Prepared::Ready(Workshop { directory, project, base: base::tarball()?, _lock: lock }))
}

/// The files of the builds.
struct Workshop {
    directory: PathBuf,
    /// A copy of the project, so that the builds do not write into the user's own.
    project: PathBuf,
    base: PathBuf,
    _lock: Lock,
}

impl Drop for Workshop {
    fn drop(&mut self) {
        for name in ["project", "target", "home"] {
            // Best effort: the next run removes the directory again and reports errors.
            let _ = cache_entry::remove_directory(&self.directory.join(name));
        }
    }
}

impl Workshop {
    fn engine(&self, name: &str) -> Result<Engine> {
        let engine = Engine::new(self.directory.join(name))?;
        engine.import(&self.base)?;
        Ok(engine)
    }

    /// Builds the program of PA-RISC with the command of its Dockerfile.
    fn docker(&self) -> Result<String> {
        let engine = self.engine("docker")?;
        let command = readme_command("docker build")?;
        let mut build = engine.command();
        build.args(command.split_whitespace().skip(1)).current_dir(&self.project);
        engine::run(&mut build, &self.directory.join("docker-hppa.txt"))?;
        drop(engine);
        let directory =
            command.split_whitespace().find_map(|word| word.strip_prefix("type=local,dest="));
        let directory =
            self.project.join(directory.context("The command of the README has no destination.")?);
        let comparison = compare_artifacts(&directory)?;
        let checks = check_program(Arch::Hppa, &directory.join("mapprobe-hppa"))?;
        Ok(format!("{comparison}; {checks}"))
    }

    /// The engine for cross, which is created once. An error is kept, too.
    fn cross_engine<'a>(
        &self,
        image: &'a mut Option<Result<Engine, String>>,
    ) -> Result<&'a Engine> {
        let image =
            image.get_or_insert_with(|| self.cross_image().map_err(|error| format!("{error:#}")));
        image.as_ref().map_err(|message| anyhow!("{message}"))
    }

    /// An engine with one image that replaces both images of cross.
    fn cross_image(&self) -> Result<Engine> {
        let engine = self.engine("cross")?;
        let mut build = engine.command();
        build.args(["build", "--file"]).arg(self.project.join("tests/containers/cross.Dockerfile"));
        for arch in [Arch::X86_64, Arch::Aarch64] {
            build.args(["--tag", &image(&self.project, arch)?]);
        }
        build.arg(self.project.join("tests/containers"));
        engine::run(&mut build, &self.directory.join("cross-image.txt"))?;
        Ok(engine)
    }

    /// Builds the program of an architecture with the README's command for cross.
    fn cross(&self, engine: &Engine, arch: Arch) -> Result<String> {
        let (triple, target) = (targets::of(arch).triple, self.directory.join("target"));
        let command =
            readme_command("cross build")?.replace(targets::of(Arch::X86_64).triple, triple);
        let home = self.directory.join("home");
        fs::create_dir_all(&home)?;
        fs::create_dir_all(&target)?;
        // cross does not stop its engine when it is killed, so the engine gets a signal instead.
        let mut build = cross::guarded(Path::new("/usr/bin/setpriv"), &home)?;
        build.args(["--pdeathsig", "KILL"]).arg(cross::program()?);
        build
            .args(command.split_whitespace().skip(1))
            .current_dir(&self.project)
            .envs(engine.environment());
        build.env("CROSS_CONTAINER_ENGINE", Engine::program()).env("CARGO_TARGET_DIR", &target);
        engine::run(&mut build, &self.directory.join(format!("cross-{}.txt", arch.name())))?;
        check_program(arch, &target.join(triple).join("release/mapprobe"))
    }
}

/// A command of the README without its comment.
fn readme_command(start: &str) -> Result<String> {
    let text = fs::read_to_string(workspace::root().join("README.md"))
        .context("README.md cannot be read.")?;
    let line = text.lines().find(|line| line.starts_with(start));
    let line = line.with_context(|| format!("README.md has no line that starts with {start}."))?;
    Ok(line.split(" #").next().unwrap_or(line).trim().to_owned())
}

/// The image that `Cross.toml` names for an architecture.
fn image(project: &Path, arch: Arch) -> Result<String> {
    let text =
        fs::read_to_string(project.join("Cross.toml")).context("Cross.toml cannot be read.")?;
    let document: toml::Table = toml::from_str(&text).context("Cross.toml is not TOML.")?;
    let triple = targets::of(arch).triple;
    let image =
        document.get("target").and_then(|targets| targets.get(triple)?.get("image")?.as_str());
    Ok(image.with_context(|| format!("Cross.toml names no image for {triple}."))?.to_owned())
}

/// Compares the artifacts of a container with those of `cargo dist` on this machine. From the same
/// packages the bytes must be the same.
fn compare_artifacts(directory: &Path) -> Result<String> {
    let manifest = Manifest::of(directory);
    let [row] = manifest.files.as_slice() else {
        bail!(
            "{}: the program of PA-RISC was expected, and {:?}.",
            directory.display(),
            manifest.files
        );
    };
    let mut names: Vec<&str> =
        vec![&row.file, &row.archive.file, &row.sbom.file, "SHA256SUMS", "manifest.json"];
    names.extend(row.packages.iter().map(|item| item.file.as_str()));
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        ensure!(
            names.iter().any(|known| **known == *name),
            "{} is not an artifact of the container.",
            name.display()
        );
    }
    let here = artifacts::packaged(Arch::Hppa)?;
    let own = here.path.parent().context("dist/out is a directory.")?;
    let inside = |directory: &Path| -> Result<serde_json::Value> {
        let document: serde_json::Value =
            serde_json::from_slice(&fs::read(directory.join(&row.sbom.file))?)?;
        Ok(document["components"].clone())
    };
    let of =
        |row: &dist::manifest::Row| (row.rustc.clone(), row.rustflags.clone(), row.linker.clone());
    if of(row) != of(&here.row) || inside(directory)? != inside(own)? {
        return Ok(format!(
            "built from other packages than on this machine ({}, {} here)",
            row.rustc, here.row.rustc
        ));
    }
    ensure!(
        row.packages.len() == here.row.packages.len(),
        "Packages: {:?}, {:?} here.",
        row.packages,
        here.row.packages
    );
    let files = [&row.archive, &row.sbom]
        .into_iter()
        .chain(&row.packages)
        .map(|item| &item.file)
        .chain([&row.file]);
    for file in files {
        let [built, own] = [directory, own]
            .map(|directory| fs::read(directory.join(file)).map(|bytes| sha256(&bytes)));
        let (built, own) = (built?, own.with_context(|| format!("{file} of this machine"))?);
        ensure!(
            built == own,
            "{file} of the same packages has other bytes: SHA-256 {built}, and {own} here."
        );
    }
    Ok("the same bytes as `cargo dist`".into())
}

/// Checks that a program is static, runs it here or in an emulator, and boots it: the report must
/// be as expected.
fn check_program(arch: Arch, program: &Path) -> Result<String> {
    let target: &Target = targets::of(arch);
    let bytes =
        fs::read(program).with_context(|| format!("{} was not built.", program.display()))?;
    let failed = check::failed_checks(&bytes, target, &[], false);
    ensure!(failed.is_empty(), "{}", check::messages(&failed, target));
    host_packages::need(host_packages::EMULATORS)?;
    let ran = smoke::run(target, program)?;
    let kernel = kernels::ALL
        .iter()
        .find(|kernel| kernel.arch == arch && kernel.quick)
        .context("No kernel of the architecture is quick.")?;
    let scenario = scenarios::named("root").context("The scenario root is missing.")?;
    let output = BootSpec::of(kernel, scenario).boot(&bytes)?;
    let report = output.document()?.context("The program printed no report.")?;
    let (basis, differences) = compare(&report, kernel, scenario)?;
    let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    ensure!(
        differences.is_empty(),
        "On {}, compared with {basis}: {}",
        kernel.name,
        differences.join("; ")
    );
    Ok(format!("{} bytes, static; {ran}; as expected on {}", bytes.len(), kernel.name))
}

/// Copies a directory of the project without its build artifacts.
fn copy(from: &Path, to: &Path, path: &Path) -> Result<()> {
    fs::create_dir_all(to.join(path))
        .with_context(|| format!("{} cannot be created.", to.display()))?;
    for entry in fs::read_dir(from.join(path))
        .with_context(|| format!("{} cannot be read.", from.display()))?
    {
        let entry = entry?;
        let path = path.join(entry.file_name());
        if [".git", "target", "dist/out"].iter().any(|skipped| path == Path::new(skipped)) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(from, to, &path)?;
        } else {
            fs::copy(entry.path(), to.join(&path))
                .with_context(|| format!("{} cannot be copied.", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_have_the_same_commands_as_the_readme() {
        for (start, file) in
            [("docker build", "targets/hppa/Dockerfile"), ("cross build", "Cross.toml")]
        {
            let (command, text) = (
                readme_command(start).unwrap(),
                fs::read_to_string(workspace::root().join(file)).unwrap(),
            );
            assert!(
                text.contains(&command),
                "{file} does not have the command of the README: {command}"
            );
        }
        assert!(readme_command("docker brew").is_err());
    }

    #[test]
    fn build_artifacts_are_not_copied() {
        let directory = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| directory.path().join(name));
        for file in ["target/a", ".git/a", "dist/out/a", "dist/src/a", "probe/target/a", "b"] {
            let file = from.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        copy(&from, &to, Path::new("")).unwrap();
        let there = |name: &str| to.join(name).exists();
        assert!(["dist/src/a", "probe/target/a", "b"].into_iter().all(there));
        assert!(!["target", ".git", "dist/out"].into_iter().any(there));
    }
}
