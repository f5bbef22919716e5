//! The candidate nearest to a misspelled word.

/// The candidate with the smallest edit distance, if it is at most a third of the word's length.
pub fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let (mut nearest, mut least) = (None, word.len() / 3 + 1);
    for &candidate in candidates {
        let distance = distance(word, candidate);
        if distance < least {
            (nearest, least) = (Some(candidate), distance);
        }
    }
    nearest
}

/// The Levenshtein distance, ignoring case: the number of bytes to insert, delete or replace.
fn distance(word: &str, candidate: &str) -> usize {
    // The distances between the bytes of the word so far and every prefix of the candidate that is
    // not empty.
    let mut row: Vec<usize> = (1..=candidate.len()).collect();
    for (index, byte) in word.bytes().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (cell, other) in row.iter_mut().zip(candidate.bytes()) {
            let replaced = diagonal + usize::from(!byte.eq_ignore_ascii_case(&other));
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(word.len())
}
