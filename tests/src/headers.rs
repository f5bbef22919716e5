//! The kernel's own headers, of the newest kernel in Debian, as a C compiler reads them. They are
//! independent of the flag table.

use crate::{cache_entry, host_packages};
use dist::cache::Cache;
use dist::debian::extract;
use mapprobe::arch::Arch;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A constant of the headers.
#[derive(Debug)]
pub struct Definition {
    pub value: u64,
    /// The file in the kernel's source tree.
    pub header: String,
}

/// The directory with `usr/include` and `usr/lib/linux/uapi/ARCH`.
fn headers() -> PathBuf {
    host_packages::need(host_packages::ARCHIVE).unwrap();
    host_packages::need(host_packages::COMPILER).unwrap();
    let cache = Cache::open().unwrap();
    let item =
        cache_entry::get(&cache, ("headers", "headers"), "linux-libc-dev of sid", |to, work| {
            let package = cache_entry::newest_package(&cache, "sid", "amd64", "linux-libc-dev")?;
            let unpacked = work.join("unpacked");
            extract(&[&package.fetch(&cache)?], "usr", &unpacked)?;
            fs::rename(unpacked.join("usr"), to.join("usr"))?;
            Ok(package)
        });
    item.unwrap().directory
}

/// The kernel's name of an architecture.
fn directory(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "x86",
        Arch::Aarch64 => "arm64",
        Arch::Hppa => "parisc",
    }
}

fn checked(output: Output, what: &str) -> String {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every `MAP_*` constant that a program of this architecture gets from `<linux/mman.h>`.
pub fn definitions(arch: Arch) -> BTreeMap<String, Definition> {
    let headers = headers();
    let gcc = |arguments: &[&str], source: &Path| {
        let mut command = Command::new("gcc");
        command
            .args(["-nostdinc", "-I"])
            .arg(headers.join("usr/lib/linux/uapi").join(directory(arch)));
        command.arg("-I").arg(headers.join("usr/include")).args(arguments).arg(source);
        checked(command.output().expect("gcc runs"), "gcc")
    };
    let work = tempfile::tempdir().unwrap();
    let source = work.path().join("names.c");
    fs::write(&source, "#include <linux/mman.h>\n#include <asm/mman.h>\n").unwrap();
    // -dD keeps every #define, with line markers that name the file.
    let mut names = BTreeMap::new();
    let mut file = String::new();
    for line in gcc(&["-E", "-dD"], &source).lines() {
        if let Some(marker) = line.strip_prefix("# ") {
            file = marker.split('"').nth(1).unwrap_or_default().to_owned();
        } else if let Some(name) = line.strip_prefix("#define MAP_") {
            let name = format!("MAP_{}", name.split_whitespace().next().unwrap());
            names.insert(name, in_source_tree(&file));
        }
    }
    // The compiler evaluates the definitions.
    let lines =
        names.keys().map(|name| format!("printf(\"{name} %lu\\n\", (unsigned long)({name}));\n"));
    let program = format!(
        "#include <linux/mman.h>\nint printf(const char *, ...);\nint main(void)\n{{\n{}return 0;\n}}\n",
        lines.collect::<String>()
    );
    let (source, binary) = (work.path().join("values.c"), work.path().join("values"));
    fs::write(&source, program).unwrap();
    gcc(&["-o", binary.to_str().unwrap()], &source);
    let values = checked(Command::new(&binary).output().expect("what gcc made runs"), "values");
    let value = |line: &str| {
        let (name, value) = line.split_once(' ').expect("a name and a number");
        let header = names[name].clone();
        (name.to_owned(), Definition { value: value.parse().unwrap(), header })
    };
    values.lines().map(value).collect()
}

/// The path of a packaged header in the kernel's source tree.
fn in_source_tree(path: &str) -> String {
    let tail = |mark: &str| path.split_once(mark).map(|(_, tail)| tail);
    match (tail("/usr/lib/linux/uapi/"), tail("/usr/include/")) {
        (Some(tail), _) => {
            let (arch, file) = tail.split_once('/').expect("an architecture's directory");
            format!("arch/{arch}/include/uapi/{file}")
        }
        (_, Some(tail)) => format!("include/uapi/{tail}"),
        _ => panic!("{path} is no header of the package"),
    }
}
