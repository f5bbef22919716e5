//! `json`, the part about the sweep: answers to every bit, and what is guaranteed to fail.

use super::json::{Json, bits_at};
use super::{Report, sentence};
use crate::evidence::Outcome;
use crate::flags::{self, MAP_HUGE_MASK, MAP_HUGE_SHIFT, Own};

/// Writes every answer.
pub fn write_sweep(json: &mut Json, report: &Report) {
    json.open_at("sweep", '[');
    for cells in &report.sweep.cells {
        let (map_type, backing) = cells.context;
        json.next();
        json.open_flat('{');
        json.word_at("type", "\"");
        sentence::flags(&mut json.out, report.arch, map_type);
        json.out.push('"');
        json.word_at("backing", "\"");
        sentence::backing(&mut json.out, report, backing);
        json.out.push('"');
        answer_at(json, "base", cells.base);
        json.key("bits");
        json.open_flat('[');
        for &answer in &cells.bits {
            json.next();
            write_answer(json, answer);
        }
        json.close(']');
        json.close('}');
    }
    json.close(']');
    json.open_at("types", '[');
    for cells in &report.sweep.types {
        json.next();
        json.open_flat('{');
        json.hex_at("value", Some(cells.value));
        for &(backing, answer) in &cells.answers {
            json.next();
            json.out.push('"');
            sentence::backing(&mut json.out, report, backing);
            json.out.push_str("\": ");
            write_answer(json, answer);
        }
        json.close('}');
    }
    json.close(']');
    bits_at(json, "huge_size_field", HUGE_SIZE_FIELD);
    write_strangers(json, report);
}

/// The bits of the huge page size field.
const HUGE_SIZE_FIELD: u64 = MAP_HUGE_MASK << MAP_HUGE_SHIFT;

/// Writes what a new flag or map type could be detected by.
pub fn write_free(json: &mut Json, report: &Report) {
    let free = !meant(report);
    bits_at(json, "with_map_shared_validate", free & report.sweep.failing(true));
    bits_at(json, "with_any_map_type", free & report.sweep.failing(false));
    json.key("map_types");
    json.open_flat('[');
    for cells in &report.sweep.types {
        if cells.fails() && flags::types(report.arch).all(|named| named != cells.value) {
            json.next();
            json.out.push_str("\"0x");
            sentence::hex(&mut json.out, cells.value, 1);
            json.out.push('"');
        }
    }
    json.close(']');
    write_strangers(json, report);
}

/// Bits that have a meaning on this architecture, or are part of a field.
fn meant(report: &Report) -> u64 {
    let types = report.validation.as_ref().and_then(|(validation, _)| validation.type_mask);
    Own::of(report.arch).all | types.unwrap_or(0) | HUGE_SIZE_FIELD
}

/// Bits that the kernel knows and the table does not: this kernel may be newer than this program.
fn write_strangers(json: &mut Json, report: &Report) {
    bits_at(json, "unnamed_accepted_bits", report.sweep.validated() & !meant(report));
}

fn answer_at(json: &mut Json, key: &str, answer: Outcome) {
    json.key(key);
    write_answer(json, answer);
}

/// One of: accepted, elsewhere, an error.
fn write_answer(json: &mut Json, answer: Outcome) {
    json.out.push('"');
    match answer {
        Outcome::There => json.out.push_str("accepted"),
        Outcome::Elsewhere => json.out.push_str("elsewhere"),
        other => sentence::outcome(&mut json.out, other),
    }
    json.out.push('"');
}
