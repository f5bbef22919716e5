//! A run as a recording, and a recording as a run. What was asked stands at its head, so that nothing but the file is needed.

use crate::arch::Arch;
use crate::cli::{self, Asked, Options};
use crate::flags::Flag;
use crate::kernel::replay::{ARCH, ARGUMENT, BEGINS, Recorder, Replay, take_line};
use crate::kernel::{Kernel, Word, text};
use crate::report::Report;
use crate::report::sentence::number;
use crate::run;
use crate::text::Text;

/// Runs, and returns the report. The recording stands in its place then.
#[cold]
#[inline(never)]
pub fn record(
    kernel: &mut dyn Kernel,
    options: &Options,
    table: &'static [Flag],
    recording: &mut String,
) -> Result<Report, String> {
    // In one piece, so that it never has to move.
    let mut head = String::with_capacity(256 << 10);
    head.push_str(BEGINS);
    head.push_str(ARCH);
    head.push_str(Arch::native().name());
    head.push('\n');
    argument(&mut head, options.what.word());
    if options.thorough {
        argument(&mut head, const { Text::OPTIONS.nth(cli::THOROUGH) });
    }
    for path in &options.path {
        argument(&mut head, const { Text::OPTIONS.nth(cli::PATH) });
        head.push_str(ARGUMENT);
        head.push_str(path);
        head.push('\n');
    }
    let mut recorder = Recorder::new(kernel, head);
    let report = run::report(&mut recorder, Arch::native(), options, table, &mut |_| {});
    *recording = recorder.end();
    report
}

/// Appends an argument of the run.
#[cold]
#[inline(never)]
fn argument(head: &mut String, word: Text) {
    head.push_str(ARGUMENT);
    word.push(head);
    head.push('\n');
}

/// The report of a recorded run; `reproducible` as in [`Options`]. The error is a sentence.
pub fn replay(
    recording: &[u8],
    table: &'static [Flag],
    reproducible: bool,
) -> Result<Report, String> {
    let mut said = String::new();
    read(recording, table, reproducible, &mut said).ok_or(said)
}

/// The same. Nothing: what is wrong was added to what was said.
#[cold]
#[inline(never)]
pub fn read(
    recording: &[u8],
    table: &'static [Flag],
    reproducible: bool,
    said: &mut String,
) -> Option<Report> {
    let (mut rest, mut line) = (recording, 2);
    let mut arch = None;
    if take_line(&mut rest) == BEGINS.trim_ascii_end().as_bytes()
        && let Some(name) = take_line(&mut rest).strip_prefix(ARCH.as_bytes())
    {
        arch = Arch::ALL.get(cli::place(text(name), Text::ARCHS, Arch::ALL.len()));
    }
    let Some(&arch) = arch else {
        Text::NO_RECORDING.push(said);
        return None;
    };
    if Word::BITS < 64 && arch.flag_bits() > Word::BITS {
        Text::WIDE_RECORDING.push(said);
        return None;
    }
    let mut words = Vec::new();
    while let Some(behind) = rest.strip_prefix(ARGUMENT.as_bytes()) {
        rest = behind;
        words.push(text(take_line(&mut rest)));
        line += 1;
    }
    let (mut asked, mut answer) = (Options::default(), String::new());
    match cli::read(&words, &mut asked, &mut answer) {
        Some(Asked::Kernel) => {}
        Some(Asked::Program) => {
            Text::ASKS_FOR_NOTHING.push(said);
            return None;
        }
        None => {
            said.push_str(&answer);
            return None;
        }
    }
    asked.reproducible = reproducible;
    let mut replay = Replay::new(rest, line);
    let report = run::report(&mut replay, arch, &asked, table, &mut |_| {});
    if let Some(line) = replay.strange() {
        Text::LINE.push(said);
        number(said, line);
        Text::DOES_NOT_ANSWER.push(said);
        said.push_str(&replay.asked);
        return None;
    }
    match report {
        Ok(report) => Some(report),
        Err(complaint) => {
            said.push_str(&complaint);
            None
        }
    }
}
