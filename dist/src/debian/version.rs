//! The order of Debian's versions, `deb-version(7)`.

use std::cmp::Ordering;

/// Orders two versions as dpkg does: epoch, then upstream version, then revision.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (split(a), split(b));
    a.0.cmp(&b.0).then_with(|| part(a.1, b.1)).then_with(|| part(a.2, b.2))
}

/// Epoch, upstream version, revision. A missing epoch is 0, a missing revision is empty.
fn split(version: &str) -> (u64, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch.parse().unwrap_or(0), upstream, revision)
}

/// Compares alternately a run of non-digits as text and a run of digits as a number.
fn part<'a>(mut a: &'a str, mut b: &'a str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (texts, numbers) = (
            take(&mut a, &mut b, |c| !c.is_ascii_digit()),
            take(&mut a, &mut b, |c| c.is_ascii_digit()),
        );
        let order = text(texts.0, texts.1).then_with(|| number(numbers.0, numbers.1));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Splits the leading run of matching characters off both.
fn take<'a>(a: &mut &'a str, b: &mut &'a str, matches: fn(char) -> bool) -> (&'a str, &'a str) {
    let cut = |from: &mut &'a str| {
        let (run, rest) = from.split_at(from.find(|c| !matches(c)).unwrap_or(from.len()));
        *from = rest;
        run
    };
    (cut(a), cut(b))
}

/// A tilde sorts before the end, the end before letters, letters before anything else.
fn text(a: &str, b: &str) -> Ordering {
    let weight = |c: Option<u8>| match c {
        Some(b'~') => -1,
        None => 0,
        Some(c) if c.is_ascii_alphabetic() => i32::from(c),
        Some(c) => 256 + i32::from(c),
    };
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let differs = |at: &usize| a.get(*at) != b.get(*at);
    (0..a.len().max(b.len()))
        .find(differs)
        .map_or(Ordering::Equal, |at| weight(a.get(at).copied()).cmp(&weight(b.get(at).copied())))
}

/// Compares numbers of any length.
fn number(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::compare;
    use std::process::Command;

    /// Each is older than the next.
    const ASCENDING: [&str; 14] = [
        "1.0~~",
        "1.0~~a",
        "1.0~",
        "1.0~rc1-1",
        "1.0",
        "1.0-0.1",
        "1.0-1~x+1",
        "1.0-1",
        "1.0-1+b1",
        "1.0-1.1",
        "1.0a",
        "1.0+1",
        "1.10",
        "1:0.9",
    ];

    #[test]
    fn orders_versions_as_the_manual_says() {
        let mut sorted = ASCENDING;
        sorted.reverse();
        sorted.sort_by(|a, b| compare(a, b));
        assert_eq!(sorted, ASCENDING);
        assert!(
            compare("6.1.9-1", "6.1.10-1").is_lt()
                && compare("1.0", "1.00").is_eq()
                && compare("1.0-0", "1.0").is_eq()
        );
    }

    #[test]
    fn agrees_with_dpkg() {
        for a in ASCENDING {
            for b in ASCENDING {
                let older = Command::new("dpkg").args(["--compare-versions", a, "lt", b]).status();
                let older = older.expect("dpkg runs; it is Debian's package dpkg").success();
                assert_eq!(compare(a, b).is_lt(), older, "{a} lt {b}");
            }
        }
    }
}
