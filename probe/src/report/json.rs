//! `json` and `jsonl`: the machine-readable report. Its schemas are in `probe/schema/`.

use super::data::{Report, Row, SCHEMA_VERSION};
use super::json_context::write_type_and_backing;
use super::json_sweep;
use super::json_text::{JsonText, Layout};
use super::style::Style;
use super::wording::{file_access, push_file, push_outcome, push_reason, push_step};
use crate::fixture::{Lengths, NoMemfd};
use crate::flags::map_type;
use crate::outcome::{Call, Context, Outcome, Step};
use crate::request::Query;
use crate::validation::Validation;
use core::mem::take;

/// Bytes reserved for the text: about four reports. Untouched pages take no memory.
const CAPACITY: usize = 256 << 10;

/// Writes a report as one object on several lines.
pub fn write(out: &mut String, report: &Report, _: &Style) {
    write_in(Layout::Lines, out, report);
}

/// Writes a report as one object on one line, so that a file can hold many.
pub fn write_line(out: &mut String, report: &Report, _: &Style) {
    write_in(Layout::OneLine, out, report);
}

fn write_in(layout: Layout, out: &mut String, report: &Report) {
    let mut writer = RowWriter { json: JsonText::new(layout) };
    writer.write_rows(report);
    *out = writer.write_tail(report);
}

/// Writes a report row by row while the experiments run, so that only one row is in memory.
#[derive(Default)]
pub struct RowWriter {
    json: JsonText,
}

impl RowWriter {
    /// Writes the rows and removes them and their trace entries from the report.
    pub fn take_rows(&mut self, report: &mut Report) {
        self.write_rows(report);
        report.rows.clear();
        report.steps.clear();
    }

    /// Writes the rest of the report and returns the text.
    pub fn finish(mut self, report: &mut Report) -> String {
        self.take_rows(report);
        self.write_tail(report)
    }

    fn write_rows(&mut self, report: &Report) {
        let json = &mut self.json;
        if json.out.is_empty() {
            json.out.reserve(CAPACITY);
            write_head(json, report);
        }
        for row in &report.rows {
            json.next();
            json.open('{');
            write_row(json, report, row);
            json.close('}');
        }
    }

    fn write_tail(&mut self, report: &Report) -> String {
        let json = &mut self.json;
        match report.query {
            Query::Report => json.close(']'),
            Query::Sweep => json_sweep::write_sweep(json, report),
            Query::FreeBits => json_sweep::write_free_bits(json, report),
        }
        json.boolean("complete", Some(report.complete));
        json.close('}');
        json.out.push('\n');
        take(&mut json.out)
    }
}

fn schema(query: Query) -> &'static str {
    match query {
        Query::Report => "mapprobe.report",
        Query::Sweep => "mapprobe.sweep",
        Query::FreeBits => "mapprobe.free-bits",
    }
}

/// Writes everything in front of the rows.
fn write_head(json: &mut JsonText, report: &Report) {
    json.open('{');
    json.string("schema", schema(report.query));
    json.string("schema_version", SCHEMA_VERSION);
    json.open_at("tool", '{');
    json.string("name", "mapprobe");
    json.string("version", env!("CARGO_PKG_VERSION"));
    json.string("arch", report.arch.name());
    json.close('}');
    json.open_at("kernel", '{');
    json.escaped("sysname", &report.kernel.sysname);
    json.escaped("release", &report.kernel.release);
    json.escaped("version", &report.kernel.version);
    json.escaped("machine", &report.kernel.machine);
    json.close('}');
    json.open_at("process", '{');
    json.number("pid", report.process.pid);
    json.number("euid", report.process.euid);
    json.number("page_size", Some(report.process.page_size));
    json.number("time", report.process.time);
    json.close('}');
    json.open_at("environment", '[');
    for observed in &report.environment {
        json.next();
        json.open('{');
        json.string("name", observed.name());
        json.string("evidence", &observed.evidence);
        json.close('}');
    }
    json.close(']');
    write_file(json, report);
    write_paths(json, report);
    match &report.validation {
        Some((validation, steps)) => {
            json.open_at("validation", '{');
            write_validation(json, report, validation);
            write_evidence(json, report, report.steps_at(steps));
            json.close('}');
        }
        None => json.null("validation"),
    }
    if report.query == Query::Report {
        json.open_at("flags", '[');
    }
}

/// Writes which file the experiments used.
fn write_file(json: &mut JsonText, report: &Report) {
    json.open_at("file", '{');
    if let Some(file) = report.file {
        json.begin_string("name");
        push_file(&mut json.out, report, file);
        json.end_string();
    } else {
        json.null("name");
    }
    json.optional("access", report.file.map(|file| file_access(file).word()));
    match report.no_memfd {
        Some(NoMemfd { call, errno }) => {
            json.text("memfd_error", format_args!("{call}: {errno}"));
        }
        None => json.null("memfd_error"),
    }
    json.close('}');
}

/// Writes how the user's paths were opened and mapped.
fn write_paths(json: &mut JsonText, report: &Report) {
    json.open_at("paths", '[');
    for (path, name) in report.path_uses.iter().zip(&report.paths) {
        json.next();
        json.open_flat('{');
        json.escaped("path", name);
        json.string("access", path.access.word());
        let length = match path.lengths {
            Lengths::Page => Some(report.process.page_size),
            Lengths::Aligned(log2) => Some(1 << log2),
            Lengths::None(_) => None,
        };
        json.number("length", length);
        json.optional("left_out", path.left_out());
        json.boolean("read_only_differs", Some(path.read_only_differs));
        json.close('}');
    }
    json.close(']');
}

fn write_validation(json: &mut JsonText, report: &Report, validation: &Validation) {
    json.boolean("present", validation.present);
    json.boolean("validating", validation.validating);
    json.hex("type_mask", validation.type_mask);
    json.bits("accepted_bits", validation.accepted);
    json.bits("refused_bits", validation.rejected);
    json.open_at("other_bits", '[');
    for other in &validation.other {
        json.next();
        json.open_flat('{');
        json.number("bit", Some(other.bit as usize));
        write_outcome(json, "memfd", other.file);
        write_outcome(json, "pipe", other.pipe);
        json.close('}');
    }
    json.close(']');
    json.open_at("contexts", '[');
    for (context, outcome) in &validation.contexts {
        write_context(json, report, *context, *outcome);
    }
    json.close(']');
}

fn write_row(json: &mut JsonText, report: &Report, row: &Row) {
    let (flag, finding) = (row.flag, &row.finding);
    json.string("name", flag.name());
    json.hex("value", flag.value(report.arch));
    json.text("since", format_args!("{}", flag.since()));
    json.string("verdict", finding.verdict.word());
    json.string("reason_code", finding.reason.code.code());
    json.begin_string("reason");
    push_reason(&mut json.out, report, row);
    json.end_string();
    match row.availability {
        Some(availability) => {
            json.string("available", availability.answer().word());
            json.text("available_reason", format_args!("{availability}"));
        }
        None => {
            json.null("available");
            json.null("available_reason");
        }
    }
    let steps = report.steps_at(&row.steps);
    json.open_at("contexts", '[');
    for step in steps {
        if let Call::Context { flags, backing } = step.call {
            let context = Context { map_type: map_type(report.arch, flags), backing };
            write_context(json, report, context, step.outcome);
        }
    }
    json.close(']');
    write_evidence(json, report, steps);
}

fn write_context(json: &mut JsonText, report: &Report, context: Context, outcome: Outcome) {
    json.next();
    json.open_flat('{');
    write_type_and_backing(json, report, context);
    write_outcome(json, "outcome", outcome);
    json.close('}');
}

fn write_outcome(json: &mut JsonText, key: &str, outcome: Outcome) {
    json.begin_string(key);
    match outcome {
        Outcome::MappedThere | Outcome::MappedElsewhere => json.out.push_str("accepted"),
        other => push_outcome(&mut json.out, other),
    }
    json.end_string();
}

fn write_evidence(json: &mut JsonText, report: &Report, steps: &[Step]) {
    json.open_at("evidence", '[');
    for step in steps {
        json.next();
        json.out.push('"');
        push_step(&mut json.out, report, step);
        json.out.push('"');
    }
    json.close(']');
}
