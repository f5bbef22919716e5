//! The JSON members of a sweep and of the free bits.

use super::data::Report;
use super::json_context::write_type_and_backing;
use super::json_text::JsonText;
use super::wording::{push, push_outcome};
use crate::flags::{HUGE_SIZE_FIELD, flag_bits, map_types};
use crate::outcome::Outcome;
use crate::sweep::ContextOutcomes;

/// Writes every outcome of a sweep.
pub fn write_sweep(json: &mut JsonText, report: &Report) {
    json.open_at("sweep", '[');
    for ContextOutcomes { context, base, bits } in &report.sweep.contexts {
        json.next();
        json.open_flat('{');
        write_type_and_backing(json, report, *context);
        write_outcome_at(json, "base", *base);
        json.open_flat_at("bits", '[');
        for &outcome in bits {
            json.next();
            write_outcome(json, outcome);
        }
        json.close(']');
        json.close('}');
    }
    json.close(']');
    json.open_at("types", '[');
    for (context, outcome) in &report.sweep.types {
        json.next();
        json.open_flat('{');
        write_type_and_backing(json, report, *context);
        write_outcome_at(json, "outcome", *outcome);
        json.close('}');
    }
    json.close(']');
    json.bits("huge_size_field", HUGE_SIZE_FIELD);
    write_unnamed_accepted_bits(json, report);
}

/// Writes the bits and map types that a future flag could take to be detectable.
pub fn write_free_bits(json: &mut JsonText, report: &Report) {
    let unassigned = !assigned_bits(report);
    json.bits("with_map_shared_validate", unassigned & report.sweep.rejected());
    json.bits("with_any_map_type", unassigned & report.sweep.failing());
    json.open_flat_at("map_types", '[');
    for value in report.sweep.failing_types() {
        if map_types(report.arch).all(|named| named != value) {
            json.next();
            push(&mut json.out, format_args!("{value}"));
        }
    }
    json.close(']');
    write_unnamed_accepted_bits(json, report);
}

/// Writes the bits that the kernel accepts and the table does not name: the kernel may be newer
/// than this program.
fn write_unnamed_accepted_bits(json: &mut JsonText, report: &Report) {
    json.bits("unnamed_accepted_bits", report.sweep.accepted() & !assigned_bits(report));
}

/// The bits that are flags on this architecture, or part of a field.
fn assigned_bits(report: &Report) -> usize {
    let type_mask = report.validation.as_ref().and_then(|(validation, _)| validation.type_mask);
    flag_bits(report.arch) | type_mask.unwrap_or(0) | HUGE_SIZE_FIELD
}

fn write_outcome_at(json: &mut JsonText, key: &str, outcome: Outcome) {
    json.key(key);
    write_outcome(json, outcome);
}

/// Writes `accepted`, `elsewhere` or an error.
fn write_outcome(json: &mut JsonText, outcome: Outcome) {
    json.out.push('"');
    match outcome {
        Outcome::MappedThere => json.out.push_str("accepted"),
        Outcome::MappedElsewhere => json.out.push_str("elsewhere"),
        other => push_outcome(&mut json.out, other),
    }
    json.out.push('"');
}
