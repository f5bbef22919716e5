//! The JSON Schemas: those of mapprobe's documents, and that of the envelope the lab puts them into.

use anyhow::{Context, Result};
use jsonschema::Validator;
use serde_json::Value;

/// The value of the key `schema` of an envelope.
pub const ENVELOPE: &str = "mapprobe.lab";
/// That of a report.
pub const REPORT: &str = "mapprobe.report";
/// That of a sweep.
pub const SWEEP: &str = "mapprobe.sweep";
/// That of what is guaranteed to fail.
pub const FREE_BITS: &str = "mapprobe.free-bits";

/// Every schema by its name.
const TEXTS: [(&str, &str); 4] = [
    (REPORT, include_str!("../../probe/schema/mapprobe.report.json")),
    (FREE_BITS, include_str!("../../probe/schema/mapprobe.free-bits.json")),
    (SWEEP, include_str!("../../probe/schema/mapprobe.sweep.json")),
    (ENVELOPE, include_str!("../schema/mapprobe.lab.json")),
];

/// Characters of a complaint at most: some quote what they complain about.
const COMPLAINT: usize = 300;

/// A place in a document that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The place as a JSON pointer (RFC 6901); the document itself is `/`.
    pub pointer: String,
    /// What is wrong there, on one line.
    pub what: String,
}

/// The schemas, ready for use.
#[derive(Debug)]
pub struct Schemas(Vec<(&'static str, Validator)>);

impl Schemas {
    /// All of them.
    ///
    /// # Errors
    /// A file of the project is no JSON Schema.
    pub fn load() -> Result<Schemas> {
        let load = |(name, text)| {
            let schema =
                serde_json::from_str(text).with_context(|| format!("{name}.json is not JSON"))?;
            let validator = jsonschema::validator_for(&schema);
            Ok((name, validator.with_context(|| format!("{name}.json is not a JSON Schema"))?))
        };
        Ok(Schemas(TEXTS.into_iter().map(load).collect::<Result<_>>()?))
    }

    /// Every place where a document does not fit the schema it names, and where the document in an envelope does not fit its own.
    ///
    /// # Errors
    /// It names no schema, or one that there is not.
    pub fn faults(&self, document: &Value) -> Result<Vec<Fault>> {
        let mut faults = self.check(document, "")?;
        let inner = document.get("document").filter(|inner| inner.is_object());
        if let Some(inner) = inner.filter(|_| document["schema"] == ENVELOPE) {
            faults.extend(self.check(inner, "/document")?);
        }
        Ok(faults)
    }

    fn check(&self, document: &Value, at: &str) -> Result<Vec<Fault>> {
        let named = &document["schema"];
        let found = self.0.iter().find(|(name, _)| named == name);
        let (_, validator) = found.with_context(|| {
            let names: Vec<_> = self.0.iter().map(|(name, _)| *name).collect();
            let named = if named.is_null() {
                "no schema is named".into()
            } else {
                format!("there is no schema {named}")
            };
            let key = if at.is_empty() { "schema".into() } else { format!("{at}/schema") };
            format!("{named}; the key {key} should be one of {}", names.join(", "))
        })?;
        let fault = |error: jsonschema::ValidationError| {
            let pointer = format!("{at}{}", error.instance_path());
            Fault {
                pointer: if pointer.is_empty() { "/".into() } else { pointer },
                what: one_line(&error.to_string()),
            }
        };
        Ok(validator.iter_errors(document).map(fault).collect())
    }
}

fn one_line(text: &str) -> String {
    let mut line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(COMPLAINT).collect();
    if text.chars().count() > COMPLAINT {
        line.push_str("...");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_that_there_is_not_is_answered_with_those_there_are() {
        let schemas = Schemas::load().unwrap();
        for (document, word) in [
            (json!({"schema": "other"}), "\"other\""),
            (json!([1]), "no schema is named"),
            (json!(7), "no schema"),
        ] {
            let error = schemas.faults(&document).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains("mapprobe.free-bits"), "{error}");
        }
        let error = schemas
            .faults(&json!({"schema": ENVELOPE, "document": {"schema": "x"}}))
            .unwrap_err()
            .to_string();
        assert!(error.contains("/document/schema"), "{error}");
    }

    #[test]
    fn long_complaints_are_cut_and_stay_on_one_line() {
        assert_eq!(one_line("a\nb"), "a b");
        assert_eq!(one_line(&"\u{e4}".repeat(COMPLAINT + 1)), "\u{e4}".repeat(COMPLAINT) + "...");
    }
}
