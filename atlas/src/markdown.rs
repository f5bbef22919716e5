//! The atlas as Markdown: the page without the evidence.

use crate::columns::{Column, flags};
use crate::describe::{self, accepted_by, count, facts, kernel_names};
use crate::document::{DEFAULT_SCENARIO, Origin, Rejected};
use crate::formatting::{hexes, ranges};
use crate::free;
use crate::legend::{verdict_meaning, verdict_word};
use crate::unusable;
use mapprobe::arch::Arch;
use mapprobe::verdict::Verdict;

/// Renders the scenario that the page shows first.
pub fn text(columns: &[Column]) -> String {
    let reported = describe::reported(columns);
    let scenario = describe::scenarios(&reported).first().copied().unwrap_or(DEFAULT_SCENARIO);
    let in_scenario: Vec<&Column> =
        columns.iter().filter(|column| column.scenario == scenario).collect();
    let reported: Vec<&Column> =
        reported.into_iter().filter(|column| column.scenario == scenario).collect();
    [
        String::from(
            "# Which mmap(2) flags does a kernel honor?\n\n\
             Found out by experiment with mapprobe, never from a version number.\n",
        ),
        matrices(&reported, &flags(columns)),
        legend(&reported),
        free_bits(&in_scenario),
        unusable_bits(&in_scenario),
        kernels(&reported),
    ]
    .concat()
}

fn matrices(columns: &[&Column], flags: &[&str]) -> String {
    let mut text = String::new();
    for arch in Arch::ALL {
        let columns: Vec<&Column> =
            columns.iter().filter(|column| column.arch == arch).copied().collect();
        if !columns.is_empty() {
            text += &format!("\n## {}\n\n{}", arch.name(), matrix(&columns, flags));
        }
    }
    text
}

fn matrix(columns: &[&Column], flags: &[&str]) -> String {
    let mut heads = vec!["Flag".to_owned()];
    heads.extend(columns.iter().map(|column| kernel_names(&[column])));
    let row = |flag: &&str| {
        let mut row = vec![format!("`{flag}`")];
        row.extend(columns.iter().map(|column| describe::cell(column, flag).to_owned()));
        row
    };
    table(&heads, &flags.iter().map(row).collect::<Vec<_>>())
}

fn legend(columns: &[&Column]) -> String {
    let row = |verdict: Verdict| {
        let total: usize = columns.iter().map(|column| count(column, verdict)).sum();
        let (word, meaning) = (verdict_word(verdict), verdict_meaning(verdict));
        vec![word.to_owned(), total.to_string(), meaning.to_owned()]
    };
    let rows = Verdict::ALL.map(row);
    format!("\n## Verdicts\n\n{}", table(&["Verdict", "Cells", "Meaning"], &rows))
}

fn free_bits(columns: &[&Column]) -> String {
    let mut text = String::from(
        "\n## Free bits\n\n\
         The kernels always reject these bits and map types, so a program can detect a new flag or \
         map type that uses them.\n",
    );
    let row = |name: String, rejected: &Rejected| {
        let Rejected { with_map_shared_validate, with_any_map_type, map_types } = rejected;
        vec![name, ranges(with_map_shared_validate), ranges(with_any_map_type), hexes(map_types)]
    };
    for free in Arch::ALL.into_iter().filter_map(|arch| free::on_all(arch, columns)) {
        let heads = [
            free.arch.name(),
            "Bits with `MAP_SHARED_VALIDATE`",
            "Bits with any map type",
            "Map types",
        ];
        let mut rows = vec![row(format!("all of {}", free.kernels.len()), &free.rejected)];
        for (column, free_bits) in &free.kernels {
            rows.push(row(kernel_names(&[column]), &free_bits.rejected));
        }
        text += &format!("\n{}", table(&heads, &rows));
        if !free.without_validate.is_empty() {
            text += &format!(
                "\nWithout `MAP_SHARED_VALIDATE`: {}. Every call with this map type fails there.\n",
                escape(&kernel_names(&free.without_validate))
            );
        }
    }
    text
}

fn unusable_bits(columns: &[&Column]) -> String {
    let rows: Vec<Vec<String>> = Arch::ALL
        .into_iter()
        .flat_map(|arch| unusable::on_newest(arch, columns))
        .map(|unusable| {
            let name = unusable.name().map_or(String::new(), |name| format!(", today `{name}`"));
            vec![
                unusable.arch.name().to_owned(),
                format!("{}{name}", unusable.values_text()),
                accepted_by(&unusable),
                kernel_names(&unusable.rejected_by),
            ]
        })
        .collect();
    let list = match rows.is_empty() {
        true => "None among these kernels.\n".to_owned(),
        false => table(&["Architecture", "Value", "Accepted by", "Rejected by"], &rows),
    };
    format!(
        "\n## Bits that are unusable for a new flag\n\n\
         The newest kernel rejects them, but an older kernel accepted and ignored them.\n\n{list}"
    )
}

fn kernels(columns: &[&Column]) -> String {
    let mut text = String::from("\n## Kernels\n\n");
    for column in columns {
        let origin = column.origin.map_or("", Origin::word);
        let separator = if origin.is_empty() { "" } else { ", " };
        let facts: Vec<String> = facts(column)
            .into_iter()
            .map(|fact| format!("{}: {}", fact.name, escape(&fact.value)))
            .collect();
        text += &format!(
            "- {}, as {}{separator}{origin}. {}\n",
            escape(&column.kernel),
            escape(&column.scenario),
            facts.join("; ")
        );
    }
    text
}

fn table<T: AsRef<str>>(heads: &[T], rows: &[Vec<String>]) -> String {
    let mut text = line(heads) + &format!("|{}\n", "---|".repeat(heads.len()));
    for row in rows {
        text += &line(row);
    }
    text
}

fn line<T: AsRef<str>>(cells: &[T]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| escape(cell.as_ref())).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Escapes text from documents, so that it cannot end a cell, open a tag or start a link.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '|' | '[' | ']' | '\\' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_cells_is_escaped() {
        assert_eq!(escape("a|b\nc<img>[x](y)&"), "a\\|b c&lt;img&gt;\\[x\\](y)&amp;");
        assert_eq!(
            table(&["A", "B"], &[vec!["1".into(), "|".into()]]),
            "| A | B |\n|---|---|\n| 1 | \\| |\n"
        );
    }
}
