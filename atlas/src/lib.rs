//! Reads what mapprobe wrote, on any machine and long after: checks it, compares it, and makes a page of many.
//!
//! [`input`] finds the JSON in files, [`schema`] says whether it is a document of mapprobe, [`document`] makes data of it. [`validate`]
//! and [`diff`] stop there. [`columns`] puts the documents of each kernel together, [`models`] adds kernels that no package has any more, [`recordings`] makes documents of recorded runs,
//! [`free`] and [`lost`] compare what is guaranteed to fail, and [`page`] and [`markdown`] write it down.

pub mod document;
pub mod input;
pub mod outcome;
pub mod schema;

pub mod diff;
pub mod validate;

pub mod columns;
pub mod models;
pub mod recordings;

pub mod bits;
pub mod free;
pub mod legend;
pub mod lost;

pub mod evidence;
pub mod markdown;
pub mod page;
pub mod publish;
