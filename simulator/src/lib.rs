//! A simulated Linux kernel: what `mmap(2)` does with its flags argument, by architecture and
//! version, with every effect that a program can observe, and environments that only resemble
//! Linux.
//!
//! It exists for tests: a verdict about a flag can be compared with what this kernel really does.
//! It imports only the boundary, [`kernel`]. The numbers and the rules are written down from the
//! kernel's headers and sources a second time, so that a prober and this crate cannot share a
//! mistake.
//!
//! A call panics, and so fails the test, if it would crash a real kernel, exhaust the memory of the
//! machine, block forever, or destroy a mapping or file that the program did not create.
//!
//! Addresses of 64-bit programs are `usize`: the host must be a 64-bit machine.

mod areas;
mod dispatch;
mod files;
mod flag_numbers;
mod hostile;
mod hugetlb;
mod memory;
mod mmap;
mod page_faults;
mod personality;
mod procfs;
mod rules;
mod state;

pub use files::SMAPS;
pub use flag_numbers::FlagNumbers;
pub use hugetlb::Hugetlb;
pub use rules::{
    AddressSpace, Guard, MIB, Machine, Overcommit, Personality, Proc, Rules, SeccompRule, Stack,
    VERSIONS, Version,
};
pub use state::{Fault, SimulatedKernel};
