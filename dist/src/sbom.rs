//! The software bill of materials: CycloneDX 1.6 (ECMA-424) as JSON. Its components are the crates
//! that cargo compiled ([`crates`]) and the libraries that the linker added ([`linked`]).

pub mod component;
pub mod crates;
pub mod linked;

use crate::compile::{Built, Source};
use crate::toolchain::Toolchain;
use crate::{date, manifest};
use anyhow::{Context, Result};
use component::Component;
use serde_json::{Value, json};
use targets::{Backend, Target};

/// The components of a program, sorted by name.
pub fn components(toolchain: &Toolchain, target: &Target, built: &Built) -> Result<Vec<Component>> {
    let mut found = crates::components(toolchain, &built.crates)?;
    found.extend(linked::components(built)?);
    if let Backend::Wasm2c { .. } = target.backend {
        found.push(linked::translator()?);
    }
    found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(found)
}

/// The document for a program.
pub fn write(target: &Target, program: &[u8], components: &[Component]) -> Result<Vec<u8>> {
    let sum = manifest::sha256(program);
    let (name, version, arch) =
        (Source::Program.name(), env!("CARGO_PKG_VERSION"), target.arch.name());
    let root = format!("pkg:generic/{name}@{version}?arch={arch}");
    let mut uses = vec![
        json!({"ref": root, "dependsOn": components.iter().map(|it| &it.purl).collect::<Vec<_>>()}),
    ];
    for component in components.iter().flat_map(|it| std::iter::once(it).chain(&it.parts)) {
        let mut on: Vec<&String> = component.uses.iter().collect();
        on.sort();
        uses.push(json!({"ref": component.purl, "dependsOn": on}));
    }
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", uuid(&sum)),
        "version": 1,
        "metadata": {
            "timestamp": date::text("%Y-%m-%dT%H:%M:%SZ")?,
            "tools": {"components": [
                {"type": "application", "name": "cargo dist of mapprobe", "version": version}
            ]},
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": name,
                "version": version,
                "hashes": [{"alg": "SHA-256", "content": sum}],
                "licenses": [{"expression": env!("CARGO_PKG_LICENSE")}],
                "purl": root,
            },
        },
        "components": components.iter().map(value).collect::<Vec<_>>(),
        "dependencies": uses,
    });
    let mut text = serde_json::to_vec_pretty(&document)
        .context("cannot write the bill of materials as JSON")?;
    text.push(b'\n');
    Ok(text)
}

fn value(component: &Component) -> Value {
    let Component { name, version, licence, purl, sha256, description, parts, .. } = component;
    let mut value = json!({"type": "library", "bom-ref": purl, "name": name, "version": version});
    if let Some(description) = description {
        value["description"] = json!(description);
    }
    if let Some(sha256) = sha256 {
        value["hashes"] = json!([{"alg": "SHA-256", "content": sha256}]);
    }
    if let Some(licence) = licence {
        value["licenses"] = json!([{"expression": licence}]);
    }
    value["purl"] = json!(purl);
    if !parts.is_empty() {
        value["components"] = parts.iter().map(self::value).collect();
    }
    value
}

/// A UUID of version 8 (RFC 9562) made from a SHA-256 in hexadecimal.
fn uuid(sum: &str) -> String {
    format!("{}-{}-8{}-8{}-{}", &sum[..8], &sum[8..12], &sum[12..15], &sum[15..18], &sum[18..30])
}
