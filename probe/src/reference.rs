//! The commands that need only the flag table, and no kernel.

pub mod decode;
pub mod explain;
pub mod list;
pub mod suggest;
