//! `json`: one object, the machine-readable report. Its form is `probe/schema/mapprobe.report.json`.

use super::sentence;
use super::{Report, Row, SCHEMA_VERSION};
use crate::evidence::{Call, Outcome, Step};
use crate::experiment::validation::{Answered, Validation};

/// Writes the report.
pub fn write(report: &Report) -> String {
    let mut json = Json::default();
    json.object(|json| {
        json.key("schema").text("mapprobe.report");
        json.key("schema_version").text(SCHEMA_VERSION);
        json.key("tool").object(|json| {
            json.key("name").text("mapprobe");
            json.key("version").text(env!("CARGO_PKG_VERSION"));
            json.key("arch").text(report.arch.name());
        });
        json.key("kernel").object(|json| {
            json.key("sysname").text(&report.kernel.sysname);
            json.key("release").text(&report.kernel.release);
            json.key("version").text(&report.kernel.version);
            json.key("machine").text(&report.kernel.machine);
        });
        json.key("process").object(|json| {
            json.key("pid").maybe(report.process.pid);
            json.key("euid").maybe(report.process.euid);
            json.key("page_size").number(report.process.page_size);
            json.key("time").maybe(report.process.time);
        });
        json.key("environment").array(&report.environment, |json, lie| {
            json.object(|json| {
                json.key("name").text(lie.name);
                json.key("evidence").text(lie.evidence);
            });
        });
        match &report.validation {
            Some(validation) => json.key("validation").object(|json| write_validation(json, report, validation)),
            None => json.key("validation").word("null"),
        }
        json.key("flags").array(&report.rows, |json, row| json.object(|json| write_row(json, report, row)));
        json.key("complete").word(if report.complete { "true" } else { "false" });
    });
    json.out.push('\n');
    json.out
}

fn write_validation(json: &mut Json, report: &Report, validation: &Validation) {
    let truth = |known: Option<bool>| match known {
        Some(true) => "true",
        Some(false) => "false",
        None => "null",
    };
    json.key("present").word(truth(validation.present));
    json.key("validating").word(truth(validation.validating));
    json.key("type_mask").hex(validation.type_mask);
    for (key, wanted) in [("accepted_bits", Answered::Accepted), ("refused_bits", Answered::Refused)] {
        let bits: Vec<_> = validation.bits.iter().filter(|bit| bit.answered() == wanted).collect();
        json.key(key).line(&bits, |json, bit| json.number(u64::from(bit.bit)));
    }
    let others: Vec<_> = validation.bits.iter().filter(|bit| matches!(bit.answered(), Answered::Other(_))).collect();
    json.key("other_bits").array(&others, |json, bit| {
        json.flat_object(|json| {
            json.key("bit").number(u64::from(bit.bit));
            json.key("memfd").outcome(bit.memfd);
            json.key("pipe").outcome(bit.pipe);
        });
    });
    json.key("evidence").array(&validation.steps, |json, step| json.text(&sentence::step(report.arch, step)));
}

fn write_row(json: &mut Json, report: &Report, row: &Row) {
    let (verdict, reason) = &row.finding;
    json.key("name").text(row.flag.name);
    match row.flag.value(report.arch) {
        Some(bits) => json.key("value").hex(bits),
        None => json.key("value").word("null"),
    }
    json.key("since").text(row.flag.since);
    json.key("verdict").text(verdict.word());
    json.key("reason_code").text(reason.code());
    json.key("reason").text(&sentence::reason(reason));
    let contexts: Vec<&Step> = row.steps.iter().filter(|step| step.context).collect();
    json.key("contexts").array(&contexts, |json, step| {
        if let Call::Mmap { flags, backing, .. } = step.call {
            json.flat_object(|json| {
                let mut map_type = String::new();
                sentence::flags(&mut map_type, report.arch, sentence::map_type(report.arch, flags));
                json.key("type").text(&map_type);
                json.key("backing").text(backing.name());
                json.key("outcome").outcome(step.outcome);
            });
        }
    });
    json.key("evidence").array(&row.steps, |json, step| json.text(&sentence::step(report.arch, step)));
}

/// A writer of JSON text. Objects and arrays put each member on its own line, unless they are flat.
#[derive(Default)]
struct Json {
    out: String,
    depth: usize,
    /// No member has been written in the innermost object or array yet.
    first: bool,
    flat: bool,
}

impl Json {
    fn enclose(&mut self, open: char, close: char, members: impl FnOnce(&mut Json)) {
        self.out.push(open);
        self.depth += 1;
        self.first = true;
        members(self);
        self.depth -= 1;
        if !self.first && !self.flat {
            self.new_line();
        }
        self.first = false;
        self.out.push(close);
    }

    fn object(&mut self, members: impl FnOnce(&mut Json)) {
        self.enclose('{', '}', members);
    }

    fn flat_object(&mut self, members: impl FnOnce(&mut Json)) {
        self.flat = true;
        self.enclose('{', '}', members);
        self.flat = false;
    }

    fn array<T>(&mut self, items: &[T], write: impl Fn(&mut Json, &T)) {
        self.enclose('[', ']', |json| {
            for item in items {
                json.next();
                write(json, item);
            }
        });
    }

    /// An array on one line.
    fn line<T>(&mut self, items: &[T], write: impl Fn(&mut Json, &T)) {
        self.flat = true;
        self.array(items, write);
        self.flat = false;
    }

    fn next(&mut self) {
        if !self.first {
            self.out.push(',');
        }
        if !self.flat {
            self.new_line();
        } else if !self.first {
            self.out.push(' ');
        }
        self.first = false;
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
    }

    fn key(&mut self, name: &str) -> &mut Json {
        self.next();
        self.text(name);
        self.out.push_str(": ");
        self
    }

    fn word(&mut self, word: &str) {
        self.out.push_str(word);
    }

    fn number(&mut self, value: u64) {
        sentence::number(&mut self.out, value, 10);
    }

    fn maybe(&mut self, value: Option<u64>) {
        match value {
            Some(value) => self.number(value),
            None => self.word("null"),
        }
    }

    /// Flag values are strings: not every reader of JSON keeps 64 bits of a number.
    fn hex(&mut self, value: u64) {
        self.out.push_str("\"0x");
        sentence::number(&mut self.out, value, 16);
        self.out.push('"');
    }

    fn outcome(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::There => self.text("accepted"),
            Outcome::Elsewhere => self.text("accepted"),
            other => {
                let mut word = String::new();
                sentence::outcome(&mut word, other);
                self.text(&word);
            }
        }
    }

    /// ASCII only: everything else is escaped.
    fn text(&mut self, text: &str) {
        self.out.push('"');
        for unit in text.encode_utf16() {
            match char::from_u32(u32::from(unit)) {
                Some(char @ ('"' | '\\')) => {
                    self.out.push('\\');
                    self.out.push(char);
                }
                Some(char @ ' '..='~') => self.out.push(char),
                _ => {
                    self.out.push_str("\\u");
                    for shift in [12, 8, 4, 0] {
                        sentence::number(&mut self.out, u64::from(unit >> shift & 0xf), 16);
                    }
                }
            }
        }
        self.out.push('"');
    }
}
