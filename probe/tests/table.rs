//! Walks over the flag table: what must hold for every row.

use mapprobe::arch::Arch;
use mapprobe::flags::{
    CONTROL_BITS, CONTROL_SIZE, Kind, LEFT_OUT, MAP_HUGE_MASK, MAP_HUGE_SHIFT, OVERLAPS, TABLE,
    Version,
};
use std::collections::BTreeSet;

const FIELD: u64 = MAP_HUGE_MASK << MAP_HUGE_SHIFT;

#[test]
fn names_are_unique_and_none_is_also_left_out() {
    let mut seen = BTreeSet::new();
    let left_out = LEFT_OUT.iter().map(|(name, _)| *name);
    for name in TABLE.iter().map(|flag| flag.name.plain()).chain(left_out) {
        assert!(name.starts_with("MAP_"), "{name}");
        assert!(seen.insert(name), "{name} stands there twice");
    }
}

#[test]
fn no_two_flags_of_an_architecture_share_a_value() {
    for arch in Arch::ALL {
        for (at, one) in TABLE.iter().enumerate() {
            for other in &TABLE[at + 1..] {
                let (Some(a), Some(b)) = (one.value(arch), other.value(arch)) else { continue };
                assert_ne!(
                    a,
                    b,
                    "{} and {} on {}",
                    one.name.plain(),
                    other.name.plain(),
                    arch.name()
                );
            }
        }
    }
}

#[test]
fn bits_are_single_and_disjoint_and_stay_out_of_the_fields() {
    for arch in Arch::ALL {
        let mut used = 0;
        for flag in TABLE.iter().filter(|flag| flag.kind == Kind::Bit) {
            let Some(value) = flag.value(arch) else { continue };
            assert!(value.is_power_of_two(), "{} on {}", flag.name.plain(), arch.name());
            assert_eq!(value & used, 0, "{} on {}", flag.name.plain(), arch.name());
            used |= value;
            let may_overlap = OVERLAPS.iter().any(|(name, _)| *name == flag.name.plain());
            assert_eq!(value & FIELD != 0, may_overlap, "{} on {}", flag.name.plain(), arch.name());
        }
        for flag in TABLE.iter().filter(|flag| flag.kind == Kind::Type) {
            let value = flag.value(arch).expect("the map types exist everywhere");
            assert_eq!(value & used, 0, "{} on {}", flag.name.plain(), arch.name());
        }
    }
}

#[test]
fn huge_sizes_are_what_their_names_say() {
    for flag in TABLE.iter().filter(|flag| flag.kind == Kind::HugeSize) {
        let size = flag.name.plain().strip_prefix("MAP_HUGE_").expect("a size has this prefix");
        let (number, unit) = size.split_at(size.len() - 2);
        let unit: u64 = match unit {
            "KB" => 1 << 10,
            "MB" => 1 << 20,
            "GB" => 1 << 30,
            other => panic!("{other} of {}", flag.name.plain()),
        };
        let bytes = number.parse::<u64>().expect("a number") * unit;
        for arch in Arch::ALL {
            assert_eq!(
                flag.value(arch),
                Some(u64::from(bytes.ilog2()) << MAP_HUGE_SHIFT),
                "{}",
                flag.name.plain()
            );
        }
    }
}

#[test]
fn control_bits_and_the_control_size_are_assigned_nowhere() {
    for flag in TABLE {
        for value in Arch::ALL.into_iter().filter_map(|arch| flag.value(arch)) {
            // The size field is a number, not a set of bits.
            let value = if flag.kind == Kind::HugeSize { value & !FIELD } else { value };
            for bit in CONTROL_BITS {
                assert_eq!(value & 1 << bit, 0, "{} uses control bit {bit}", flag.name.plain());
            }
        }
        assert!(
            Arch::ALL.iter().all(|&arch| flag.value(arch) != Some(CONTROL_SIZE)),
            "{}",
            flag.name.plain()
        );
    }
    assert_eq!(CONTROL_BITS, [22, 23, 24, 25]);
}

#[test]
fn every_number_names_its_header_and_every_row_its_version() {
    for flag in TABLE {
        let Version([major, minor, _]) = flag.since;
        assert!(
            major == 0 && minor == 0 || (2..=7).contains(&major) && minor > 0,
            "{}: {:?}",
            flag.name.plain(),
            flag.since
        );
        for arch in Arch::ALL {
            assert_eq!(
                flag.header(arch).is_some(),
                flag.value(arch).is_some(),
                "{}",
                flag.name.plain()
            );
        }
    }
    let header = |name: &str, arch| {
        TABLE
            .iter()
            .find(|flag| flag.name.plain() == name)
            .and_then(|flag| flag.header(arch))
            .map(|header| header.path())
    };
    assert_eq!(header("MAP_32BIT", Arch::X86_64), Some("arch/x86/include/uapi/asm/mman.h"));
    assert_eq!(header("MAP_FIXED", Arch::Hppa), Some("arch/parisc/include/uapi/asm/mman.h"));
    assert_eq!(header("MAP_FIXED", Arch::Aarch64), Some("include/uapi/asm-generic/mman-common.h"));
}

#[test]
fn everything_left_out_has_its_reason() {
    assert!(LEFT_OUT.iter().chain(OVERLAPS).all(|(_, reason)| reason.len() > 10));
}
