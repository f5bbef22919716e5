//! Numbers and dates as text.

/// Sorted numbers, with runs of three or more as a range: `6, 7, 21–25`. `none` for an empty list.
pub fn ranges(numbers: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let range = |(first, last): &(u32, u32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}\u{2013}{last}"),
    };
    if runs.is_empty() {
        "none".into()
    } else {
        runs.iter().map(range).collect::<Vec<_>>().join(", ")
    }
}

/// Numbers in hexadecimal, as map types are written: `0x9, 0xa`. `none` for an empty list.
pub fn hexes(numbers: &[u32]) -> String {
    let hex = |number: &u32| format!("{number:#x}");
    if numbers.is_empty() {
        "none".into()
    } else {
        numbers.iter().map(hex).collect::<Vec<_>>().join(", ")
    }
}

/// The UTC date of a Unix time, as `2026-11-22`. The algorithm is `civil_from_days` of Howard
/// Hinnant.
pub fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    // Years of this algorithm start in March.
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + u64::from(month <= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_numbers_become_ranges() {
        assert_eq!(ranges(&[6, 7, 9, 10, 21, 22, 23, 32]), "6, 7, 9, 10, 21\u{2013}23, 32");
        assert_eq!(
            (ranges(&[]), ranges(&[5]), hexes(&[])),
            ("none".into(), "5".into(), "none".into())
        );
        assert_eq!(hexes(&[0, 9, 43]), "0x0, 0x9, 0x2b");
    }

    #[test]
    fn dates_agree_with_date() {
        // `date -u -d @SECONDS +%F`
        let days = [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_795_373_128, "2026-11-22"),
            (4_102_444_799, "2099-12-31"),
        ];
        assert_eq!(days.map(|(seconds, _)| date(seconds)), days.map(|(_, day)| day));
    }
}
