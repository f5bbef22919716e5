//! How far a run is from the system calls it makes: the delivered program beside a program that makes the same calls and does
//! nothing else.
//!
//! [`recording`] reads what a run asked, [`calls`] makes of it system calls for any process, [`floor`] a program of those. [`trace`]
//! follows one run of each, with its [`memory`], and compares their calls; [`clock`] runs both many times; [`figures`] is what
//! came of it. Knows nothing about flags and verdicts.

pub mod recording;

pub mod calls;
pub mod floor;

pub mod memory;
pub mod trace;

pub mod clock;
pub mod figures;
