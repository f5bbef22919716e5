//! `json`, the part about the sweep: answers to every bit, and what is guaranteed to fail.

use super::json::{Json, bits_at, type_and_backing};
use super::{Report, sentence};
use crate::errno::Errno;
use crate::evidence::Outcome;
use crate::flags::{self, MAP_HUGE_MASK, MAP_HUGE_SHIFT, Own};
use crate::kernel::Word;
use crate::text::Text;
use core::ops::Range;

/// Writes every answer.
#[cold]
#[inline(never)]
pub fn write_sweep(json: &mut Json, report: &Report) {
    let sweep = &report.sweep;
    write_contexts(json, report, Text::SWEEP, 0..sweep.named);
    write_contexts(json, report, Text::TYPES, sweep.named..sweep.contexts.len());
    bits_at(json, Text::HUGE_SIZE_FIELD, HUGE_SIZE_FIELD);
    write_strangers(json, report);
}

/// Writes the answers in some contexts.
#[cold]
#[inline(never)]
fn write_contexts(json: &mut Json, report: &Report, key: Text, places: Range<usize>) {
    json.open_at(key, '[');
    for at in places {
        let Some(((map_type, backing), base, answers)) = report.sweep.of(at) else { break };
        json.next();
        json.open_flat('{');
        type_and_backing(json, report, map_type, backing);
        answer_at(json, if answers.is_empty() { Text::OUTCOME } else { Text::BASE }, base);
        if !answers.is_empty() {
            json.key(Text::BITS);
            json.open_flat('[');
            for &answer in answers {
                json.next();
                write_answer(json, answer);
            }
            json.close(']');
        }
        json.close('}');
    }
    json.close(']');
}

/// The bits of the huge page size field.
const HUGE_SIZE_FIELD: Word = MAP_HUGE_MASK << MAP_HUGE_SHIFT;

/// Writes what a new flag or map type could be detected by.
#[cold]
#[inline(never)]
pub fn write_free(json: &mut Json, report: &Report) {
    let free = !meant(report);
    bits_at(json, Text::WITH_MAP_SHARED_VALIDATE, free & report.sweep.refused());
    bits_at(json, Text::WITH_ANY_MAP_TYPE, free & report.sweep.failing());
    json.key(Text::MAP_TYPES);
    json.open_flat('[');
    // Values without a name that everything refuses, and not because of what is mapped. They come in their order, each of everything.
    let (mut at, mut value, mut free) = (report.sweep.named, Word::MAX, false);
    loop {
        let asked = report.sweep.of(at);
        let next = asked.map_or(Word::MAX, |asked| asked.0.0);
        if next != value {
            if free && flags::types(report.arch).all(|named| named != value) {
                json.next();
                sentence::number(&mut json.out, value);
            }
            (value, free) = (next, true);
        }
        let Some((_, answer, _)) = asked else { break };
        if answer.succeeded() || answer == Outcome::failed(Errno::ENODEV) {
            free = false;
        }
        at += 1;
    }
    json.close(']');
    write_strangers(json, report);
}

/// Bits that have a meaning on this architecture, or are part of a field.
#[cold]
fn meant(report: &Report) -> Word {
    let types = report.validation.as_ref().and_then(|(validation, _)| validation.type_mask);
    Own::of(report.arch).all | types.unwrap_or(0) | HUGE_SIZE_FIELD
}

/// Bits that the kernel knows and the table does not: this kernel may be newer than this program.
fn write_strangers(json: &mut Json, report: &Report) {
    bits_at(json, Text::UNNAMED_ACCEPTED_BITS, report.sweep.passed() & !meant(report));
}

fn answer_at(json: &mut Json, key: Text, answer: Outcome) {
    json.key(key);
    write_answer(json, answer);
}

/// One of: accepted, elsewhere, an error.
fn write_answer(json: &mut Json, answer: Outcome) {
    json.out.push('"');
    match answer {
        Outcome::THERE => Text::ACCEPTED.push(&mut json.out),
        Outcome::ELSEWHERE => Text::ELSEWHERE.push(&mut json.out),
        other => sentence::outcome(&mut json.out, other),
    }
    json.out.push('"');
}
