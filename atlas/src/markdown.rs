//! The atlas as Markdown: the page without the evidence, for a terminal or a mail.

use crate::bits::{hexes, ranges};
use crate::columns::{Column, PLAIN, flags};
use crate::page::{count, facts, guests, names, taken};
use crate::{free, legend, lost};
use mapprobe::arch::Arch;
use mapprobe::verdict::Verdict;

/// The whole text, about the guest that the page shows first.
pub fn text(columns: &[Column]) -> String {
    let told: Vec<&Column> = columns.iter().filter(|column| column.report.is_some()).collect();
    let guest = guests(&told).first().copied().unwrap_or(PLAIN);
    let columns_of: Vec<&Column> = columns.iter().filter(|column| column.guest == guest).collect();
    let told: Vec<&Column> = told.into_iter().filter(|column| column.guest == guest).collect();
    let mut text = String::from("# Which mmap(2) flags does a kernel honor?\n");
    text += "\nFound out by experiment with mapprobe, never from a version number.\n";
    let names = flags(columns);
    for arch in Arch::ALL {
        let told: Vec<&Column> =
            told.iter().filter(|column| column.arch == arch).copied().collect();
        if !told.is_empty() {
            text += &format!("\n## {}\n\n{}", arch.name(), verdicts(&told, &names));
        }
    }
    text += &words(&told);
    text += &free_bits(&columns_of);
    text += &lost_bits(&columns_of);
    text + &kernels(&told)
}

fn verdicts(columns: &[&Column], flags: &[&str]) -> String {
    let heads: Vec<String> = columns.iter().map(|column| names(&[column])).collect();
    let rows = flags.iter().map(|flag| {
        let word = |column: &&Column| {
            column.finding(flag).map_or("\u{2013}", |finding| &finding.verdict).to_owned()
        };
        [format!("`{flag}`")].into_iter().chain(columns.iter().map(word)).collect()
    });
    table(["Flag".to_owned()].into_iter().chain(heads).collect(), rows.collect())
}

fn words(columns: &[&Column]) -> String {
    let row = |verdict: Verdict| {
        let total: usize = columns.iter().map(|column| count(column, verdict)).sum();
        vec![
            verdict.word().plain().to_owned(),
            total.to_string(),
            legend::sentence(verdict).to_owned(),
        ]
    };
    let heads = ["Word", "Cells", "Meaning"].map(str::to_owned).to_vec();
    format!("\n## What the words mean\n\n{}", table(heads, Verdict::ALL.map(row).to_vec()))
}

fn free_bits(columns: &[&Column]) -> String {
    let mut text = String::from(
        "\n## Free bits\n\nWhat is guaranteed to fail: what a new flag, or a new map type, could be detected by.\n",
    );
    for arch in Arch::ALL {
        let Some(free) = free::on_all(arch, columns) else { continue };
        let row = |name: String, lists: [&[u32]; 3]| {
            vec![name, ranges(lists[0]), ranges(lists[1]), hexes(lists[2])]
        };
        let heads =
            [arch.name(), "Bits with `MAP_SHARED_VALIDATE`", "Bits with any map type", "Map types"];
        let all = [&free.with_map_shared_validate, &free.with_any_map_type, &free.map_types]
            .map(Vec::as_slice);
        let mut rows = vec![row(format!("all of {}", free.columns.len()), all)];
        for (column, bits) in &free.columns {
            let lists = [&bits.with_map_shared_validate, &bits.with_any_map_type, &bits.map_types]
                .map(Vec::as_slice);
            rows.push(row(names(&[column]), lists));
        }
        text += &format!("\n{}", table(heads.map(str::to_owned).to_vec(), rows));
        if !free.without_validate.is_empty() {
            text += &format!(
                "\nWithout `MAP_SHARED_VALIDATE`: {}. The map type itself is refused there, so every call with it fails.\n",
                plain(&names(&free.without_validate))
            );
        }
    }
    text
}

fn lost_bits(columns: &[&Column]) -> String {
    let rows = Arch::ALL.into_iter().flat_map(|arch| lost::on_newest(arch, columns)).map(|lost| {
        let today = lost.name().map_or(String::new(), |name| format!(", today `{name}`"));
        let what = format!("{}{today}", lost.words());
        vec![lost.arch.name().to_owned(), what, taken(&lost), names(&lost.refused)]
    });
    let rows: Vec<_> = rows.collect();
    let list = match rows.is_empty() {
        true => "None among these kernels.\n".into(),
        false => table(
            ["Architecture", "Value", "Taken by", "Refused by"].map(str::to_owned).to_vec(),
            rows,
        ),
    };
    format!(
        "\n## Bits that could not have carried a new flag\n\nThe newest kernel refuses them, and an older one took them.\n\n{list}"
    )
}

fn kernels(columns: &[&Column]) -> String {
    let mut text = String::from("\n## Kernels\n\n");
    for column in columns {
        let made = column.made.map_or(String::new(), |made| format!(", {}", made.word()));
        let facts =
            facts(column).into_iter().map(|(key, value)| format!("{key}: {}", plain(&value)));
        let facts: Vec<String> = facts.collect();
        text += &format!(
            "- {}, as {}{made}. {}\n",
            plain(&column.kernel),
            plain(&column.guest),
            facts.join("; ")
        );
    }
    text
}

fn table(heads: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let line = |cells: &[String]| {
        format!("| {} |\n", cells.iter().map(|cell| plain(cell)).collect::<Vec<_>>().join(" | "))
    };
    let under = format!("|{}\n", "---|".repeat(heads.len()));
    line(&heads) + &under + &rows.iter().map(|row| line(row)).collect::<String>()
}

/// A text that comes from outside: nothing in it ends a cell, opens a tag or begins a link.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '|' | '[' | ']' | '\\' => plain.extend(['\\', c]),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_a_cell() {
        assert_eq!(plain("a|b\nc<img>[x](y)&"), "a\\|b c&lt;img&gt;\\[x\\](y)&amp;");
        assert_eq!(
            table(vec!["A".into(), "B".into()], vec![vec!["1".into(), "|".into()]]),
            "| A | B |\n|---|---|\n| 1 | \\| |\n"
        );
    }
}
