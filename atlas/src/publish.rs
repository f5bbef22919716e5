//! `atlas page`: writes the page and the Markdown file.

use crate::columns::gather;
use crate::schema::Schemas;
use crate::{input, markdown, page, recordings, simulated};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// The file name of the HTML page.
pub const PAGE: &str = "index.html";
/// The file name of the Markdown file.
pub const TEXT: &str = "atlas.md";

/// What the page shows beside the documents of files.
#[derive(Clone, Copy, Default)]
pub struct Additions<'a> {
    /// The simulated kernels.
    pub simulated: bool,
    /// A directory of recordings.
    pub recordings: Option<&'a Path>,
}

/// Writes both files into a directory and returns one line per file. If anything fails, neither
/// file is replaced.
///
/// # Errors
/// A document is invalid or contradicts another one, no document is a report, or a file cannot be
/// written.
pub fn publish<P: AsRef<Path>>(
    files: &[P],
    additions: Additions,
    directory: &Path,
) -> Result<String> {
    let mut documents = input::read_all(files)?;
    if additions.simulated {
        documents.extend(simulated::documents()?);
    }
    if let Some(recorded) = additions.recordings {
        documents.extend(recordings::documents(recorded)?);
    }
    let columns = gather(&Schemas::load()?, &documents)?;
    ensure!(
        columns.iter().any(|column| column.report.is_some()),
        "No file has a mapprobe.report; the table would be empty."
    );
    let files = [(PAGE, page::html(&columns)?), (TEXT, markdown::text(&columns))];
    fs::create_dir_all(directory)
        .with_context(|| format!("{} cannot be created", directory.display()))?;
    replace_all(directory, &files)?;
    let line = |(name, text): &(&str, String)| {
        format!("{}: {} bytes\n", directory.join(name).display(), text.len())
    };
    Ok(files.iter().map(line).collect())
}

/// Writes all files under temporary names, then renames them. Readers see only complete files.
fn replace_all(directory: &Path, files: &[(&str, String)]) -> Result<()> {
    let temporary = |name: &str| directory.join(format!("{name}.new"));
    for (name, text) in files {
        let path = temporary(name);
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    for (name, _) in files {
        let path = directory.join(name);
        fs::rename(temporary(name), &path)
            .with_context(|| format!("{} cannot be replaced", path.display()))?;
    }
    Ok(())
}
