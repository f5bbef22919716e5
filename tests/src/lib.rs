//! The lab: real kernels under QEMU, and what the program said on them.

pub mod console;
