//! Builds, checks and packages mapprobe for every architecture.

pub mod cache;
pub mod debian;
pub mod progress;
