//! What a program has from elsewhere than crates: members of archives that the linker took, as its map says, and the texts
//! that wasm2c puts into what it writes.

use super::{Component, escaped};
use crate::native::Built;
use crate::workspace;
use anyhow::{Context, Result, bail};
use regex_lite::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a C compiler brings to link with: a word of its path, its name, and its licence.
const ARCHIVES: [(&str, &str, &str); 4] = [
    ("gcc", "libgcc.a", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    ("gcc", "libgcc_eh.a", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    ("musl", "libc.a", "MIT"),
    // The other C library of Linux, for a std that was installed.
    ("gnu", "libc.a", "LGPL-2.1-or-later"),
];

/// A line of a map: address, size and file of something. Of GNU ld, and of lld.
const LINES: [&str; 2] = [
    r"(?m)^ \S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$",
    r"(?m)^\s*([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+\s+(\S.*):\(\S*\)$",
];

/// The archives with a member that is in the program's memory.
pub fn archives(map: &str) -> Result<BTreeSet<PathBuf>> {
    let (mut found, mut objects) = (BTreeSet::new(), 0);
    for line in LINES {
        let line = Regex::new(line).expect("a constant pattern");
        for (_, [address, size, file]) in line.captures_iter(map).map(|captures| captures.extract())
        {
            let nothing = |number: &str| number.trim_start_matches('0').is_empty();
            if nothing(address) || nothing(size) {
                continue;
            }
            objects += 1;
            let archive = file.split_once(".a(").map(|(archive, _)| format!("{archive}.a"));
            found.extend(archive.map(PathBuf::from));
        }
    }
    if objects == 0 {
        bail!("the linker's map does not say what the program is made of");
    }
    Ok(found)
}

/// A component for each archive that a program has something of.
pub fn components(built: &Built) -> Result<Vec<Component>> {
    let map =
        fs::read(&built.map).with_context(|| format!("{} cannot be read", built.map.display()))?;
    let archives = archives(&String::from_utf8_lossy(&map))?;
    // A library that was fetched lies in no place that dpkg knows.
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
        Component { name, licence, remark: Some("members of a static library".into()), ..own }
    };
    Ok(archives.iter().map(component).collect())
}

/// wasm2c, whose templates are in the C that it writes.
pub fn translator() -> Result<Component> {
    let said = workspace::command("wasm2c")
        .arg("--version")
        .output()
        .context("wasm2c cannot be started")?;
    let own = workspace::program("wasm2c").and_then(|path| package(&path));
    let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    let own = own.unwrap_or_else(|| Component {
        purl: format!("pkg:generic/wabt@{}", escaped(&version)),
        version,
        ..Component::default()
    });
    Ok(Component {
        name: "wabt".into(),
        licence: Some("Apache-2.0".into()),
        remark: Some("templates of wasm2c in the C that it writes".into()),
        ..own
    })
}

/// The installed Debian package that a file belongs to; none on other systems.
fn package(path: &Path) -> Option<Component> {
    let path = path.canonicalize().ok()?;
    let ask = |program: &str, arguments: &[&str]| {
        let said = workspace::command(program)
            .args(arguments)
            .output()
            .ok()
            .filter(|said| said.status.success())?;
        Some(String::from_utf8_lossy(&said.stdout).trim().to_owned())
    };
    let owner = ask("dpkg", &["-S", path.to_str()?])?;
    let (owner, _) = owner.split_once(": ")?;
    let known = ask("dpkg-query", &["-W", "-f", "${Package} ${Version} ${Architecture}", owner])?;
    let mut words = known.split(' ');
    let (name, version, arch) = (words.next()?, words.next()?, words.next()?);
    Some(Component {
        version: version.into(),
        purl: purl(name, version, arch),
        ..Component::default()
    })
}

/// A Debian package.
fn purl(name: &str, version: &str, arch: &str) -> String {
    format!("pkg:deb/debian/{}@{}?arch={arch}", escaped(name), escaped(version))
}

#[cfg(test)]
mod tests {
    use super::archives;
    use std::path::PathBuf;

    /// Lines of GNU ld 2.40 and of LLD 22, shortened.
    #[test]
    fn only_what_is_in_memory_counts() {
        let gnu = "Discarded input sections\n\n .text          0x0000000000000000       0x20 /usr/lib/libgcc.a(gone.o)\n\
                   Linker script and memory map\n\nLOAD /usr/lib/libc.a\n \
                   .text          0x00010000      0x120 /build/mapprobe.o\n \
                   .text.mulI     0x00010120       0x40 /usr/lib/libgcc.a(_mulI.o)\n \
                   .text.with_a_name_that_fills_the_line\n                0x00010160       0x10 /usr/lib/liblong.a(long.o)\n \
                   .data          0x00020000        0x0 /usr/lib/libempty.a(empty.o)\n \
                   .comment       0x00000000       0x12 /usr/lib/libcomment.a(comment.o)\n";
        assert_eq!(
            Vec::from_iter(archives(gnu).unwrap()),
            ["/usr/lib/libgcc.a", "/usr/lib/liblong.a"].map(PathBuf::from)
        );
        let lld = "             VMA              LMA     Size Align Out     In      Symbol\n          \
                   200158           200158     2190     8 .rodata\n          \
                   200158           200158        5     1         /build/mapprobe.o:(.rodata.x)\n          \
                   202000           202000       80    16         /cache/musl dev/libc.a(memcpy.lo):(.text)\n          \
                   202000           202000        0     1                 $x\n               \
                   0                0       12     1         /usr/lib/libgcc.a(debug.o):(.comment)\n";
        assert_eq!(
            Vec::from_iter(archives(lld).unwrap()),
            [PathBuf::from("/cache/musl dev/libc.a")]
        );
    }

    #[test]
    fn a_map_of_another_form_is_an_error() {
        assert!(archives("# Address Size File\n0x1000 0x20 libc.a(memcpy.o)\n").is_err());
    }
}
