//! Comparison with the recordings of Linux 4.10.17 on two machines.

use super::{PAGE, Program, Result, error_name};
use simulator::{MIB, Machine, Rules};

macro_rules! recording {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../probe/tests/recordings/", $file))
    };
}

pub const X86_64: &str = recording!("x86_64-4.10.17.txt");
pub const HPPA: &str = recording!("hppa-4.10.17.txt");

/// The effect tests of a recording (lines that begin with `E`), and the rules of the simulated
/// kernel that must agree with them.
pub struct Recorded {
    text: &'static str,
    pub rules: Rules,
    compared: usize,
    mismatches: Vec<String>,
}

impl Recorded {
    fn new(text: &'static str, rules: Rules) -> Recorded {
        Recorded { text, rules, compared: 0, mismatches: Vec::new() }
    }

    pub fn program(&self) -> Program {
        Program::on(self.rules.clone())
    }

    pub fn is_parisc(&self) -> bool {
        self.rules.machine == Machine::Parisc
    }

    /// Expects words in the line that begins with `prefix`.
    pub fn expect_words(&mut self, prefix: &str, words: &[String]) {
        let prefix = format!("E {prefix} ");
        let begins = |line: &&str| format!("{line} ").starts_with(&prefix);
        let Some(line) = self.text.lines().find(begins) else {
            return self.mismatches.push(format!("{prefix}: no such line"));
        };
        for word in words {
            self.compared += 1;
            if !line.split(' ').any(|recorded| recorded == word) {
                self.mismatches.push(format!("{line}: simulated: {word}"));
            }
        }
    }

    /// Expects a whole line.
    pub fn expect_line(&mut self, line: &str) {
        self.compared += 1;
        if !self.text.lines().any(|recorded| recorded.strip_prefix("E ") == Some(line)) {
            self.mismatches.push(format!("{line}: not in the recording"));
        }
    }
}

/// Compares the simulated kernel with both recordings. `expected` counts the comparisons.
#[track_caller]
pub fn compare_with_recordings(expected: [usize; 2], compare: fn(&mut Recorded)) {
    // Both kernels have mmap_min_addr 4096 (CONFIG_DEFAULT_MMAP_MIN_ADDR), and the processor that
    // QEMU emulates by default has no pages of 1 GiB.
    let x86_64 = Rules {
        memory: 499 * MIB,
        huge_sizes: vec![21],
        min_address: PAGE,
        ..Rules::new(Machine::X86, (4, 10))
    };
    let hppa =
        Rules { memory: 249 * MIB, min_address: PAGE, ..Rules::new(Machine::Parisc, (4, 10)) };
    let recordings = [Recorded::new(X86_64, x86_64), Recorded::new(HPPA, hppa)];
    let compared = recordings.map(|mut recorded| {
        compare(&mut recorded);
        assert!(recorded.mismatches.is_empty(), "{}", recorded.mismatches.join("\n"));
        recorded.compared
    });
    assert_eq!(compared, expected, "number of comparisons");
}

/// `1` at the requested address, `0` elsewhere, or the name of the error.
pub fn at(result: Result<usize>, addr: usize) -> String {
    result
        .map_or_else(|errno| error_name(errno).into(), |found| u8::from(found == addr).to_string())
}
