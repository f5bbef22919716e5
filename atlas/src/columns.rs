//! The columns of the atlas: what is known about each kernel, for each guest.

use crate::document::{
    Document, Envelope, Finding, FreeBits, Head, Made, Origin, Report, Sweep, open,
};
use crate::input::{Found, Place};
use crate::schema::Schemas;
use anyhow::{Result, ensure};
use mapprobe::arch::Arch;
use mapprobe::flags::TABLE;
use serde_json::Value;

/// The guest that is shown unless another one is chosen: the program as PID 1.
pub const PLAIN: &str = "root";

/// A kernel as one guest saw it.
#[derive(Clone, Debug)]
pub struct Column {
    /// The architecture whose numbers were used.
    pub arch: Arch,
    /// The kernel's name: the lab's, or what uname(2) says.
    pub kernel: String,
    /// Who ran the program.
    pub guest: String,
    /// How it came about; `None` when a bare document does not say.
    pub made: Option<Made>,
    /// What the kernel was made of, if that is known.
    pub origin: Option<Origin>,
    /// A verdict per flag.
    pub report: Option<Report>,
    /// What is guaranteed to fail.
    pub free_bits: Option<FreeBits>,
    /// Every answer.
    pub sweep: Option<Sweep>,
}

impl Column {
    /// What any of its documents begins with, the report's first.
    pub fn head(&self) -> Option<&Head> {
        let report = self.report.as_ref().map(|report| &report.head);
        let free_bits = self.free_bits.as_ref().map(|free_bits| &free_bits.head);
        report.or(free_bits).or(self.sweep.as_ref().map(|sweep| &sweep.head))
    }

    /// What its report says about a flag.
    pub fn finding(&self, flag: &str) -> Option<&Finding> {
        self.report.as_ref()?.flags.iter().find(|finding| finding.name == flag)
    }

    /// The name of the kernel in two parts, where it has the lab's form: `hppa64` and `6.1`.
    pub fn name(&self) -> (&str, &str) {
        self.kernel.split_once('-').unwrap_or(("", &self.kernel))
    }

    fn is(&self, other: &Column) -> bool {
        (self.arch, &self.kernel, &self.guest, self.made)
            == (other.arch, &other.kernel, &other.guest, other.made)
    }
}

/// The columns of some documents: by architecture, then the older kernels first.
///
/// # Errors
/// Names the place of a document that does not fit its schema, and both places when two say something about the same.
pub fn gather(schemas: &Schemas, documents: &[Found]) -> Result<Vec<Column>> {
    let mut columns: Vec<(Column, Vec<(Place, &Value)>)> = Vec::new();
    for found in documents {
        let (envelope, document) = open(schemas, found)?;
        let new = column(envelope, document.head());
        let at = columns.iter().position(|(column, _)| column.is(&new)).unwrap_or(columns.len());
        if at == columns.len() {
            columns.push((new, Vec::new()));
        }
        let Some((column, seen)) = columns.get_mut(at) else { continue };
        let inside = found.value.get("document").unwrap_or(&found.value);
        if let Some((place, other)) =
            seen.iter().find(|(_, other)| other["schema"] == inside["schema"])
        {
            ensure!(
                *other == inside,
                "{}: a second {} of {} as {}, and it says something else than the first at {place}",
                found.place,
                inside["schema"].as_str().unwrap_or("document"),
                column.kernel,
                column.guest
            );
        }
        seen.push((found.place.clone(), inside));
        match document {
            Document::Report(report) => column.report = Some(report),
            Document::FreeBits(free_bits) => column.free_bits = Some(free_bits),
            Document::Sweep(sweep) => column.sweep = Some(sweep),
        }
    }
    let mut columns: Vec<Column> = columns.into_iter().map(|(column, _)| column).collect();
    // Whatever order the files were named in.
    columns.sort_by(|a, b| key(a).cmp(&key(b)));
    Ok(columns)
}

fn key(column: &Column) -> impl Ord + '_ {
    let guest = (column.guest != PLAIN, column.guest.as_str());
    (column.arch as usize, version(&column.kernel), column.kernel.as_str(), guest, column.made)
}

/// An empty column for a document.
fn column(envelope: Option<Envelope>, head: &Head) -> Column {
    let named = Arch::ALL.into_iter().find(|arch| arch.name() == head.tool.arch);
    // The schema knows the same names.
    let arch = named.unwrap_or(Arch::X86_64);
    let empty = Column {
        arch,
        kernel: String::new(),
        guest: String::new(),
        made: None,
        origin: None,
        report: None,
        free_bits: None,
        sweep: None,
    };
    match envelope {
        Some(Envelope { kernel, guest, origin, made, .. }) => {
            Column { kernel, guest, made: Some(made), origin: Some(origin), ..empty }
        }
        None => Column {
            kernel: format!("{}-{}", head.tool.arch, head.kernel.release),
            guest: if head.process.euid == Some(0) { PLAIN } else { "user" }.to_owned(),
            ..empty
        },
    }
}

/// The numbers of the version in a kernel's name, to compare by: `x86_64-7.x` is newer than every `x86_64-7.2`. The names of
/// architectures have no number that stands alone.
fn version(name: &str) -> Vec<u64> {
    let alone = |at: usize| !name[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let digit = |(at, c): &(usize, char)| c.is_ascii_digit() && alone(*at);
    let Some((start, _)) = name.char_indices().find(digit) else { return Vec::new() };
    let text = name[start..]
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .next()
        .unwrap_or_default();
    let number = |part: &str| if part == "x" { u64::MAX } else { part.parse().unwrap_or(0) };
    text.split('.').map(number).collect()
}

/// The names of the flags in some reports: those of the table in its order, then others as they come.
pub fn flags(columns: &[Column]) -> Vec<&str> {
    let found = columns.iter().filter_map(|column| column.report.as_ref());
    let found: Vec<&str> =
        found.flat_map(|report| report.flags.iter().map(|finding| finding.name.as_str())).collect();
    let mut names: Vec<&str> =
        TABLE.iter().map(|flag| flag.name.plain()).filter(|name| found.contains(name)).collect();
    for name in found {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let mut names = [
            "x86_64-7.x",
            "x86_64-6.12",
            "x86_64-6.1",
            "x86_64-4.10",
            "x86_64-6.1.0-50-cloud",
            "x86_64",
        ];
        names.sort_by_key(|name| version(name));
        assert_eq!(
            names,
            [
                "x86_64",
                "x86_64-4.10",
                "x86_64-6.1",
                "x86_64-6.1.0-50-cloud",
                "x86_64-6.12",
                "x86_64-7.x"
            ]
        );
        assert_eq!(
            (version("hppa64-6.1"), version("aarch64-7.x-16k")),
            (vec![6, 1], vec![7, u64::MAX])
        );
        assert_eq!(version("<img 7\u{e4}>"), [7]);
    }
}
