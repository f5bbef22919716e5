//! `cargo dist`: builds mapprobe for every architecture into `dist/out`.

use argh::FromArgs;
use dist::package::Packages;
use dist::{Delivered, Options, date, deliver};
use std::process::ExitCode;
use targets::{ALL, Target};

/// Builds mapprobe for ARCH.. (all when none is given) into dist/out: a static program, an initramfs and a bill of materials for
/// each, with SHA256SUMS and manifest.json. Files have the date that SOURCE_DATE_EPOCH says, else that of the version.
#[derive(FromArgs)]
struct Arguments {
    /// install missing Debian packages with apt-get, as root
    #[argh(switch)]
    install: bool,

    /// use the std that the toolchain has installed, even when it could be rebuilt: larger files
    #[argh(switch)]
    installed_std: bool,

    /// make a Debian package of each, too: mapprobe_VERSION_ARCH.deb
    #[argh(switch)]
    deb: bool,

    /// make a tarball of each, too: mapprobe-VERSION-ARCH.tar.gz
    #[argh(switch)]
    tar: bool,

    /// x86_64, aarch64, hppa
    #[argh(positional, arg_name = "ARCH")]
    arch: Vec<String>,
}

/// Exit codes: 0 delivered (or help), 1 a build or a check failed, 2 wrong arguments.
fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let arguments = match Arguments::from_args(&["cargo dist"], &words) {
        Ok(arguments) => arguments,
        Err(exit) if exit.status.is_ok() => {
            print!("{}", exit.output);
            return ExitCode::SUCCESS;
        }
        Err(exit) => return usage(exit.output.trim()),
    };
    let targets = match chosen(&arguments.arch) {
        Ok(targets) => targets,
        Err(sentence) => return usage(&sentence),
    };
    if let Err(wrong) = date::seconds() {
        return usage(&wrong.to_string());
    }
    let Arguments { install, installed_std, deb, tar, .. } = arguments;
    let options = Options { install, installed_std, packages: Packages { deb, tar } };
    match deliver(&targets, &options) {
        Ok(delivered) => {
            print!("{}", table(&delivered));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("cargo dist: {failure:#}");
            ExitCode::from(1)
        }
    }
}

fn usage(sentence: &str) -> ExitCode {
    eprintln!("cargo dist: {sentence}\nSay `cargo dist --help` for the arguments.");
    ExitCode::from(2)
}

/// The targets with these names in the order of the table, each once; all when there is no name.
fn chosen(names: &[String]) -> Result<Vec<&'static Target>, String> {
    if let Some(name) = names.iter().find(|name| targets::named(name).is_none()) {
        let all: Vec<&str> = ALL.iter().map(|target| target.arch.name()).collect();
        return Err(format!(
            "{name} is no architecture of mapprobe; there are {}.",
            all.join(", ")
        ));
    }
    let wanted =
        |target: &&Target| names.is_empty() || names.iter().any(|name| name == target.arch.name());
    Ok(ALL.into_iter().filter(wanted).collect())
}

/// A line per program and package. All programs that are here are static: the checks see to it.
fn table(delivered: &[Delivered]) -> String {
    let mut text =
        format!("{:<36} {:>9} {:>9}  {:<7} {}\n", "file", "size", "budget", "static", "smoke test");
    for Delivered { row, smoke, .. } in delivered {
        let remark = if row.over_budget { ", over budget (std not rebuilt)" } else { "" };
        let file = format!("dist/out/{}", row.file);
        text += &format!(
            "{file:<36} {:>9} {:>9}  {:<7} {smoke}{remark}\n",
            row.size, row.budget, "yes"
        );
        for item in &row.packages {
            text += &format!("{:<36} {:>9}\n", format!("dist/out/{}", item.file), item.size);
        }
    }
    text
}
