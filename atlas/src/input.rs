//! Files of documents: one on each line (NDJSON), or one document over many lines, as mapprobe prints it.
//! Knows JSON and nothing of what the documents say.

use anyhow::{Context, Error, Result, anyhow};
use serde_json::Value;
use std::fmt;
use std::path::Path;

/// Where a document begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        write!(to, "{}:{}", self.file, self.line)
    }
}

/// A JSON value and where it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Where it begins.
    pub place: Place,
    /// What stands there.
    pub value: Value,
}

/// Every document of a file, or why there is none at that place.
///
/// # Errors
/// The file cannot be read.
pub fn read(file: &Path) -> Result<Vec<Result<Found>>> {
    let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(parse(&file.display().to_string(), &text))
}

/// Every document of some files.
///
/// # Errors
/// Names the first file that cannot be read, or the first place where there is no JSON.
pub fn read_all<P: AsRef<Path>>(files: &[P]) -> Result<Vec<Found>> {
    let mut all = Vec::new();
    for file in files {
        all.extend(read(file.as_ref())?.into_iter().collect::<Result<Vec<_>>>()?);
    }
    Ok(all)
}

/// Every document of a text.
pub fn parse(file: &str, text: &[u8]) -> Vec<Result<Found>> {
    let place = |line| Place { file: file.to_owned(), line };
    let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).enumerate();
    let lines: Vec<_> =
        lines.filter(|(_, line)| !line.is_empty()).map(|(at, line)| (at + 1, line)).collect();
    let Some(&(first, begin)) = lines.first() else {
        return vec![Err(anyhow!(
            "{file} is empty; there should be a JSON document, or one on each line"
        ))];
    };
    match serde_json::from_slice(text) {
        Ok(value) => return vec![Ok(Found { place: place(first), value })],
        // mapprobe prints the outermost bracket alone on its line.
        Err(error) if begin == b"{" => return vec![Err(not_json(&place(error.line()), &error))],
        Err(_) => {}
    }
    let one = |(line, text)| {
        let value = serde_json::from_slice(text).map_err(|error| not_json(&place(line), &error))?;
        Ok(Found { place: place(line), value })
    };
    lines.into_iter().map(one).collect()
}

fn not_json(place: &Place, error: &serde_json::Error) -> Error {
    // The library counts lines of the piece it was given; the place says which line of the file it is.
    let said = error.to_string();
    let what = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    anyhow!("{place}: this is not JSON: {what}, at column {}", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<usize> {
        parse("f", text.as_bytes()).into_iter().map(|found| found.unwrap().place.line).collect()
    }

    fn complaints(text: &str) -> Vec<String> {
        parse("f", text.as_bytes())
            .into_iter()
            .filter_map(|found| Some(found.err()?.to_string()))
            .collect()
    }

    #[test]
    fn one_document_or_one_on_each_line() {
        assert_eq!(places("{\n  \"a\": 1\n}\n"), [1]);
        assert_eq!(places("\n\n{\"a\":1}"), [3]);
        assert_eq!(places("{\"a\":1}\n\n{\"a\":2}\r\n{\"a\":3}\n"), [1, 3, 4]);
    }

    #[test]
    fn what_is_not_json_is_named_with_its_line() {
        let broken = complaints("{\"a\":1}\n{\"a\":\n{\"a\":3}\nnothing\n");
        assert_eq!(broken.len(), 2, "{broken:?}");
        assert!(
            broken[0].starts_with("f:2: this is not JSON: EOF while parsing a value"),
            "{broken:?}"
        );
        assert!(
            broken[1].starts_with("f:4: this is not JSON: expected ident, at column 2"),
            "{broken:?}"
        );
        let broken = complaints("{\n  \"a\": 1,\n  b\n}\n");
        assert!(broken.len() == 1 && broken[0].starts_with("f:3: this is not JSON"), "{broken:?}");
        assert!(complaints(" \n\n")[0].contains("f is empty"));
        assert_eq!(parse("f", b"{\"a\":1}\n\xff\xfe\n").len(), 2);
    }
}
