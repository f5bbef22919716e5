//! The lab: real kernels under QEMU, and the program's output on them.
//!
//! Modules in the order of their use: [`host_packages`] installs Debian packages, [`cache_entry`]
//! keeps downloads and builds, [`artifacts`] has the released programs. [`kernels`] provides
//! kernels and [`emulator`] the QEMU for each; [`scenarios`] are the conditions in which they are
//! booted, and [`initramfs`] makes images with the generators of distributions. [`qemu`] boots,
//! [`console`] finds the report on the console, [`report`] parses it, [`expectations`] has what it
//! should contain. [`run`] does all of that for many kernels and scenarios, [`summary`] prints the
//! outcome, [`documents`] writes it for other programs, [`containers`] builds in containers.
//!
//! Other programs that the tests use: [`browser`], [`cross`], [`shells`], [`kunit`],
//! [`node_exporter`], [`python`]. [`headers`] are the kernel's own headers, [`usage`] is the
//! command line as the program describes it, [`library`] makes reports without a boot, and
//! [`old_kernels`] are recordings of kernels that cannot be booted any more.

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
pub mod library;
pub mod node_exporter;
pub mod old_kernels;
pub mod per_arch;
pub mod process;
pub mod python;
pub mod qemu;
pub mod report;
pub mod run;
pub mod scenarios;
pub mod shells;
pub mod summary;
pub mod usage;
