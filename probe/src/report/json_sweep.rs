//! `json`, the part about the sweep: answers to every bit, and what is guaranteed to fail.

use super::json::{Json, bits_at, type_and_backing};
use super::{Report, sentence};
use crate::errno::Errno;
use crate::evidence::Outcome;
use crate::experiment::bench::Context;
use crate::flags::{self, MAP_HUGE_MASK, MAP_HUGE_SHIFT, Own};
use crate::kernel::Word;
use crate::text::Text;

/// Writes every answer.
#[cold]
#[inline(never)]
pub fn write_sweep(json: &mut Json, report: &Report) {
    let sweep = &report.sweep;
    json.open_at(Text::SWEEP, '[');
    for (at, context) in sweep.contexts.iter().enumerate().take(sweep.named) {
        let Some((&base, answers)) = sweep.of(at).split_first() else { continue };
        open_context(json, report, context);
        answer_at(json, Text::BASE, base);
        json.key(Text::BITS);
        json.open_flat('[');
        for &answer in answers {
            json.next();
            write_answer(json, answer);
        }
        json.close(']');
        json.close('}');
    }
    json.close(']');
    json.open_at(Text::TYPES, '[');
    for (context, &answer) in sweep.types() {
        open_context(json, report, context);
        answer_at(json, Text::OUTCOME, answer);
        json.close('}');
    }
    json.close(']');
    bits_at(json, Text::HUGE_SIZE_FIELD, HUGE_SIZE_FIELD);
    write_strangers(json, report);
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
    // Values without a name that everything refuses, and not because of what is mapped; the largest is 43.
    let mut types = !flags::types(report.arch).fold(0_u64, |mask, named| mask | 1_u64 << named);
    let mut asked = 0_u64;
    for ((value, _), answer) in report.sweep.types() {
        asked |= 1_u64 << value;
        if answer.succeeded() || *answer == Outcome::failed(Errno::ENODEV) {
            types &= !(1_u64 << value);
        }
    }
    bits_at(json, Text::MAP_TYPES, types & asked);
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

fn open_context(json: &mut Json, report: &Report, &(map_type, backing): &Context) {
    json.next();
    json.open_flat('{');
    type_and_backing(json, report, map_type, backing);
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
