//! The route of the architectures that rustc knows: it links a static program with musl.

use crate::cache::Cache;
use crate::compile::{self, Compiled, Crate, Flags, Source};
use crate::debian::{self, Mirror, Package};
use crate::manifest::sha256;
use crate::toolchain::{self, Toolchain};
use crate::workspace::{self, program};
use anyhow::{Context, Result, bail};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use targets::Target;

/// Flags of every native program: at a fixed address, since a static program that relocates itself is larger.
const STATIC: [&str; 2] = ["-Crelocation-model=static", "-Ctarget-feature=+crt-static"];
/// Nothing unwinds when std is rebuilt: no tables for it, no libunwind (an empty archive satisfies std), and the C library of
/// the linker driver instead of rustc's own.
const NO_UNWINDING: [&str; 3] =
    ["-Clink-self-contained=no", "-Cforce-unwind-tables=no", "-Clink-arg=-Wl,--no-eh-frame-hdr"];
/// The program starts itself (`probe/src/start.rs`), which saves the C library's start code and its system calls. An
/// installed std may need what that code prepares.
const OWN_ENTRY: [&str; 2] = ["-Clink-arg=-nostartfiles", "-Clink-arg=-Wl,--entry=mapprobe_entry"];
/// Drops what nothing uses, and what only a linker or a debugger would read.
const SMALL: [&str; 6] = [
    "-Clink-arg=-Wl,--gc-sections,--build-id=none,-z,norelro",
    // Sequences of instructions that occur often become functions; on x86 LLVM does that only when told.
    "-Cllvm-args=-enable-machine-outliner=always",
    // What is put in an order for speed has fewer such sequences: on aarch64 a kilobyte.
    "-Cllvm-args=-disable-post-ra",
    "-Cllvm-args=-enable-misched=0",
    // Measured: what is moved out of loops or kept from an earlier load lives in registers that must be saved.
    "-Cllvm-args=-disable-machine-licm",
    "-Cllvm-args=-gvn-max-num-deps=0",
];
/// GNU ld pads segments to pages unless told otherwise; without the last one, sizes move in steps of 4 kB.
const GNU_LD: [&str; 1] = ["-Clink-arg=-Wl,-z,noseparate-code,-z,common-page-size=64"];

/// What was built, and with which flags.
#[derive(Debug)]
pub struct Built {
    /// The file.
    pub path: PathBuf,
    /// What rustc compiled for.
    pub triple: String,
    /// The compiler's flags that are the same everywhere.
    pub rustflags: Vec<String>,
    /// What turned the compiler's output into a program, and its flags.
    pub linker: Vec<String>,
    /// The crates that were compiled for it.
    pub crates: Vec<Crate>,
    /// What its linker says that it is made of.
    pub map: PathBuf,
    /// The C library that was given to the linker, when it is not the linker's own.
    pub libc: Option<Package>,
}

/// Builds with std rebuilt, or with an installed std when the toolchain has no sources.
pub fn build(
    toolchain: &Toolchain,
    target: &Target,
    source: Source,
    (linker, libc): (&str, Option<(&str, &str)>),
    (rustflags, layout): (&[&str], Option<&str>),
) -> Result<Built> {
    let mut flags = Flags::default();
    flags.add(STATIC);
    flags.add(SMALL);
    let mut triple = target.triple.to_string();
    let mut used = vec![linker.to_string()];
    let mut fetched = None;
    if toolchain.std.is_none() {
        triple = installed_triple(toolchain, target)?;
        if triple != target.triple || libc.is_none() {
            used = vec!["cc".into()];
        } else {
            flags.add([format!("-Clinker={linker}").as_str()]);
        }
    } else {
        flags.add(NO_UNWINDING);
        flags.add(OWN_ENTRY);
        flags.add(rustflags.iter().copied());
        let folder = compile::folder(target);
        fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let empty = folder.join("libunwind.a");
        fs::write(&empty, "!<arch>\n")
            .with_context(|| format!("{} cannot be written", empty.display()))?;
        flags.here.push(format!("-L{}", folder.display()));
        if let Some(layout) = layout {
            // Named by its content: cargo links anew when a flag has changed, not when a file has.
            let script = folder.join(format!("{}.ld", sha256(layout.as_bytes())));
            fs::write(&script, layout)
                .with_context(|| format!("{} cannot be written", script.display()))?;
            flags.here.push(format!("-Clink-arg=-Wl,-T,{}", script.display()));
            used.push(format!("-T targets/{}.ld", target.arch.name()));
        }
        match libc {
            None => {
                flags.add(GNU_LD);
                flags.add([format!("-Clinker={linker}").as_str()]);
            }
            Some((package, arch)) => {
                let (package, libraries) = libc_of(package, arch)?;
                let wrapper = wrapper(toolchain, &folder, linker, &libraries)?;
                fetched = Some(package);
                flags.here.push(format!("-Clinker={}", wrapper.display()));
                used.extend(DRIVER.map(String::from));
            }
        }
    }
    let map = compile::map(target, source);
    fs::create_dir_all(compile::folder(target))
        .context("the folder of intermediate files cannot be made")?;
    let link = [format!("-Clink-arg=-Wl,-Map={}", map.display())];
    let Compiled { path, crates } =
        compile::compile(toolchain, &triple, source, &mut flags, &link)?;
    let map = workspace::root().join(map);
    Ok(Built {
        path,
        triple,
        rustflags: flags.everywhere,
        linker: used,
        crates,
        map,
        libc: fetched,
    })
}

/// The target itself when its std is installed, else the same machine with glibc, which can be linked statically, too.
fn installed_triple(toolchain: &Toolchain, target: &Target) -> Result<String> {
    let gnu = target.triple.replace("-musl", "-gnu");
    let found = [target.triple, &gnu].into_iter().find(|triple| toolchain.has(triple));
    found.map(String::from).with_context(|| toolchain.lacks(target.triple))
}

/// How the cross compiler links with another C library than its own; lld packs segments of 64 KiB pages without padding.
/// Functions with equal instructions become one: nothing here compares functions by their address.
const DRIVER: [&str; 5] = ["-nostdlib", "-static", "-no-pie", "-fuse-ld=lld", "-Wl,--icf=all"];

/// A linker driver made of a cross compiler and a C library it does not know. Its name ends in `-gcc`, since rustc guesses
/// from the name how to talk to it. It drops the libraries that rustc names and that are not to be linked.
fn wrapper(toolchain: &Toolchain, folder: &Path, linker: &str, libc: &Path) -> Result<PathBuf> {
    let lld = toolchain::lld("ld.lld", toolchain)
        .context("No lld is here; install the Debian package lld.")?;
    let lld_folder = folder.join("lld");
    fs::create_dir_all(&lld_folder)
        .with_context(|| format!("{} cannot be made", lld_folder.display()))?;
    let link = lld_folder.join("ld.lld");
    let _ = fs::remove_file(&link);
    symlink(&lld, &link).with_context(|| format!("{} cannot be made", link.display()))?;
    let linker = program(linker).with_context(|| format!("{linker} is not here"))?;
    let (libc, lld_folder, linker) = (quoted(libc)?, quoted(&lld_folder)?, quoted(&linker)?);
    let script = format!(
        "#!/bin/sh\n\
         for word; do\n  shift\n  case $word in\n    -lgcc_s|-lc|-nodefaultlibs) ;;\n    *) set -- \"$@\" \"$word\" ;;\n  esac\n\
         done\n\
         exec {linker} {} -B {lld_folder} \"$@\" -L {libc} -Wl,--start-group -l:libc.a -lgcc -Wl,--end-group\n",
        DRIVER.join(" ")
    );
    let path = folder.join("musl-gcc");
    fs::write(&path, script).with_context(|| format!("{} cannot be written", path.display()))?;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&path, executable)
        .with_context(|| format!("{} cannot be made executable", path.display()))?;
    Ok(path)
}

/// Another architecture's static C library: its package, fetched and only unpacked, and the folder of it.
fn libc_of(package: &str, arch: &str) -> Result<(Package, PathBuf)> {
    let (cache, mirror) = (Cache::open()?, Mirror::from_apt()?);
    let package = mirror.index(&cache, &mirror.suite, arch)?.newest(package)?;
    let libraries = debian::unpack(&cache, &[&package], "usr/lib")?.join("usr/lib");
    let found = fs::read_dir(&libraries).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found = found.filter(|path| path.join("libc.a").is_file());
    match found.next() {
        Some(folder) => Ok((package, folder)),
        None => bail!("{} {} has no libc.a below usr/lib", package.name, package.version),
    }
}

/// A path as a word of the shell.
fn quoted(path: &Path) -> Result<String> {
    let text = path
        .to_str()
        .with_context(|| format!("{} is not UTF-8; build in another folder", path.display()))?;
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}
