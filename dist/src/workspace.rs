//! The folders of the build, and a clean environment for the tools that run in it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Names another folder with the sources of mapprobe, which is built instead. All that comes out stays in there.
pub const SOURCES: &str = "MAPPROBE_SOURCES";

/// The sources: the workspace this package belongs to, or the folder that [`SOURCES`] names.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the package is a folder of the workspace");
        let named = env::var_os(SOURCES).filter(|value| !value.is_empty());
        named.map_or_else(
            || here.into(),
            |folder| std::path::absolute(&folder).unwrap_or_else(|_| folder.into()),
        )
    });
    &ROOT
}

/// Where delivered files go.
pub fn out() -> PathBuf {
    root().join("dist/out")
}

/// Where everything else goes.
pub fn work() -> PathBuf {
    root().join("target/dist")
}

/// Cargo's own folder, with the registry.
pub fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".cargo")))
}

/// rustup's folder, with the toolchains.
pub fn rustup_home() -> Option<PathBuf> {
    env::var_os("RUSTUP_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".rustup")))
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// Folders of this machine that no delivered file may name, the longest first, so that a folder inside another is
/// replaced before it.
pub fn private(toolchain: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        [home(), cargo_home(), rustup_home()].into_iter().flatten().collect();
    folders.push(root().into());
    folders.extend(toolchain.iter().cloned());
    folders.extend(folders.clone().iter().filter_map(|folder| folder.canonicalize().ok()));
    folders.retain(|folder| folder.is_absolute() && folder.components().count() > 1);
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.as_os_str().len()));
    folders.dedup();
    folders
}

/// A program to run without what cargo and rustup left in the environment for this process: their choices of toolchain,
/// flags and folders are not those of the build that is started.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    let kept = ["CARGO_HOME", "RUSTUP_HOME"];
    let network = ["CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_"];
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let ours =
            text.starts_with("CARGO") || text.starts_with("RUST") || text == "LD_LIBRARY_PATH";
        if ours && !kept.contains(&&*text) && !network.iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    // Messages of the tools are read by people and tests alike.
    command.env("LC_ALL", "C").current_dir(root());
    command
}

/// The full path of a program.
pub fn program(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}
