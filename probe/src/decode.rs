//! `mapprobe decode`: a flags argument by names, as an architecture numbers them, and what has no name.

use crate::arch::Arch;
use crate::cli::wrong;
use crate::flags::{MAP_HUGE_MASK, MAP_HUGE_SHIFT, Own};
use crate::kernel::Word;
use crate::report::sentence::{self, number};
use crate::text::Text;

/// `MAP_TYPE`, in the order of [`Arch::ALL`]: `include/uapi/asm-generic/mman-common.h`, and
/// `arch/parisc/include/uapi/asm/mman.h`.
pub static MAP_TYPE: [u8; 3] = [0x0f, 0x0f, 0x2b];
/// Which of its bits were none before 4.15, when it was 0x03 on parisc.
static NEW_IN_TYPE: [u8; 3] = [0, 0, 0x28];

/// Appends the names with what is left in hexadecimal, and a line for each thing that names cannot say; or says that it is no such number.
#[cold]
#[inline(never)]
pub fn decode(word: &str, arch: Arch, out: &mut String) -> Option<()> {
    let Some(value) =
        read(word.as_bytes()).filter(|value| value.checked_shr(arch.flag_bits()).unwrap_or(0) == 0)
    else {
        return wrong(out, word, Text::NO_FLAGS_WORD);
    };
    let field = value >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
    let huge = value & Own::of(arch).hugetlb != 0;
    // Without MAP_HUGETLB bit 26 alone is a flag.
    let sized = field > Word::from(!huge);
    let mask = Word::from(MAP_TYPE[arch as usize]);
    let mut left = sentence::names(out, arch, value, value & mask, sized);
    let size = left & MAP_HUGE_MASK << MAP_HUGE_SHIFT;
    let nameless = sized && size != 0;
    if nameless {
        left ^= size;
        sentence::between(out, 0);
        number(out, field);
        Text::SHIFTED.push(out);
    }
    if left != 0 || out.is_empty() {
        sentence::between(out, 0);
        sentence::bits(out, left);
    }
    out.push('\n');
    if nameless {
        Text::HUGE_PAGES_OF.push(out);
        number(out, field);
        Text::BYTES.push(out);
    }
    note(out, left & mask, Text::NO_TYPE_OF, arch);
    note(out, left & !mask, Text::NO_FLAG_OF, arch);
    if value & Word::from(NEW_IN_TYPE[arch as usize]) != 0 {
        Text::OLD_MAP_TYPE.push(out);
    }
    Some(())
}

/// Appends what bits are not, if there are any.
#[cold]
#[inline(never)]
fn note(out: &mut String, bits: Word, what: Text, arch: Arch) {
    if bits != 0 {
        out.push_str("  ");
        sentence::bits(out, bits);
        what.push(out);
        out.push_str(arch.name());
        out.push('\n');
    }
}

/// A number as C spells it: hexadecimal, octal or decimal.
#[cold]
#[inline(never)]
fn read(word: &[u8]) -> Option<Word> {
    let (digits, base) = match word {
        [b'0', b'x' | b'X', digits @ ..] => (digits, 16),
        [b'0', digits @ ..] if !digits.is_empty() => (digits, 8),
        digits => (digits, 10),
    };
    let mut value = None;
    for &byte in digits {
        let digit = char::from(byte).to_digit(base)?;
        value =
            Some(value.unwrap_or(0 as Word).checked_mul(base.into())?.checked_add(digit.into())?);
    }
    value
}
