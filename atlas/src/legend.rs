//! The meaning of the verdicts.

use mapprobe::verdict::Verdict;

/// A verdict as it is written in reports.
pub fn verdict_word(verdict: Verdict) -> &'static str {
    verdict.word()
}

/// The meaning of a verdict. README.md has the same sentences.
pub const fn verdict_meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Honored => {
            "The kernel does what the flag promises: the effect was observed, and a control did \
             not show it."
        }
        Verdict::Accepted => {
            "The kernel recognizes the flag and accepts it; its effect was not observed."
        }
        Verdict::Ignored => "The kernel accepts the bit and does nothing with it.",
        Verdict::Unknown => "The kernel rejects the flag as it rejects unassigned bits.",
        Verdict::Unavailable => {
            "The kernel recognizes the flag and cannot give it here: a privilege, a limit or a \
             page size is missing."
        }
        Verdict::Absent => {
            "The kernel has no such flag: the architecture does not define it, or defines it as 0."
        }
        Verdict::Inconclusive => {
            "The kernel could not be probed, or its answers contradict each other."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_agree_with_the_readme() {
        let readme = include_str!("../../README.md");
        for verdict in Verdict::ALL {
            let meaning =
                verdict_meaning(verdict).trim_start_matches("The kernel ").trim_end_matches('.');
            let row = format!("| `{}` | {meaning} |", verdict_word(verdict));
            assert!(readme.contains(&row), "README.md has no line {row}");
        }
    }
}
