//! The kernel's own headers, of the newest kernel in Debian, as a C compiler reads them. They are
//! independent of the flag table.

use crate::{cache_entry, host_packages, process};
use anyhow::{Context, Result, bail};
use dist::cache::Cache;
use dist::debian::extract;
use mapprobe::arch::Arch;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A constant of the headers.
#[derive(Debug)]
pub struct Definition {
    pub value: u64,
    /// The file in the kernel's source tree.
    pub header: String,
}

/// The directory with `usr/include` and `usr/lib/linux/uapi/ARCH`.
fn headers() -> Result<PathBuf> {
    host_packages::need(host_packages::ARCHIVE)?;
    host_packages::need(host_packages::COMPILER)?;
    let (cache, recipe) = (Cache::open()?, "linux-libc-dev of sid");
    let entry = cache_entry::get(&cache, ("headers", "headers"), recipe, |to, work| {
        let package = cache_entry::newest_package(&cache, "sid", "amd64", "linux-libc-dev")?;
        let unpacked = work.join("unpacked");
        extract(&[&package.fetch(&cache)?], "usr", &unpacked)?;
        fs::rename(unpacked.join("usr"), to.join("usr"))?;
        Ok(package)
    })?;
    Ok(entry.directory)
}

/// The kernel's name of an architecture.
fn directory(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "x86",
        Arch::Aarch64 => "arm64",
        Arch::Hppa => "parisc",
    }
}

/// Every `MAP_*` constant that a program of this architecture gets from `<linux/mman.h>`.
pub fn definitions(arch: Arch) -> Result<BTreeMap<String, Definition>> {
    let headers = headers()?;
    let gcc = |arguments: &[&str], source: &Path| {
        let mut command = Command::new("gcc");
        command.args(["-nostdinc", "-I"]);
        command.arg(headers.join("usr/lib/linux/uapi").join(directory(arch)));
        command.arg("-I").arg(headers.join("usr/include")).args(arguments).arg(source);
        process::stdout(&mut command)
    };
    let work = tempfile::tempdir()?;
    let source = work.path().join("names.c");
    fs::write(&source, "#include <linux/mman.h>\n#include <asm/mman.h>\n")?;
    // -dD keeps every #define, with line markers that name the file.
    let mut names = BTreeMap::new();
    let mut file = String::new();
    for line in gcc(&["-E", "-dD"], &source)?.lines() {
        if let Some(marker) = line.strip_prefix("# ") {
            file = marker.split('"').nth(1).unwrap_or_default().to_owned();
        } else if let Some(name) = line.strip_prefix("#define MAP_") {
            let name = name.split_whitespace().next().context("A #define has a name.")?;
            names.insert(format!("MAP_{name}"), in_source_tree(&file)?);
        }
    }
    // The compiler evaluates the definitions.
    let lines =
        names.keys().map(|name| format!("printf(\"{name} %lu\\n\", (unsigned long)({name}));\n"));
    let program = format!(
        "#include <linux/mman.h>\nint printf(const char *, ...);\n\
         int main(void)\n{{\n{}return 0;\n}}\n",
        lines.collect::<String>()
    );
    let (source, binary) = (work.path().join("values.c"), work.path().join("values"));
    fs::write(&source, program)?;
    gcc(&["-o", binary.to_str().context("The path is not UTF-8.")?], &source)?;
    let values = process::stdout(&mut Command::new(&binary))?;
    let definition = |line: &str| {
        let (name, value) = line.split_once(' ').context("A line has a name and a number.")?;
        let header = names[name].clone();
        Ok((name.to_owned(), Definition { value: value.parse()?, header }))
    };
    values.lines().map(definition).collect()
}

/// The path of a packaged header in the kernel's source tree.
fn in_source_tree(path: &str) -> Result<String> {
    let tail = |mark: &str| path.split_once(mark).map(|(_, tail)| tail);
    match (tail("/usr/lib/linux/uapi/"), tail("/usr/include/")) {
        (Some(tail), _) => {
            let (arch, file) = tail.split_once('/').context("A header is in a directory.")?;
            Ok(format!("arch/{arch}/include/uapi/{file}"))
        }
        (_, Some(tail)) => Ok(format!("include/uapi/{tail}")),
        _ => bail!("{path} is not a header of the package."),
    }
}
