//! A component of a program.

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// Such as `argh`.
    pub name: String,
    /// Such as `0.1.19`.
    pub version: String,
    /// An SPDX expression.
    pub licence: Option<String>,
    /// The package URL, ECMA-427.
    pub purl: String,
    /// The SHA-256 of the package in its registry, in hexadecimal.
    pub sha256: Option<String>,
    /// Its purpose, where the name does not tell.
    pub description: Option<String>,
    /// The crates of std.
    pub parts: Vec<Component>,
    /// The package URLs of its dependencies.
    pub uses: Vec<String>,
}

/// Escapes a part of a package URL.
pub fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('+', "%2B")
        .replace(':', "%3A")
        .replace('~', "%7E")
        .replace(' ', "%20")
}
