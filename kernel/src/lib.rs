//! The boundary to the kernel: a system call is a value ([`Call`]), and a kernel executes it.
//!
//! [`Kernel::call`] is the only entry. The running kernel, the recorder, the replay and the
//! simulated kernel of the tests implement it; programs use the typed methods of `dyn Kernel`
//! ([`syscalls`]), one per system call.
//!
//! Only integers and byte strings cross the boundary. Addresses of probed mappings are plain
//! numbers and are never dereferenced: the kernel copies a byte to or from them ([`Op::Store`],
//! [`Op::Load`]) and returns `EFAULT` where a program would receive a signal. Numbers that differ
//! between architectures (errors, `O_*`, `MADV_*`, `MS_*`, structure layouts) do not cross it. The
//! flags of `mmap(2)` do: they are what is probed.

pub mod call;
pub mod errno;
#[cfg(not(target_family = "wasm"))]
pub mod linux;
pub mod recording;
pub mod syscalls;
#[cfg(target_family = "wasm")]
pub mod wasm;

pub use call::{
    ARGS, Advice, Call, Ended, Fd, Kernel, MAX_ERRNO, Mmap, NO_FD, Op, OpenMode, PROT_NONE,
    PROT_READ, PROT_WRITE, Pipe, SIGNALED, SysResult, UTS_FIELD, Uname, str_or_replacement,
};
pub use errno::Errno;
