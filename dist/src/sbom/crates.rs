//! The crates of a program, described by their `Cargo.toml` and the lock files of mapprobe and of
//! std.

use super::component::{Component, escaped};
use crate::compile::Crate;
use crate::toolchain::Toolchain;
use crate::workspace;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// `Cargo.lock`.
#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: toml::Value,
    license: Option<toml::Value>,
}

/// A component for each crate, except those of this workspace, and one for std with its own crates
/// as parts.
pub fn components(toolchain: &Toolchain, crates: &[Crate]) -> Result<Vec<Component>> {
    let library = toolchain.std.as_ref().map(|std| std.path.join("library"));
    let locks = Locks {
        own: read(&workspace::root().join("Cargo.lock"))?,
        std: library.as_ref().map(|library| read(&library.join("Cargo.lock"))).transpose()?,
    };
    let mut std = standard_library(toolchain);
    let mut found = Vec::new();
    let of_workspace =
        |one: &&Crate| !is_of_registry(one) && one.manifest.starts_with(workspace::root());
    for one in crates.iter().filter(|one| !of_workspace(one)) {
        match component(one, toolchain.std_version(), library.as_deref(), &locks)? {
            (Origin::Std, component) => std.parts.push(component),
            (Origin::Program, component) => found.push(component),
        }
    }
    std.parts.sort_by(|a, b| a.purl.cmp(&b.purl));
    resolve_dependencies(&mut std.parts);
    std.parts = reached(std.parts);
    std.uses = std.parts.iter().map(|part| part.purl.clone()).collect();
    resolve_dependencies(&mut found);
    found.push(std);
    Ok(found)
}

/// Whether std or the program depends on a crate.
enum Origin {
    Std,
    Program,
}

struct Locks {
    own: Lock,
    /// None if std is installed.
    std: Option<Lock>,
}

/// The component of std, without its parts.
fn standard_library(toolchain: &Toolchain) -> Component {
    let Toolchain { name, .. } = toolchain;
    let description = match toolchain.std {
        Some(_) => {
            format!("Rust's standard library, compiled for this program from the sources of {name}")
        }
        None => format!("Rust's standard library, as installed by {name}"),
    };
    let release = toolchain.std_version();
    Component {
        name: "std".into(),
        version: release.into(),
        licence: Some("MIT OR Apache-2.0".into()),
        purl: rust(release, None),
        description: Some(description),
        ..Component::default()
    }
}

/// The component of a crate. `release` is the Rust release, `library` the directory of std's
/// sources.
fn component(
    one: &Crate,
    release: &str,
    library: Option<&Path>,
    locks: &Locks,
) -> Result<(Origin, Component)> {
    let Manifest { package } = read(&one.manifest)?;
    let in_library = library.filter(|library| one.manifest.starts_with(library));
    // The crates of std have the version 0.0.0.
    let version = package.version.as_str().filter(|version| *version != "0.0.0").unwrap_or(release);
    let is_locked =
        locks.own.package.iter().any(|it| it.name == package.name && it.version == version);
    let origin = if in_library.is_some() || !is_locked { Origin::Std } else { Origin::Program };
    let lock = match origin {
        Origin::Std => locks.std.as_ref(),
        Origin::Program => Some(&locks.own),
    };
    let path =
        in_library.and_then(|library| one.manifest.parent()?.strip_prefix(library.parent()?).ok());
    let purl = match path {
        Some(path) if !is_of_registry(one) => rust(release, Some(path)),
        _ => format!("pkg:cargo/{}@{}", package.name, escaped(version)),
    };
    let entry = lock.and_then(|lock| {
        lock.package.iter().find(|it| it.name == package.name && fits(it, version))
    });
    let licence = package.license.as_ref().and_then(|licence| licence.as_str());
    let component = Component {
        version: version.into(),
        // "MIT/Apache-2.0" is the older syntax of crates.io.
        licence: licence.map(|licence| licence.replace('/', " OR ")),
        purl,
        sha256: entry.and_then(|entry| entry.checksum.clone()),
        uses: entry.map(|entry| entry.dependencies.clone()).unwrap_or_default(),
        name: package.name,
        ..Component::default()
    };
    Ok((origin, component))
}

fn is_of_registry(one: &Crate) -> bool {
    one.id.starts_with("registry+")
}

/// std locks its own crates at 0.0.0.
fn fits(entry: &Locked, version: &str) -> bool {
    entry.version == version || entry.version == "0.0.0"
}

/// Replaces the dependencies of a lock file (`name`, or `name version`) by package URLs. Drops
/// those that are not components.
fn resolve_dependencies(components: &mut [Component]) {
    let names: Vec<(String, String, String)> = components
        .iter()
        .map(|it| (it.name.clone(), it.version.clone(), it.purl.clone()))
        .collect();
    for component in components {
        let named = |on: &String| {
            let (name, version) = on.split_once(' ').unwrap_or((on, ""));
            let there = names
                .iter()
                .find(|(other, its, _)| other == name && (version.is_empty() || its == version));
            there.map(|(_, _, purl)| purl.clone())
        };
        component.uses = component.uses.iter().filter_map(named).collect();
    }
}

/// std and the crates that it depends on. Omits crates that cargo compiles and does not link: those
/// of macros, and `panic_unwind`.
fn reached(parts: Vec<Component>) -> Vec<Component> {
    let linked = |part: &&Component| part.name != "panic_unwind";
    let mut reached: Vec<&Component> = parts.iter().filter(|part| part.name == "std").collect();
    let mut at = 0;
    while let Some(part) = reached.get(at) {
        let used = parts.iter().filter(linked).filter(|other| part.uses.contains(&other.purl));
        let new: Vec<&Component> =
            used.filter(|other| !reached.iter().any(|it| it.purl == other.purl)).collect();
        reached.extend(new);
        at += 1;
    }
    let purls: Vec<String> = reached.iter().map(|part| part.purl.clone()).collect();
    let inside = |part: &Component| purls.contains(&part.purl);
    let mut left: Vec<Component> = parts.into_iter().filter(inside).collect();
    left.iter_mut().for_each(|part| part.uses.retain(|on| purls.contains(on)));
    left
}

/// The package URL of std, or of a directory in its sources.
fn rust(release: &str, path: Option<&Path>) -> String {
    let path = path.map_or_else(String::new, |path| format!("#{}", path.display()));
    format!("pkg:generic/rust-std@{}{path}", escaped(release))
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("cannot parse {}", path.display()))
}
