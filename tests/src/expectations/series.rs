//! The series of a kernel release.

/// Major and minor version.
pub type Series = (u32, u32);

/// The series of a release such as `6.12.107+deb13-cloud-amd64`.
pub fn series(release: &str) -> Option<Series> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
