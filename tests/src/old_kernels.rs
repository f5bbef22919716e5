//! Recordings of kernels that no package has any more, `probe/tests/recordings/old/`. They cannot
//! be booted by the lab, and stand beside its kernels in the atlas.

use std::path::PathBuf;

/// The names of the kernels.
pub const ALL: [&str; 6] =
    ["x86_64-2.6.32", "x86_64-4.4", "x86_64-4.14", "x86_64-4.15", "hppa-4.14", "hppa-4.15"];

/// The directory of the recordings.
pub fn directory() -> PathBuf {
    dist::workspace::root().join("probe/tests/recordings/old")
}

/// The recording of a kernel: of its `report` or its `sweep`.
pub fn recording(kernel: &str, what: &str) -> PathBuf {
    directory().join(format!("{kernel}.{what}.txt"))
}
