//! Lookups in mapprobe's table of flags.

use mapprobe::arch::Arch;
use mapprobe::flags::{Kind, TABLE};

/// The names of all flags, in the order of the table.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|flag| flag.name.plain())
}

/// The flag or map type that has this value on an architecture.
pub fn name_of(arch: Arch, value: u64) -> Option<&'static str> {
    TABLE.iter().find(|flag| flag.value(arch) == Some(value)).map(|flag| flag.name.plain())
}

/// The value of a named map type. It does not depend on the architecture.
pub fn map_type(name: &str) -> Option<u64> {
    let flag = TABLE.iter().find(|flag| flag.name.plain() == name && flag.kind == Kind::Type)?;
    flag.value(Arch::X86_64)
}

/// Whether a flag that is not a map type uses this bit.
pub fn is_flag_bit(arch: Arch, bit: u64) -> bool {
    TABLE
        .iter()
        .filter(|flag| flag.kind != Kind::Type)
        .any(|flag| flag.value(arch).is_some_and(|bits| bits & bit != 0))
}
