//! Flags by name, and the nearest name where there is none.

use crate::cli;
use crate::flags::TABLE;
use crate::text::Text;

/// Bytes of `MAP_`, which every name begins with, and a word need not.
const PREFIX: usize = 4;
/// Room for the rest of the longest name.
const ROOM: usize = 16;

/// The place in the table of the flag with this name; or says which name is the nearest, if one is near.
#[cold]
#[inline(never)]
pub fn flag(word: &str, said: &mut String) -> Option<usize> {
    let place = cli::place(word, Text::FLAG_NAMES, TABLE.len());
    if place < TABLE.len() {
        return Some(place);
    }
    let (mut least, mut nearest) = (word.len() / 3 + 1, Text::LISTED);
    for flag in TABLE {
        let far = distance(word.as_bytes(), flag.name.string().as_bytes());
        if far < least {
            (least, nearest) = (far, flag.name);
        }
    }
    Text::THERE_IS_NO_FLAG.push(said);
    said.push_str(word);
    Text::SEMICOLON.push(said);
    if nearest != Text::LISTED {
        Text::NEAREST_NAME.push(said);
    }
    nearest.push(said);
    None
}

/// How many characters must be inserted, left out or replaced to turn a word into a name: Levenshtein's distance, whatever the case, and
/// `MAP_` apart.
#[cold]
#[inline(never)]
fn distance(mut word: &[u8], name: &[u8]) -> usize {
    if word.get(PREFIX - 1) == Some(&b'_') {
        word = word.get(PREFIX..).unwrap_or_default();
    }
    // How far the word, as far as it was read, is from the first characters of the name: one, two, and so on.
    let (mut row, mut count) = ([0; ROOM], 0);
    for place in &mut row {
        count += 1;
        *place = count;
    }
    let mut far = name.len();
    for (at, byte) in word.iter().enumerate() {
        let mut corner = at;
        far = at + 1;
        for (place, known) in row.iter_mut().zip(name.iter().skip(PREFIX)) {
            let replaced = corner + usize::from((byte ^ known) & !CASE != 0);
            corner = *place;
            far = replaced.min(far.min(corner) + 1);
            *place = far;
        }
    }
    far
}

/// The bit in which a small letter differs from a large one.
const CASE: u8 = 0x20;

/// There is room for every name.
const _: () = {
    let mut at = 0;
    while at < crate::flags::NAMES.len() {
        assert!(crate::flags::NAMES[at].len() - PREFIX <= ROOM);
        at += 1;
    }
};
