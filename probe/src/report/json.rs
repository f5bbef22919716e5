//! `json`: one object, the machine-readable report. Its form is `probe/schema/mapprobe.report.json`.

use super::{Report, Row, SCHEMA_VERSION, json_sweep, sentence};
use crate::cli::What;
use crate::evidence::{Backing, Call, Outcome, Step};
use crate::experiment::bench::Context;
use crate::experiment::validation::Validation;
use crate::kernel::Word;

/// Writes the report.
pub fn write(report: &Report) -> String {
    let mut json = Json::default();
    json.open('{');
    json.text_at(
        "schema",
        match report.what {
            What::Report => "mapprobe.report",
            What::Sweep => "mapprobe.sweep",
            What::FreeBits => "mapprobe.free-bits",
        },
    );
    json.text_at("schema_version", SCHEMA_VERSION);
    json.open_at("tool", '{');
    json.text_at("name", "mapprobe");
    json.text_at("version", env!("CARGO_PKG_VERSION"));
    json.text_at("arch", report.arch.name());
    json.close('}');
    json.open_at("kernel", '{');
    json.text_at("sysname", &report.kernel.sysname);
    json.text_at("release", &report.kernel.release);
    json.text_at("version", &report.kernel.version);
    json.text_at("machine", &report.kernel.machine);
    json.close('}');
    json.open_at("process", '{');
    json.number_at("pid", report.process.pid);
    json.number_at("euid", report.process.euid);
    json.number_at("page_size", Some(report.process.page_size));
    json.number_at("time", report.process.time);
    json.close('}');
    json.open_at("environment", '[');
    for (name, evidence) in report.lies() {
        json.next();
        json.open('{');
        json.text_at("name", name);
        json.text_at("evidence", evidence);
        json.close('}');
    }
    json.close(']');
    match &report.validation {
        Some((validation, calls)) => {
            json.open_at("validation", '{');
            write_validation(&mut json, report, validation);
            write_evidence(&mut json, report, report.calls(calls));
            json.close('}');
        }
        None => json.word_at("validation", "null"),
    }
    match report.what {
        What::Report => {
            json.open_at("flags", '[');
            for row in &report.rows {
                json.next();
                json.open('{');
                write_row(&mut json, report, row);
                json.close('}');
            }
            json.close(']');
        }
        What::Sweep => json_sweep::write_sweep(&mut json, report),
        What::FreeBits => json_sweep::write_free(&mut json, report),
    }
    json.truth_at("complete", Some(report.complete));
    json.close('}');
    json.out.push('\n');
    json.out
}

fn write_validation(json: &mut Json, report: &Report, validation: &Validation) {
    json.truth_at("present", validation.present);
    json.truth_at("validating", validation.validating);
    json.hex_at("type_mask", validation.type_mask);
    bits_at(json, "accepted_bits", validation.accepted);
    bits_at(json, "refused_bits", validation.refused);
    json.open_at("other_bits", '[');
    for &(bit, memfd, pipe) in &validation.other {
        json.next();
        json.open_flat('{');
        json.number_at("bit", Some(bit.into()));
        json.outcome_at("memfd", memfd);
        json.outcome_at("pipe", pipe);
        json.close('}');
    }
    json.close(']');
    json.open_at("contexts", '[');
    for (context, outcome) in &validation.contexts {
        write_context(json, report, *context, *outcome);
    }
    json.close(']');
}

/// Writes the numbers of the bits of a mask.
pub(super) fn bits_at(json: &mut Json, key: &str, mask: impl Into<u64>) {
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

fn write_row(json: &mut Json, report: &Report, row: &Row) {
    let (verdict, reason) = &row.finding;
    json.text_at("name", row.flag.name);
    json.hex_at("value", row.flag.value(report.arch));
    json.word_at("since", "\"");
    sentence::version(&mut json.out, row.flag.since);
    json.out.push('"');
    json.text_at("verdict", verdict.word());
    json.text_at("reason_code", reason.cause.code());
    json.key("reason");
    json.out.push('"');
    sentence::reason(&mut json.out, report, row);
    json.out.push('"');
    let steps = report.calls(&row.calls);
    json.open_at("contexts", '[');
    for step in steps {
        if let Call::Context { flags, backing } = step.call {
            write_context(json, report, (sentence::map_type(report.arch, flags.into()), backing), step.outcome);
        }
    }
    json.close(']');
    write_evidence(json, report, steps);
}

fn write_context(json: &mut Json, report: &Report, (map_type, backing): Context, outcome: Outcome) {
    json.next();
    json.open_flat('{');
    type_and_backing(json, report, map_type, backing);
    json.outcome_at("outcome", outcome);
    json.close('}');
}

/// Writes a context.
pub(super) fn type_and_backing(json: &mut Json, report: &Report, map_type: Word, backing: Backing) {
    json.word_at("type", "\"");
    sentence::flags(&mut json.out, report.arch, map_type);
    json.out.push('"');
    json.word_at("backing", "\"");
    sentence::backing(&mut json.out, report, backing);
    json.out.push('"');
}

fn write_evidence(json: &mut Json, report: &Report, steps: &[Step]) {
    json.open_at("evidence", '[');
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

    pub(super) fn open_at(&mut self, key: &str, bracket: char) {
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

    pub(super) fn key(&mut self, name: &str) {
        self.next();
        self.text(name);
        self.out.push_str(": ");
    }

    pub(super) fn word_at(&mut self, key: &str, word: &str) {
        self.key(key);
        self.out.push_str(word);
    }

    fn truth_at(&mut self, key: &str, truth: Option<bool>) {
        self.word_at(key, truth.map_or("null", |truth| if truth { "true" } else { "false" }));
    }

    pub(super) fn number_at(&mut self, key: &str, value: Option<Word>) {
        match value {
            Some(value) => {
                self.key(key);
                sentence::number(&mut self.out, value);
            }
            None => self.word_at(key, "null"),
        }
    }

    /// Flag values are strings: not every reader of JSON keeps 64 bits of a number.
    pub(super) fn hex_at(&mut self, key: &str, value: Option<Word>) {
        match value {
            Some(value) => {
                self.word_at(key, "\"0x");
                sentence::hex(&mut self.out, value, 1);
                self.out.push('"');
            }
            None => self.word_at(key, "null"),
        }
    }

    pub(super) fn outcome_at(&mut self, key: &str, outcome: Outcome) {
        self.word_at(key, "\"");
        match outcome {
            Outcome::THERE | Outcome::ELSEWHERE => self.out.push_str("accepted"),
            other => sentence::outcome(&mut self.out, other),
        }
        self.out.push('"');
    }

    pub(super) fn text_at(&mut self, key: &str, text: &str) {
        self.key(key);
        self.text(text);
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
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

/// ASCII only: everything else is escaped.
fn escape(out: &mut String, text: &str) {
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(quoted @ (b'"' | b'\\')) => {
                out.push('\\');
                out.push(char::from(quoted));
            }
            Ok(plain @ b' '..=b'~') => out.push(char::from(plain)),
            _ => {
                out.push_str("\\u");
                sentence::hex(out, Word::from(unit), 4);
            }
        }
    }
}
