//! Builds, checks and packages mapprobe for every architecture.
//!
//! The stages, in the order a file passes through them: [`toolchain`] and [`packages`] find what is needed, [`compile`] and one
//! of the routes [`native`] and [`wasm2c`] build, [`trim`] drops what is not loaded, [`check`] refuses, [`smoke`] runs, [`sbom`] tells what is inside, [`archive`], [`package`] and
//! [`manifest`] package.
//! [`debian`] fetches files of Debian's archive, for the build and for the lab.

pub mod cache;
pub mod date;
pub mod debian;
pub mod progress;
pub mod workspace;

pub mod packages;
pub mod toolchain;

pub mod compile;
pub mod frames;
pub mod generated;
pub mod native;
pub mod trim;
pub mod wasm2c;

pub mod archive;
pub mod check;
pub mod contents;
pub mod deb;
pub mod manifest;
pub mod millicode;
pub mod package;
pub mod sbom;
pub mod smoke;
pub mod tarball;

mod deliver;

pub use deliver::{Delivered, Options, build_example, deliver};
