//! The columns of the page: everything that is known about a kernel in one scenario.

use crate::document::{
    self, DEFAULT_SCENARIO, Document, Envelope, Finding, FreeBits, Header, Origin, Report, Source,
    Sweep,
};
use crate::flag_table;
use crate::input::{Located, Location};
use crate::schema::Schemas;
use anyhow::{Context, Result, ensure};
use mapprobe::arch::Arch;
use serde_json::Value;

/// A kernel in one scenario.
#[derive(Clone, Debug)]
pub struct Column {
    pub arch: Arch,
    /// The name in the lab, or the architecture and release of a document without an envelope.
    pub kernel: String,
    pub scenario: String,
    /// `None` for documents without an envelope.
    pub origin: Option<Origin>,
    /// `None` for documents without an envelope.
    pub source: Option<Source>,
    pub report: Option<Report>,
    pub free_bits: Option<FreeBits>,
    pub sweep: Option<Sweep>,
}

impl Column {
    fn new(envelope: Option<Envelope>, header: &Header) -> Result<Column> {
        let arch = Arch::ALL
            .into_iter()
            .find(|arch| arch.name() == header.tool.arch)
            .with_context(|| format!("unknown architecture {}", header.tool.arch))?;
        let (kernel, scenario, origin, source) = match envelope {
            Some(Envelope { kernel, scenario, origin, source }) => {
                (kernel, scenario, Some(origin), Some(source))
            }
            None => {
                let kernel = format!("{}-{}", header.tool.arch, header.kernel.release);
                let is_root = header.process.euid == Some(0);
                (kernel, if is_root { DEFAULT_SCENARIO } else { "user" }.to_owned(), None, None)
            }
        };
        let (report, free_bits, sweep) = (None, None, None);
        Ok(Column { arch, kernel, scenario, origin, source, report, free_bits, sweep })
    }

    fn insert(&mut self, document: Document) {
        match document {
            Document::Report(report) => self.report = Some(report),
            Document::FreeBits(free_bits) => self.free_bits = Some(free_bits),
            Document::Sweep(sweep) => self.sweep = Some(sweep),
        }
    }

    /// The header of the report, or of another document if there is no report.
    pub fn header(&self) -> Option<&Header> {
        let report = self.report.as_ref().map(|report| &report.header);
        let free_bits = self.free_bits.as_ref().map(|free_bits| &free_bits.header);
        report.or(free_bits).or(self.sweep.as_ref().map(|sweep| &sweep.header))
    }

    /// What the report says about a flag.
    pub fn finding(&self, flag: &str) -> Option<&Finding> {
        self.report.as_ref()?.flags.iter().find(|finding| finding.name == flag)
    }

    /// The architecture and the version in the name of the kernel: `hppa64` and `6.1`. The first
    /// part is empty if the name has no dash.
    pub fn family_and_series(&self) -> (&str, &str) {
        self.kernel.split_once('-').unwrap_or(("", &self.kernel))
    }

    fn is_about_same_kernel(&self, other: &Column) -> bool {
        (self.arch, &self.kernel, &self.scenario, self.origin)
            == (other.arch, &other.kernel, &other.scenario, other.origin)
    }

    /// Columns are sorted by architecture, then from the oldest to the newest kernel.
    fn sort_key(&self) -> impl Ord + '_ {
        let scenario = (self.scenario != DEFAULT_SCENARIO, self.scenario.as_str());
        let kernel = (version(&self.kernel), self.kernel.as_str());
        (self.arch as usize, kernel, scenario, self.origin)
    }
}

/// A column and the documents it was built from.
struct Group<'a> {
    column: Column,
    documents: Vec<(&'a Location, &'a Value)>,
}

/// Groups documents into sorted columns.
///
/// # Errors
/// A document is invalid, or two documents of the same kind describe a kernel differently.
pub fn gather(schemas: &Schemas, documents: &[Located]) -> Result<Vec<Column>> {
    let mut groups: Vec<Group> = Vec::new();
    for located in documents {
        let Located { location, value } = located;
        let (envelope, document) = document::open(schemas, located)?;
        let new = Column::new(envelope, document.header()).with_context(|| location.to_string())?;
        let value = document::inner(value);
        match groups.iter_mut().find(|group| group.column.is_about_same_kernel(&new)) {
            Some(group) => {
                ensure_no_contradiction(group, location, value)?;
                group.column.insert(document);
                group.documents.push((location, value));
            }
            None => {
                let mut column = new;
                column.insert(document);
                groups.push(Group { column, documents: vec![(location, value)] });
            }
        }
    }
    let mut columns: Vec<Column> = groups.into_iter().map(|group| group.column).collect();
    columns.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    Ok(columns)
}

fn ensure_no_contradiction(group: &Group, location: &Location, value: &Value) -> Result<()> {
    let schema = &value["schema"];
    let same_kind = group.documents.iter().find(|(_, other)| other["schema"] == *schema);
    if let Some((first, other)) = same_kind {
        ensure!(
            *other == value,
            "{location}: a second {} of {} as {} differs from the first one at {first}",
            schema.as_str().unwrap_or("document"),
            group.column.kernel,
            group.column.scenario
        );
    }
    Ok(())
}

/// A part of a version number. `x` stands for the newest release of a series.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum VersionPart {
    Number(u64),
    Newest,
}

/// The version in the name of a kernel, for comparisons. The search skips digits that belong to
/// the name of an architecture, such as `x86_64`.
fn version(name: &str) -> Vec<VersionPart> {
    let starts_word =
        |at: usize| !name[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let start = name.char_indices().find(|&(at, c)| c.is_ascii_digit() && starts_word(at));
    let Some((start, _)) = start else { return Vec::new() };
    let text = name[start..]
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .next()
        .unwrap_or_default();
    let part = |part: &str| match part {
        "x" => VersionPart::Newest,
        number => VersionPart::Number(number.parse().unwrap_or(0)),
    };
    text.split('.').map(part).collect()
}

/// The flags of all reports: those of mapprobe's table in its order, then the others.
pub fn flags(columns: &[Column]) -> Vec<&str> {
    let reported: Vec<&str> = columns
        .iter()
        .filter_map(|column| column.report.as_ref())
        .flat_map(|report| report.flags.iter().map(|finding| finding.name.as_str()))
        .collect();
    let mut names: Vec<&str> = flag_table::names().filter(|name| reported.contains(name)).collect();
    for name in reported {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::VersionPart::{Newest, Number};
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let sorted = [
            "x86_64",
            "x86_64-4.10",
            "x86_64-6.1",
            "x86_64-6.1.0-50-cloud",
            "x86_64-6.12",
            "x86_64-7.x",
        ];
        let mut names = sorted;
        names.reverse();
        names.sort_by_key(|name| version(name));
        assert_eq!(names, sorted);
        assert_eq!(version("hppa64-6.1"), [Number(6), Number(1)]);
        assert_eq!(version("aarch64-7.x-16k"), [Number(7), Newest]);
        assert_eq!(version("<img 7\u{e4}>"), [Number(7)]);
    }
}
