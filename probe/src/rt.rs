//! The runtime of a small static program: the entry point and the heap.
//!
//! [`program!`](crate::program) turns a `fn(&mut dyn Kernel, &[&str]) -> i32` into a program. The
//! tests' own programs (`probe/examples/`) start in this way too.
#![allow(unsafe_code, reason = "an entry point and an allocator need it")]

use crate::app::FAILURE;
use crate::init;
use crate::output::STDERR;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use kernel::{Kernel, str_or_replacement};

#[cfg(not(target_family = "wasm"))]
use kernel::linux::Linux as Live;
#[cfg(target_family = "wasm")]
use kernel::wasm::Wasm as Live;

/// A program: takes the arguments, its own name first, and returns the exit code. An argument that
/// is not UTF-8 is replaced by U+FFFD. PID 1 of a machine must not return.
pub type Program = fn(&mut dyn Kernel, &[&str]) -> i32;

/// Bytes of heap. The largest report takes about a tenth.
const HEAP: usize = 4 << 20;

/// A heap that does not reuse freed blocks, for a program that runs for some milliseconds.
/// Untouched pages take no memory. The last block grows and shrinks in place, so a text that is
/// written piece by piece is not copied.
#[repr(C, align(4096))]
pub struct Heap {
    used: UnsafeCell<usize>,
    bytes: UnsafeCell<[u8; HEAP]>,
}

// SAFETY: this program has one thread.
unsafe impl Sync for Heap {}

impl Heap {
    #[allow(clippy::new_without_default, reason = "a static needs a const fn")]
    pub const fn new() -> Heap {
        Heap { used: UnsafeCell::new(0), bytes: UnsafeCell::new([0; HEAP]) }
    }
}

// SAFETY: every block lies inside `bytes`, is aligned, and overlaps no other block: `used` is the
// end of the last block, and only that block is resized in place. Without room the program ends.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let bytes = self.bytes.get().cast::<u8>();
        // SAFETY: the program has one thread, and the reference does not outlive this call.
        let used = unsafe { &mut *self.used.get() };
        let padding = (bytes as usize + *used).wrapping_neg() & (layout.align() - 1);
        let start = *used + padding;
        match start.checked_add(layout.size()) {
            Some(end) if end <= HEAP => *used = end,
            _ => heap_is_full(),
        }
        // SAFETY: start + size <= HEAP.
        unsafe { bytes.add(start) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let start = block as usize - self.bytes.get() as usize;
        // SAFETY: the program has one thread, and the reference does not outlive this call.
        let used = unsafe { &mut *self.used.get() };
        if start + layout.size() == *used {
            *used = start;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = block as usize - self.bytes.get() as usize;
        // SAFETY: the program has one thread, and the reference does not outlive this call.
        let used = unsafe { &mut *self.used.get() };
        if start + layout.size() == *used {
            match start.checked_add(size) {
                Some(end) if end <= HEAP => *used = end,
                _ => heap_is_full(),
            }
            return block;
        }
        if size <= layout.size() {
            return block;
        }
        // SAFETY: the caller promises a valid size and the old block's layout; the new block is
        // larger and elsewhere.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            core::ptr::copy_nonoverlapping(block, moved, layout.size());
            moved
        }
    }
}

/// Ends the program. Needs no heap.
fn heap_is_full() -> ! {
    let kernel: &mut dyn Kernel = &mut Live::default();
    kernel.write(STDERR, b"mapprobe: out of memory: the heap of 4 MiB is full\n");
    init::end(kernel, FAILURE)
}

/// Defines the entry point and the heap of a binary that runs a [`Program`].
#[macro_export]
macro_rules! program {
    ($program:expr) => {
        #[global_allocator]
        static HEAP: $crate::rt::Heap = $crate::rt::Heap::new();

        #[cfg(not(target_family = "wasm"))]
        #[allow(unsafe_code, reason = "the C runtime calls `main` by name")]
        // SAFETY: this is the only `main`, and it has the C signature.
        #[unsafe(no_mangle)]
        extern "C" fn main(argc: i32, argv: *const *const core::ffi::c_char) -> i32 {
            $crate::rt::enter(argc, argv, $program)
        }

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the host shim calls `run` by name")]
        // SAFETY: this is the only `run`, and the shim declares the same signature.
        #[unsafe(no_mangle)]
        extern "C" fn run() -> i32 {
            $crate::rt::enter($program)
        }
    };
}

/// The entry point that `cargo dist` names to the linker: calls `main` with the argument count and
/// the arguments that the kernel placed on the stack. The program needs no thread-local memory and
/// no constructors, so no start code of a C library is linked.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[unsafe(naked)]
// SAFETY: nothing else has this name.
#[unsafe(no_mangle)]
unsafe extern "C" fn mapprobe_entry() -> ! {
    // The outermost frame has no frame pointer. A call needs a stack aligned to 16 bytes, which the
    // kernel guarantees on aarch64.
    #[cfg(target_arch = "x86_64")]
    core::arch::naked_asm!(
        "xor ebp, ebp",
        "mov rdi, [rsp]",
        "lea rsi, [rsp + 8]",
        "and rsp, -16",
        "call main",
        "ud2"
    );
    #[cfg(target_arch = "aarch64")]
    core::arch::naked_asm!("mov x29, 0", "mov x30, 0", "ldr x0, [sp]", "add x1, sp, 8", "b main");
}

/// Runs a program with the arguments from the C runtime or from the entry point above. Never
/// returns, because PID 1 must not.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "called as `main` only, through `program!`")]
pub fn enter(argc: i32, argv: *const *const core::ffi::c_char, program: Program) -> ! {
    let argument = |index: i32| {
        // SAFETY: `main` gets `argc` C strings that live as long as the process.
        unsafe { core::ffi::CStr::from_ptr(*argv.add(index as usize)) }.to_bytes()
    };
    // SAFETY: the start code of musl and of glibc, and the entry point above, pass the pointer into
    // the initial stack.
    let kernel = unsafe { Live::started_with(argv) };
    start(kernel, (0..argc).map(argument), program)
}

/// Runs a program with the arguments from the host shim.
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub fn enter(program: Program) -> ! {
    let arguments: Vec<Vec<u8>> = kernel::wasm::arguments();
    start(Live, arguments.iter().map(Vec::as_slice), program)
}

/// Runs a program and ends the process.
fn start<'a>(mut kernel: Live, arguments: impl Iterator<Item = &'a [u8]>, program: Program) -> ! {
    let mut texts = Vec::new();
    for argument in arguments {
        texts.push(str_or_replacement(argument));
    }
    let kernel: &mut dyn Kernel = &mut kernel;
    let code = program(kernel, &texts);
    kernel.exit(code)
}
