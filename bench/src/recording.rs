//! Reads the recording of a run (format: `kernel/src/recording.rs`): the calls, and whether they
//! succeeded. The bytes that the kernel returned are skipped.

use anyhow::{Context, Result, bail};
use kernel::recording::{ARCH, ARGUMENT, END, FIRST_LINE};
use kernel::{ARGS, Op};

/// A recorded call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedCall {
    pub op: Op,
    pub args: [u64; ARGS],
    /// The bytes that the kernel read, without trailing zeros.
    pub input: Vec<u8>,
    /// `None` if the call failed.
    pub result: Option<u64>,
}

/// Parses a recording that was made on an architecture.
///
/// # Errors
/// The recording has another version or architecture, or a line is malformed.
pub fn parse(text: &str, arch: &str) -> Result<Vec<RecordedCall>> {
    let text =
        text.strip_prefix(FIRST_LINE).context("The output is not a recording of version 2.")?;
    let lines = text
        .strip_prefix(ARCH)
        .and_then(|rest| rest.strip_prefix(arch))
        .and_then(|rest| rest.strip_prefix('\n'))
        .with_context(|| format!("The program is not for {arch}."))?;
    lines
        .lines()
        .filter(|line| !line.starts_with(ARGUMENT) && !line.starts_with(END))
        .map(|line| parse_call(line).with_context(|| format!("Malformed recording line: {line}")))
        .collect()
}

fn parse_call(line: &str) -> Result<RecordedCall> {
    let (request, result) = line.split_once(" = ").context("The result is missing.")?;
    let (call, input) = request.split_once(" < ").unwrap_or((request, ""));
    let mut words = call.split(' ');
    let op = parse_op(words.next().unwrap_or_default())?;
    let mut args = [0; ARGS];
    for (index, word) in words.enumerate() {
        *args.get_mut(index).context("There are too many arguments.")? = hex(word)?;
    }
    let result = result.split(' ').next().unwrap_or_default();
    let result = if result.starts_with('-') { None } else { Some(hex(result)?) };
    Ok(RecordedCall { op, args, input: parse_bytes(input)?, result })
}

fn parse_op(name: &str) -> Result<Op> {
    match Op::ALL.iter().find(|op| op.name() == name) {
        Some(&op) => Ok(op),
        None => bail!("The call {name} is unknown."),
    }
}

fn hex(digits: &str) -> Result<u64> {
    Ok(u64::from_str_radix(digits, 16)?)
}

/// Decodes the bytes of a recording: `%` and two hexadecimal digits stand for a byte that is not
/// printable ASCII.
fn parse_bytes(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2).context("An escaped byte is incomplete.")?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits)?, 16)?);
        rest = tail;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_results_are_parsed() {
        let text = "mapprobe recording 2\narch x86_64\nargument report\n\
                    mmap 0 800000 0 4022 ffffffffffffffff = 7f3a5c000000\n\
                    mincore 7f3a5c001000 2000 = 0 > %01\nwrite 4 < m%00 = 1\n\
                    munmap 10 1000 = -22\nend 4\n";
        let calls = parse(text, "x86_64").unwrap();
        assert_eq!(calls[0].args, [0, 0x800000, 0, 0x4022, u64::MAX]);
        let results: Vec<_> = calls.iter().map(|call| (call.op, call.result)).collect();
        let expected = [
            (Op::Mmap, Some(0x7f3a_5c00_0000)),
            (Op::Mincore, Some(0)),
            (Op::Write, Some(1)),
            (Op::Munmap, None),
        ];
        assert_eq!(results, expected);
        assert_eq!(calls[2].input, [0x6d, 0]);
    }

    #[test]
    fn malformed_lines_are_named() {
        for line in
            ["brk 0 = 0", "mmap 0", "write 4 < %6 = 1", "mmap 0 0 0 0 0 0 = 0", "mmap x = 0"]
        {
            let text = format!("mapprobe recording 2\narch x86_64\n{line}\n");
            let error = parse(&text, "x86_64").unwrap_err();
            assert!(error.to_string().ends_with(line), "{error}");
        }
        assert!(parse("{}", "x86_64").is_err());
        assert!(parse("mapprobe recording 2\narch hppa\n", "x86_64").is_err());
    }
}
