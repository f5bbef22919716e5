//! Byte pair encoding, by the compiler: the codes, and how a text becomes some of them.

use super::pairs::PAIRS;

/// Ends a text.
pub(super) const END: u8 = 0;
/// A character has its own code: from 1, a space, to 95, a tilde, and one for the end of a line.
pub(super) const NEWLINE: u8 = 96;
/// The first code of a pair.
pub const FIRST_PAIR: u8 = 97;
/// What a character's code lacks to the character.
pub(super) const SHIFT: u8 = b' ' - 1;

/// Characters that are appended at a time: in pieces it is twice as fast.
pub(super) const PIECE: usize = 16;
/// How deep pairs of pairs go, at most: the test of the texts would notice.
pub(super) const DEPTH: usize = 16;

/// Room for all texts when they are packed.
pub(super) const ROOM: usize = 16 << 10;
/// Room for the longest before it is packed.
const LONGEST: usize = 2 << 10;

/// Packs every text. Returns the codes and how many they are.
pub(super) const fn pack(plain: &[&[&str]]) -> ([u8; ROOM], usize) {
    let ranks = ranks();
    let (mut packed, mut len) = ([END; ROOM], 1);
    let mut entry = 0;
    while entry < plain.len() {
        let mut of = 0;
        while of < plain[entry].len() {
            let (codes, count) = encode(plain[entry][of].as_bytes(), &ranks);
            let mut at = 0;
            while at < count {
                packed[len + at] = codes[at];
                at += 1;
            }
            len += count + 1;
            of += 1;
        }
        entry += 1;
    }
    (packed, len)
}

/// The code of each pair; zero where it has none.
const fn ranks() -> [[u8; 256]; 256] {
    let mut ranks = [[0; 256]; 256];
    let mut at = 0;
    while at < PAIRS.len() {
        let [first, second] = PAIRS[at];
        ranks[first as usize][second as usize] = FIRST_PAIR + at as u8;
        at += 1;
    }
    ranks
}

/// One text: as long as there is a pair that has a code, the one with the lowest is replaced by it, everywhere.
const fn encode(text: &[u8], ranks: &[[u8; 256]; 256]) -> ([u8; LONGEST], usize) {
    let (mut codes, mut len) = ([END; LONGEST], text.len());
    let mut at = 0;
    while at < len {
        codes[at] = code(text[at]);
        at += 1;
    }
    loop {
        let mut lowest = 0;
        at = 1;
        while at < len {
            let rank = ranks[codes[at - 1] as usize][codes[at] as usize];
            if rank != 0 && (lowest == 0 || rank < lowest) {
                lowest = rank;
            }
            at += 1;
        }
        if lowest == 0 {
            return (codes, len);
        }
        let [first, second] = PAIRS[(lowest - FIRST_PAIR) as usize];
        let mut from = 0;
        let mut to = 0;
        while from < len {
            let both = codes[from] == first && from + 1 < len && codes[from + 1] == second;
            codes[to] = if both { lowest } else { codes[from] };
            from += 1 + both as usize;
            to += 1;
        }
        len = to;
    }
}

/// The code of a character.
pub const fn code(character: u8) -> u8 {
    match character {
        b'\n' => NEWLINE,
        b' '..=b'~' => character - SHIFT,
        _ => panic!("only ASCII can be packed"),
    }
}
