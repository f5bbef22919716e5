//! The lab: real kernels under QEMU, and what the program said on them.
//!
//! [`machine`] sets this machine up, [`kernels`] gets kernels and [`emulator`] what runs them, [`scenarios`] makes what they are
//! booted in, [`initramfs`] what distributions boot them with, [`qemu`] boots them, [`console`] finds the report in what they said, [`report`] reads it, [`expectations`] says what it
//! should have been. [`survey`] does all of that for many kernels and scenarios, [`matrix`] shows what came of it, and
//! [`documents`] keeps it for other programs.
//! [`containers`] builds in containers, with [`cross`] for one.
//! [`browser`] looks at pages, [`shells`] complete lines; [`kunit`], [`node_exporter`] and what [`python`] has are programs that read what
//! we write. [`usage`] is what the command line takes. [`headers`] is what kernels define.

pub mod artifacts;
pub mod browser;
pub mod cache_entry;
pub mod console;
pub mod containers;
pub mod cross;
pub mod documents;
pub mod emulator;
pub mod expectations;
pub mod headers;
pub mod host_packages;
pub mod initramfs;
pub mod kernels;
pub mod kunit;
pub mod node_exporter;
pub mod python;
pub mod qemu;
pub mod report;
pub mod run;
pub mod scenarios;
pub mod shells;
pub mod summary;
pub mod usage;
