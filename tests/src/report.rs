//! Parses reports: JSON that fits its schema.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::Path;

/// The paths of the schemas in the project.
const SCHEMAS: [&str; 3] = [
    "probe/schema/mapprobe.report.json",
    "probe/schema/mapprobe.sweep.json",
    "probe/schema/mapprobe.free-bits.json",
];

/// Parses a report.
///
/// # Errors
/// The text is not JSON, or does not fit its schema: the error lists every violation.
pub fn parse(text: &[u8]) -> Result<Value> {
    let report: Value = serde_json::from_slice(text)
        .with_context(|| format!("The report is not JSON: {}", String::from_utf8_lossy(text)))?;
    let name = report["schema"].as_str().unwrap_or_default();
    let file = SCHEMAS.into_iter().find(|file| file.ends_with(&format!("/{name}.json")));
    let file = file.with_context(|| {
        format!("The schema {name:?} is unknown; the schemas are {}", SCHEMAS.join(", "))
    })?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let schema = std::fs::read(&path).with_context(|| format!("{file} cannot be read."))?;
    let schema = serde_json::from_slice(&schema).with_context(|| format!("{file} is not JSON."))?;
    validate(&schema, &report).with_context(|| format!("The report does not fit {file}."))?;
    Ok(report)
}

fn validate(schema: &Value, report: &Value) -> Result<()> {
    let validator = jsonschema::validator_for(schema).context("The file is not a JSON Schema.")?;
    let errors: Vec<String> = validator
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    ensure!(errors.is_empty(), "{}", errors.join("\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_violation_is_reported_with_its_path() {
        let schema = json!({
            "properties": {"flags": {"items": {"required": ["name"]}}}, "required": ["complete"]
        });
        validate(&schema, &json!({"flags": [{"name": "MAP_FIXED"}], "complete": true})).unwrap();
        let error = validate(&schema, &json!({"flags": [{"name": "MAP_FIXED"}, {}]}))
            .unwrap_err()
            .to_string();
        assert!(error.contains("/flags/1") && error.contains("complete"), "{error}");
    }
}
