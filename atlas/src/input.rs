//! Reads JSON from files: one document per line (NDJSON), or one document over several lines, as
//! mapprobe prints it. Does not interpret the documents.

use anyhow::{Context, Error, Result, anyhow};
use serde_json::Value;
use std::fmt;
use std::path::Path;

/// Where a document starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The path as given by the user.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A JSON value and its location in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    pub location: Location,
    pub value: Value,
}

/// Reads the documents of a file. Each one is a value or an error with its location.
///
/// # Errors
/// The file cannot be read.
pub fn read(file: &Path) -> Result<Vec<Result<Located>>> {
    let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(parse(&file.display().to_string(), &text))
}

/// Reads the documents of several files.
///
/// # Errors
/// A file cannot be read or holds invalid JSON. Only the first error is returned.
pub fn read_all<P: AsRef<Path>>(files: &[P]) -> Result<Vec<Located>> {
    let mut all = Vec::new();
    for file in files {
        for document in read(file.as_ref())? {
            all.push(document?);
        }
    }
    Ok(all)
}

/// Parses the content of a file.
pub fn parse(file: &str, text: &[u8]) -> Vec<Result<Located>> {
    let location = |line| Location { file: file.to_owned(), line };
    let lines: Vec<(usize, &[u8])> = text
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    let Some(&(first_number, first_line)) = lines.first() else {
        return vec![Err(anyhow!("{file} is empty; expected a JSON document, or one per line"))];
    };
    match serde_json::from_slice(text) {
        Ok(value) => return vec![Ok(Located { location: location(first_number), value })],
        // mapprobe prints the outermost bracket on a line of its own.
        Err(error) if first_line == b"{" => {
            return vec![Err(invalid_json(&location(error.line()), &error))];
        }
        Err(_) => {}
    }
    let parse_line = |(number, line)| match serde_json::from_slice(line) {
        Ok(value) => Ok(Located { location: location(number), value }),
        Err(error) => Err(invalid_json(&location(number), &error)),
    };
    lines.into_iter().map(parse_line).collect()
}

fn invalid_json(location: &Location, error: &serde_json::Error) -> Error {
    // serde_json counts lines from the start of its input, which may be one line of the file.
    let message = error.to_string();
    let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
    anyhow!("{location}: invalid JSON: {reason}, at column {}", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_numbers(text: &str) -> Vec<usize> {
        parse("f", text.as_bytes())
            .into_iter()
            .map(|document| document.unwrap().location.line)
            .collect()
    }

    fn errors(text: &str) -> Vec<String> {
        parse("f", text.as_bytes())
            .into_iter()
            .filter_map(|document| Some(document.err()?.to_string()))
            .collect()
    }

    #[test]
    fn a_file_holds_one_document_or_one_per_line() {
        assert_eq!(line_numbers("{\n  \"a\": 1\n}\n"), [1]);
        assert_eq!(line_numbers("\n\n{\"a\":1}"), [3]);
        assert_eq!(line_numbers("{\"a\":1}\n\n{\"a\":2}\r\n{\"a\":3}\n"), [1, 3, 4]);
    }

    #[test]
    fn invalid_json_is_reported_with_its_line() {
        let broken = errors("{\"a\":1}\n{\"a\":\n{\"a\":3}\nnothing\n");
        assert_eq!(broken.len(), 2, "{broken:?}");
        assert!(
            broken[0].starts_with("f:2: invalid JSON: EOF while parsing a value"),
            "{broken:?}"
        );
        assert!(
            broken[1].starts_with("f:4: invalid JSON: expected ident, at column 2"),
            "{broken:?}"
        );
        let broken = errors("{\n  \"a\": 1,\n  b\n}\n");
        assert!(broken.len() == 1 && broken[0].starts_with("f:3: invalid JSON"), "{broken:?}");
        assert!(errors(" \n\n")[0].contains("f is empty"));
        assert_eq!(parse("f", b"{\"a\":1}\n\xff\xfe\n").len(), 2);
    }
}
