//! `mapprobe list`: every flag, its number on an architecture, and the kernel version that
//! introduced it.

use crate::arch::Arch;
use crate::flags::Flag;
use crate::report::columns::pad;
use crate::report::table::{VALUE, VERDICT};
use crate::report::wording::{Number, push};

pub fn list(arch: Arch) -> String {
    let mut out = String::new();
    for flag in Flag::ALL {
        let line_start = out.len();
        out.push_str(flag.name());
        pad(&mut out, line_start + VALUE);
        push(&mut out, format_args!("{}", Number(flag.value(arch))));
        pad(&mut out, line_start + VERDICT);
        push(&mut out, format_args!("{}\n", flag.since()));
    }
    out
}
