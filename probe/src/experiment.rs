//! The experiments: one per flag, a file per family. Each says how the flag is asked about and what is measured with it, without it, and
//! with a bit that no kernel knows; what came back stays on the bench. None prints, decides, or looks at the kernel's version. To add
//! one, add an [`Experiment`] to a family's file, and a function that measures if none fits.

use crate::evidence::{Known, Refusals, Test};
use crate::kernel::Word;

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
mod touch;
pub mod types;
pub mod validation;

pub use bench::Bench;

/// How a flag is asked about in every context, before anything is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// As a bit; what the validators say counts.
    Flag,
    /// As a bit that the validators refuse on every kernel, so that their refusal says nothing: `MAP_SYNC` is not in `LEGACY_MAP_MASK`.
    Taken,
    /// The same, where the page asked for is free: `MAP_FIXED_NOREPLACE`.
    Free,
    /// As a map type, with this one as its control.
    Type(u8),
    /// By itself, in [`Experiment::first`].
    Itself,
}

/// What is done to find out about a flag.
#[derive(Debug)]
pub struct Experiment {
    /// How it is asked about in every context.
    pub asks: Asks,
    /// Effect tests: at least two, for neither a yes nor a no may rest on one call.
    pub tests: &'static [Test],
    /// What a sign means where the effect was not seen.
    pub known: Known,
    /// Errors that only a kernel that knows the flag gives, where the plain call succeeds.
    pub knowing: Refusals,
    /// What is done before the tests; says whether they are to be run.
    pub first: Option<fn(&mut Bench, Word) -> bool>,
}

/// An experiment that only asks; the others say what they do beside that.
pub const ASK: Experiment = Experiment {
    asks: Asks::Flag,
    tests: &[],
    known: Known::Accepted,
    knowing: Refusals::NONE,
    first: None,
};
