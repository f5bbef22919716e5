//! `atlas validate`: checks documents against the schemas they name.

use crate::input::{self, Located};
use crate::schema::Schemas;
use anyhow::{Error, Result};
use std::fmt;
use std::path::Path;

/// The result of a validation.
#[derive(Debug, Default)]
pub struct Validation {
    /// The number of documents that were checked.
    pub documents: usize,
    /// How many of them violate their schema.
    pub invalid: usize,
    /// One line per violation.
    pub violations: Vec<String>,
    /// Why files or documents could not be checked.
    pub errors: Vec<Error>,
}

/// The violations and a summary.
impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        let documents = self.documents;
        let noun = if documents == 1 { "document" } else { "documents" };
        match self.invalid {
            0 => writeln!(f, "{documents} {noun}, all valid"),
            invalid => writeln!(f, "{documents} {noun}, {invalid} not valid"),
        }
    }
}

/// Validates all documents of some files.
///
/// # Errors
/// A built-in schema is broken. Errors of files and documents are part of the result.
pub fn validate<P: AsRef<Path>>(files: &[P]) -> Result<Validation> {
    let schemas = Schemas::load()?;
    let mut result = Validation::default();
    for file in files {
        let documents = input::read(file.as_ref()).unwrap_or_else(|error| vec![Err(error)]);
        for document in documents {
            match document.and_then(|document| check(&schemas, &document)) {
                Ok(violations) => {
                    result.documents += 1;
                    result.invalid += usize::from(!violations.is_empty());
                    result.violations.extend(violations);
                }
                Err(error) => result.errors.push(error),
            }
        }
    }
    Ok(result)
}

fn check(schemas: &Schemas, document: &Located) -> Result<Vec<String>> {
    let Located { location, value } = document;
    let violations =
        schemas.violations(value).map_err(|error| error.context(location.to_string()))?;
    Ok(violations.iter().map(|violation| format!("{location}: {violation}")).collect())
}
