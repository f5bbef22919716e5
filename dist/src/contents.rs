//! What a package holds: `dist/package/contents.txt`, read, and every file of it.

use crate::archive::gzip;
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::fs;

/// The list, below the workspace.
const LIST: &str = "dist/package/contents.txt";

/// A file of a package, ready to be packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The path, without a slash at the beginning.
    pub path: String,
    /// As `0o755`.
    pub permissions: u32,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The kind of a package: a column of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Debian package.
    Deb,
    /// A tarball.
    Tar,
}

/// Everything that a package of this kind holds, sorted by path. `made` gives what is in brackets in the list, by its name.
///
/// # Errors
/// A file is not there, or a line of the list is none: a sentence that names it.
pub fn packed(kind: Kind, made: impl Fn(&str) -> Result<Vec<u8>>) -> Result<Vec<Packed>> {
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
            Some(name) => made(name)?,
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

/// How every gzip file begins, RFC 1952.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The columns of a line: source, permissions, path in a Debian package, path in a tarball.
fn row(line: &str) -> Result<(&str, u32, &str, &str)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
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
        "{LIST} has a line that is none: {line:?}. A source, permissions such as 644, a path in the Debian package and one in \
         the tarball were expected, without slashes at the beginning."
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
            assert!(row(wrong).unwrap_err().to_string().contains("a line that is none"), "{wrong}");
        }
    }
}
