//! What the words of the atlas mean.

use mapprobe::verdict::Verdict;

/// A verdict as a sentence; the README has the same words.
pub const fn sentence(verdict: Verdict) -> &'static str {
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

/// What `made` of an envelope says, as a sentence.
pub const MADE: [(&str, &str); 3] = [
    ("boot", "a real kernel, booted in QEMU for this report"),
    ("recording", "the calls of such a boot, replayed through this version of mapprobe"),
    ("model", "a kernel made of rules, which agrees call by call with a recording of the real one"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_says_the_same() {
        let readme = include_str!("../../README.md");
        for verdict in Verdict::ALL {
            let words =
                sentence(verdict).trim_start_matches("The kernel ").trim_start_matches("There is ");
            let row = format!("| `{}` | {} |", verdict.word().plain(), words.trim_end_matches('.'));
            assert!(readme.contains(&row), "README.md has no line {row}");
        }
    }
}
