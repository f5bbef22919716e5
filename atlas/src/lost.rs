//! Bits and map types that could not have carried a new flag: the newest kernel refuses them, and an older one took them. A program that
//! sets such a bit there cannot tell a kernel that knows it from one that drops it.

use crate::columns::Column;
use crate::document::{Sweep, Swept};
use mapprobe::arch::Arch;
use mapprobe::flags::{Kind, TABLE};

/// What part of the flags argument it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A bit beside a map type that is known.
    Bit,
    /// A value of the type field.
    MapType,
}

/// Something that one kernel refuses and an older one took.
#[derive(Debug)]
pub struct Lost<'a> {
    /// The architecture.
    pub arch: Arch,
    /// A bit or a map type.
    pub part: Part,
    /// Its value in the flags argument; several map types where all is the same about them.
    pub values: Vec<u64>,
    /// The columns that refuse it.
    pub refused: Vec<&'a Column>,
    /// The columns that took it, and with which map types or of which memory, if that is known.
    pub taken: Vec<(&'a Column, String)>,
}

impl Lost<'_> {
    /// What it is, in words: `bit 0x08`, `map types 0x9, 0xa`.
    pub fn words(&self) -> String {
        let hex = |value: &u64| {
            if self.part == Part::Bit { format!("{value:#04x}") } else { format!("{value:#x}") }
        };
        let values: Vec<String> = self.values.iter().map(hex).collect();
        let (word, plural) =
            (if self.part == Part::Bit { "bit" } else { "map type" }, values.len() != 1);
        format!("{word}{} {}", if plural { "s" } else { "" }, values.join(", "))
    }

    /// The name that it has on its architecture today, if it has one: `MAP_DROPPABLE` for 0x08.
    pub fn name(&self) -> Option<&'static str> {
        let [value] = self.values[..] else { return None };
        TABLE.iter().find(|flag| flag.value(self.arch) == Some(value)).map(|flag| flag.name.plain())
    }
}

/// Everything of the kind on these columns of an architecture, which come with the older kernels first.
pub fn on_newest<'a>(arch: Arch, columns: &[&'a Column]) -> Vec<Lost<'a>> {
    let columns: Vec<&Column> =
        columns.iter().filter(|column| column.arch == arch).copied().collect();
    let bits = (0..arch.flag_bits())
        .filter(|&bit| !is_named(arch, 1 << bit))
        .map(|bit| (Part::Bit, 1 << bit));
    let types = (0..TYPES).map(|value| (Part::MapType, value));
    let mut all: Vec<Lost> = Vec::new();
    for (part, value) in bits.chain(types) {
        let Some((refused, taken)) = lost(&columns, part, value) else { continue };
        let same = |a: &Column, b: &Column| std::ptr::eq(a, b);
        let alike = |lost: &&mut Lost| {
            let both = lost.refused.len() == refused.len() && lost.taken.len() == taken.len();
            part == Part::MapType
                && lost.part == part
                && both
                && lost.refused.iter().zip(&refused).all(|(a, b)| same(a, b))
                && lost.taken.iter().zip(&taken).all(|(a, b)| same(a.0, b.0) && a.1 == b.1)
        };
        match all.last_mut().filter(alike) {
            Some(lost) => lost.values.push(value),
            None => all.push(Lost { arch, part, values: vec![value], refused, taken }),
        }
    }
    all
}

/// Values of the type field are smaller.
const TYPES: u64 = 64;

/// Columns, and the circumstances.
type Taken<'a> = Vec<(&'a Column, String)>;

/// The columns that refuse a value and those that took it, if the newest refuses it and some took it.
fn lost<'a>(
    columns: &[&'a Column],
    part: Part,
    value: u64,
) -> Option<(Vec<&'a Column>, Taken<'a>)> {
    let answers = columns.iter().map(|&column| (column, fate(column, part, value)));
    let answers: Vec<(&Column, Fate)> =
        answers.filter(|(_, fate)| *fate != Fate::NotAsked).collect();
    if !matches!(answers.last(), Some((_, Fate::Refused))) {
        return None;
    }
    let (mut refused, mut taken) = (Vec::new(), Vec::new());
    for (column, fate) in answers {
        match fate {
            Fate::Refused => refused.push(column),
            Fate::Taken(with) => taken.push((column, with)),
            Fate::Mixed | Fate::NotAsked => {}
        }
    }
    (!taken.is_empty()).then_some((refused, taken))
}

/// What becomes of a value on a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// No document says.
    NotAsked,
    /// It fails, whatever is mapped.
    Refused,
    /// A call with it succeeds, under these circumstances.
    Taken(String),
    /// Neither.
    Mixed,
}

fn fate(column: &Column, part: Part, value: u64) -> Fate {
    match (part, &column.sweep) {
        (Part::Bit, Some(sweep)) => swept(sweep, value),
        (Part::Bit, None) => in_type_field(column, value),
        (Part::MapType, _) => map_type(column, value),
    }
}

fn takes(answer: &str) -> bool {
    answer == "accepted" || answer == "elsewhere"
}

/// A bit, by the answers of every context that takes the call without it. Where the bit is part of the map type's own number,
/// setting it is no question.
fn swept(sweep: &Sweep, bit: u64) -> Fate {
    let lacks = |context: &&Swept| named_type(&context.map_type).is_some_and(|own| own & bit == 0);
    let willing = |context: &&Swept| takes(&context.base) || context.base == "ENODEV";
    let asked: Vec<(&Swept, &String)> = sweep
        .sweep
        .iter()
        .filter(lacks)
        .filter(willing)
        .filter_map(|context| Some((context, context.bits.get(bit.trailing_zeros() as usize)?)))
        .collect();
    let mut with: Vec<&str> = Vec::new();
    for (context, _) in asked.iter().filter(|(_, answer)| takes(answer)) {
        // The same map type comes with every backing.
        if !with.contains(&context.map_type.as_str()) {
            with.push(&context.map_type);
        }
    }
    if !with.is_empty() {
        Fate::Taken(format!("with {}", with.join(", ")))
    } else if asked.len() > 1 && asked.iter().all(|(context, answer)| **answer != context.base) {
        Fate::Refused
    } else if asked.is_empty() {
        Fate::NotAsked
    } else {
        Fate::Mixed
    }
}

/// A bit of the type field, where only the field's width is known: inside of it `MAP_SHARED` with the bit is another map type, which
/// was refused; outside of it the bit was taken. Of other bits nothing is known.
fn in_type_field(column: &Column, bit: u64) -> Fate {
    let validation = column.head().and_then(|head| head.validation.as_ref());
    let mask =
        validation.and_then(|validation| validation.type_mask.as_deref()?.strip_prefix("0x"));
    match mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()) {
        Some(mask) if mask & bit != 0 => Fate::Refused,
        Some(_) if FIELDS & bit != 0 => Fate::Taken("with MAP_SHARED".into()),
        _ => Fate::NotAsked,
    }
}

/// The widest type field: 0x0f, on PA-RISC 0x2b.
const FIELDS: u64 = 0x0f | 0x2b;

/// A map type without a name.
fn map_type(column: &Column, value: u64) -> Fate {
    let spelled = format!("{value:#x}");
    if let Some(sweep) = &column.sweep {
        let asked: Vec<_> =
            sweep.types.iter().filter(|answer| answer.map_type == spelled).collect();
        let with: Vec<&str> = asked
            .iter()
            .filter(|answer| takes(&answer.outcome))
            .map(|answer| answer.backing.as_str())
            .collect();
        return match asked.first() {
            None => Fate::NotAsked,
            Some(_) if !with.is_empty() => Fate::Taken(format!("of {}", with.join(", "))),
            Some(_) if asked.iter().any(|answer| answer.outcome == "ENODEV") => Fate::Mixed,
            Some(_) => Fate::Refused,
        };
    }
    match &column.free_bits {
        // The document names what is refused. What it does not name was taken, or is a flag's by now.
        Some(free_bits)
            if free_bits.map_types.iter().any(|&refused| u64::from(refused) == value) =>
        {
            Fate::Refused
        }
        Some(free_bits) if free_bits.head.complete => Fate::Taken(String::new()),
        _ => Fate::NotAsked,
    }
}

/// The value of a map type by its name; they are the same on every architecture.
fn named_type(name: &str) -> Option<u64> {
    let flag = TABLE.iter().find(|flag| flag.name.plain() == name && flag.kind == Kind::Type)?;
    flag.value(Arch::X86_64)
}

/// Whether a flag has this bit: then it is refused or taken because of what it means.
fn is_named(arch: Arch, bit: u64) -> bool {
    let of_flag = |kind: Kind, bits: u64| bits & bit != 0 && kind != Kind::Type;
    TABLE.iter().any(|flag| flag.value(arch).is_some_and(|bits| of_flag(flag.kind, bits)))
}
