//! `cargo dist`: builds mapprobe for every architecture into `dist/out`.

use argh::FromArgs;
use dist::package::Packages;
use dist::{Artifact, Options, build, date};
use std::process::ExitCode;
use targets::{ALL, Target};

/// Builds mapprobe for each ARCH (default: all) into dist/out: a static program, an initramfs and a
/// bill of materials, with SHA256SUMS and manifest.json. Files are dated SOURCE_DATE_EPOCH, or else
/// by the version.
#[derive(FromArgs)]
struct Arguments {
    /// install missing Debian packages with apt-get, as root
    #[argh(switch)]
    install: bool,

    /// use the installed std even if it could be rebuilt: larger files
    #[argh(switch)]
    installed_std: bool,

    /// also make Debian packages: mapprobe_VERSION_ARCH.deb
    #[argh(switch)]
    deb: bool,

    /// also make tarballs: mapprobe-VERSION-ARCH.tar.gz
    #[argh(switch)]
    tar: bool,

    /// x86_64, aarch64, hppa
    #[argh(positional, arg_name = "ARCH")]
    arch: Vec<String>,
}

/// Exit codes: 0 success or help, 1 a build or a check failed, 2 usage error.
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let arguments = match Arguments::from_args(&["cargo dist"], &arguments) {
        Ok(arguments) => arguments,
        Err(exit) if exit.status.is_ok() => {
            print!("{}", exit.output);
            return ExitCode::SUCCESS;
        }
        Err(exit) => return usage(exit.output.trim()),
    };
    let targets = match targets(&arguments.arch) {
        Ok(targets) => targets,
        Err(message) => return usage(&message),
    };
    if let Err(error) = date::seconds() {
        return usage(&error.to_string());
    }
    let Arguments { install, installed_std, deb, tar, .. } = arguments;
    let options = Options { install, installed_std, packages: Packages { deb, tar } };
    match build(&targets, &options) {
        Ok(artifacts) => {
            print!("{}", table(&artifacts));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cargo dist: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn usage(message: &str) -> ExitCode {
    eprintln!("cargo dist: {message}\nRun `cargo dist --help` for usage.");
    ExitCode::from(2)
}

/// The named targets, each once, in the order of [`ALL`]. All targets if no name is given.
fn targets(names: &[String]) -> Result<Vec<&'static Target>, String> {
    if let Some(name) = names.iter().find(|name| targets::named(name).is_none()) {
        let all: Vec<&str> = ALL.iter().map(|target| target.arch.name()).collect();
        return Err(format!("unknown architecture: {name} (known: {})", all.join(", ")));
    }
    let wanted =
        |target: &&Target| names.is_empty() || names.iter().any(|name| name == target.arch.name());
    Ok(ALL.into_iter().filter(wanted).collect())
}

/// A line for each program and package.
fn table(artifacts: &[Artifact]) -> String {
    let mut text = format!("{:<36} {:>9} {:>9}  {}\n", "file", "size", "budget", "smoke test");
    for Artifact { row, smoke, .. } in artifacts {
        let remark = if row.over_budget { ", over budget (std not rebuilt)" } else { "" };
        let file = format!("dist/out/{}", row.file);
        text += &format!("{file:<36} {:>9} {:>9}  {smoke}{remark}\n", row.size, row.budget);
        for item in &row.packages {
            text += &format!("{:<36} {:>9}\n", format!("dist/out/{}", item.file), item.size);
        }
    }
    text
}
