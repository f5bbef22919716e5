//! That texts come out as they went in, and that the pairs are those that occur most often.

use super::packing::{END, FIRST_PAIR, code};
use super::pairs::PAIRS;
use super::{LEN, NonZeroU16, PLAIN, Text};
use std::collections::HashMap;
use std::fmt::Write;

fn texts() -> impl Iterator<Item = &'static str> {
    PLAIN.iter().copied().flatten().copied()
}

#[test]
fn every_text_comes_out_as_it_went_in() {
    for (place, text) in texts().enumerate() {
        let packed = Text(NonZeroU16::MIN).nth(place);
        assert_eq!((packed.string().as_str(), packed.plain()), (text, text));
    }
    let plain: usize = texts().map(|text| text.len() + 1).sum();
    assert!(LEN * 5 < plain * 3, "{plain} bytes became {LEN}");
}

/// Again and again the pair of neighbours that occurs most often, and what the texts come to with those pairs.
fn best_pairs() -> (Vec<[u8; 2]>, usize) {
    let mut texts: Vec<Vec<u8>> = texts().map(|text| text.bytes().map(code).collect()).collect();
    let mut pairs = Vec::new();
    for new in FIRST_PAIR..=u8::MAX {
        let mut counts: HashMap<[u8; 2], usize> = HashMap::new();
        for text in &texts {
            for pair in text.windows(2) {
                *counts.entry([pair[0], pair[1]]).or_default() += 1;
            }
        }
        let (&pair, _) = counts.iter().max_by_key(|&(pair, count)| (*count, *pair)).unwrap();
        pairs.push(pair);
        for text in &mut texts {
            let mut at = 0;
            while at + 1 < text.len() {
                if text[at..at + 2] == pair {
                    text.splice(at..at + 2, [new]);
                }
                at += 1;
            }
        }
    }
    (pairs, 1 + texts.iter().map(|text| text.len() + 1).sum::<usize>())
}

/// Texts change; pairs that are a little worse than the best may stay.
#[test]
fn the_pairs_fit_the_texts() {
    let (best, len) = best_pairs();
    if LEN > len + len / 100 {
        let mut source = String::from(HEAD);
        for line in best.chunks(12) {
            let pairs: Vec<String> = line.iter().map(|[first, second]| format!("[{first}, {second}],")).collect();
            let _ = writeln!(source, "    {}", pairs.join(" "));
        }
        source.push_str("];\n");
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/text/pairs.rs"), source).unwrap();
        panic!("{LEN} bytes; with the pairs that are in text/pairs.rs now, {len}: build again");
    }
    assert!(PAIRS.iter().flatten().all(|&code| code != END));
}

const HEAD: &str = "\
//! The pairs of codes that have a code, in the order in which they got it: found by the test in `text/tests.rs`, never by hand.

use super::packing::FIRST_PAIR;

/// What the codes from [`FIRST_PAIR`] on stand for.
#[rustfmt::skip]
pub(super) static PAIRS: [[u8; 2]; 256 - FIRST_PAIR as usize] = [
";
