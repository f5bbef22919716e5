//! Lookups in mapprobe's table of flags.

use mapprobe::arch::Arch;
use mapprobe::flags::{Flag, Kind};

/// The names of all flags, in the order of the table.
pub fn names() -> impl Iterator<Item = &'static str> {
    Flag::ALL.iter().map(|flag| flag.name())
}

/// The flag or map type that has this value on an architecture.
pub fn name_of(arch: Arch, value: u64) -> Option<&'static str> {
    Flag::ALL.iter().find(|flag| value_of(arch, **flag) == Some(value)).map(|flag| flag.name())
}

/// The value of a named map type. It does not depend on the architecture.
pub fn map_type(name: &str) -> Option<u64> {
    let flag = Flag::from_name(name).filter(|flag| flag.kind() == Kind::Type)?;
    value_of(Arch::X86_64, flag)
}

/// Whether a flag that is not a map type uses this bit.
pub fn is_flag_bit(arch: Arch, bit: u64) -> bool {
    Flag::ALL
        .iter()
        .filter(|flag| flag.kind() != Kind::Type)
        .any(|flag| value_of(arch, *flag).is_some_and(|bits| bits & bit != 0))
}

/// The value as wide as the numbers in reports.
fn value_of(arch: Arch, flag: Flag) -> Option<u64> {
    flag.value(arch).map(|value| value as u64)
}
