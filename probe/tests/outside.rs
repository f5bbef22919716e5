//! What comes from outside as bytes: text where it is UTF-8, as the standard library judges it.

use mapprobe::kernel::text;

/// Bytes at the borders of what may begin and continue a character.
const BORDERS: [u8; 22] = [
    0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef,
    0xf0, 0xf4, 0xf5, 0xf8, 0xfe, 0xff,
];

#[test]
fn text_is_what_is_utf_8() {
    let agree = |bytes: &[u8]| {
        assert_eq!(text(bytes), str::from_utf8(bytes).unwrap_or("\u{fffd}"), "{bytes:x?}")
    };
    agree(&[]);
    for a in 0..=u8::MAX {
        agree(&[a]);
        for b in 0..=u8::MAX {
            agree(&[a, b]);
        }
    }
    for a in BORDERS {
        for b in BORDERS {
            for c in BORDERS {
                agree(&[a, b, c]);
                for d in BORDERS {
                    agree(&[a, b, c, d]);
                }
            }
        }
    }
}
