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
            "The kernel does what the flag promises: the effect was seen, and a control call did not show it."
        }
        Verdict::Accepted => "The kernel knows the flag and took it; its effect was not observed.",
        Verdict::Ignored => "The kernel took the bit and did nothing with it.",
        Verdict::Unknown => "The kernel refuses it as a flag it has never heard of.",
        Verdict::Unavailable => {
            "The kernel knows it, and cannot give it here: a privilege, a limit, a size this machine does not have."
        }
        Verdict::Absent => {
            "There is nothing: the architecture defines no such flag, or defines it as 0."
        }
        Verdict::Inconclusive => {
            "The kernel could not be asked, or its answers contradict each other."
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
            let meaning = verdict_meaning(verdict)
                .trim_start_matches("The kernel ")
                .trim_start_matches("There is ")
                .trim_end_matches('.');
            let row = format!("| `{}` | {meaning} |", verdict_word(verdict));
            assert!(readme.contains(&row), "README.md has no line {row}");
        }
    }
}
