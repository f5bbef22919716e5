//! `mapprobe list`: every flag of the table, a line each: name, value on an architecture, and the kernel version that brought it.

use crate::arch::Arch;
use crate::flags::TABLE;
use crate::report::columns::pad;
use crate::report::sentence;
use crate::report::table::COLUMNS;

/// The lines.
#[cold]
pub fn list(arch: Arch) -> String {
    let mut out = String::new();
    for flag in TABLE {
        let start = out.len();
        flag.name.push(&mut out);
        pad(&mut out, start + COLUMNS[0]);
        sentence::value(&mut out, flag, arch);
        pad(&mut out, start + COLUMNS[1]);
        sentence::version(&mut out, flag.since);
        out.push('\n');
    }
    out
}
