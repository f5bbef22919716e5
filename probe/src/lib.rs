//! Which `mmap(2)` flags does the *running* kernel honor? Found out by experiment, never from its version.
//!
//! The stages, in the order data passes through them:
//! [`flags`] -> [`experiment`] (calls through [`kernel`]) -> [`evidence`] -> [`verdict`] -> [`report`] -> stdout or console.

// What is asked of whom.
pub mod arch;
pub mod errno;
pub mod flags;
pub mod kernel;

// The stages.
pub mod evidence;
pub mod experiment;
pub mod report;
pub mod run;
pub mod sweep;
pub mod text;
pub mod verdict;

// The program around them.
pub mod cli;
pub mod command;
pub mod console;
pub mod frame;
pub mod init;
pub mod paths;
pub mod recording;
pub mod start;
