//! A tarball for machines that are no Debian. The same files always give the same bytes: one date, owner 0, no names.

use crate::archive::gzip;
use crate::contents::Packed;
use crate::date;
use anyhow::{Context, Result};
use tar::{Builder, EntryType, Header};
use targets::Target;

/// The name of the one folder in it, and of the file without its ending.
pub fn name(target: &Target) -> String {
    format!("mapprobe-{}-{}", env!("CARGO_PKG_VERSION"), target.arch.name())
}

/// A compressed tarball with these files. tar makes the folders they are in.
pub fn write(target: &Target, files: &[Packed]) -> Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    let failed = "a tarball could not be written";
    for file in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(file.permissions);
        header.set_mtime(date::seconds()?);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(file.bytes.len() as u64);
        tar.append_data(
            &mut header,
            format!("{}/{}", name(target), file.path),
            file.bytes.as_slice(),
        )
        .context(failed)?;
    }
    gzip(&tar.into_inner().context(failed)?)
}
