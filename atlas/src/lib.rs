//! Reads the JSON documents that mapprobe writes: validates them, compares them, renders a page.
//!
//! The modules come in the order of their imports: each uses only modules above it.

pub mod flag_table;
pub mod formatting;
pub mod input;
pub mod legend;
pub mod schema;

pub mod document;
pub mod envelope;

pub mod recordings;
pub mod simulated;

pub mod diff;
pub mod validate;

pub mod columns;
pub mod free;
pub mod unusable;

pub mod describe;
pub mod evidence;

pub mod markdown;
pub mod page;

pub mod publish;
