//! The crates of a program: those that cargo compiled for its target, with what their `Cargo.toml` and the lock files of
//! mapprobe and of std say about them.

use super::{Component, escaped};
use crate::compile::Crate;
use crate::toolchain::Toolchain;
use crate::workspace;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// A lock file of cargo, as far as it is read.
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

/// A component for each crate, and one for std, which has the crates of its own as parts. mapprobe is none of them.
pub fn components(toolchain: &Toolchain, crates: &[Crate]) -> Result<Vec<Component>> {
    let release = toolchain.version.split_whitespace().nth(1).unwrap_or_default();
    let release = toolchain.std.as_ref().map_or(release, |std| &std.version);
    let library = toolchain.std.as_ref().map(|std| std.path.join("library"));
    let mut std = Component {
        name: "std".into(),
        version: release.into(),
        licence: Some("MIT OR Apache-2.0".into()),
        purl: rust(release, None),
        remark: Some(match &library {
            Some(_) => {
                format!(
                    "Rust's standard library, compiled for this program from the sources of {}",
                    toolchain.name
                )
            }
            None => format!("Rust's standard library, as {} has it installed", toolchain.name),
        }),
        ..Component::default()
    };
    let theirs = library.as_ref().map(|library| lock(&library.join("Cargo.lock"))).transpose()?;
    let ours = lock(&workspace::root().join("Cargo.lock"))?;
    let mut found = Vec::new();
    for one in
        crates.iter().filter(|one| !one.manifest.starts_with(workspace::root().join("probe")))
    {
        let Manifest { package } = read(&one.manifest)?;
        // What the registry does not give is std's own, below its folder. cargo locks it at a version that is no release.
        let registry = one.id.starts_with("registry+");
        let own = library.as_ref().filter(|library| one.manifest.starts_with(library));
        let version = package
            .version
            .as_str()
            .filter(|version| *version != "0.0.0")
            .unwrap_or(release)
            .to_owned();
        let is_ours =
            ours.package.iter().any(|it| it.name == package.name && it.version == version);
        let of_std = own.is_some() || !is_ours;
        let lock = if of_std { theirs.as_ref() } else { Some(&ours) };
        let place = own.and_then(|own| one.manifest.parent()?.strip_prefix(own.parent()?).ok());
        let purl = match (registry, place) {
            (false, Some(place)) => rust(release, Some(place)),
            _ => format!("pkg:cargo/{}@{}", package.name, escaped(&version)),
        };
        let entry = lock.and_then(|lock| {
            lock.package.iter().find(|it| it.name == package.name && fits(it, &version))
        });
        let licence = package.license.as_ref().and_then(|licence| licence.as_str());
        let component = Component {
            name: package.name.clone(),
            version: version.clone(),
            // crates.io's older way to say "or".
            licence: licence.map(|licence| licence.replace('/', " OR ")),
            purl,
            sha256: entry.and_then(|entry| entry.checksum.clone()),
            uses: entry.map(|entry| entry.dependencies.clone()).unwrap_or_default(),
            ..Component::default()
        };
        if of_std { std.parts.push(component) } else { found.push(component) }
    }
    std.parts.sort_by(|a, b| a.purl.cmp(&b.purl));
    join(&mut std.parts);
    std.parts = reached(std.parts);
    std.uses = std.parts.iter().map(|part| part.purl.clone()).collect();
    join(&mut found);
    found.push(std);
    Ok(found)
}

/// Whether an entry of a lock file is of this version. std locks its own crates at 0.0.0.
fn fits(entry: &Locked, version: &str) -> bool {
    entry.version == version || entry.version == "0.0.0"
}

/// Turns the names a lock file has (`name`, or `name version`) into package URLs, and drops what is not inside.
fn join(components: &mut [Component]) {
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

/// What std uses, itself among it. cargo compiles more: crates of macros, and the runtime of panics that unwind, which is not
/// linked where none does.
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

/// A place in Rust's own sources.
fn rust(release: &str, place: Option<&Path>) -> String {
    let place = place.map_or_else(String::new, |place| format!("#{}", place.display()));
    format!("pkg:generic/rust-std@{}{place}", escaped(release))
}

fn lock(path: &Path) -> Result<Lock> {
    read(path)
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not what cargo writes", path.display()))
}
