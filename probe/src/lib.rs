//! Which `mmap(2)` flags does the *running* kernel honor? The answer comes from experiments, never
//! from the kernel's version.
//!
//! The modules stand in the order of the data's way, and each imports only modules above it: what
//! can be asked, the flag table, the fixture that makes the calls, the experiments with their
//! evidence, the verdicts, the report, and the program around them.

pub mod arch;
pub mod request;

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
