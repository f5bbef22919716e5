//! What the program answers from its table, without a kernel.

pub mod decode;
pub mod explain;
pub mod list;
pub mod suggest;
