//! Documents from recorded system calls: the results that this version of mapprobe derives from
//! them.

use crate::document::Origin;
use crate::envelope::Unpackaged;
use crate::input::Located;
use anyhow::{Context, Result, anyhow, bail, ensure};
use mapprobe::replay::replay;
use mapprobe::request::Query;
use std::fs;
use std::path::{Path, PathBuf};

/// The documents of every recording in a directory: `KERNEL.report.txt` and `KERNEL.sweep.txt`.
///
/// # Errors
/// A file has another name, cannot be read, or is not such a recording.
pub fn documents(directory: &Path) -> Result<Vec<Located>> {
    let unreadable = || format!("{} cannot be read", directory.display());
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(directory).with_context(unreadable)? {
        paths.push(entry.with_context(unreadable)?.path());
    }
    paths.sort();
    let mut documents = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (kernel, queries): (&str, &[Query]) =
            if let Some(kernel) = name.strip_suffix(".report.txt") {
                (kernel, &[Query::Report])
            } else if let Some(kernel) = name.strip_suffix(".sweep.txt") {
                (kernel, &[Query::Sweep, Query::FreeBits])
            } else {
                bail!("{}: the name ends neither in .report.txt nor in .sweep.txt", path.display());
            };
        let recording =
            fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        for &query in queries {
            documents.push(document(kernel, &recording, query)?);
        }
    }
    Ok(documents)
}

/// Replays a recording and puts the document into an envelope. A recorded sweep also contains the
/// free bits.
///
/// # Errors
/// The recording is broken, or it was made for another query.
pub fn document(kernel: &str, recording: &[u8], query: Query) -> Result<Located> {
    let mut report = replay(recording, false)
        .map_err(|problem| anyhow!("the recording of {kernel}: {problem}"))?;
    let recorded = report.query;
    ensure!(
        recorded == query || (recorded, query) == (Query::Sweep, Query::FreeBits),
        "the recording of {kernel} contains a {}; it has no result for {}",
        recorded.command(),
        query.command()
    );
    report.query = query;
    let envelope = Unpackaged {
        kernel,
        origin: Origin::Recording,
        source: "mapprobe --record",
        source_version: env!("CARGO_PKG_VERSION"),
    };
    envelope.wrap(&report)
}
