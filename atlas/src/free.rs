//! What is guaranteed to fail on several kernels: what a new flag could be detected by on all of them.

use crate::columns::Column;
use crate::document::FreeBits;
use mapprobe::arch::Arch;

/// What is guaranteed to fail on every column of an architecture that has a document about it.
#[derive(Debug)]
pub struct Free<'a> {
    /// The architecture.
    pub arch: Arch,
    /// The columns that have one, in their order.
    pub columns: Vec<(&'a Column, &'a FreeBits)>,
    /// Those of them without a `MAP_SHARED_VALIDATE`: there the map type itself is refused, so every call with it fails.
    pub without_validate: Vec<&'a Column>,
    /// Bits that `MAP_SHARED_VALIDATE` refuses on each of the others.
    pub with_map_shared_validate: Vec<u32>,
    /// Bits that every map type refuses.
    pub with_any_map_type: Vec<u32>,
    /// Values of the type field that are refused.
    pub map_types: Vec<u32>,
}

/// What is guaranteed to fail on all of these columns of an architecture; `None` without a document.
pub fn on_all<'a>(arch: Arch, columns: &[&'a Column]) -> Option<Free<'a>> {
    let of_arch = columns.iter().filter(|column| column.arch == arch);
    let columns: Vec<(&Column, &FreeBits)> =
        of_arch.filter_map(|column| Some((*column, column.free_bits.as_ref()?))).collect();
    if columns.is_empty() {
        return None;
    }
    let lacks = |free_bits: &FreeBits| {
        free_bits.head.validation.as_ref().and_then(|validation| validation.present) == Some(false)
    };
    let without_validate = columns
        .iter()
        .filter(|(_, free_bits)| lacks(free_bits))
        .map(|(column, _)| *column)
        .collect();
    let every = || columns.iter().map(|(_, free_bits)| *free_bits);
    Some(Free {
        arch,
        with_map_shared_validate: common(
            every()
                .filter(|free_bits| !lacks(free_bits))
                .map(|free_bits| &free_bits.with_map_shared_validate),
        ),
        with_any_map_type: common(every().map(|free_bits| &free_bits.with_any_map_type)),
        map_types: common(every().map(|free_bits| &free_bits.map_types)),
        without_validate,
        columns,
    })
}

/// The numbers that are in every set.
fn common<'a>(mut sets: impl Iterator<Item = &'a Vec<u32>>) -> Vec<u32> {
    let mut common = sets.next().cloned().unwrap_or_default();
    for set in sets {
        common.retain(|number| set.contains(number));
    }
    common.sort_unstable();
    common
}
