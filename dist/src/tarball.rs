//! Makes a tarball. The same files always give the same bytes: one date, owner 0, no user names.

use crate::archive::gzip;
use crate::contents::Packed;
use crate::date;
use anyhow::{Context, Result};
use tar::{Builder, EntryType, Header};
use targets::Target;

/// The name of the top directory in the tarball, and of the file without `.tar.gz`.
pub fn name(target: &Target) -> String {
    format!("mapprobe-{}-{}", env!("CARGO_PKG_VERSION"), target.arch.name())
}

/// Makes a compressed tarball of these files. tar creates their directories.
pub fn write(target: &Target, files: &[Packed]) -> Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    let failed = "cannot write the tarball";
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
