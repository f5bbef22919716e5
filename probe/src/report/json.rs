//! `json`: one object, the machine-readable report. Its form is `probe/schema/mapprobe.report.json`.

use super::{Report, Row, json_sweep, sentence};
use crate::cli::What;
use crate::evidence::{Backing, Call, Outcome, Step};
use crate::experiment::bench::Context;
use crate::experiment::validation::Validation;
use crate::kernel::Word;
use crate::text::Text;
use core::mem::take;

/// Writes the report.
pub fn write(report: &Report) -> String {
    write_in(Writer::default(), report)
}

/// `jsonl`: the same object in one line, so that many reports are one file.
#[cold]
pub fn write_line(report: &Report) -> String {
    // The object itself lies one deep.
    write_in(Writer { json: Json { flat: 1, ..Json::default() } }, report)
}

fn write_in(mut writer: Writer, report: &Report) -> String {
    writer.write(report);
    writer.close(report)
}

/// Writes a report piece by piece, while it comes about.
#[derive(Default)]
pub struct Writer {
    json: Json,
}

impl Writer {
    /// Writes what there is, and forgets the rows and their calls.
    pub fn take(&mut self, report: &mut Report) {
        self.write(report);
        report.rows.clear();
        report.steps.clear();
    }

    /// Writes the rows that there are.
    #[inline(never)]
    fn write(&mut self, report: &Report) {
        let json = &mut self.json;
        if json.out.is_empty() {
            // In one piece, so that it never has to move. Pages that are not reached cost nothing.
            json.out.reserve(ROOM);
            write_head(json, report);
        }
        for row in &report.rows {
            json.next();
            json.open('{');
            write_row(json, report, row);
            json.close('}');
        }
    }

    /// Writes what is left, and gives the text away.
    pub fn end(&mut self, report: &mut Report) -> String {
        self.take(report);
        self.close(report)
    }

    /// Writes what comes after the rows.
    fn close(&mut self, report: &Report) -> String {
        let json = &mut self.json;
        match report.what {
            What::Report => json.close(']'),
            What::Sweep => json_sweep::write_sweep(json, report),
            What::FreeBits => json_sweep::write_free(json, report),
        }
        json.truth_at(Text::COMPLETE, Some(report.complete));
        json.close('}');
        json.out.push('\n');
        take(&mut json.out)
    }
}

/// Bytes of room for the text: four times what a report of today takes.
const ROOM: usize = 256 << 10;

/// Writes what comes before the rows.
fn write_head(json: &mut Json, report: &Report) {
    json.open('{');
    json.say_at(Text::SCHEMA, Text::SCHEMAS.nth(report.what as usize));
    json.say_at(Text::SCHEMA_VERSION, Text::OF_SCHEMA);
    json.open_at(Text::TOOL, '{');
    json.say_at(Text::NAME, Text::MAPPROBE);
    json.say_at(Text::VERSION, Text::OF_MAPPROBE);
    json.text_at(Text::ARCH, report.arch.name());
    json.close('}');
    json.open_at(Text::KERNEL, '{');
    json.text_at(Text::SYSNAME, &report.kernel.sysname);
    json.text_at(Text::RELEASE, &report.kernel.release);
    json.text_at(Text::VERSION, &report.kernel.version);
    json.text_at(Text::MACHINE, &report.kernel.machine);
    json.close('}');
    json.open_at(Text::PROCESS, '{');
    json.number_at(Text::PID, report.process.pid);
    json.number_at(Text::EUID, report.process.euid);
    json.number_at(Text::PAGE_SIZE, Some(report.process.page_size));
    json.number_at(Text::TIME, report.process.time);
    json.close('}');
    json.open_at(Text::ENVIRONMENT, '[');
    for (name, evidence) in report.lies() {
        json.next();
        json.open('{');
        json.say_at(Text::NAME, name);
        json.say_at(Text::EVIDENCE, evidence);
        json.close('}');
    }
    json.close(']');
    match &report.validation {
        Some((validation, calls)) => {
            json.open_at(Text::VALIDATION, '{');
            write_validation(json, report, validation);
            write_evidence(json, report, report.calls(calls));
            json.close('}');
        }
        None => json.word_at(Text::VALIDATION, Text::NULL),
    }
    if report.what == What::Report {
        json.open_at(Text::FLAGS, '[');
    }
}

#[inline(never)]
fn write_validation(json: &mut Json, report: &Report, validation: &Validation) {
    json.truth_at(Text::PRESENT, validation.present);
    json.truth_at(Text::VALIDATING, validation.validating);
    json.hex_at(Text::TYPE_MASK, validation.type_mask);
    bits_at(json, Text::ACCEPTED_BITS, validation.accepted);
    bits_at(json, Text::REFUSED_BITS, validation.refused);
    json.open_at(Text::OTHER_BITS, '[');
    for &(bit, memfd, pipe) in &validation.other {
        json.next();
        json.open_flat('{');
        json.number_at(Text::BIT, Some(bit.into()));
        json.outcome_at(Text::MEMFD, memfd);
        json.outcome_at(Text::PIPE, pipe);
        json.close('}');
    }
    json.close(']');
    json.open_at(Text::CONTEXTS, '[');
    for (context, outcome) in &validation.contexts {
        write_context(json, report, *context, *outcome);
    }
    json.close(']');
}

/// Writes the numbers of the bits of a mask.
pub(super) fn bits_at(json: &mut Json, key: Text, mask: impl Into<u64>) {
    let mask: u64 = mask.into();
    json.key(key);
    json.open_flat('[');
    for bit in 0..u64::BITS {
        if mask >> bit & 1 == 1 {
            json.next();
            sentence::number(&mut json.out, bit.into());
        }
    }
    json.close(']');
}

#[inline(never)]
fn write_row(json: &mut Json, report: &Report, row: &Row) {
    let (verdict, reason) = &row.finding;
    json.say_at(Text::NAME, row.flag.name);
    json.hex_at(Text::VALUE, row.flag.value(report.arch));
    json.quote_at(Text::SINCE);
    sentence::version(&mut json.out, row.flag.since);
    json.out.push('"');
    json.say_at(Text::VERDICT, verdict.word());
    json.say_at(Text::REASON_CODE, reason.cause.code());
    json.quote_at(Text::REASON);
    sentence::reason(&mut json.out, report, row);
    json.out.push('"');
    let steps = report.calls(&row.calls);
    json.open_at(Text::CONTEXTS, '[');
    for step in steps {
        if let Call::Context { flags, backing } = step.call() {
            write_context(
                json,
                report,
                (sentence::map_type(report.arch, flags.into()), backing),
                step.outcome,
            );
        }
    }
    json.close(']');
    write_evidence(json, report, steps);
}

fn write_context(json: &mut Json, report: &Report, (map_type, backing): Context, outcome: Outcome) {
    json.next();
    json.open_flat('{');
    type_and_backing(json, report, map_type, backing);
    json.outcome_at(Text::OUTCOME, outcome);
    json.close('}');
}

/// Writes a context.
pub(super) fn type_and_backing(json: &mut Json, report: &Report, map_type: Word, backing: Backing) {
    json.quote_at(Text::TYPE);
    sentence::flags(&mut json.out, report.arch, map_type);
    json.out.push('"');
    json.quote_at(Text::BACKING);
    sentence::backing(&mut json.out, report, backing);
    json.out.push('"');
}

fn write_evidence(json: &mut Json, report: &Report, steps: &[Step]) {
    json.open_at(Text::EVIDENCE, '[');
    for step in steps {
        json.next();
        json.out.push('"');
        sentence::step(&mut json.out, report, step);
        json.out.push('"');
    }
    json.close(']');
}

/// A writer of JSON text: each member on its own line, unless the object or array is flat. Sentences of this program are
/// ASCII without quotes and go straight to `out`; everything that comes from outside goes through [`Json::text_at`].
#[derive(Default)]
pub(super) struct Json {
    pub(super) out: String,
    depth: usize,
    /// Something stands before the next member.
    begun: bool,
    /// How deep the outermost flat object or array lies; 0 outside of one.
    flat: usize,
}

impl Json {
    pub(super) fn open(&mut self, bracket: char) {
        self.out.push(bracket);
        self.depth += 1;
        self.begun = false;
    }

    pub(super) fn open_flat(&mut self, bracket: char) {
        self.open(bracket);
        if self.flat == 0 {
            self.flat = self.depth;
        }
    }

    pub(super) fn open_at(&mut self, key: Text, bracket: char) {
        self.key(key);
        self.open(bracket);
    }

    pub(super) fn close(&mut self, bracket: char) {
        if self.depth == self.flat {
            self.flat = 0;
        } else if self.begun && self.flat == 0 {
            self.depth -= 1;
            self.new_line();
            self.depth += 1;
        }
        self.depth -= 1;
        self.out.push(bracket);
        self.begun = true;
    }

    pub(super) fn next(&mut self) {
        if self.begun {
            self.out.push(',');
        }
        if self.flat == 0 {
            self.new_line();
        } else if self.begun {
            self.out.push(' ');
        }
        self.begun = true;
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
    }

    pub(super) fn key(&mut self, name: Text) {
        self.next();
        self.out.push('"');
        name.push(&mut self.out);
        self.out.push('"');
        Text::COLON.push(&mut self.out);
    }

    /// A text begins, which the caller writes and ends.
    pub(super) fn quote_at(&mut self, key: Text) {
        self.key(key);
        self.out.push('"');
    }

    pub(super) fn word_at(&mut self, key: Text, word: Text) {
        self.key(key);
        word.push(&mut self.out);
    }

    /// A text of this program.
    pub(super) fn say_at(&mut self, key: Text, text: Text) {
        self.quote_at(key);
        text.push(&mut self.out);
        self.out.push('"');
    }

    fn truth_at(&mut self, key: Text, truth: Option<bool>) {
        self.word_at(
            key,
            truth.map_or(Text::NULL, |truth| if truth { Text::TRUE } else { Text::FALSE }),
        );
    }

    pub(super) fn number_at(&mut self, key: Text, value: Option<Word>) {
        match value {
            Some(value) => {
                self.key(key);
                sentence::number(&mut self.out, value);
            }
            None => self.word_at(key, Text::NULL),
        }
    }

    /// Flag values are strings: not every reader of JSON keeps 64 bits of a number.
    pub(super) fn hex_at(&mut self, key: Text, value: Option<Word>) {
        match value {
            Some(value) => {
                self.quote_at(key);
                sentence::bits(&mut self.out, value);
                self.out.push('"');
            }
            None => self.word_at(key, Text::NULL),
        }
    }

    pub(super) fn outcome_at(&mut self, key: Text, outcome: Outcome) {
        self.quote_at(key);
        match outcome {
            Outcome::THERE | Outcome::ELSEWHERE => Text::ACCEPTED.push(&mut self.out),
            other => sentence::outcome(&mut self.out, other),
        }
        self.out.push('"');
    }

    pub(super) fn text_at(&mut self, key: Text, text: &str) {
        self.quote_at(key);
        escape(&mut self.out, text);
        self.out.push('"');
    }
}

/// A text from outside as the report spells it.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    escape(&mut out, text);
    out
}

/// Appends a text from outside as the report spells it: ASCII only, everything else is escaped.
pub fn escape(out: &mut String, text: &str) {
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(quoted @ (b'"' | b'\\')) => {
                out.push('\\');
                out.push(char::from(quoted));
            }
            Ok(plain @ b' '..=b'~') => out.push(char::from(plain)),
            _ => {
                out.push('\\');
                out.push('u');
                sentence::hex(out, Word::from(unit), 4);
            }
        }
    }
}
