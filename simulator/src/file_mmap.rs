//! The `mmap` operations of files (`struct file_operations`): what each kind of file rejects.

use crate::files::Kind;
use kernel::Errno;

/// What a file sees of a mapping.
pub struct FileMapping {
    pub start: usize,
    /// Whole pages, in bytes.
    pub len: usize,
    /// `VM_MAYSHARE`.
    pub shared: bool,
    /// `VM_MAYWRITE`.
    pub may_write: bool,
    /// `VM_SYNC`.
    pub sync: bool,
}

/// The checks of [`Kind`].
pub fn mmap_of_file(kind: Kind, mapping: &FileMapping) -> Result<(), Errno> {
    let FileMapping { start, len, shared, may_write, sync } = *mapping;
    match kind {
        // ext4_file_mmap, fs/ext4/file.c: without DAX the file rejects MAP_SYNC.
        Kind::Ext4 if sync => Err(Errno::EOPNOTSUPP),
        Kind::DeviceDax(align) if !shared || !(start | len).is_multiple_of(align) => {
            Err(Errno::EINVAL)
        }
        Kind::UncachedPlan9 if shared && may_write => Err(Errno::EINVAL),
        Kind::SharedOnly if !shared => Err(Errno::EINVAL),
        Kind::Unmappable => Err(Errno::EINVAL),
        _ => Ok(()),
    }
}
