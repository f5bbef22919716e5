//! The experiments: a function per flag, a file per family. Each makes calls and returns what came back; none prints,
//! decides, or looks at the kernel's version. To add one, write a function `fn(&mut Bench, bits) -> Evidence`.

use crate::evidence::Evidence;

pub mod bench;
pub mod huge;
pub mod placement;
pub mod recognition;
pub mod residency;
pub mod types;
pub mod validation;

pub use bench::Bench;

/// What is done to find out about the flag with these bits.
pub type Experiment = fn(&mut Bench, u64) -> Evidence;
