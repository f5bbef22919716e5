//! That texts come out as they went in.

use super::packing::END;
use super::pairs::PAIRS;
use super::{LEN, NonZeroU16, Text, all};

#[test]
fn every_text_comes_out_as_it_went_in() {
    for (place, text) in all().enumerate() {
        let packed = Text(NonZeroU16::MIN).nth(place);
        assert_eq!((packed.string().as_str(), packed.plain()), (text, text));
    }
    let plain: usize = all().map(|text| text.len() + 1).sum();
    assert!(LEN * 5 < plain * 3, "{plain} bytes became {LEN}");
}

/// What ends a text is never half of a pair.
#[test]
fn no_pair_has_an_end_in_it() {
    assert!(PAIRS.iter().flatten().all(|&code| code != END));
}
