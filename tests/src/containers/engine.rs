//! Podman with its own settings and its own image store, separate from the user's. The store is
//! removed with the engine. `containers/podman` gives it its own mounts and processes.

use super::base;
use crate::cache_entry;
use anyhow::{Context, Result, bail, ensure};
use dist::workspace;
use mapprobe::arch::Arch;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The time limit of a command. The longest one compiles all dependencies of `cargo dist`.
const DEADLINE: Duration = Duration::from_secs(60 * 60);
/// The number of output lines in an error message.
const LAST_LINES: usize = 20;
/// The directory of this machine's settings inside a container.
const SETTINGS: &str = "/mnt/lab";

/// An engine with an empty store, which is removed on drop.
#[derive(Debug)]
pub struct Engine {
    directory: PathBuf,
    /// Environment variables of its containers, in the syntax of `ENV` in a Dockerfile.
    variables: Vec<String>,
}

impl Engine {
    /// An engine with its settings and its store in `directory`. Files of an earlier run are
    /// removed.
    pub fn new(directory: PathBuf) -> Result<Engine> {
        cache_entry::remove_directory(&directory)?;
        let machine = directory.join("machine");
        fs::create_dir_all(&machine)
            .with_context(|| format!("{} cannot be created.", machine.display()))?;
        let certificates = certificates();
        let engine = Engine { directory, variables: variables(certificates.is_some()) };
        if let Some(file) = &certificates {
            fs::copy(file, machine.join("certificates.crt"))
                .with_context(|| format!("{}", file.display()))?;
        }
        fs::write(
            machine.join("apt.conf"),
            base::apt(certificates.is_some().then_some(SETTINGS))?,
        )?;
        fs::write(engine.directory.join("containers.conf"), engine.settings()?)?;
        fs::write(engine.directory.join("storage.conf"), engine.storage()?)?;
        Ok(engine)
    }

    /// containers.conf(5): no control groups and no separate network, since not every machine
    /// supports them. The volumes contain the settings for the archives of Debian and crates.io,
    /// and the crates that this machine has already downloaded.
    fn settings(&self) -> Result<String> {
        let mut volumes = vec![format!("{}:{SETTINGS}:ro", text(&self.directory.join("machine"))?)];
        for (name, how) in [("registry", "O"), ("config.toml", "ro")] {
            let there =
                workspace::cargo_home().map(|home| home.join(name)).filter(|path| path.exists());
            if let Some(path) = there {
                volumes.push(format!("{}:/root/.cargo/{name}:{how}", text(&path)?));
            }
        }
        Ok(format!(
            "[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n\
             runtime = \"crun\"\n\n\
             [containers]\ncgroups = \"disabled\"\nnetns = \"host\"\n\
             default_ulimits = [\"nofile=20000:20000\", \"nproc=32768:32768\"]\nvolumes = {}\n",
            toml::Value::from(volumes)
        ))
    }

    /// containers-storage.conf(5).
    fn storage(&self) -> Result<String> {
        let place = |name: &str| {
            Ok::<_, anyhow::Error>(toml::Value::from(text(&self.directory.join(name))?))
        };
        Ok(format!(
            "[storage]\ndriver = \"overlay\"\nrunroot = {}\ngraphroot = {}\n",
            place("running")?,
            place("store")?
        ))
    }

    /// The program that replaces `podman` and `docker`, with the variables of
    /// [`Engine::environment`].
    pub fn program() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("containers/podman")
    }

    /// The variables that select this engine's settings and store.
    pub fn environment(&self) -> [(&'static str, OsString); 4] {
        [
            ("CONTAINERS_CONF", self.directory.join("containers.conf").into()),
            ("CONTAINERS_STORAGE_CONF", self.directory.join("storage.conf").into()),
            ("TMPDIR", self.directory.clone().into()),
            // Cached layers are of no use for a single build.
            ("BUILDAH_LAYERS", "false".into()),
        ]
    }

    /// A command of the engine.
    pub fn command(&self) -> Command {
        let mut command = workspace::command(Engine::program());
        command.envs(self.environment());
        command
    }

    /// Imports the base image under its name in the Dockerfiles. The image has the variables,
    /// because the settings of the engine do not apply to builds.
    pub fn import(&self, tarball: &Path) -> Result<()> {
        let log = self.directory.join("import.txt");
        let mut import = self.command();
        import.arg("import");
        for variable in &self.variables {
            import.args(["--change", &format!("ENV {variable}")]);
        }
        run(import.arg(tarball).arg(base::IMAGE), &log)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Best effort: the next run removes the directory again and reports errors.
        let _ = cache_entry::remove_directory(&self.directory);
    }
}

/// The reason why this machine cannot start containers, if it cannot. Runs a program in a minimal
/// image to find out.
pub fn obstacle(directory: &Path, program: &[u8]) -> Result<Option<String>> {
    let engine = Engine::new(directory.join("trial"))?;
    let context = engine.directory.join("context");
    fs::create_dir_all(&context)?;
    dist::manifest::replace(&context.join("mapprobe"), program, 0o755)?;
    fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY mapprobe /\n")?;
    let log = engine.directory.join("output.txt");
    let tag = "localhost/mapprobe";
    let tried =
        run(engine.command().args(["build", "--tag", tag]).arg(&context), &log).and_then(|()| {
            run(
                engine.command().args([
                    "run",
                    "--rm",
                    "--pull",
                    "never",
                    tag,
                    "/mapprobe",
                    "--version",
                ]),
                &log,
            )
        });
    let Err(error) = tried else {
        let output = fs::read_to_string(&log)?;
        let version = format!("mapprobe {}", env!("CARGO_PKG_VERSION"));
        ensure!(
            output.contains(&version),
            "The container of {} printed: {output}",
            Arch::native().name()
        );
        return Ok(None);
    };
    Ok(Some(
        format!("podman cannot start a container here: {error:#}")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    ))
}

/// Runs a command to its end or its time limit, with its output in a file.
pub fn run(command: &mut Command, log: &Path) -> Result<()> {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let file =
        File::create(log).with_context(|| format!("{} cannot be written.", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let mut process = command.spawn().with_context(|| format!("{name} cannot be started."))?;
    let began = Instant::now();
    let status = loop {
        if let Some(status) = process.try_wait()? {
            break status;
        }
        if began.elapsed() > DEADLINE {
            process.kill()?;
            process.wait()?;
            bail!("{name} was still running after {} minutes.", DEADLINE.as_secs() / 60);
        }
        sleep(Duration::from_millis(50));
    };
    if status.success() {
        return Ok(());
    }
    let output = fs::read(log)?;
    let output = String::from_utf8_lossy(&output);
    let lines: Vec<&str> = output.lines().collect();
    bail!(
        "{name} ended with {status}:\n{}",
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    )
}

/// Environment variables that point apt and cargo in a container to the settings of this machine.
/// The tools of the build need no debug information.
fn variables(certificates: bool) -> Vec<String> {
    let mut variables =
        vec![format!("APT_CONFIG={SETTINGS}/apt.conf"), "CARGO_PROFILE_DEV_DEBUG=0".to_owned()];
    if certificates {
        variables.push(format!("CARGO_HTTP_CAINFO={SETTINGS}/certificates.crt"));
    }
    let network = ["CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_"];
    for (name, value) in env::vars() {
        if network.iter().any(|start| name.starts_with(start)) && name != "CARGO_HTTP_CAINFO" {
            variables.push(format!("{name}={value:?}"));
        }
    }
    variables
}

/// The certificates that this machine trusts.
fn certificates() -> Option<PathBuf> {
    let named = ["CARGO_HTTP_CAINFO", "SSL_CERT_FILE"]
        .into_iter()
        .filter_map(env::var_os)
        .map(PathBuf::from);
    named.chain([PathBuf::from("/etc/ssl/certs/ca-certificates.crt")]).find(|path| path.is_file())
}

fn text(path: &Path) -> Result<String> {
    let text = path.to_str().filter(|text| !text.contains(':'));
    Ok(text
        .with_context(|| {
            format!(
                "{} has a colon or is not UTF-8, which podman does not support.",
                path.display()
            )
        })?
        .to_owned())
}
