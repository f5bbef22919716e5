//! The candidate nearest to a misspelled word.

/// The candidate with the smallest edit distance, if it is at most a third of the word's length.
pub fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let limit = word.len() / 3;
    let nearest = candidates.iter().min_by_key(|candidate| distance(word, candidate))?;
    (distance(word, nearest) <= limit).then_some(*nearest)
}

/// The Levenshtein distance, ignoring case: the number of bytes to insert, delete or replace.
fn distance(word: &str, candidate: &str) -> usize {
    // The distances between the bytes of the word so far and every prefix of the candidate.
    let mut row: Vec<usize> = (0..=candidate.len()).collect();
    for (index, byte) in word.bytes().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(candidate.bytes()) {
            let replaced = diagonal + usize::from(!byte.eq_ignore_ascii_case(&other));
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
