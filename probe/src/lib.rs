//! Which `mmap(2)` flags does the *running* kernel honor? The answer comes from experiments, never
//! from the kernel's version.
//!
//! Each module imports only modules listed above it: first the requests and the flag table, then
//! the fixture that makes the calls, the experiments and their evidence, the verdicts, the report,
//! and the program around them.

pub mod arch;
pub mod request;

pub mod availability;
pub mod error;
pub mod flags;
pub mod outcome;
pub mod paths;

pub mod fixture;
pub mod frame;

pub mod experiment;
pub mod experiments;
pub mod sweep;
pub mod validation;
pub mod verdict;

pub mod environment;
pub mod report;

pub mod output;
pub mod probe;
pub mod reference;

pub mod console;
pub mod requirement;

pub mod cli;
pub mod require;

pub mod replay;

pub mod app;

pub mod init;

pub mod rt;
