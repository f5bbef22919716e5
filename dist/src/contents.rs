//! The files of a package, as listed in `dist/package/contents.txt`.

use crate::archive::gzip;
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::fs;

/// Relative to the workspace.
const LIST: &str = "dist/package/contents.txt";

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Without a leading slash.
    pub path: String,
    /// Such as `0o755`.
    pub permissions: u32,
    pub bytes: Vec<u8>,
}

/// A kind of package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Deb,
    Tar,
}

/// The files of a package, sorted by path. `generated` returns the contents of a `[name]` in the
/// list.
pub fn packed(kind: Kind, generated: impl Fn(&str) -> Result<Vec<u8>>) -> Result<Vec<Packed>> {
    let list = fs::read_to_string(workspace::root().join(LIST))
        .with_context(|| format!("{LIST} cannot be read"))?;
    let mut files = Vec::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let (source, permissions, deb, tar) = row(line)?;
        let path = if kind == Kind::Deb { deb } else { tar };
        if path == "-" {
            continue;
        }
        let bytes = match source.strip_prefix('[').and_then(|source| source.strip_suffix(']')) {
            Some(name) => generated(name)?,
            None => fs::read(workspace::root().join(source)).with_context(|| {
                format!("{source} cannot be read; {LIST} says that a package has it as {path}")
            })?,
        };
        let bytes =
            if path.ends_with(".gz") && !bytes.starts_with(&GZIP) { gzip(&bytes)? } else { bytes };
        files.push(Packed { path: path.into(), permissions, bytes });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The first bytes of a gzip file, RFC 1952.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Parses a line: source, permissions, path in a Debian package, path in a tarball.
fn row(line: &str) -> Result<(&str, u32, &str, &str)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    match columns[..] {
        [source, permissions, deb, tar] if !deb.starts_with('/') && !tar.starts_with('/') => {
            if let Some(permissions) =
                u32::from_str_radix(permissions, 8).ok().filter(|bits| *bits <= 0o777)
            {
                return Ok((source, permissions, deb, tar));
            }
        }
        _ => {}
    }
    bail!(
        "{LIST} has an invalid line: {line:?}. Expected a source, permissions such as 644, a \
         path in the Debian package, and \
         one in the tarball; paths without a leading slash."
    )
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn a_line_has_four_columns() {
        assert_eq!(row("a/b  755 usr/b.gz   -").unwrap(), ("a/b", 0o755, "usr/b.gz", "-"));
        for wrong in
            ["", "a 644 b", "a 644 b c d", "a 9 b c", "a 1777 b c", "a 644 /b c", "a 644 b /c"]
        {
            assert!(row(wrong).unwrap_err().to_string().contains("an invalid line"), "{wrong}");
        }
    }
}
