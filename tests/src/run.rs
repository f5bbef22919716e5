//! Runs of the lab: kernels are booted in scenarios, and the program's output is compared with
//! the expectations.

mod boot;
mod comparison;
mod outcome;
mod queue;

pub use boot::{BootSpec, Output};
pub use comparison::compare;
pub use outcome::{Completed, Entry, Origin, Outcome, Query};
pub use queue::{Plan, run};
