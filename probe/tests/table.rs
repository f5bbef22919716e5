//! The flag table: what must hold for every row.

use mapprobe::arch::Arch;
use mapprobe::flags::{
    Flag, HUGE_SIZE_FIELD, Kind, LEFT_OUT, MAP_HUGE_SHIFT, MapFlags, OVERLAPS, UNASSIGNED_BITS,
    UNASSIGNED_SIZE, Version,
};
use std::collections::BTreeSet;

/// The flags of one kind.
fn flags_of(kind: Kind) -> impl Iterator<Item = Flag> {
    Flag::ALL.iter().copied().filter(move |flag| flag.kind() == kind)
}

#[test]
fn names_are_unique_and_not_left_out() {
    let mut seen = BTreeSet::new();
    let left_out = LEFT_OUT.iter().map(|(name, _)| *name);
    for name in Flag::ALL.iter().map(|flag| flag.name()).chain(left_out) {
        assert!(name.starts_with("MAP_"), "{name}");
        assert!(seen.insert(name), "{name} occurs twice");
    }
}

#[test]
fn no_two_flags_of_an_architecture_share_a_value() {
    for arch in Arch::ALL {
        for (index, one) in Flag::ALL.iter().enumerate() {
            for other in &Flag::ALL[index + 1..] {
                let (Some(a), Some(b)) = (one.value(arch), other.value(arch)) else { continue };
                assert_ne!(a, b, "{} and {} on {}", one.name(), other.name(), arch.name());
            }
        }
    }
}

#[test]
fn bits_are_single_and_disjoint_and_outside_of_the_fields() {
    for arch in Arch::ALL {
        let mut used = 0;
        for flag in flags_of(Kind::Bit) {
            let Some(value) = flag.value(arch) else { continue };
            assert!(value.is_power_of_two(), "{} on {}", flag.name(), arch.name());
            assert_eq!(value & used, 0, "{} on {}", flag.name(), arch.name());
            used |= value;
            let may_overlap = OVERLAPS.iter().any(|(name, _)| *name == flag.name());
            let overlaps = value & HUGE_SIZE_FIELD != 0;
            assert_eq!(overlaps, may_overlap, "{} on {}", flag.name(), arch.name());
        }
        for flag in flags_of(Kind::Type) {
            let value = flag.value(arch).expect("every architecture has the map types");
            assert_eq!(value & used, 0, "{} on {}", flag.name(), arch.name());
        }
    }
}

#[test]
fn huge_page_sizes_agree_with_their_names() {
    for flag in flags_of(Kind::HugeSize) {
        let size = flag.name().strip_prefix("MAP_HUGE_").expect("the prefix of a size");
        let (number, unit) = size.split_at(size.len() - 2);
        let unit: u64 = match unit {
            "KB" => 1 << 10,
            "MB" => 1 << 20,
            "GB" => 1 << 30,
            other => panic!("{other} of {}", flag.name()),
        };
        let log2 = (number.parse::<u64>().expect("a number") * unit).ilog2();
        for arch in Arch::ALL {
            assert_eq!(
                flag.value(arch),
                Some((log2 as usize) << MAP_HUGE_SHIFT),
                "{}",
                flag.name()
            );
        }
        assert_eq!(flag.huge_size_log2(), Some(log2), "{}", flag.name());
    }
}

#[test]
fn unassigned_bits_are_assigned_nowhere() {
    for flag in Flag::ALL {
        for value in Arch::ALL.into_iter().filter_map(|arch| flag.value(arch)) {
            // The size field is a number, not a set of bits.
            let is_size = flag.kind() == Kind::HugeSize;
            let bits = if is_size { value & !HUGE_SIZE_FIELD } else { value };
            for bit in UNASSIGNED_BITS {
                assert_eq!(bits & 1 << bit, 0, "{} uses bit {bit}", flag.name());
            }
        }
    }
    assert_eq!(UNASSIGNED_BITS, [22, 23, 24, 25]);
}

#[test]
fn the_unassigned_size_is_assigned_nowhere() {
    for flag in Flag::ALL {
        let unassigned = MapFlags::huge_size(UNASSIGNED_SIZE).encode(Arch::X86_64);
        for arch in Arch::ALL {
            assert_ne!(flag.value(arch), Some(unassigned), "{} on {}", flag.name(), arch.name());
        }
    }
    assert_eq!(UNASSIGNED_SIZE, 13);
}

#[test]
fn every_row_names_its_version() {
    for flag in Flag::ALL {
        let version = flag.since();
        let Version([major, minor, _]) = version;
        let is_known = (2..=7).contains(&major) && minor > 0;
        assert!(version == Version::ALWAYS || is_known, "{}: {version}", flag.name());
    }
}

#[test]
fn every_number_names_its_header() {
    for flag in Flag::ALL {
        for arch in Arch::ALL {
            let (header, value) = (flag.header(arch), flag.value(arch));
            assert_eq!(header.is_some(), value.is_some(), "{} on {}", flag.name(), arch.name());
        }
    }
    let header = |flag: Flag, arch| flag.header(arch).map(|header| header.path());
    let generic = "include/uapi/asm-generic/mman-common.h";
    let of_x86 = "arch/x86/include/uapi/asm/mman.h";
    let of_parisc = "arch/parisc/include/uapi/asm/mman.h";
    assert_eq!(header(Flag::MAP_32BIT, Arch::X86_64), Some(of_x86));
    assert_eq!(header(Flag::MAP_FIXED, Arch::Hppa), Some(of_parisc));
    assert_eq!(header(Flag::MAP_FIXED, Arch::Aarch64), Some(generic));
}

/// Experiments build their calls in the numbering of x86_64; every flag must get the number of the
/// architecture.
#[test]
fn the_flags_of_an_experiment_are_encoded_for_the_architecture() {
    for arch in Arch::ALL {
        for &flag in Flag::ALL {
            if let Some(value) = flag.value(arch) {
                assert_eq!(
                    MapFlags::from(flag).encode(arch),
                    value,
                    "{} {}",
                    flag.name(),
                    arch.name()
                );
            }
        }
    }
}

#[test]
fn every_omission_and_overlap_has_a_reason() {
    assert!(LEFT_OUT.iter().chain(OVERLAPS).all(|(_, reason)| reason.len() > 10));
}
