//! `cargo pairs`: finds the pairs that the texts of the program are packed with, and writes them into `probe/src/text/pairs.rs`. Its test says
//! when they no longer fit the texts, and writes nothing.

use mapprobe::text::packing::{FIRST_PAIR, code};
use mapprobe::text::{LEN, all};
use std::collections::HashMap;
use std::process::ExitCode;

/// Where the pairs stand.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/text/pairs.rs");

/// What stands there before the pairs.
const HEAD: &str = "\
//! The pairs of codes that have a code, in the order in which they got it: found by `cargo pairs`, never by hand.

use super::packing::FIRST_PAIR;

/// What the codes from [`FIRST_PAIR`] on stand for.
#[rustfmt::skip]
pub(super) static PAIRS: [[u8; 2]; 256 - FIRST_PAIR as usize] = [
";

/// Again and again the pair of neighbours that occurs most often, and what the texts come to with those pairs.
fn best_pairs() -> (Vec<[u8; 2]>, usize) {
    let mut texts: Vec<Vec<u8>> = all().map(|text| text.bytes().map(code).collect()).collect();
    let mut pairs = Vec::new();
    for new in FIRST_PAIR..=u8::MAX {
        let mut counts: HashMap<[u8; 2], usize> = HashMap::new();
        for text in &texts {
            for pair in text.windows(2) {
                *counts.entry([pair[0], pair[1]]).or_default() += 1;
            }
        }
        let Some((&pair, _)) = counts.iter().max_by_key(|&(pair, count)| (*count, *pair)) else {
            break;
        };
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

fn main() -> ExitCode {
    let (best, len) = best_pairs();
    let mut source = String::from(HEAD);
    for line in best.chunks(12) {
        let pairs: Vec<String> =
            line.iter().map(|[first, second]| format!("[{first}, {second}],")).collect();
        source += &format!("    {}\n", pairs.join(" "));
    }
    source += "];\n";
    if let Err(error) = std::fs::write(PATH, source) {
        eprintln!("{PATH} cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    println!("{LEN} bytes of texts are {len} from the next build on.");
    ExitCode::SUCCESS
}

/// Texts change; pairs that are a little worse than the best may stay.
#[test]
fn the_pairs_fit_the_texts() {
    let (_, len) = best_pairs();
    assert!(LEN <= len + len / 100, "{LEN} bytes, and with better pairs {len}: say `cargo pairs`");
}
