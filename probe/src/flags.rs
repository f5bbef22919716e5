//! THE TABLE: a row per flag, a column per architecture. To add a flag, add a row; its experiment is a function of
//! [`crate::experiment`].
//!
//! Every number names the kernel header it was read from. It is checked by the compiler against `libc` where that crate
//! knows the name, by `_Static_assert` in the hppa build, and by tests that walk the table.

use crate::arch::Arch;
use crate::experiment::{
    Experiment, accounting, files, fresh, growth, huge, placement, residency, types,
};
use crate::kernel::Word;
use crate::text::Text;

/// Kernel headers, below the kernel's source tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// `include/uapi/linux/mman.h`: the map types and the huge page sizes, the same everywhere.
    Linux,
    /// `include/uapi/asm-generic/mman-common.h`.
    Common,
    /// `include/uapi/asm-generic/mman.h`, which `asm/mman.h` of x86 and arm64 includes.
    Generic,
    /// `arch/x86/include/uapi/asm/mman.h`.
    X86,
    /// `arch/parisc/include/uapi/asm/mman.h`.
    Parisc,
}

impl Header {
    /// The path below the kernel's source tree.
    pub const fn path(self) -> &'static str {
        match self {
            Header::Linux => "include/uapi/linux/mman.h",
            Header::Common => "include/uapi/asm-generic/mman-common.h",
            Header::Generic => "include/uapi/asm-generic/mman.h",
            Header::X86 => "arch/x86/include/uapi/asm/mman.h",
            Header::Parisc => "arch/parisc/include/uapi/asm/mman.h",
        }
    }
}

/// What an architecture's headers say about a name: a number and where it stands, or nothing.
pub type Column = Option<(u32, Header)>;

/// The architecture defines no such flag, or defines it as 0.
const ABSENT: Column = None;

/// What part of the flags argument a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value of the type field (`MAP_TYPE`), not a bit.
    Type,
    /// A bit of its own.
    Bit,
    /// A value of the huge page size field, bits 26 to 31; it means something with `MAP_HUGETLB` only.
    HugeSize,
}

/// A kernel version: three numbers, the last one 0 where it has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub [u8; 3]);

/// There before versions are worth telling.
const ALWAYS: [u8; 3] = [0; 3];

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// The kernel's spelling.
    pub name: Text,
    /// What part of the flags argument it belongs to.
    pub kind: Kind,
    /// The value on each architecture, in the order of [`Arch::ALL`]: of a type itself, of a bit its number from 1, of a size what stands
    /// in the field; 0 where it does not exist. A byte each: the table is a large part of the program.
    places: [u8; 3],
    /// The first kernel version with it; 0.0 when it is older than 2.4.
    pub since: Version,
    /// The place of its experiment.
    experiment: u8,
}

impl Flag {
    /// The bits of this flag on an architecture; `None` where it does not exist.
    #[inline(always)]
    pub const fn value(&self, arch: Arch) -> Option<Word> {
        match self.bits(arch) {
            0 => None,
            bits => Some(bits),
        }
    }

    /// The same, 0 where it does not exist: one number, since it is asked for a lot.
    #[inline(never)]
    const fn bits(&self, arch: Arch) -> Word {
        let place = self.places[arch as usize];
        match self.kind {
            Kind::Type => place as Word,
            // Bit 0 is shifted out where there is none.
            Kind::Bit => 1 << place >> 1,
            Kind::HugeSize => (place as Word) << MAP_HUGE_SHIFT,
        }
    }

    /// What is done to find out.
    #[inline(never)]
    pub fn experiment(&self) -> &'static Experiment {
        EXPERIMENTS[usize::from(self.experiment)]
    }

    /// How many experiments come before its own in the table.
    pub fn experiment_place(&self) -> usize {
        self.experiment.into()
    }

    /// The header an architecture's number was read from.
    pub fn header(&self, arch: Arch) -> Option<Header> {
        let at = TABLE.iter().position(|flag| flag.name == self.name)?;
        ROWS.get(at)?.columns[arch as usize].map(|(_, header)| header)
    }
}

/// `MAP_SHARED`, `include/uapi/linux/mman.h`.
pub const MAP_SHARED: Word = 0x01;
/// `MAP_PRIVATE`, same file.
pub const MAP_PRIVATE: Word = 0x02;
/// `MAP_SHARED_VALIDATE`, same file.
pub const MAP_SHARED_VALIDATE: Word = 0x03;

/// Bits that no architecture has ever given a meaning: what an unknown flag looks like. 21 is taken on alpha, 26 to 31
/// are the huge page size field.
pub const CONTROL_BITS: [u32; 4] = [22, 23, 24, 25];

/// Where the huge page size field begins: `MAP_HUGE_SHIFT`, `include/uapi/asm-generic/hugetlb_encode.h`.
pub const MAP_HUGE_SHIFT: u32 = 26;
/// The values of that field before shifting: `MAP_HUGE_MASK`.
pub const MAP_HUGE_MASK: Word = 0x3f;
/// A size that no machine has: 2^13 bytes. What an unknown size looks like.
pub const CONTROL_SIZE: Word = 13 << MAP_HUGE_SHIFT;

/// Names of the headers that are no row, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("MAP_TYPE", "the mask of the type field, not a flag; it is measured (validation.type_mask)"),
    ("MAP_FILE", "0 everywhere: the absence of MAP_ANONYMOUS"),
    ("MAP_VARIABLE", "0, in parisc's headers only: the absence of MAP_FIXED"),
    ("MAP_HUGE_SHIFT", "the position of the huge page size field"),
    ("MAP_HUGE_MASK", "the mask of the huge page size field"),
];

/// Bits that two names may both use on one architecture.
pub const OVERLAPS: &[(&str, &str)] = &[(
    "MAP_UNINITIALIZED",
    "bit 26 is also the lowest bit of the huge page size field, which counts with MAP_HUGETLB",
)];

/// The same value and header in every column.
const fn everywhere(bits: u32, header: Header) -> [Column; 3] {
    [Some((bits, header)), Some((bits, header)), Some((bits, header))]
}

/// One value where the generic headers apply, another on parisc.
const fn both(generic: u32, header: Header, parisc: u32) -> [Column; 3] {
    [Some((generic, header)), Some((generic, header)), Some((parisc, Header::Parisc))]
}

/// A row as it is written down.
struct Row {
    kind: Kind,
    columns: [Column; 3],
    since: [u8; 3],
    experiment: &'static Experiment,
}

const fn row(
    kind: Kind,
    columns: [Column; 3],
    since: [u8; 3],
    experiment: &'static Experiment,
) -> Row {
    Row { kind, columns, since, experiment }
}

/// A huge page size: the logarithm of its bytes, shifted into the field.
const fn size(log2: u32) -> Row {
    row(
        Kind::HugeSize,
        everywhere(log2 << MAP_HUGE_SHIFT, Header::Linux),
        [3, 8, 0],
        &huge::OFFERS_SIZE,
    )
}

use Header::{Common, Generic, Linux, X86};
use Kind::{Bit, Type};

macro_rules! rows {
    ($($make:ident($name:literal, $($column:expr),*),)*) => {
        /// Every name of the headers that asks something of `mmap(2)`.
        const ROWS: &[Row] = &[$($make($($column),*)),*];
        /// The names alone.
        pub(crate) const NAMES: &[&str] = &[$($name),*];
    };
}

#[rustfmt::skip]
rows! {
    row("MAP_SHARED", Type, everywhere(0x01, Linux), ALWAYS, &types::SHARES_STORES),
    row("MAP_PRIVATE", Type, everywhere(0x02, Linux), ALWAYS, &types::KEEPS_STORES),
    row("MAP_SHARED_VALIDATE", Type, everywhere(0x03, Linux), [4, 15, 0], &types::REFUSES_UNKNOWN_FLAGS),
    row("MAP_DROPPABLE", Type, everywhere(0x08, Linux), [6, 11, 0], &fresh::IS_DROPPABLE),
    row("MAP_FIXED", Bit, both(0x10, Common, 0x04), ALWAYS, &placement::HONORS_ADDRESS),
    row("MAP_ANONYMOUS", Bit, both(0x20, Common, 0x10), ALWAYS, &types::MAPS_NO_FILE),
    row("MAP_32BIT", Bit, [Some((0x40, X86)), ABSENT, ABSENT], [2, 4, 20], &placement::STAYS_LOW),
    row("MAP_ABOVE4G", Bit, [Some((0x80, X86)), ABSENT, ABSENT], [6, 6, 0], &placement::STAYS_HIGH),
    row("MAP_GROWSDOWN", Bit, both(0x100, Generic, 0x8000), ALWAYS, &growth::GROWS_DOWN),
    row("MAP_DENYWRITE", Bit, both(0x800, Generic, 0x800), ALWAYS, &files::DENIES_WRITING),
    row("MAP_EXECUTABLE", Bit, both(0x1000, Generic, 0x1000), ALWAYS, &files::DENIES_WRITING),
    row("MAP_LOCKED", Bit, both(0x2000, Generic, 0x2000), [2, 5, 37], &residency::LOCKS),
    row("MAP_NORESERVE", Bit, both(0x4000, Generic, 0x4000), ALWAYS, &accounting::IS_NOT_ACCOUNTED),
    row("MAP_POPULATE", Bit, both(0x8000, Common, 0x10000), [2, 5, 46], &residency::POPULATES),
    row("MAP_NONBLOCK", Bit, both(0x10000, Common, 0x20000), [2, 5, 46], &residency::CANCELS_POPULATE),
    row("MAP_STACK", Bit, both(0x20000, Common, 0x40000), [2, 6, 27], &growth::SERVES_AS_STACK),
    row("MAP_HUGETLB", Bit, both(0x40000, Common, 0x80000), [2, 6, 32], &huge::HAS_HUGE_GEOMETRY),
    row("MAP_SYNC", Bit, [Some((0x80000, Common)), Some((0x80000, Common)), ABSENT], [4, 15, 0], &files::SYNCS_FAULTS),
    row("MAP_FIXED_NOREPLACE", Bit, both(0x100000, Common, 0x100000), [4, 17, 0], &placement::KEEPS_WHAT_IS_THERE),
    row("MAP_UNINITIALIZED", Bit, [Some((0x4000000, Common)), Some((0x4000000, Common)), ABSENT], [2, 6, 33], &fresh::HOLDS_OLD_CONTENT),
    size("MAP_HUGE_16KB", 14),
    size("MAP_HUGE_64KB", 16),
    size("MAP_HUGE_512KB", 19),
    size("MAP_HUGE_1MB", 20),
    size("MAP_HUGE_2MB", 21),
    size("MAP_HUGE_8MB", 23),
    size("MAP_HUGE_16MB", 24),
    size("MAP_HUGE_32MB", 25),
    size("MAP_HUGE_256MB", 28),
    size("MAP_HUGE_512MB", 29),
    size("MAP_HUGE_1GB", 30),
    size("MAP_HUGE_2GB", 31),
    size("MAP_HUGE_16GB", 34),
}

/// The same without the headers, which the program has no use for.
pub static TABLE: &[Flag] = &{
    let (mut flags, mut at) = ([flag(0); ROWS.len()], 0);
    while at < flags.len() {
        flags[at] = flag(at);
        at += 1;
    }
    flags
};

const fn flag(row: usize) -> Flag {
    let &Row { kind, columns, since, .. } = &ROWS[row];
    let (mut places, mut at) = ([0; 3], 0);
    while at < places.len() {
        if let Some((bits, _)) = columns[at] {
            places[at] = match kind {
                Kind::Type => bits as u8,
                Kind::Bit => bits.trailing_zeros() as u8 + 1,
                Kind::HugeSize => (bits >> MAP_HUGE_SHIFT) as u8,
            };
        }
        at += 1;
    }
    let experiment = experiment_of(row) as u8;
    Flag { name: Text::FLAG_NAMES.nth(row), kind, places, since: Version(since), experiment }
}

/// The place of a row's experiment. Two are shared: by `MAP_EXECUTABLE` and the row before it, and by all sizes, which come last.
const fn experiment_of(row: usize) -> usize {
    let (mut place, mut at) = (0, 0);
    while at < row {
        at += 1;
        let is_shared =
            matches!(ROWS[at].kind, Kind::HugeSize) && matches!(ROWS[at - 1].kind, Kind::HugeSize);
        place += !(is_shared || same(NAMES[at], "MAP_EXECUTABLE")) as usize;
    }
    place
}

/// Every experiment, in the order of the rows.
static EXPERIMENTS: [&Experiment; experiment_of(ROWS.len() - 1) + 1] = {
    let (mut experiments, mut row) = ([ROWS[0].experiment; _], 0);
    while row < ROWS.len() {
        experiments[experiment_of(row)] = ROWS[row].experiment;
        row += 1;
    }
    experiments
};

/// The value of a name the experiments build their own calls from; it must exist on every architecture.
pub const fn bits(name: &str, arch: Arch) -> Word {
    let mut at = 0;
    while at < TABLE.len() {
        if let (true, Some(bits)) = (same(NAMES[at], name), TABLE[at].value(arch)) {
            return bits;
        }
        at += 1;
    }
    panic!("no such flag on this architecture")
}

/// Whether two names are the same; `==` on strings is not yet const.
const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// The numbers of the C library's crate, for the names it knows, checked by the compiler. (The hppa build asks the kernel's headers.)
#[cfg(not(target_family = "wasm"))]
mod checked {
    use super::{Arch, bits};

    macro_rules! agree {
        ($($name:ident)*) => { $(const _: () = assert!(bits(stringify!($name), Arch::native()) == libc::$name as u32 as u64);)* };
    }

    agree! {
        MAP_SHARED MAP_PRIVATE MAP_SHARED_VALIDATE MAP_DROPPABLE MAP_FIXED MAP_ANONYMOUS MAP_GROWSDOWN MAP_DENYWRITE MAP_EXECUTABLE MAP_LOCKED
        MAP_NORESERVE MAP_POPULATE MAP_NONBLOCK MAP_STACK MAP_HUGETLB MAP_SYNC MAP_FIXED_NOREPLACE MAP_HUGE_64KB MAP_HUGE_512KB
        MAP_HUGE_1MB MAP_HUGE_2MB MAP_HUGE_8MB MAP_HUGE_16MB MAP_HUGE_32MB MAP_HUGE_256MB MAP_HUGE_512MB MAP_HUGE_1GB MAP_HUGE_2GB
        MAP_HUGE_16GB
    }
}

/// The flags that experiments build their own calls from, as an architecture numbers them.
#[derive(Debug)]
pub struct Own {
    /// `MAP_FIXED`.
    pub fixed: Word,
    /// `MAP_ANONYMOUS`.
    pub anonymous: Word,
    /// `MAP_NORESERVE`.
    pub noreserve: Word,
    /// `MAP_POPULATE`.
    pub populate: Word,
    /// `MAP_HUGETLB`.
    pub hugetlb: Word,
    /// Bits that are flags of their own: they cannot be part of the type field.
    pub all: Word,
}

/// The same for every architecture, in the order of [`Arch::ALL`].
static OWN: [Own; 3] = [own(Arch::X86_64), own(Arch::Aarch64), own(Arch::Hppa)];

const fn own(arch: Arch) -> Own {
    let (mut all, mut at) = (0, 0);
    while at < TABLE.len() {
        if let (Kind::Bit, Some(bits)) = (TABLE[at].kind, TABLE[at].value(arch)) {
            all |= bits;
        }
        at += 1;
    }
    Own {
        fixed: bits("MAP_FIXED", arch),
        anonymous: bits("MAP_ANONYMOUS", arch),
        noreserve: bits("MAP_NORESERVE", arch),
        populate: bits("MAP_POPULATE", arch),
        hugetlb: bits("MAP_HUGETLB", arch),
        all,
    }
}

impl Own {
    /// The numbers of an architecture.
    pub fn of(arch: Arch) -> &'static Own {
        &OWN[arch as usize]
    }
}

/// The named values of the type field on an architecture.
pub fn types(arch: Arch) -> impl Iterator<Item = Word> {
    TABLE.iter().filter(|flag| flag.kind == Kind::Type).filter_map(move |flag| flag.value(arch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_table_says_what_the_rows_say() {
        for (flag, row) in TABLE.iter().zip(ROWS) {
            assert!(core::ptr::eq(flag.experiment(), row.experiment), "{}", flag.name.plain());
            for arch in Arch::ALL {
                let written = row.columns[arch as usize].map(|(bits, _)| Word::from(bits));
                assert_eq!(flag.value(arch), written, "{} {}", flag.name.plain(), arch.name());
            }
        }
    }
}
