//! Every sentence of the report, packed when the program is compiled: English takes half the room then, and a sentence is named by
//! two bytes instead of a pointer and a length. To add one, add a line to the list.
//!
//! Packed by byte pair encoding: again and again the pair of neighbours that occurs most often becomes a code of its own, so that
//! unpacking needs no more than a table of pairs. Which pairs those are stands in `text/pairs.rs`; a test says when they no longer fit
//! the texts, and `cargo pairs` finds others.

use crate::arch::Arch;
use crate::cli;
use crate::errno::Errno;
use crate::evidence::Act;
use crate::experiment::environment;
use crate::explain;
use crate::flags;
use crate::kernel::Op;
use crate::report;
use crate::verdict::{Cause, Verdict};
use core::num::NonZeroU16;
use packing::{DEPTH, END, FIRST_PAIR, NEWLINE, PIECE, ROOM, SHIFT, pack};
use pairs::PAIRS;

pub mod packing;
mod pairs;

/// A text by its place among the packed ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text(NonZeroU16);

macro_rules! texts {
    ($($name:ident $text:expr;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "they are the constants' names")]
        enum At { $($name),* }

        const PLAIN: &[&[&str]] = &[$(&$text),*];

        /// Each is what its name says; a list holds several texts, see [`Text::nth`].
        #[allow(missing_docs, reason = "the text itself says what it is")]
        impl Text {
            $(pub const $name: Text = Text::entry(At::$name as usize);)*
        }
    };
}

texts! {
    // Lists, which the files they are about keep.
    FLAG_NAMES flags::NAMES;
    VERDICTS Verdict::WORDS;
    CODES Cause::CODES;
    CAUSES Cause::WORDS;
    ACTS Act::WORDS;
    ERRNOS Errno::NAMES;
    LIES environment::LIES.as_flattened();
    BACKINGS ["anonymous", "memfd", "pipe"];
    OPS Op::NAMES;
    SCHEMAS ["mapprobe.report", "mapprobe.sweep", "mapprobe.free-bits"];

    // What is measured, and what may be in the way.
    WRITING_TO_MAPPED_FILE ["writing to a file that is mapped"];
    VALIDATE_OF_PATH ["MAP_SHARED_VALIDATE of a path"];
    PRIVATE_MAPPING_OF_PATH ["a private mapping of a path"];
    ONE_BASE_PAGE ["whether one base page of it cannot be unmapped"];
    HUGE_WITH_UNKNOWN_FLAG ["anonymous huge memory with a flag that no kernel knows"];
    MORE_BY_64_MIB ["64 MiB more than memory and swap together"];
    MORE_BY_128_MIB ["128 MiB more than memory and swap together"];
    BYTE_IN_FILE ["byte in the file after a store through the mapping"];
    BYTE_IN_SECOND_MAPPING ["byte in a second mapping after a store through the first"];
    MEMFD_WITH_UNKNOWN_FLAG ["a memfd, with a flag that no kernel knows"];
    PIPE_WITH_UNKNOWN_FLAG ["a pipe, with a flag that no kernel knows"];
    FIRST_BYTE ["first byte of a mapping that was given a file"];
    TYPE_FIELD ["the type field"];
    SHARED_MEMORY ["shared memory"];
    TOUCH_8_BELOW ["a touch 8 pages below it"];
    TOUCH_4_BELOW ["a touch 4 pages below it"];
    TOUCH_8_ABOVE ["a touch 8 pages above it"];
    TOUCH_4_ABOVE ["a touch 4 pages above it"];
    COLLAPSE ["madvise(MADV_COLLAPSE)"];
    HOLDS_OLD_CONTENT ["whether fresh memory holds what was there before"];
    KEEP_ON_FORK ["madvise(MADV_KEEPONFORK)"];
    PAGE_AT_TAKEN ["a page at an address that is taken"];
    SECOND_TAKEN ["two pages of which the second is taken"];
    FIRST_TAKEN ["two pages of which the first is taken"];
    BELOW_2G ["a page below 2 GiB"];
    BELOW_4G ["a page below 4 GiB when nothing is left above"];
    VM_FLAGS ["its VmFlags in /proc/self/smaps"];
    VALIDATE_OF_MEMFD ["MAP_SHARED_VALIDATE of a memfd"];
    VALIDATE_OF_PIPE ["MAP_SHARED_VALIDATE of a pipe"];
    RESIDENT_UNTOUCHED ["pages of 16 resident before anyone touched them"];
    RESIDENT_POPULATED ["pages of 16 resident with MAP_POPULATE"];
    DONT_NEED ["madvise(MADV_DONTNEED)"];
    INVALIDATE ["msync(MS_INVALIDATE)"];
    STORE_IS_LOST ["a store through the mapping does not reach the file"];
    TYPES_DIFFER ["map types that name nothing are not answered alike"];
    EMULATOR_DIVIDES ["a system call emulator divides the flags in its own way"];
    POOL_IS_EMPTY ["the pool of such pages is empty"];
    UNTOUCHED_ARE_RESIDENT ["pages count as resident that nobody touched"];
    UNKNOWN_BITS_DIFFER ["bits that no kernel knows are not answered alike"];
    FREE_PAGE_NOT_GIVEN ["the free page that was asked for was not given"];
    NO_GROUND ["no ground could be reserved: mmap failed"];
    NO_PIPE ["no pipe could be had: pipe2 failed"];

    // Keys and words of the JSON report.
    SCHEMA ["schema"];
    SCHEMA_VERSION ["schema_version"];
    TOOL ["tool"];
    NAME ["name"];
    VERSION ["version"];
    ARCH ["arch"];
    KERNEL ["kernel"];
    SYSNAME ["sysname"];
    RELEASE ["release"];
    MACHINE ["machine"];
    PROCESS ["process"];
    PID ["pid"];
    EUID ["euid"];
    PAGE_SIZE ["page_size"];
    TIME ["time"];
    ENVIRONMENT ["environment"];
    EVIDENCE ["evidence"];
    VALIDATION ["validation"];
    FLAGS ["flags"];
    COMPLETE ["complete"];
    PRESENT ["present"];
    VALIDATING ["validating"];
    TYPE_MASK ["type_mask"];
    OTHER_BITS ["other_bits"];
    BIT ["bit"];
    MEMFD ["memfd"];
    PIPE ["pipe"];
    CONTEXTS ["contexts"];
    VALUE ["value"];
    SINCE ["since"];
    VERDICT ["verdict"];
    REASON_CODE ["reason_code"];
    REASON ["reason"];
    OUTCOME ["outcome"];
    TYPE ["type"];
    BACKING ["backing"];
    ACCEPTED_BITS ["accepted_bits"];
    REFUSED_BITS ["refused_bits"];
    SWEEP ["sweep"];
    BITS ["bits"];
    TYPES ["types"];
    BASE ["base"];
    HUGE_SIZE_FIELD ["huge_size_field"];
    WITH_MAP_SHARED_VALIDATE ["with_map_shared_validate"];
    WITH_ANY_MAP_TYPE ["with_any_map_type"];
    MAP_TYPES ["map_types"];
    UNNAMED_ACCEPTED_BITS ["unnamed_accepted_bits"];
    MAPPROBE ["mapprobe"];
    OF_SCHEMA [report::SCHEMA_VERSION];
    OF_MAPPROBE [env!("CARGO_PKG_VERSION")];
    NULL ["null"];
    TRUE ["true"];
    FALSE ["false"];
    ACCEPTED ["accepted"];
    ELSEWHERE ["elsewhere"];

    // Pieces of sentences.
    ALWAYS ["always"];
    ERRNO ["errno "];
    MAPPED_THERE ["mapped there"];
    MAPPED_ELSEWHERE ["mapped elsewhere"];
    NOT_ASKED ["not asked"];
    PATH ["path"];
    MMAP ["mmap("];
    COMMA [", "];
    LARGE [", large"];
    PAGES [" pages"];
    COLON [": "];
    HEX ["0x"];
    BRACKET [" ("];
    WITH_IT [": with it "];
    WITHOUT [", without "];
    WITH_CONTROL [", with a control "];
    SEMICOLON ["; "];
    TAKEN_UNDER ["; taken under "];
    REFUSED_UNDER ["; refused under "];
    OF [" of "];

    // From here on what only some runs need: other questions, formats, complaints.
    OPTIONS cli::NAMES;
    QUESTIONS cli::QUESTIONS;
    ARCHS Arch::NAMES;
    LABELS explain::LABELS;
    EXPLAINED explain::SENTENCES.as_flattened();
    FORMATS report::NAMES;
    KTAP report::ktap::TEXTS;
    SHELL report::shell::TEXTS;
    MACROS report::macros::TEXTS;
    PROMETHEUS report::prometheus::TEXTS;
    NFD report::nfd::TEXTS;

    // The command line.
    HELP cli::HELP;
    NO_OPTION ["no such option; `mapprobe help` names them"];
    VERSION_LINE [concat!("mapprobe ", env!("CARGO_PKG_VERSION"), "\n")];
    MAPPROBE_SAYS ["mapprobe: "];
    VALUE_IS_MISSING ["its value is missing"];
    ONE_IS_ENOUGH ["given twice"];
    THERE_IS_NO_QUESTION ["no question "];
    THERE_IS_NO_FORMAT ["no format "];
    THERE_IS_NO_ARCH ["no architecture "];
    THERE_IS_NO_FLAG ["no flag "];
    NEAREST_NAME ["nearest is "];
    LISTED ["`mapprobe list` names them"];
    OTHER_QUESTION ["not for that question"];
    WORD_IS_MISSING ["a word is missing"];
    ONE_WORD_TOO_MANY ["one word too many"];
    NO_FLAGS_WORD ["no number such as 0x8003, 32771 or 0100003, or too large"];
    CHOOSE ["; choose one of"];
    JSON_ONLY ["as json or jsonl only"];
    PREFIX_RULE ["--prefix is for macros and shell: letters, digits and _, no digit first"];
    RECORD_AND_REPLAY ["--record or --replay, not both"];
    CANNOT_BE_OPENED ["cannot be opened"];
    CANNOT_BE_READ ["cannot be read"];
    CANNOT_BE_WRITTEN ["cannot be written"];
    COULD_NOT_BE_WRITTEN ["could not be written"];
    ONE_PATH_TOO_MANY ["one path too many: 64 at most"];
    MUST_BE_UTF_8 ["a path must be UTF-8"];
    NO_RECORDING ["no recording: first `mapprobe recording 1` and an architecture"];
    WIDE_RECORDING ["a recording of 64 bits, read on such machines only"];
    ASKS_FOR_NOTHING ["it asks for nothing"];
    LINE ["line "];
    DOES_NOT_ANSWER [" does not answer what this version of mapprobe asks next: "];
    COULD_NOT_START ["could not start /init: "];

    // Requirements.
    NOT_RECORDED ["the recording does not say"];
    ANSWER_OF_FILE ["on this file: "];
    MAY_HELP ["; may help: "];
    IN_THE_WAY ["; in the way: "];
    A_FILE_ON_DAX ["MAP_SYNC:PATH of a file on DAX"];
    LIMIT_OF_LOCKED_MEMORY ["ulimit -l, CAP_IPC_LOCK"];
    LIMIT_OF_STACKS ["ulimit -s"];
    A_WIDE_KERNEL ["a 64-bit kernel"];
    HUGE_PAGES ["CONFIG_HUGETLBFS, another processor"];
    POOL ["vm.nr_hugepages"];
    LINUX ["Linux >= "];

    // Flags in a number.
    SHIFTED ["<<MAP_HUGE_SHIFT"];
    NO_TYPE_OF [" is no map type of "];
    NO_FLAG_OF [" is no flag of "];
    HUGE_PAGES_OF ["  huge pages of 2^"];
    BYTES [" bytes\n"];
    OLD_MAP_TYPE ["  before Linux 4.15 MAP_TYPE was 0x3 there\n"];

    // The report on a console, in version 1 of its form.
    FRAME_BEGIN ["mapprobe: begin 1\n"];
    FRAME_LINE ["mapprobe:"];
    FRAME_END ["mapprobe: end lines=", " bytes=", " crc32=", " exit="];

    // Formats of lines.
    PREFIX ["MAPPROBE_"];
    OK ["ok"];
    NOT_OK ["not ok"];

    // The table.
    MAPPROBE_FOR [concat!("mapprobe ", env!("CARGO_PKG_VERSION"), " for ")];
    ON [" on "];
    TABLE_HEAD ["\nFLAG                 VALUE       VERDICT      REASON\n"];
    NOT_PLAIN ["not a plain kernel"];
    INCOMPLETE ["\nincomplete: not every flag could be asked\n"];
}

/// All texts one after the other, each with its end; before them a byte that is nobody's. Those that only some runs need lie apart
/// (`targets/x86_64.ld`).
static COMMON: [u8; SPLIT] = part(0);
static RARE: [u8; LEN - SPLIT] = part(SPLIT);

/// A part of all, from a place on.
const fn part<const N: usize>(from: usize) -> [u8; N] {
    let (mut part, mut at) = ([0; N], 0);
    while at < N {
        part[at] = DONE.0[from + at];
        at += 1;
    }
    part
}

/// Where the texts begin that only some runs need.
const SPLIT: usize = {
    let (mut texts, mut entry, mut at) = (1, 0, 0);
    while entry < At::OPTIONS as usize {
        texts += PLAIN[entry].len();
        entry += 1;
    }
    while texts > 0 {
        texts -= (DONE.0[at] == END) as usize;
        at += 1;
    }
    at
};

/// The code at a place.
const fn code_at(place: usize) -> u8 {
    if place < SPLIT { COMMON[place] } else { RARE[place - SPLIT] }
}

/// How many bytes they are, packed.
pub const LEN: usize = DONE.1;
const DONE: ([u8; ROOM], usize) = pack(PLAIN);

/// Every text, in the order of the list.
pub fn all() -> impl Iterator<Item = &'static str> {
    PLAIN.iter().copied().flatten().copied()
}

impl Text {
    /// The first text of an entry of the list.
    const fn entry(number: usize) -> Text {
        let (mut before, mut entry) = (0, 0);
        while entry < number {
            before += PLAIN[entry].len();
            entry += 1;
        }
        Text(NonZeroU16::MIN).nth(before)
    }

    /// The text so many places further on, in the same list.
    pub const fn nth(self, mut places: usize) -> Text {
        let mut at = self.0.get();
        while places > 0 {
            places -= (code_at(at as usize) == END) as usize;
            at += 1;
        }
        match NonZeroU16::new(at) {
            Some(at) => Text(at),
            None => self,
        }
    }

    /// Where it stands among the packed ones.
    pub(crate) const fn place(self) -> u16 {
        self.0.get()
    }

    /// The text that stands there.
    pub(crate) fn at(place: u16) -> Text {
        Text(NonZeroU16::new(place).unwrap_or(NonZeroU16::MIN))
    }

    /// The text as the list has it: for whoever compares it; the program itself only appends.
    pub fn plain(self) -> &'static str {
        let before = (1..self.0.get().into()).filter(|&place| code_at(place) == END).count();
        all().nth(before).unwrap_or_default()
    }

    /// It alone.
    pub fn string(self) -> String {
        let mut text = String::new();
        self.push(&mut text);
        text
    }

    /// Appends it.
    pub fn push(self, out: &mut String) {
        let place = usize::from(self.0.get());
        let packed = if place < SPLIT { COMMON.get(place..) } else { RARE.get(place - SPLIT..) };
        let mut packed = packed.unwrap_or_default().iter();
        let (mut piece, mut len) = ([0; PIECE], 0);
        // The second halves of pairs whose first is being unpacked.
        let (mut waiting, mut depth) = ([END; DEPTH], 0);
        loop {
            let mut code = END;
            if depth > 0 {
                depth -= 1;
                code = waiting[depth % DEPTH];
            } else if let Some(&next) = packed.next() {
                code = next;
            }
            while let Some(&[first, second]) = PAIRS.get(usize::from(code.wrapping_sub(FIRST_PAIR)))
            {
                waiting[depth % DEPTH] = second;
                depth += 1;
                code = first;
            }
            if code == END || len == PIECE {
                out.push_str(
                    core::str::from_utf8(piece.get(..len).unwrap_or_default()).unwrap_or_default(),
                );
                len = 0;
            }
            if code == END {
                return;
            }
            piece[len % PIECE] = if code == NEWLINE { b'\n' } else { code + SHIFT };
            len += 1;
        }
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, to: &mut core::fmt::Formatter) -> core::fmt::Result {
        to.write_str(self.plain())
    }
}

#[cfg(test)]
mod tests;
