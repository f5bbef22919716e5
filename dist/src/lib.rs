//! Builds, checks and packages mapprobe for every architecture.
//!
//! The stages, in order: [`toolchain`] and [`packages`] find the tools, one of the backends
//! [`native`] and [`wasm2c`] builds a program with [`compile`], [`strip`] removes its section
//! headers, [`check`] and [`smoke`] test it, [`sbom`] lists its components, [`archive`] and
//! [`package`] pack it, and [`manifest`] lists the files. [`debian`] fetches packages from Debian's
//! archive, here and for the lab.

pub mod cache;
pub mod progress;
pub mod workspace;

pub mod date;
pub mod debian;

pub mod packages;
pub mod toolchain;

pub mod compile;
pub mod native;
pub mod wasm2c;
pub mod wasm2c_fixup;

pub mod check;
pub mod smoke;
pub mod strip;

pub mod archive;
pub mod manifest;
pub mod sbom;

pub mod contents;
pub mod deb;
pub mod package;
pub mod tarball;

mod artifact;

pub use artifact::{Artifact, Options, build, build_example};
