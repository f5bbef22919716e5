//! The JSON Schemas of mapprobe's documents and of the envelope that the lab adds.

use anyhow::{Context, Result};
use jsonschema::Validator;
use serde_json::Value;
use std::fmt;

/// The name of the envelope's schema: the value of its key `schema`.
pub const ENVELOPE: &str = "mapprobe.lab";
/// The schema of a report.
pub const REPORT: &str = "mapprobe.report";
/// The schema of a sweep.
pub const SWEEP: &str = "mapprobe.sweep";
/// The schema of a list of free bits.
pub const FREE_BITS: &str = "mapprobe.free-bits";

const SCHEMAS: [(&str, &str); 4] = [
    (REPORT, include_str!("../../probe/schema/mapprobe.report.json")),
    (FREE_BITS, include_str!("../../probe/schema/mapprobe.free-bits.json")),
    (SWEEP, include_str!("../../probe/schema/mapprobe.sweep.json")),
    (ENVELOPE, include_str!("../schema/mapprobe.lab.json")),
];

/// Messages are cut to this number of characters: some of them quote a whole document.
const MAX_MESSAGE: usize = 300;

/// A part of a document that violates the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// A JSON pointer (RFC 6901), or `/` for the whole document.
    pub pointer: String,
    /// One line.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.message)
    }
}

/// The compiled schemas and their names.
#[derive(Debug)]
pub struct Schemas(Vec<(&'static str, Validator)>);

impl Schemas {
    /// Compiles all schemas.
    ///
    /// # Errors
    /// One of the built-in schemas is broken.
    pub fn load() -> Result<Schemas> {
        let compile = |(name, text)| {
            let schema =
                serde_json::from_str(text).with_context(|| format!("{name}.json is not JSON"))?;
            let validator = jsonschema::validator_for(&schema)
                .with_context(|| format!("{name}.json is not a JSON Schema"))?;
            Ok((name, validator))
        };
        Ok(Schemas(SCHEMAS.into_iter().map(compile).collect::<Result<_>>()?))
    }

    /// Checks a value against the schema it names, and a document in an envelope against its own.
    ///
    /// # Errors
    /// The value names no schema or an unknown one.
    pub fn violations(&self, value: &Value) -> Result<Vec<Violation>> {
        let mut violations = self.check(value, "")?;
        if value["schema"] == ENVELOPE && value["document"].is_object() {
            violations.extend(self.check(&value["document"], "/document")?);
        }
        Ok(violations)
    }

    /// Checks a value that is found at a JSON pointer.
    fn check(&self, value: &Value, pointer: &str) -> Result<Vec<Violation>> {
        let name = &value["schema"];
        let schema = self.0.iter().find(|(known, _)| name == known);
        let (_, validator) = schema.with_context(|| self.unknown_schema(name, pointer))?;
        let violation = |error: jsonschema::ValidationError| {
            let pointer = format!("{pointer}{}", error.instance_path());
            Violation {
                pointer: if pointer.is_empty() { "/".into() } else { pointer },
                message: one_line(&error.to_string()),
            }
        };
        Ok(validator.iter_errors(value).map(violation).collect())
    }

    fn unknown_schema(&self, name: &Value, pointer: &str) -> String {
        let problem = match name {
            Value::Null => String::from("no schema is named"),
            name => format!("there is no schema {name}"),
        };
        let key = if pointer.is_empty() { "schema".into() } else { format!("{pointer}/schema") };
        let known: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
        format!("{problem}; the key {key} must be one of {}", known.join(", "))
    }
}

fn one_line(text: &str) -> String {
    let mut line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE).collect();
    if text.chars().count() > MAX_MESSAGE {
        line.push_str("...");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_error_for_an_unknown_schema_lists_the_known_ones() {
        let schemas = Schemas::load().unwrap();
        for (document, expected) in [
            (json!({"schema": "other"}), "\"other\""),
            (json!([1]), "no schema is named"),
            (json!(7), "no schema"),
        ] {
            let error = schemas.violations(&document).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("mapprobe.free-bits"), "{error}");
        }
        let error = schemas
            .violations(&json!({"schema": ENVELOPE, "document": {"schema": "x"}}))
            .unwrap_err()
            .to_string();
        assert!(error.contains("/document/schema"), "{error}");
    }

    #[test]
    fn messages_are_cut_and_fit_on_one_line() {
        assert_eq!(one_line("a\nb"), "a b");
        assert_eq!(
            one_line(&"\u{e4}".repeat(MAX_MESSAGE + 1)),
            "\u{e4}".repeat(MAX_MESSAGE) + "..."
        );
    }
}
