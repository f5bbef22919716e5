//! Bits and map types that are unusable for a new flag: the newest kernel rejects them, but an
//! older kernel accepted and ignored them. On the older kernel, a program that sets such a bit
//! cannot tell whether the flag is supported.

use crate::columns::Column;
use crate::document::{ContextSweep, Sweep};
use crate::flag_table;
use mapprobe::arch::Arch;

/// Map types are smaller than this value.
const MAP_TYPES: u64 = 64;

/// The bits of the widest map type fields: 0x0f, and 0x2b on PA-RISC
/// (`MAP_TYPE` in `arch/parisc/include/uapi/asm/mman.h`).
const TYPE_FIELD: u64 = 0x0f | 0x2b;

/// `MAP_SHARED | MAP_PRIVATE`, the value of `MAP_SHARED_VALIDATE`.
const NAMED_TYPE: u64 = 0x03;

/// The part of the flags argument that a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A bit that is combined with a named map type.
    Bit,
    /// A value of the map type field.
    MapType,
}

/// Values that the newest kernel rejects and an older kernel accepted.
#[derive(Debug)]
pub struct Unusable<'a> {
    pub arch: Arch,
    pub part: Part,
    /// One bit, or all map types with the same behavior.
    pub values: Vec<u64>,
    pub rejected_by: Vec<&'a Column>,
    pub accepted_by: Vec<Acceptance<'a>>,
}

/// A kernel that accepted a value.
#[derive(Debug)]
pub struct Acceptance<'a> {
    pub kernel: &'a Column,
    /// The map types or backings of the accepted calls, such as `with MAP_SHARED`, if known.
    pub condition: Option<String>,
}

impl Unusable<'_> {
    /// The values as text: `bit 0x08` or `map types 0x9, 0xa`.
    pub fn values_text(&self) -> String {
        let (noun, values): (&str, Vec<String>) = match self.part {
            Part::Bit => ("bit", self.values.iter().map(|bit| format!("{bit:#04x}")).collect()),
            Part::MapType => {
                ("map type", self.values.iter().map(|value| format!("{value:#x}")).collect())
            }
        };
        let plural = if values.len() == 1 { "" } else { "s" };
        format!("{noun}{plural} {}", values.join(", "))
    }

    /// The flag or map type that uses the value today: `MAP_DROPPABLE` for 0x08.
    pub fn name(&self) -> Option<&'static str> {
        match self.values[..] {
            [value] => flag_table::name_of(self.arch, value),
            _ => None,
        }
    }

    /// Whether both are map types that the same kernels accepted and rejected.
    fn can_merge(&self, other: &Unusable) -> bool {
        let rejected = self.rejected_by.iter().zip(&other.rejected_by);
        let accepted = self.accepted_by.iter().zip(&other.accepted_by);
        self.part == Part::MapType
            && other.part == Part::MapType
            && self.rejected_by.len() == other.rejected_by.len()
            && self.accepted_by.len() == other.accepted_by.len()
            && rejected.into_iter().all(|(a, b)| std::ptr::eq(*a, *b))
            && accepted
                .into_iter()
                .all(|(a, b)| std::ptr::eq(a.kernel, b.kernel) && a.condition == b.condition)
    }
}

/// Finds the unusable bits and map types of an architecture. The columns must be sorted from the
/// oldest to the newest kernel.
pub fn on_newest<'a>(arch: Arch, columns: &[&'a Column]) -> Vec<Unusable<'a>> {
    let columns: Vec<&Column> =
        columns.iter().filter(|column| column.arch == arch).copied().collect();
    // Whether a kernel accepts the bit of a flag depends on the flag.
    let bits = (0..arch.flag_bits())
        .map(|number| 1 << number)
        .filter(|&bit| !flag_table::is_flag_bit(arch, bit))
        .map(|bit| (Part::Bit, bit));
    let map_types = (0..MAP_TYPES).map(|value| (Part::MapType, value));
    let mut all: Vec<Unusable> = Vec::new();
    for (part, value) in bits.chain(map_types) {
        let Some(unusable) = examine(arch, &columns, part, value) else { continue };
        match all.last_mut() {
            Some(last) if last.can_merge(&unusable) => last.values.push(value),
            _ => all.push(unusable),
        }
    }
    all
}

/// Compares the behavior of all kernels. `None` if the value is not unusable.
fn examine<'a>(arch: Arch, columns: &[&'a Column], part: Part, value: u64) -> Option<Unusable<'a>> {
    let (mut rejected_by, mut accepted_by) = (Vec::new(), Vec::new());
    let mut newest = Behavior::Unknown;
    for &kernel in columns {
        let behavior = match part {
            Part::Bit => bit_behavior(kernel, value),
            Part::MapType => map_type_behavior(kernel, value),
        };
        match &behavior {
            Behavior::Unknown => continue,
            Behavior::Mixed => {}
            Behavior::Rejected => rejected_by.push(kernel),
            Behavior::Accepted(condition) => {
                accepted_by.push(Acceptance { kernel, condition: condition.clone() });
            }
        }
        newest = behavior;
    }
    let is_unusable = newest == Behavior::Rejected && !accepted_by.is_empty();
    let values = vec![value];
    is_unusable.then_some(Unusable { arch, part, values, rejected_by, accepted_by })
}

/// How a kernel treats a value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Behavior {
    /// No document contains the value.
    Unknown,
    /// Every call fails.
    Rejected,
    /// A call succeeds; the condition is known for some documents.
    Accepted(Option<String>),
    /// Some calls fail for other reasons.
    Mixed,
}

fn bit_behavior(column: &Column, bit: u64) -> Behavior {
    match &column.sweep {
        Some(sweep) => swept_bit(sweep, bit),
        None => type_field_bit(column, bit),
    }
}

fn is_success(outcome: &str) -> bool {
    matches!(outcome, "accepted" | "elsewhere")
}

/// The behavior of a bit according to a sweep. Only contexts count that reach the check of the
/// flags without the bit, and whose map type does not contain the bit. `do_mmap` (`mm/mmap.c`)
/// returns `ENODEV` only after that check.
fn swept_bit(sweep: &Sweep, bit: u64) -> Behavior {
    let number = bit.trailing_zeros() as usize;
    let is_suitable = |context: &&ContextSweep| {
        let lacks_bit =
            flag_table::map_type(&context.map_type).is_some_and(|map_type| map_type & bit == 0);
        lacks_bit && (is_success(&context.base) || context.base == "ENODEV")
    };
    let results: Vec<(&ContextSweep, &str)> = sweep
        .contexts
        .iter()
        .filter(is_suitable)
        .filter_map(|context| Some((context, context.bits.get(number)?.as_str())))
        .collect();
    let mut accepting: Vec<&str> = Vec::new();
    for (context, _) in results.iter().filter(|(_, outcome)| is_success(outcome)) {
        if !accepting.contains(&context.map_type.as_str()) {
            accepting.push(&context.map_type);
        }
    }
    if !accepting.is_empty() {
        Behavior::Accepted(Some(format!("with {}", accepting.join(", "))))
    } else if results.is_empty() {
        Behavior::Unknown
    } else if results.len() > 1 && results.iter().all(|(context, outcome)| *outcome != context.base)
    {
        Behavior::Rejected
    } else {
        Behavior::Mixed
    }
}

/// The behavior of a bit without a sweep, derived from the width of the map type field. Inside the
/// field, `MAP_SHARED` and the bit form an unnamed map type, which is rejected. Outside the field,
/// `MAP_SHARED` ignores the bit. The bits of `MAP_SHARED` and `MAP_PRIVATE` form a named map type.
fn type_field_bit(column: &Column, bit: u64) -> Behavior {
    let validation = column.header().and_then(|header| header.validation.as_ref());
    let mask = validation
        .and_then(|validation| validation.type_mask.as_deref()?.strip_prefix("0x"))
        .and_then(|mask| u64::from_str_radix(mask, 16).ok());
    match mask {
        _ if NAMED_TYPE & bit != 0 => Behavior::Unknown,
        Some(mask) if mask & bit != 0 => Behavior::Rejected,
        Some(_) if TYPE_FIELD & bit != 0 => Behavior::Accepted(Some("with MAP_SHARED".into())),
        _ => Behavior::Unknown,
    }
}

/// The behavior of an unnamed map type.
fn map_type_behavior(column: &Column, value: u64) -> Behavior {
    if let Some(sweep) = &column.sweep {
        return swept_map_type(sweep, value);
    }
    match &column.free_bits {
        Some(free_bits)
            if free_bits.rejected.map_types.iter().any(|&it| u64::from(it) == value) =>
        {
            Behavior::Rejected
        }
        // A complete list omits only accepted map types and the values of flags.
        Some(free_bits) if free_bits.header.complete => Behavior::Accepted(None),
        _ => Behavior::Unknown,
    }
}

fn swept_map_type(sweep: &Sweep, value: u64) -> Behavior {
    let name = format!("{value:#x}");
    let results: Vec<_> = sweep.types.iter().filter(|result| result.map_type == name).collect();
    let accepting: Vec<&str> = results
        .iter()
        .filter(|result| is_success(&result.outcome))
        .map(|result| result.backing.as_str())
        .collect();
    if results.is_empty() {
        Behavior::Unknown
    } else if !accepting.is_empty() {
        Behavior::Accepted(Some(format!("of {}", accepting.join(", "))))
    } else if results.iter().any(|result| result.outcome == "ENODEV") {
        Behavior::Mixed
    } else {
        Behavior::Rejected
    }
}
