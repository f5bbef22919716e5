//! The two recordings, and what was compared with them.

use super::{PAGE, Program, Result, name};
use mapprobe::kernel::model::{MIB, Machine, Rules};

/// A recording, the kernel made of rules that should say the same, and what was compared.
pub struct Recorded {
    text: &'static str,
    pub rules: Rules,
    compared: usize,
    wrong: Vec<String>,
}

impl Recorded {
    pub fn program(&self) -> Program {
        Program::on(self.rules.clone())
    }

    /// The line that begins so has these words.
    pub fn says(&mut self, begins: &str, words: &[String]) {
        let begins = format!("E {begins}");
        let Some(line) =
            self.text.lines().find(|line| format!("{line} ").starts_with(&format!("{begins} ")))
        else {
            return self.wrong.push(format!("{begins}: no such line"));
        };
        for word in words {
            self.compared += 1;
            if !line.split(' ').any(|said| said == word) {
                self.wrong.push(format!("{line}: the model says {word}"));
            }
        }
    }

    /// There is such a line.
    pub fn has(&mut self, line: &str) {
        self.compared += 1;
        if !self.text.lines().any(|said| said.strip_prefix("E ") == Some(line)) {
            self.wrong.push(format!("{line}: the recording says something else"));
        }
    }

    pub fn is_parisc(&self) -> bool {
        self.rules.space.colour > 1
    }
}

fn recordings() -> [Recorded; 2] {
    // Built with DAC's default for mmap_min_addr; QEMU's simplest processor has no pages of 1 GiB.
    let rules = |machine, memory, huge_sizes| {
        let rules = Rules::new(machine, (4, 10));
        Rules { memory, huge_sizes, min_address: PAGE, ..rules }
    };
    let x86 = rules(Machine::X86, 499 * MIB, vec![21]);
    let parisc = rules(Machine::Parisc, 249 * MIB, Vec::new());
    [
        (include_str!("../recordings/x86_64-4.10.17.txt"), x86),
        (include_str!("../recordings/hppa-4.10.17.txt"), parisc),
    ]
    .map(|(text, rules)| Recorded { text, rules, compared: 0, wrong: Vec::new() })
}

/// Does the same for both, and expects so many agreements of each.
#[track_caller]
pub fn agree(expected: [usize; 2], compare: fn(&mut Recorded)) {
    let compared = recordings().map(|mut recorded| {
        compare(&mut recorded);
        assert!(recorded.wrong.is_empty(), "{}", recorded.wrong.join("\n"));
        recorded.compared
    });
    assert_eq!(compared, expected, "words compared");
}

/// 1 at the address asked for, 0 elsewhere, or the error.
pub fn at(result: Result<u64>, addr: u64) -> String {
    result.map_or_else(|errno| name(errno).into(), |at| u8::from(at == addr).to_string())
}
