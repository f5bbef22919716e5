//! The evidence behind every cell as compact JSON for `templates/page.js`. Most texts occur
//! thousands of times, so a list holds each text once and the cells refer to its index.

use crate::columns::Column;
use crate::document::{Finding, Origin};
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::HashMap;

#[derive(Serialize)]
struct Evidence<'a> {
    texts: Vec<&'a str>,
    columns: Vec<ColumnEvidence<'a>>,
}

#[derive(Serialize)]
struct ColumnEvidence<'a> {
    kernel: &'a str,
    scenario: &'a str,
    origin: Option<&'static str>,
    /// Names and evidence.
    environment: Vec<(&'a str, &'a str)>,
    flags: Vec<Option<Cell>>,
}

/// A finding as indices of texts. It is a JSON array of three arrays to keep the page small.
#[derive(Serialize)]
struct Cell(Fields, Vec<CellContext>, Calls);

/// Value, first version, verdict, reason code and reason.
type Fields = (usize, usize, usize, usize, usize);
/// Map type, backing and outcome.
type CellContext = (usize, usize, usize);
type Calls = Vec<usize>;

/// A list without duplicates.
#[derive(Default)]
struct Texts<'a> {
    list: Vec<&'a str>,
    indices: HashMap<&'a str, usize>,
}

impl<'a> Texts<'a> {
    fn index(&mut self, text: &'a str) -> usize {
        *self.indices.entry(text).or_insert_with(|| {
            self.list.push(text);
            self.list.len() - 1
        })
    }

    fn cell(&mut self, finding: &'a Finding) -> Cell {
        let fields = (
            self.index(finding.value.as_deref().unwrap_or("none")),
            self.index(&finding.since),
            self.index(&finding.verdict),
            self.index(&finding.reason_code),
            self.index(&finding.reason),
        );
        let contexts = finding
            .contexts
            .iter()
            .map(|context| {
                let [map_type, backing] = [&context.map_type, &context.backing];
                (self.index(map_type), self.index(backing), self.index(&context.outcome))
            })
            .collect();
        let calls = finding.evidence.iter().map(|call| self.index(call)).collect();
        Cell(fields, contexts, calls)
    }
}

/// The evidence as JSON that is safe inside a `script` element.
///
/// # Errors
/// Serialization fails.
pub fn json(columns: &[&Column], flags: &[&str]) -> Result<String> {
    let mut texts = Texts::default();
    let columns = columns.iter().map(|column| column_evidence(column, flags, &mut texts)).collect();
    let json = serde_json::to_string(&Evidence { columns, texts: texts.list })
        .context("the evidence cannot be written as JSON")?;
    // `</script>` and `<!--` would end the element or start a comment. Inside JSON strings the
    // escapes have the same meaning.
    Ok(json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"))
}

fn column_evidence<'a>(
    column: &'a Column,
    flags: &[&str],
    texts: &mut Texts<'a>,
) -> ColumnEvidence<'a> {
    let environment = column.header().map(|header| header.environment.as_slice());
    ColumnEvidence {
        kernel: &column.kernel,
        scenario: &column.scenario,
        origin: column.origin.map(Origin::word),
        environment: environment
            .unwrap_or_default()
            .iter()
            .map(|interference| (interference.name.as_str(), interference.evidence.as_str()))
            .collect(),
        flags: flags
            .iter()
            .map(|name| column.finding(name).map(|finding| texts.cell(finding)))
            .collect(),
    }
}
