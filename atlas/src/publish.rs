//! `atlas page`: reads documents and writes the page and the same as Markdown, both or neither.

use crate::columns::gather;
use crate::outcome::{Outcome, SAME};
use crate::schema::Schemas;
use crate::{input, markdown, models, page};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// The page.
pub const PAGE: &str = "index.html";
/// The same for a terminal or a mail.
pub const TEXT: &str = "atlas.md";

/// Writes the page about the documents of some files into a folder.
///
/// # Errors
/// Names what cannot be read, does not fit its schema, is told twice, or cannot be written.
pub fn publish<P: AsRef<Path>>(files: &[P], models: bool, folder: &Path) -> Result<Outcome> {
    let mut documents = input::read_all(files)?;
    if models {
        documents.extend(models::documents()?);
    }
    let columns = gather(&Schemas::load()?, &documents)?;
    ensure!(
        columns.iter().any(|column| column.report.is_some()),
        "No file has a mapprobe.report; there would be no matrix."
    );
    let written = [(PAGE, page::html(&columns)?), (TEXT, markdown::text(&columns))];
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let mut moves: Vec<(PathBuf, PathBuf)> = Vec::new();
    for (name, text) in &written {
        let (new, place) = (folder.join(format!("{name}.new")), folder.join(name));
        fs::write(&new, text).with_context(|| format!("{} cannot be written", new.display()))?;
        moves.push((new, place));
    }
    // Whoever looks sees the old one or the new one, never half of it.
    for (new, place) in moves {
        fs::rename(&new, &place)
            .with_context(|| format!("{} cannot be replaced", place.display()))?;
    }
    let sizes = written
        .map(|(name, text)| format!("{}: {} bytes\n", folder.join(name).display(), text.len()));
    Ok(Outcome { text: sizes.concat(), complaints: Vec::new(), exit: SAME })
}
