//! The flag table: a row per flag, a column per architecture.
//!
//! To add a flag, add a row; the compiler then demands its experiment in
//! [`crate::experiments::of`]. Every number has the kernel header that defines it. The compiler
//! compares the numbers with those of the `libc` crate, the build for hppa compares them with the
//! kernel's headers, and tests check the whole table.

use crate::arch::Arch;
use core::fmt;
use core::ops::BitOr;

/// Kernel headers, below the kernel's source tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// `include/uapi/linux/mman.h`: the map types and the huge page sizes of every architecture.
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

/// The part of the flags argument that a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value of the type field (`MAP_TYPE`).
    Type,
    /// A bit of its own.
    Bit,
    /// A value of the huge page size field, bits 26 to 31; it needs `MAP_HUGETLB`.
    HugeSize,
}

/// A kernel version: major, minor and patch number. All are 0 for a flag that is older than 2.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub [u8; 3]);

impl Version {
    /// Older than 2.4.
    pub const ALWAYS: Version = Version([0; 3]);
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Version([major, minor, patch]) = *self;
        if *self == Version::ALWAYS {
            return f.write_str("always");
        }
        write!(f, "{major}.{minor}")?;
        if patch > 0 {
            write!(f, ".{patch}")?;
        }
        Ok(())
    }
}

/// A number on one architecture and the header that defines it; `None` where the headers of the
/// architecture do not define the name, or define it as 0.
pub type Column = Option<(u32, Header)>;

const ABSENT: Column = None;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub kind: Kind,
    pub x86_64: Column,
    pub aarch64: Column,
    pub hppa: Column,
    /// The first kernel version with the flag.
    pub since: Version,
}

impl Row {
    const fn column(&self, arch: Arch) -> Column {
        match arch {
            Arch::X86_64 => self.x86_64,
            Arch::Aarch64 => self.aarch64,
            Arch::Hppa => self.hppa,
        }
    }
}

/// A number that is the same on every architecture.
const fn everywhere(kind: Kind, value: u32, header: Header, since: [u8; 3]) -> Row {
    let column = Some((value, header));
    Row { kind, x86_64: column, aarch64: column, hppa: column, since: Version(since) }
}

/// A bit with one number in the generic headers, and another on parisc.
const fn bit(generic: u32, header: Header, parisc: u32, since: [u8; 3]) -> Row {
    let hppa = Some((parisc, Header::Parisc));
    Row { hppa, ..everywhere(Kind::Bit, generic, header, since) }
}

/// A bit that parisc does not define.
const fn bit_except_parisc(generic: u32, header: Header, since: [u8; 3]) -> Row {
    Row { hppa: ABSENT, ..everywhere(Kind::Bit, generic, header, since) }
}

/// A bit that only x86 defines.
const fn bit_of_x86(value: u32, since: [u8; 3]) -> Row {
    Row { aarch64: ABSENT, ..bit_except_parisc(value, Header::X86, since) }
}

/// A huge page size: the base-2 logarithm of its bytes, shifted into the field.
const fn huge_size(log2: u32) -> Row {
    everywhere(Kind::HugeSize, log2 << MAP_HUGE_SHIFT, Header::Linux, [3, 8, 0])
}

macro_rules! flags {
    ($($name:ident = $row:expr;)*) => {
        /// A name in the kernel's headers that a program can pass in the flags of `mmap(2)`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(non_camel_case_types, reason = "variants are spelled as in the headers")]
        pub enum Flag { $($name),* }

        /// The rows in the order of [`Flag::ALL`].
        static TABLE: [Row; Flag::ALL.len()] = [$($row),*];

        impl Flag {
            pub const ALL: &'static [Flag] = &[$(Flag::$name),*];

            /// The kernel's spelling.
            pub const fn name(self) -> &'static str {
                match self { $(Flag::$name => stringify!($name)),* }
            }
        }

        $(
            #[doc = concat!("`", stringify!($name), "` in the flags of a call.")]
            pub const $name: MapFlags = MapFlags::of(Flag::$name);
        )*
    };
}

use Header::{Common, Generic, Linux};
use Kind::Type;

flags! {
    MAP_SHARED = everywhere(Type, 0x01, Linux, [0; 3]);
    MAP_PRIVATE = everywhere(Type, 0x02, Linux, [0; 3]);
    MAP_SHARED_VALIDATE = everywhere(Type, 0x03, Linux, [4, 15, 0]);
    MAP_DROPPABLE = everywhere(Type, 0x08, Linux, [6, 11, 0]);
    MAP_FIXED = bit(0x10, Common, 0x04, [0; 3]);
    MAP_ANONYMOUS = bit(0x20, Common, 0x10, [0; 3]);
    MAP_32BIT = bit_of_x86(0x40, [2, 4, 20]);
    MAP_ABOVE4G = bit_of_x86(0x80, [6, 6, 0]);
    MAP_GROWSDOWN = bit(0x100, Generic, 0x8000, [0; 3]);
    MAP_DENYWRITE = bit(0x800, Generic, 0x800, [0; 3]);
    MAP_EXECUTABLE = bit(0x1000, Generic, 0x1000, [0; 3]);
    MAP_LOCKED = bit(0x2000, Generic, 0x2000, [2, 5, 37]);
    MAP_NORESERVE = bit(0x4000, Generic, 0x4000, [0; 3]);
    MAP_POPULATE = bit(0x8000, Common, 0x10000, [2, 5, 46]);
    MAP_NONBLOCK = bit(0x10000, Common, 0x20000, [2, 5, 46]);
    MAP_STACK = bit(0x20000, Common, 0x40000, [2, 6, 27]);
    MAP_HUGETLB = bit(0x40000, Common, 0x80000, [2, 6, 32]);
    MAP_SYNC = bit_except_parisc(0x80000, Common, [4, 15, 0]);
    MAP_FIXED_NOREPLACE = bit(0x100000, Common, 0x100000, [4, 17, 0]);
    MAP_UNINITIALIZED = bit_except_parisc(0x4000000, Common, [2, 6, 33]);
    MAP_HUGE_16KB = huge_size(14);
    MAP_HUGE_64KB = huge_size(16);
    MAP_HUGE_512KB = huge_size(19);
    MAP_HUGE_1MB = huge_size(20);
    MAP_HUGE_2MB = huge_size(21);
    MAP_HUGE_8MB = huge_size(23);
    MAP_HUGE_16MB = huge_size(24);
    MAP_HUGE_32MB = huge_size(25);
    MAP_HUGE_256MB = huge_size(28);
    MAP_HUGE_512MB = huge_size(29);
    MAP_HUGE_1GB = huge_size(30);
    MAP_HUGE_2GB = huge_size(31);
    MAP_HUGE_16GB = huge_size(34);
}

/// Bits that no architecture has assigned: the control of every measurement. Bit 21 is
/// `MAP_FIXED_NOREPLACE` on alpha, bits 26 to 31 are the huge page size field.
pub const UNASSIGNED_BITS: [u32; 4] = [22, 23, 24, 25];
/// The base-2 logarithm of a huge page size that no machine has: the control of the sizes.
pub const UNASSIGNED_SIZE: u32 = 13;

/// Where the huge page size field begins: `MAP_HUGE_SHIFT`,
/// `include/uapi/asm-generic/hugetlb_encode.h`.
pub const MAP_HUGE_SHIFT: u32 = 26;
/// The values of that field before shifting: `MAP_HUGE_MASK`.
pub const MAP_HUGE_MASK: usize = 0x3f;
/// The bits of the huge page size field.
pub const HUGE_SIZE_FIELD: usize = MAP_HUGE_MASK << MAP_HUGE_SHIFT;

/// Names of the headers without a row, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("MAP_TYPE", "the mask of the type field; it is measured (validation.type_mask)"),
    ("MAP_FILE", "0 everywhere: the absence of MAP_ANONYMOUS"),
    ("MAP_VARIABLE", "0, in parisc's headers only: the absence of MAP_FIXED"),
    ("MAP_HUGE_SHIFT", "the position of the huge page size field"),
    ("MAP_HUGE_MASK", "the mask of the huge page size field"),
];

/// Flags that share a bit with another one, and why.
pub const OVERLAPS: &[(&str, &str)] = &[(
    "MAP_UNINITIALIZED",
    "bit 26 is also the lowest bit of the huge page size field, which needs MAP_HUGETLB",
)];

impl Flag {
    pub fn from_name(name: &str) -> Option<Flag> {
        Flag::ALL.iter().copied().find(|flag| flag.name() == name)
    }

    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    pub const fn kind(self) -> Kind {
        self.row().kind
    }

    /// The first kernel version with the flag.
    pub const fn since(self) -> Version {
        self.row().since
    }

    /// The number on an architecture; `None` where it does not exist.
    pub const fn value(self, arch: Arch) -> Option<usize> {
        match self.row().column(arch) {
            Some((value, _)) => Some(value as usize),
            None => None,
        }
    }

    /// The header that defines the number on an architecture.
    pub const fn header(self, arch: Arch) -> Option<Header> {
        match self.row().column(arch) {
            Some((_, header)) => Some(header),
            None => None,
        }
    }

    /// The base-2 logarithm of a huge page size; `None` for other flags.
    pub fn huge_size_log2(self) -> Option<u32> {
        let field = self.value(Arch::X86_64)? >> MAP_HUGE_SHIFT;
        (self.kind() == Kind::HugeSize).then_some(field as u32)
    }
}

/// A flags argument that an experiment builds: map type, flags and huge page size in the numbering
/// of x86_64 on every architecture. [`MapFlags::encode`] gives the number that the kernel gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapFlags(usize);

/// The flags with other numbers on parisc.
const RENUMBERED_BY_PARISC: [Flag; 7] = [
    Flag::MAP_FIXED,
    Flag::MAP_ANONYMOUS,
    Flag::MAP_GROWSDOWN,
    Flag::MAP_POPULATE,
    Flag::MAP_NONBLOCK,
    Flag::MAP_STACK,
    Flag::MAP_HUGETLB,
];

impl MapFlags {
    pub const NONE: MapFlags = MapFlags(0);
    /// The unassigned bit of the effect tests.
    pub const UNASSIGNED: MapFlags = MapFlags::bit(UNASSIGNED_BITS[2]);
    /// Two more, for experiments that need several.
    pub const OTHER_UNASSIGNED: [MapFlags; 2] =
        [MapFlags::bit(UNASSIGNED_BITS[0]), MapFlags::bit(UNASSIGNED_BITS[1])];

    const fn of(flag: Flag) -> MapFlags {
        match flag.value(Arch::X86_64) {
            Some(value) => MapFlags(value),
            None => panic!("x86_64 defines every flag"),
        }
    }

    /// A bit without a name.
    pub const fn bit(bit: u32) -> MapFlags {
        MapFlags(1 << bit)
    }

    /// A huge page size, given the base-2 logarithm of its bytes.
    pub const fn huge_size(log2: u32) -> MapFlags {
        MapFlags((log2 as usize) << MAP_HUGE_SHIFT)
    }

    pub const fn contains(self, flags: MapFlags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// The base-2 logarithm in the huge page size field.
    pub const fn huge_size_log2(self) -> u32 {
        (self.0 >> MAP_HUGE_SHIFT & MAP_HUGE_MASK) as u32
    }

    /// The number of these flags on an architecture.
    pub fn encode(self, arch: Arch) -> usize {
        let renumbered: &[Flag] = match arch {
            Arch::X86_64 | Arch::Aarch64 => &[],
            Arch::Hppa => &RENUMBERED_BY_PARISC,
        };
        let (mut rest, mut encoded) = (self.0, 0);
        for &flag in renumbered {
            let generic = MapFlags::of(flag);
            if self.contains(generic) {
                rest &= !generic.0;
                encoded |= flag.value(arch).unwrap_or_default();
            }
        }
        rest | encoded
    }
}

impl From<Flag> for MapFlags {
    fn from(flag: Flag) -> MapFlags {
        MapFlags::of(flag)
    }
}

impl BitOr for MapFlags {
    type Output = MapFlags;

    fn bitor(self, other: MapFlags) -> MapFlags {
        MapFlags(self.0 | other.0)
    }
}

/// The bits of an architecture that are flags of their own, and therefore not part of the type
/// field.
pub const fn flag_bits(arch: Arch) -> usize {
    const fn all(arch: Arch) -> usize {
        let (mut bits, mut index) = (0, 0);
        while index < Flag::ALL.len() {
            let flag = Flag::ALL[index];
            if let (Kind::Bit, Some(value)) = (flag.kind(), flag.value(arch)) {
                bits |= value;
            }
            index += 1;
        }
        bits
    }
    match arch {
        Arch::X86_64 => const { all(Arch::X86_64) },
        Arch::Aarch64 => const { all(Arch::Aarch64) },
        Arch::Hppa => const { all(Arch::Hppa) },
    }
}

/// The map type in a flags argument: the low eight bits without those that are flags.
pub const fn map_type(arch: Arch, flags: usize) -> usize {
    flags & 0xff & !flag_bits(arch)
}

/// The named values of the type field on an architecture.
pub fn map_types(arch: Arch) -> impl Iterator<Item = usize> {
    let types = Flag::ALL.iter().filter(|flag| flag.kind() == Kind::Type);
    types.filter_map(move |flag| flag.value(arch))
}

/// Compares the table with the `libc` crate, for the names that libc defines.
#[cfg(not(target_family = "wasm"))]
mod libc_check {
    use super::{Arch, Flag};

    macro_rules! agree {
        ($($name:ident)*) => { $(const _: () = assert!(
            matches!(
                Flag::$name.value(Arch::native()),
                Some(value) if value as u32 == libc::$name as u32
            )
        );)* };
    }

    agree! {
        MAP_SHARED MAP_PRIVATE MAP_SHARED_VALIDATE MAP_DROPPABLE MAP_FIXED MAP_ANONYMOUS
        MAP_GROWSDOWN MAP_DENYWRITE MAP_EXECUTABLE MAP_LOCKED MAP_NORESERVE MAP_POPULATE
        MAP_NONBLOCK MAP_STACK MAP_HUGETLB MAP_SYNC MAP_FIXED_NOREPLACE MAP_HUGE_64KB
        MAP_HUGE_512KB MAP_HUGE_1MB MAP_HUGE_2MB MAP_HUGE_8MB MAP_HUGE_16MB MAP_HUGE_32MB
        MAP_HUGE_256MB MAP_HUGE_512MB MAP_HUGE_1GB MAP_HUGE_2GB MAP_HUGE_16GB
    }
}
