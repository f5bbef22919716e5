//! `mapprobe list`: every flag of the table, a line each: name, value on an architecture, and the kernel version that brought it.

use crate::arch::Arch;
use crate::flags::TABLE;
use crate::report::columns::pad;
use crate::report::sentence;
use crate::report::table::COLUMNS;

/// Appends the lines.
#[cold]
#[inline(never)]
pub fn list(arch: Arch, out: &mut String) {
    for flag in TABLE {
        let start = out.len();
        flag.name.push(out);
        pad(out, start + COLUMNS[0]);
        sentence::value(out, flag, arch);
        pad(out, start + COLUMNS[1]);
        sentence::version(out, flag.since);
        out.push('\n');
    }
}
