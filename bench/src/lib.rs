//! Measures how much time and memory mapprobe needs on top of its system calls. The baseline is a
//! program that makes the same system calls and nothing else.
//!
//! The modules come in the order of their imports: each uses only modules above it.

pub mod recording;

pub mod calls;

pub mod memory;
pub mod trace;

pub mod baseline;

pub mod timing;

pub mod figures;
