//! `mapprobe list`: every flag, its number on an architecture, and the kernel version that
//! introduced it.

use crate::arch::Arch;
use crate::flags::Flag;
use crate::report::table::push_flag;
use crate::report::wording::push;

pub fn list(arch: Arch) -> String {
    let mut out = String::new();
    for &flag in Flag::ALL {
        push_flag(&mut out, flag, arch);
        push(&mut out, format_args!("{}\n", flag.since()));
    }
    out
}
