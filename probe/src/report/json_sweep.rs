//! `json`, the part about the sweep: answers to every bit, and what is guaranteed to fail.

use super::json::{Json, bits_at, type_and_backing};
use super::{Report, sentence};
use crate::errno::Errno;
use crate::evidence::Outcome;
use crate::experiment::bench::Context;
use crate::flags::{self, MAP_HUGE_MASK, MAP_HUGE_SHIFT, Own};
use crate::kernel::Word;
use crate::sweep::TYPE_FIELDS;
use crate::text::Text;

/// Writes every answer.
#[cold]
#[inline(never)]
pub fn write_sweep(json: &mut Json, report: &Report) {
    let sweep = &report.sweep;
    let mut answers = sweep.answers.iter().copied();
    json.open_at(Text::SWEEP, '[');
    for context in sweep.contexts.iter().take(sweep.named) {
        let Some(base) = answers.next() else { break };
        open_context(json, report, context);
        answer_at(json, Text::BASE, base);
        json.key(Text::BITS);
        json.open_flat('[');
        for answer in answers.by_ref().take(sweep.bits) {
            json.next();
            write_answer(json, answer);
        }
        json.close(']');
        json.close('}');
    }
    json.close(']');
    json.open_at(Text::TYPES, '[');
    for (context, answer) in sweep.contexts.iter().skip(sweep.named).zip(answers) {
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
    json.key(Text::MAP_TYPES);
    json.open_flat('[');
    for value in 0..=TYPE_FIELDS {
        // Values without a name that everything refuses, and not because of what is mapped.
        let (mut asked, mut taken) = (false, flags::types(report.arch).any(|named| named == value));
        for (context, answer) in report.sweep.types() {
            if context.0 == value {
                asked = true;
                taken |= answer.succeeded() || *answer == Outcome::failed(Errno::ENODEV);
            }
        }
        if asked && !taken {
            json.next();
            sentence::number(&mut json.out, value);
        }
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
