//! `Cross.toml`, read by cross from crates.io: it starts a container of the right image with the
//! right command. The container engine and rustup are replaced, so that no image is downloaded,
//! nothing is compiled, and no toolchain changes.

use lab::cross::{self, VERSION};
use mapprobe::arch::Arch;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

/// The keys that the main branch of cross reads (`docs/config_file.md` of cross-rs/cross), by
/// table; `*` is any target.
const MAIN: [(&str, &[&str]); 4] = [
    ("build", &["build-std", "xargo", "zig", "default-target", "pre-build", "dockerfile", "env"]),
    ("build.env", &["volumes", "passthrough"]),
    (
        "target.*",
        &["build-std", "xargo", "zig", "image", "runner", "pre-build", "dockerfile", "env"],
    ),
    ("target.*.env", &["volumes", "passthrough"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project's directory")
}

/// Runs cross in a directory: its output, the arguments of the engine, and the requests to rustup.
fn run(project: &Path, arguments: &[&str]) -> (Output, Vec<Vec<String>>, String) {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("log");
    let mut cross = cross::guarded(&cross::program().unwrap(), home.path()).unwrap();
    cross.env("CROSS_CONTAINER_ENGINE", Path::new(env!("CARGO_MANIFEST_DIR")).join("cross/engine"));
    cross.env("LOG", &log).env("CARGO_TARGET_DIR", home.path().join("target"));
    let output = cross.current_dir(project).args(arguments).output().unwrap();
    let log = fs::read_to_string(log).unwrap_or_default();
    let calls =
        log.split_terminator("\n\n").map(|call| call.lines().map(String::from).collect()).collect();
    (output, calls, fs::read_to_string(home.path().join("rustup.log")).unwrap_or_default())
}

fn reports_unknown_keys(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stderr).contains("found unused key(s)")
}

#[test]
fn cross_starts_the_right_container() {
    for arch in [Arch::X86_64, Arch::Aarch64] {
        let triple = targets::of(arch).triple;
        let (output, calls, requests) =
            run(root(), &["build", "--release", "--package", "mapprobe", "--target", triple]);
        assert!(output.status.success() && !reports_unknown_keys(&output), "{output:?}");
        let [call] = calls.as_slice() else {
            panic!("{triple}: expected one container: {calls:?}; {output:?}")
        };
        assert_eq!(call[0], "run");
        let after = |word: &str| {
            call.iter().skip_while(move |it| *it != word).nth(1).cloned().unwrap_or_default()
        };
        let environment: BTreeSet<&str> =
            call.windows(2).filter(|pair| pair[0] == "-e").map(|pair| pair[1].as_str()).collect();
        assert!(
            environment.contains("CARGO_TARGET_DIR=/target")
                && environment.contains("CARGO_HOME=/cargo"),
            "{call:?}"
        );
        assert!(
            !environment.iter().any(|pair| pair.contains("RUSTFLAGS")),
            "the image sets the flags of its linker: {call:?}"
        );
        let image = after("/project");
        assert_eq!(image, format!("ghcr.io/cross-rs/{triple}:{VERSION}"));
        let command = call.last().unwrap();
        assert!(
            command
                .ends_with(&format!("cargo build --release --package mapprobe --target {triple}")),
            "{command}"
        );
        // No request changes a toolchain.
        assert!(
            requests.lines().all(|line| line == "toolchain list"),
            "requests to rustup: {requests}"
        );
    }
    // Without `--target` the one of Cross.toml is used.
    let (_, calls, _) = run(root(), &["build", "--package", "mapprobe"]);
    assert!(calls[0].last().unwrap().ends_with("--target x86_64-unknown-linux-musl"), "{calls:?}");
}

/// The check above can fail: cross reports an unknown key.
#[test]
fn cross_reports_an_unknown_key() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.1.0\"\n",
    )
    .unwrap();
    fs::create_dir(directory.path().join("src")).unwrap();
    fs::write(directory.path().join("src/main.rs"), "fn main() {}\n").unwrap();
    let ours = fs::read_to_string(root().join("Cross.toml")).unwrap();
    let build = ["build", "--target", "aarch64-unknown-linux-musl"];
    for (more, expected) in [("", false), ("imagine = \"x\"\n", true)] {
        fs::write(directory.path().join("Cross.toml"), format!("{ours}{more}")).unwrap();
        let (output, ..) = run(directory.path(), &build);
        assert_eq!(reports_unknown_keys(&output), expected, "{more}: {output:?}");
    }
}

/// The keys of a document by table, with the names of [`MAIN`].
fn keys(name: &str, table: &toml::Table) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (key, value) in table {
        let within = if name == "target" { "target.*".to_owned() } else { format!("{name}.{key}") };
        if name != "target" {
            found.push((name.to_owned(), key.clone()));
        }
        if let toml::Value::Table(table) = value {
            found.extend(keys(&within, table));
        }
    }
    found
}

#[test]
fn the_main_branch_of_cross_knows_every_key() {
    let known = |(table, key): &(String, String)| {
        MAIN.iter().any(|(name, keys)| name == table && keys.contains(&key.as_str()))
    };
    let unknown = |text: &str| -> Vec<(String, String)> {
        let document: toml::Table = toml::from_str(text).unwrap();
        let tables =
            document.iter().map(|(name, value)| (name, value.as_table().expect("a table")));
        tables.flat_map(|(name, table)| keys(name, table)).filter(|key| !known(key)).collect()
    };
    let ours = fs::read_to_string(root().join("Cross.toml")).unwrap();
    assert_eq!(unknown(&ours), []);
    assert_eq!(
        unknown("[target.x]\nimagine = 1\n"),
        [("target.*".to_owned(), "imagine".to_owned())]
    );
    // In 0.2.5 an image is a string.
    let document: toml::Table = toml::from_str(&ours).unwrap();
    let targets = document["target"].as_table().unwrap();
    assert!(targets.values().all(|target| target["image"].is_str()));
}

/// The container of PA-RISC has the packages of its build, and large directories are not sent to
/// it.
#[test]
fn the_container_of_hppa_has_what_its_build_needs() {
    let file = fs::read_to_string(root().join("targets/hppa/Dockerfile")).unwrap();
    let (_, install) = file.split_once("apt-get install").unwrap();
    let (install, _) = install.split_once("WORKDIR").unwrap();
    let named: Vec<&str> = install.split_whitespace().collect();
    for package in targets::of(Arch::Hppa)
        .packages
        .iter()
        .chain(&dist::toolchain::PACKAGES)
        .chain(&["lld", "gcc"])
    {
        assert!(named.contains(package), "{package} is not in {named:?}");
    }
    let ignored = fs::read_to_string(root().join(".dockerignore")).unwrap();
    assert!(
        ["target", "dist/out"]
            .iter()
            .all(|directory| ignored.lines().any(|line| line == *directory)),
        "{ignored}"
    );
}
