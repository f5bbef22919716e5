//! Which `mmap(2)` flags does the *running* kernel honor? Found out by experiment, never from its version.
//!
//! The stages, in the order data passes through them:
//! [`flags`] -> [`experiment`] (calls through [`kernel`]) -> [`evidence`] -> [`verdict`] -> [`report`] -> stdout or console.

pub mod arch;

pub mod errno;
pub mod kernel;

pub mod init;
pub mod start;
