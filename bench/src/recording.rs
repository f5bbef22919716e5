//! Reads a recording (`probe/src/kernel/replay.rs` has its form): what was asked, and whether it was answered. What the kernel
//! filled in does not matter here.

use anyhow::{Context, Result};
use mapprobe::kernel::replay::{ARCH, ARGUMENT, BEGINS, END};
use mapprobe::kernel::{ARGS, Op};

/// A call of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What was asked.
    pub op: Op,
    /// Its integers.
    pub args: [u64; ARGS],
    /// Bytes the kernel read, without the zeros at the end.
    pub input: Vec<u8>,
    /// The value it answered; nothing when it failed.
    pub answer: Option<u64>,
}

/// The calls of a recording made on `arch`, in their order.
///
/// # Errors
/// A sentence with the first line that is not understood.
pub fn parse(text: &str, arch: &str) -> Result<Vec<Asked>> {
    let lines =
        text.strip_prefix(BEGINS).context("The program wrote no recording of version 1.")?;
    let lines = lines
        .strip_prefix(ARCH)
        .and_then(|rest| rest.strip_prefix(arch))
        .and_then(|rest| rest.strip_prefix('\n'));
    let lines = lines.with_context(|| format!("The program is not for {arch}."))?;
    let calls = lines.lines().filter(|line| !line.starts_with(ARGUMENT) && !line.starts_with(END));
    calls
        .map(|line| {
            call(line)
                .with_context(|| format!("This line of the recording is not understood: {line}"))
        })
        .collect()
}

fn call(line: &str) -> Result<Asked> {
    let (asked, answered) = line.split_once(" = ").context("It has no answer.")?;
    let (words, input) = asked.split_once(" < ").unwrap_or((asked, ""));
    let mut words = words.split(' ');
    let name = words.next().unwrap_or_default();
    let at = Op::NAMES
        .iter()
        .position(|known| *known == name)
        .context("No call of this version has that name.")?;
    let mut args = [0; ARGS];
    for (at, word) in words.enumerate() {
        *args.get_mut(at).context("It has too many integers.")? = u64::from_str_radix(word, 16)?;
    }
    let word = answered.split(' ').next().unwrap_or_default();
    let answer = if word.starts_with('-') { None } else { Some(u64::from_str_radix(word, 16)?) };
    Ok(Asked { op: Op::ALL[at], args, input: bytes(input)?, answer })
}

/// Bytes as a recording writes them: `%` and two digits for what is no printable ASCII.
fn bytes(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2).context("Its bytes are not whole.")?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits)?, 16)?);
        rest = behind;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_with_their_answers() {
        let text = "mapprobe recording 1\narch x86_64\nargument report\nmmap 0 800000 0 4022 ffffffffffffffff = 7f3a5c000000\n\
                    mincore 7f3a5c001000 2000 = 0 > %01\nwrite 4 < m%00 = 1\nmunmap 10 1000 = -22\nend 4\n";
        let calls = parse(text, "x86_64").unwrap();
        assert_eq!(calls[0].args, [0, 0x800000, 0, 0x4022, u64::MAX]);
        let answers: Vec<_> = calls.iter().map(|call| (call.op, call.answer)).collect();
        let expected = [
            (Op::Mmap, Some(0x7f3a_5c00_0000)),
            (Op::Mincore, Some(0)),
            (Op::Write, Some(1)),
            (Op::Munmap, None),
        ];
        assert_eq!(answers, expected);
        assert_eq!(calls[2].input, [0x6d, 0]);
    }

    #[test]
    fn a_strange_line_is_named() {
        for line in
            ["brk 0 = 0", "mmap 0", "write 4 < %6 = 1", "mmap 0 0 0 0 0 0 = 0", "mmap x = 0"]
        {
            let refusal = parse(&format!("mapprobe recording 1\narch x86_64\n{line}\n"), "x86_64")
                .unwrap_err();
            assert!(refusal.to_string().ends_with(line), "{refusal}");
        }
        assert!(parse("{}", "x86_64").is_err());
        assert!(parse("mapprobe recording 1\narch hppa\n", "x86_64").is_err());
    }
}
