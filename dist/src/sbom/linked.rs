//! The components of a program that are not crates: static libraries, taken from the linker's map,
//! and wasm2c's templates.

use super::component::{Component, escaped};
use crate::compile::Built;
use crate::workspace;
use anyhow::{Context, Result, bail};
use regex_lite::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Libraries of C compilers: a part of the path, the name, the licence.
const ARCHIVES: [(&str, &str, &str); 4] = [
    ("gcc", "libgcc.a", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    ("gcc", "libgcc_eh.a", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    ("musl", "libc.a", "MIT"),
    // glibc, for an installed std.
    ("gnu", "libc.a", "LGPL-2.1-or-later"),
];

/// A line of a map (of GNU ld, of lld): address, size and file of a section.
const LINES: [&str; 2] = [
    r"(?m)^ \S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$",
    r"(?m)^\s*([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+\s+(\S.*):\(\S*\)$",
];

/// The archives with a member that occupies memory in the program.
pub fn archives(map: &str) -> Result<BTreeSet<PathBuf>> {
    let (mut found, mut objects) = (BTreeSet::new(), 0);
    for line in LINES {
        let line = Regex::new(line).expect("a constant pattern");
        for (_, [address, size, file]) in line.captures_iter(map).map(|captures| captures.extract())
        {
            let is_zero = |number: &str| number.trim_start_matches('0').is_empty();
            if is_zero(address) || is_zero(size) {
                continue;
            }
            objects += 1;
            let archive = file.split_once(".a(").map(|(archive, _)| format!("{archive}.a"));
            found.extend(archive.map(PathBuf::from));
        }
    }
    if objects == 0 {
        bail!("the linker's map lists no sections");
    }
    Ok(found)
}

/// A component for each static library.
pub fn components(built: &Built) -> Result<Vec<Component>> {
    let map =
        fs::read(&built.map).with_context(|| format!("cannot read {}", built.map.display()))?;
    let archives = archives(&String::from_utf8_lossy(&map))?;
    // dpkg does not know the path of a fetched library.
    let fetched = built.libc.as_ref().map(|package| {
        let purl = purl(&package.name, &package.version, &package.arch);
        Component {
            version: package.version.clone(),
            purl,
            sha256: Some(package.sha256.clone()),
            ..Component::default()
        }
    });
    let component = |archive: &PathBuf| {
        let name = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let own = fetched.clone().filter(|_| name == "libc.a").or_else(|| package(archive));
        let own = own.unwrap_or_else(|| Component {
            purl: format!("pkg:generic/{name}"),
            ..Component::default()
        });
        let path = archive.to_string_lossy();
        let known = ARCHIVES.iter().find(|(word, other, _)| *other == name && path.contains(word));
        let licence = known.map(|(.., licence)| (*licence).to_owned());
        Component { name, licence, description: Some("members of a static library".into()), ..own }
    };
    Ok(archives.iter().map(component).collect())
}

/// wasm2c: its templates are in the C code that it generates.
pub fn translator() -> Result<Component> {
    let output =
        workspace::command("wasm2c").arg("--version").output().context("cannot start wasm2c")?;
    let own = workspace::program("wasm2c").and_then(|path| package(&path));
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let own = own.unwrap_or_else(|| Component {
        purl: format!("pkg:generic/wabt@{}", escaped(&version)),
        version,
        ..Component::default()
    });
    Ok(Component {
        name: "wabt".into(),
        licence: Some("Apache-2.0".into()),
        description: Some("templates of wasm2c in the C code that it generates".into()),
        ..own
    })
}

/// The installed Debian package of a file. None on other systems.
fn package(path: &Path) -> Option<Component> {
    let path = path.canonicalize().ok()?;
    let run = |program: &str, arguments: &[&str]| {
        let output = workspace::command(program)
            .args(arguments)
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let owner = run("dpkg", &["-S", path.to_str()?])?;
    let (owner, _) = owner.split_once(": ")?;
    let fields = run("dpkg-query", &["-W", "-f", "${Package} ${Version} ${Architecture}", owner])?;
    let mut fields = fields.split(' ');
    let (name, version, arch) = (fields.next()?, fields.next()?, fields.next()?);
    Some(Component {
        version: version.into(),
        purl: purl(name, version, arch),
        ..Component::default()
    })
}

/// The package URL of a Debian package.
fn purl(name: &str, version: &str, arch: &str) -> String {
    format!("pkg:deb/debian/{}@{}?arch={arch}", escaped(name), escaped(version))
}

#[cfg(test)]
mod tests {
    use super::archives;
    use std::path::PathBuf;

    /// Lines of GNU ld 2.40 and of LLD 22, shortened.
    #[test]
    fn only_members_in_memory_are_listed() {
        let gnu = "Discarded input sections\n\n \
                   .text          0x0000000000000000       0x20 /usr/lib/libgcc.a(gone.o)\n\
                   Linker script and memory map\n\nLOAD /usr/lib/libc.a\n \
                   .text          0x00010000      0x120 /build/mapprobe.o\n \
                   .text.mulI     0x00010120       0x40 /usr/lib/libgcc.a(_mulI.o)\n \
                   .text.with_a_name_that_fills_the_line\n                0x00010160       0x10 \
                   /usr/lib/liblong.a(long.o)\n \
                   .data          0x00020000        0x0 /usr/lib/libempty.a(empty.o)\n \
                   .comment       0x00000000       0x12 /usr/lib/libcomment.a(comment.o)\n";
        assert_eq!(
            Vec::from_iter(archives(gnu).unwrap()),
            ["/usr/lib/libgcc.a", "/usr/lib/liblong.a"].map(PathBuf::from)
        );
        let lld = "             VMA              LMA     Size Align Out     In      \
                   Symbol\n          \
                   200158           200158     2190     8 .rodata\n          \
                   200158           200158        5     1         \
                   /build/mapprobe.o:(.rodata.x)\n          \
                   202000           202000       80    16         /cache/musl \
                   dev/libc.a(memcpy.lo):(.text)\n          \
                   202000           202000        0     1                 $x\n               \
                   0                0       12     1         \
                   /usr/lib/libgcc.a(debug.o):(.comment)\n";
        assert_eq!(
            Vec::from_iter(archives(lld).unwrap()),
            [PathBuf::from("/cache/musl dev/libc.a")]
        );
    }

    #[test]
    fn a_map_in_another_format_is_an_error() {
        assert!(archives("# Address Size File\n0x1000 0x20 libc.a(memcpy.o)\n").is_err());
    }
}
