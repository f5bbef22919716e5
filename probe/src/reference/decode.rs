//! `mapprobe decode`: the names of the flags in a number.

use crate::arch::Arch;
use crate::flags::{HUGE_SIZE_FIELD, MAP_HUGE_MASK, MAP_HUGE_SHIFT, MAP_HUGETLB};
use crate::report::wording::{push, push_names, push_separator};

/// `MAP_TYPE` in `arch/parisc/include/uapi/asm/mman.h` up to 4.15; 0x2b in the header of 4.19.
const OLD_TYPE_MASK_OF_PARISC: usize = 0x03;

/// The names in a flags argument, with the remaining bits in hexadecimal, and a line about each
/// part that has no name. `None` for a number that is too large for the architecture.
pub fn decode(value: u64, arch: Arch) -> Option<String> {
    let value = usize::try_from(value).ok()?;
    if value.checked_shr(arch.flag_bits()).unwrap_or(0) != 0 {
        return None;
    }
    let field = value >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
    let has_hugetlb = value & MAP_HUGETLB.encode(arch) != 0;
    // Without MAP_HUGETLB, bit 26 alone is MAP_UNINITIALIZED.
    let has_size = if has_hugetlb { field > 0 } else { field > 1 };
    let type_mask = arch.type_mask();

    let mut out = String::new();
    let mut rest = push_names(&mut out, arch, value, value & type_mask, has_size);
    let is_unnamed_size = has_size && rest & HUGE_SIZE_FIELD != 0;
    if is_unnamed_size {
        rest &= !HUGE_SIZE_FIELD;
        push_separator(&mut out, 0);
        push(&mut out, format_args!("{field}<<MAP_HUGE_SHIFT"));
    }
    if rest != 0 || out.is_empty() {
        push_separator(&mut out, 0);
        push(&mut out, format_args!("{rest:#x}"));
    }
    out.push('\n');

    let name = arch.name();
    if is_unnamed_size {
        push(&mut out, format_args!("  huge pages of 2^{field} bytes\n"));
    }
    let (unnamed_type, unnamed_bits) = (rest & type_mask, rest & !type_mask);
    if unnamed_type != 0 {
        push(&mut out, format_args!("  {unnamed_type:#x} is not a map type of {name}\n"));
    }
    if unnamed_bits != 0 {
        push(&mut out, format_args!("  {unnamed_bits:#x} is not a flag of {name}\n"));
    }
    if arch == Arch::Hppa && value & type_mask & !OLD_TYPE_MASK_OF_PARISC != 0 {
        out.push_str(
            "  MAP_TYPE was 0x3 up to 4.15; it is 0x2b on 5.10 and in the header of 4.19\n",
        );
    }
    Some(out)
}
