//! Free bits: the bits and map types that several kernels reject. A program can detect support
//! for a new flag on all of them if the flag uses such a bit.

use crate::columns::Column;
use crate::document::{FreeBits, Rejected};
use mapprobe::arch::Arch;

/// The free bits of an architecture.
#[derive(Debug)]
pub struct Free<'a> {
    pub arch: Arch,
    /// The kernels with a list of free bits.
    pub kernels: Vec<(&'a Column, &'a FreeBits)>,
    /// Those of them without `MAP_SHARED_VALIDATE`. They reject every call with this map type.
    pub without_validate: Vec<&'a Column>,
    /// What every kernel rejects.
    pub rejected: Rejected,
}

/// The free bits that the kernels of an architecture have in common. `None` if there is no
/// document about them.
pub fn on_all<'a>(arch: Arch, columns: &[&'a Column]) -> Option<Free<'a>> {
    let kernels: Vec<(&Column, &FreeBits)> = columns
        .iter()
        .filter(|column| column.arch == arch)
        .filter_map(|column| Some((*column, column.free_bits.as_ref()?)))
        .collect();
    if kernels.is_empty() {
        return None;
    }
    let without_validate = kernels
        .iter()
        .filter(|(_, free_bits)| lacks_validate(free_bits))
        .map(|(column, _)| *column)
        .collect();
    let all = || kernels.iter().map(|(_, free_bits)| *free_bits);
    let validating = all().filter(|free_bits| !lacks_validate(free_bits));
    let rejected = Rejected {
        with_map_shared_validate: intersection(
            validating.map(|free_bits| &free_bits.rejected.with_map_shared_validate),
        ),
        with_any_map_type: intersection(
            all().map(|free_bits| &free_bits.rejected.with_any_map_type),
        ),
        map_types: intersection(all().map(|free_bits| &free_bits.rejected.map_types)),
    };
    Some(Free { arch, kernels, without_validate, rejected })
}

fn lacks_validate(free_bits: &FreeBits) -> bool {
    let validation = free_bits.header.validation.as_ref();
    validation.and_then(|validation| validation.present) == Some(false)
}

fn intersection<'a>(mut sets: impl Iterator<Item = &'a Vec<u32>>) -> Vec<u32> {
    let mut common = sets.next().cloned().unwrap_or_default();
    for set in sets {
        common.retain(|number| set.contains(number));
    }
    common.sort_unstable();
    common
}
