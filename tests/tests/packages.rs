//! Packages, checked with dpkg, lintian, tar, and readers of bills of materials.

use dist::Artifact;
use lab::{artifacts, host_packages, python, report};
use mapprobe::arch::Arch;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The files of an installed package, with their permissions.
const INSTALLED: [(&str, &str); 20] = [
    ("-rwxr-xr-x", "/usr/bin/mapprobe"),
    ("-rwxr-xr-x", "/usr/lib/dracut/modules.d/97mapprobe/mapprobe.sh"),
    ("-rwxr-xr-x", "/usr/lib/dracut/modules.d/97mapprobe/module-setup.sh"),
    ("-rw-r--r--", "/usr/lib/initcpio/hooks/mapprobe"),
    ("-rw-r--r--", "/usr/lib/initcpio/install/mapprobe"),
    ("-rw-r--r--", "/usr/lib/mapprobe/mapprobe.cpio.gz"),
    ("-rw-r--r--", "/usr/share/bash-completion/completions/mapprobe"),
    ("-rw-r--r--", "/usr/share/doc/mapprobe/README.md"),
    ("-rw-r--r--", "/usr/share/doc/mapprobe/changelog.gz"),
    ("-rw-r--r--", "/usr/share/doc/mapprobe/copyright"),
    ("-rw-r--r--", "/usr/share/doc/mapprobe/mapprobe.cdx.json"),
    ("-rw-r--r--", "/usr/share/fish/vendor_completions.d/mapprobe.fish"),
    ("-rwxr-xr-x", "/usr/share/initramfs-tools/hooks/mapprobe"),
    ("-rwxr-xr-x", "/usr/share/initramfs-tools/scripts/init-top/mapprobe"),
    ("-rw-r--r--", "/usr/share/lintian/overrides/mapprobe"),
    ("-rw-r--r--", "/usr/share/man/man1/mapprobe.1.gz"),
    ("-rw-r--r--", "/usr/share/mapprobe/schema/mapprobe.free-bits.json"),
    ("-rw-r--r--", "/usr/share/mapprobe/schema/mapprobe.report.json"),
    ("-rw-r--r--", "/usr/share/mapprobe/schema/mapprobe.sweep.json"),
    ("-rw-r--r--", "/usr/share/zsh/vendor-completions/_mapprobe"),
];

fn packaged(arch: Arch) -> &'static Artifact {
    artifacts::packaged(arch).unwrap()
}

/// A package of an architecture, by the end of its file name.
fn package(arch: Arch, end: &str) -> PathBuf {
    let found = packaged(arch).packages.iter().find(|path| path.to_string_lossy().ends_with(end));
    found.unwrap_or_else(|| panic!("no package {end} of {}", arch.name())).clone()
}

/// Runs a command that must succeed.
#[track_caller]
fn run(command: &mut Command) -> Output {
    let output = command.env("LC_ALL", "C").env("TZ", "UTC").output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

#[track_caller]
fn output(command: &mut Command) -> String {
    String::from_utf8(run(command).stdout).unwrap()
}

/// A system without packages, as far as dpkg is concerned.
fn system() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let database = root.path().join("var/lib/dpkg");
    fs::create_dir_all(database.join("info")).unwrap();
    fs::create_dir_all(database.join("updates")).unwrap();
    fs::write(database.join("status"), "").unwrap();
    fs::write(database.join("available"), "").unwrap();
    root
}

fn dpkg(root: &Path) -> Command {
    let mut dpkg = Command::new("dpkg");
    dpkg.arg(format!("--root={}", root.display())).args([
        "--log=/dev/null",
        "--force-not-root",
        "--force-architecture",
    ]);
    dpkg
}

/// The program and the initramfs of the package are the released ones, and the program runs.
#[track_caller]
fn assert_program(arch: Arch, program: &Path, initramfs: &Path) {
    let row = &packaged(arch).row;
    let sum = |path: &Path| dist::manifest::sha256(&fs::read(path).unwrap());
    assert_eq!(
        (sum(program), sum(initramfs)),
        (row.sha256.clone(), row.archive.sha256.clone()),
        "{}",
        arch.name()
    );
    host_packages::need(host_packages::EMULATORS).unwrap();
    let mut command = match targets::of(arch).emulator {
        Some(emulator) => Command::new(emulator),
        None => Command::new("env"),
    };
    let run = run(command.arg(program));
    assert_eq!(report::parse(&run.stdout).unwrap()["complete"], true, "{}", arch.name());
}

#[test]
fn a_debian_package_can_be_installed_run_and_removed() {
    for (arch, debian) in [(Arch::X86_64, "amd64"), (Arch::Aarch64, "arm64"), (Arch::Hppa, "hppa")]
    {
        let deb = package(arch, &format!("mapprobe_{}_{debian}.deb", env!("CARGO_PKG_VERSION")));
        let fields = output(Command::new("dpkg-deb").arg("-f").arg(&deb).args([
            "Package",
            "Version",
            "Architecture",
        ]));
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            fields,
            format!("Package: mapprobe\nVersion: {version}\nArchitecture: {debian}\n")
        );
        let list = output(Command::new("dpkg-deb").arg("-c").arg(&deb));
        let mut files: Vec<(&str, &str)> = Vec::new();
        for line in list.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words[1], "root/root", "{line}");
            match words[5].trim_start_matches('.') {
                directory if directory.ends_with('/') => {
                    assert_eq!(words[0], "drwxr-xr-x", "{line}")
                }
                file => files.push((words[0], file)),
            }
        }
        files.sort_by_key(|(_, file)| *file);
        assert_eq!(files, INSTALLED);

        let root = system();
        run(dpkg(root.path()).arg("-i").arg(&deb));
        // dpkg compares with the checksums in the package and prints differences.
        assert_eq!(output(dpkg(root.path()).args(["--verify", "mapprobe"])), "");
        let usr = root.path().join("usr");
        assert_program(arch, &usr.join("bin/mapprobe"), &usr.join("lib/mapprobe/mapprobe.cpio.gz"));
        run(Command::new("gzip").arg("--test").arg(usr.join("share/man/man1/mapprobe.1.gz")));
        let damaged = usr.join("share/doc/mapprobe/copyright");
        fs::write(&damaged, "nobody").unwrap();
        assert!(
            output(dpkg(root.path()).args(["--verify", "mapprobe"]))
                .contains("/usr/share/doc/mapprobe/copyright")
        );
        run(dpkg(root.path()).args(["--purge", "mapprobe"]));
        assert!(!usr.exists(), "{usr:?} is left");
    }
}

/// lintian reports no errors and no warnings. It reports the one override, so it did check.
#[test]
fn lintian_reports_nothing() {
    host_packages::need(host_packages::PACKAGING).unwrap();
    for arch in Arch::ALL {
        let mut lintian = Command::new("lintian");
        lintian.args([
            "--allow-root",
            "--fail-on",
            "none",
            "--pedantic",
            "--show-overrides",
            "--tag-display-limit",
            "0",
        ]);
        let output = output(lintian.arg(package(arch, ".deb")));
        let lines: Vec<&str> = output.lines().filter(|line| !line.starts_with("N:")).collect();
        let static_binary =
            lines.iter().filter(|line| line.starts_with("O: mapprobe: statically-linked-binary"));
        assert_eq!(static_binary.count(), 1, "{}: {output}", arch.name());
        let others: Vec<&&str> = lines.iter().filter(|line| !line.starts_with("O: ")).collect();
        assert!(others.is_empty(), "{}: {others:#?}", arch.name());
    }
}

#[test]
fn a_tarball_unpacks_into_one_directory_and_its_program_runs() {
    let date = dist::date::text("%Y-%m-%d %H:%M").unwrap();
    for arch in Arch::ALL {
        let name = format!("mapprobe-{}-{}", env!("CARGO_PKG_VERSION"), arch.name());
        let tarball = package(arch, &format!("/{name}.tar.gz"));
        let list = output(Command::new("tar").args(["tvf"]).arg(&tarball));
        for line in list.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(
                (words[1], format!("{} {}", words[3], words[4])),
                ("0/0", date.clone()),
                "{line}"
            );
            assert!(words[5].starts_with(&format!("{name}/")), "{line}");
        }
        let directory = tempfile::tempdir().unwrap();
        run(Command::new("tar").arg("xzf").arg(&tarball).arg("-C").arg(directory.path()));
        let root = directory.path().join(&name);
        assert_program(arch, &root.join("mapprobe"), &root.join("mapprobe.cpio.gz"));
        for file in [
            "README.md",
            "CHANGELOG.md",
            "LICENSE-MIT",
            "LICENSE-APACHE",
            "COPYRIGHT",
            "man/mapprobe.1",
            "completions/mapprobe.fish",
            "initramfs/dracut/97mapprobe/module-setup.sh",
            "schema/mapprobe.report.json",
            "mapprobe.cdx.json",
        ] {
            assert!(root.join(file).is_file(), "{file} is not in {name}");
        }
    }
}

#[test]
fn every_file_has_its_checksum() {
    let files: Vec<_> = Arch::ALL.into_iter().map(packaged).collect();
    let out = files[0].path.parent().unwrap();
    let checked = output(
        Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(out),
    );
    for artifact in files {
        let row = &artifact.row;
        let items = [&row.archive, &row.sbom].into_iter().chain(&row.packages);
        for file in items.map(|item| &item.file).chain([&row.file]) {
            assert!(checked.contains(&format!("{file}: OK\n")), "{file}: {checked}");
        }
    }
}

/// The names of components, each followed by its inner components.
fn names(components: &Value) -> Vec<String> {
    let components = components.as_array().map(Vec::as_slice).unwrap_or_default();
    let with_parts = |one: &Value| {
        [vec![one["name"].as_str().unwrap().to_owned()], names(&one["components"])].concat()
    };
    components.iter().flat_map(with_parts).collect()
}

#[test]
fn a_bill_of_materials_lists_every_component() {
    let sboms: Vec<PathBuf> =
        Arch::ALL.map(|arch| packaged(arch).path.with_extension("cdx.json")).into();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = python::with(&here.join("sbom/requirements.txt")).unwrap();
    let counts = output(Command::new(&python).arg(here.join("sbom/validate.py")).args(&sboms));
    let lock = fs::read_to_string(here.join("../Cargo.lock")).unwrap();
    let copyright = fs::read_to_string(here.join("../dist/package/copyright")).unwrap();
    for ((arch, sbom), count) in Arch::ALL.into_iter().zip(&sboms).zip(counts.lines()) {
        let document: Value = serde_json::from_slice(&fs::read(sbom).unwrap()).unwrap();
        let names = names(&document["components"]);
        assert_eq!(names.len().to_string(), count, "{sbom:?}");
        assert_eq!(
            document["metadata"]["component"]["hashes"][0]["content"],
            packaged(arch).row.sha256.as_str()
        );
        let top: Vec<&str> = document["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].as_str().unwrap())
            .collect();
        // Of musl, the native programs have `memcpy` and its like. PA-RISC's program has no libc
        // crate and no C library, but gcc's arithmetic and the output of wasm2c.
        let expected: &[&str] = match arch {
            Arch::Hppa => &["argh", "argh_shared", "libgcc.a", "once_cell", "std", "wabt"],
            _ => &["argh", "argh_shared", "libc", "libc.a", "once_cell", "std"],
        };
        assert_eq!(top, expected, "{}", arch.name());
        for part in ["core", "alloc", "std", "compiler_builtins", "panic_abort"] {
            assert!(
                names.iter().any(|name| name == part),
                "{}: {part} is not in {names:?}",
                arch.name()
            );
        }
        for component in document["components"].as_array().unwrap() {
            let (name, version) =
                (component["name"].as_str().unwrap(), component["version"].as_str().unwrap());
            assert!(component["licenses"][0]["expression"].is_string(), "{component}");
            if component["purl"].as_str().unwrap().starts_with("pkg:cargo/") {
                let sum = component["hashes"][0]["content"].as_str().unwrap();
                let source = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
                let entry = format!(
                    "name = \"{name}\"\nversion = \"{version}\"\n{source}\nchecksum = \"{sum}\""
                );
                assert!(lock.contains(&entry), "Cargo.lock has no such entry: {entry}");
            }
        }
        for name in names {
            let named = copyright.split_whitespace().any(|word| word == format!("mapprobe/{name}"));
            assert!(named, "{name} is part of {}, but not of dist/package/copyright", arch.name());
        }
    }
}

#[test]
fn an_invalid_bill_of_materials_is_rejected() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = python::with(&here.join("sbom/requirements.txt")).unwrap();
    let text = fs::read_to_string(packaged(Arch::X86_64).path.with_extension("cdx.json")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wrong.json");
    for (right, wrong) in [
        ("\"SHA-256\"", "\"SHA-257\""),
        ("\"components\": [", "\"component\": ["),
        ("urn:uuid:", ""),
    ] {
        assert!(text.contains(right), "{right}");
        fs::write(&file, text.replace(right, wrong)).unwrap();
        let run =
            Command::new(&python).arg(here.join("sbom/validate.py")).arg(&file).output().unwrap();
        let output = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(
            (run.status.code(), output.contains("does not fit the schema")),
            (Some(1), true),
            "{wrong}: {output}"
        );
    }
}
