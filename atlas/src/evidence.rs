//! The evidence behind every cell, as one compact JSON text for the page. The same few hundred sentences come back thousands of times, so
//! each is told once and named by its number.

use crate::columns::Column;
use crate::document::Finding;
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::HashMap;

/// Numbers of texts: value, since, verdict, reason code, reason; the contexts by three; the calls.
type Packed = ([usize; 5], Vec<[usize; 3]>, Vec<usize>);

#[derive(Serialize)]
struct Data<'a> {
    texts: Vec<&'a str>,
    columns: Vec<Seen<'a>>,
}

#[derive(Serialize)]
struct Seen<'a> {
    kernel: &'a str,
    arch: &'static str,
    guest: &'a str,
    made: Option<&'static str>,
    environment: Vec<(&'a str, &'a str)>,
    flags: Vec<Option<Packed>>,
}

/// Texts, each once.
#[derive(Default)]
struct Texts<'a> {
    all: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Texts<'a> {
    fn number(&mut self, text: &'a str) -> usize {
        *self.places.entry(text).or_insert_with(|| {
            self.all.push(text);
            self.all.len() - 1
        })
    }

    fn pack(&mut self, finding: &'a Finding) -> Packed {
        let value = finding.value.as_deref().unwrap_or("none");
        let words =
            [value, &finding.since, &finding.verdict, &finding.reason_code, &finding.reason];
        let words = words.map(|word| self.number(word));
        let contexts = finding.contexts.iter();
        let contexts = contexts
            .map(|it| [&it.map_type, &it.backing, &it.outcome].map(|word| self.number(word)))
            .collect();
        (words, contexts, finding.evidence.iter().map(|call| self.number(call)).collect())
    }
}

/// The evidence of these columns for these flags, as JSON that may stand inside of a `script` element.
///
/// # Errors
/// It cannot be written as JSON.
pub fn json(columns: &[&Column], flags: &[&str]) -> Result<String> {
    let mut texts = Texts::default();
    let seen = columns.iter().map(|column| {
        let lies = column.head().map(|head| head.environment.as_slice()).unwrap_or_default();
        Seen {
            kernel: &column.kernel,
            arch: column.arch.name(),
            guest: &column.guest,
            made: column.made.map(|made| made.word()),
            environment: lies
                .iter()
                .map(|lie| (lie.name.as_str(), lie.evidence.as_str()))
                .collect(),
            flags: flags
                .iter()
                .map(|&name| column.finding(name).map(|finding| texts.pack(finding)))
                .collect(),
        }
    });
    let columns = seen.collect();
    let json = serde_json::to_string(&Data { texts: texts.all, columns })
        .context("The evidence is no JSON")?;
    // Nothing in it may end the element or begin a comment; inside of strings these escapes mean the same.
    Ok(json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"))
}
