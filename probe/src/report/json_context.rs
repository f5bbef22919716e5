//! The JSON members that identify a context, in the report and in the sweep.

use super::data::Report;
use super::json_text::JsonText;
use super::wording::{push_backing, push_flags};
use crate::outcome::Context;

/// Writes the members `type` and `backing`.
pub fn write_type_and_backing(json: &mut JsonText, report: &Report, context: Context) {
    json.begin_string("type");
    push_flags(&mut json.out, report.arch, context.map_type);
    json.end_string();
    json.begin_string("backing");
    push_backing(&mut json.out, report, context.backing);
    json.end_string();
}
