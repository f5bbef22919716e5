//! The report: plain data ([`data`]), its wording, and one writer per format. No writer calls the
//! kernel. To add a format, write its file and name it in [`write()`] and in
//! [`crate::request::Format`].

pub mod columns;
pub mod data;
pub mod escape;
pub mod json;
mod json_context;
mod json_sweep;
pub mod json_text;
mod ktap;
mod macros;
mod nfd;
mod prometheus;
mod shell;
pub mod style;
pub mod table;
pub mod wording;
pub mod write;

pub use data::{Process, Report, Row, SCHEMA_VERSION};
pub use style::Style;
pub use write::write;
