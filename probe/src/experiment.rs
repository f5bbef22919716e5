//! The experiments: a function per flag, a file per family. Each makes calls and leaves what came back on the bench; none prints,
//! decides, or looks at the kernel's version. To add one, write a function `fn(&mut Bench, bits)`.

pub mod accounting;
pub mod bench;
pub mod environment;
pub mod files;
pub mod fresh;
pub mod growth;
pub mod huge;
mod measure;
pub mod placement;
mod procfs;
pub mod recognition;
pub mod residency;
pub mod types;
pub mod validation;

pub use bench::Bench;

/// What is done to find out about the flag with these bits; the evidence is [`Bench::evidence`].
pub type Experiment = fn(&mut Bench, u64);
