//! Sets of numbers, written for people.

/// Numbers that are in order, the neighbours drawn together: `6, 7, 21–25`. `none` when there are none.
pub fn ranges(numbers: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let run = |(first, last): &(u32, u32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}\u{2013}{last}"),
    };
    if runs.is_empty() {
        "none".into()
    } else {
        runs.iter().map(run).collect::<Vec<_>>().join(", ")
    }
}

/// The same in hexadecimal, as map types are spelled.
pub fn hexes(numbers: &[u32]) -> String {
    let hex = |number: &u32| format!("{number:#x}");
    if numbers.is_empty() {
        "none".into()
    } else {
        numbers.iter().map(hex).collect::<Vec<_>>().join(", ")
    }
}

/// A day of the Gregorian calendar, as `2026-11-22`, for seconds since 1970. Howard Hinnant's `civil_from_days`.
pub fn day(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (month, day) = (
        if shifted < 10 { shifted + 3 } else { shifted - 9 },
        of_year - (153 * shifted + 2) / 5 + 1,
    );
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + u64::from(month <= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_drawn_together() {
        assert_eq!(ranges(&[6, 7, 9, 10, 21, 22, 23, 32]), "6, 7, 9, 10, 21\u{2013}23, 32");
        assert_eq!(
            (ranges(&[]), ranges(&[5]), hexes(&[])),
            ("none".into(), "5".into(), "none".into())
        );
        assert_eq!(hexes(&[0, 9, 43]), "0x0, 0x9, 0x2b");
    }

    #[test]
    fn days_are_those_of_date() {
        // `date -u -d @SECONDS +%F`
        let days = [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_795_373_128, "2026-11-22"),
            (4_102_444_799, "2099-12-31"),
        ];
        assert_eq!(days.map(|(seconds, _)| day(seconds)), days.map(|(_, day)| day));
    }
}
