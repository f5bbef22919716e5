//! What a tiny static program needs to start and to end: the entry point, the heap, and a last sentence when the heap is
//! full. Knows nothing about mmap.
//!
//! [`program!`](crate::program) turns a `fn(&mut dyn Kernel, &[&str]) -> i32` into a program; the tests' own programs
//! (`probe/examples/`) start the same way.
#![allow(unsafe_code, reason = "the entry point and the allocator cannot be written without it")]

use crate::init;
use crate::kernel::{Kernel, text};
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;

#[cfg(not(target_family = "wasm"))]
use crate::kernel::linux::Linux as Live;
#[cfg(target_family = "wasm")]
use crate::kernel::wasm::Wasm as Live;

/// Arguments from the first to the last, the program's own name included, to an exit code. One that is not UTF-8
/// arrives as U+FFFD. With pid 1 it must not return.
pub type Program = fn(&mut dyn Kernel, &[&str]) -> i32;

/// Bytes of heap. The largest report takes about a tenth.
const HEAP: usize = 4 << 20;

/// A heap that gives nothing back: right for a program that runs once, for about a millisecond. Pages that were never
/// used cost nothing. The last block can grow in place, so that a text that is written piece by piece is not copied.
#[repr(C, align(4096))]
pub struct Heap {
    used: UnsafeCell<usize>,
    bytes: UnsafeCell<[u8; HEAP]>,
}

// SAFETY: this program has one thread; the C library starts none and neither do we.
unsafe impl Sync for Heap {}

impl Heap {
    /// An empty heap.
    #[allow(clippy::new_without_default, reason = "a static needs a const fn")]
    pub const fn new() -> Heap {
        Heap { bytes: UnsafeCell::new([0; HEAP]), used: UnsafeCell::new(0) }
    }
}

// SAFETY: every block lies inside `bytes`, is aligned, and overlaps no other: `used` only grows past it, and `realloc`
// moves the end of the last block only. When there is no room the program ends.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let bytes = self.bytes.get().cast::<u8>();
        // SAFETY: one thread, and no reference to `used` outlives a call.
        let used = unsafe { &mut *self.used.get() };
        let place = bytes as usize + *used;
        // To the next multiple of a power of two.
        let start = *used + (place.wrapping_neg() & (layout.align() - 1));
        match start.checked_add(layout.size()) {
            Some(end) if end <= HEAP => *used = end,
            _ => full(),
        }
        // SAFETY: start + size <= HEAP was just checked.
        unsafe { bytes.add(start) }
    }

    // Empty, so that the compiler leaves out all that only leads here: a tenth of the program.
    #[inline(always)]
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = block as usize - self.bytes.get() as usize;
        // SAFETY: one thread, and no reference to `used` outlives a call.
        let used = unsafe { &mut *self.used.get() };
        if start + layout.size() == *used {
            match start.checked_add(size) {
                Some(end) if end <= HEAP => *used = end,
                _ => full(),
            }
            return block;
        }
        if size <= layout.size() {
            return block;
        }
        // SAFETY: the caller promises a valid size and the old block's layout; the new block is larger and elsewhere.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            core::ptr::copy_nonoverlapping(block, moved, layout.size());
            moved
        }
    }
}

/// The end when no heap is left. Needs none itself.
#[cold]
fn full() -> ! {
    let kernel: &mut dyn Kernel = &mut Live::default();
    let _ = kernel.write(2, b"mapprobe: out of memory: the heap of 4 MiB is full\n");
    init::end(kernel, 2)
}

/// Makes the binary that holds it a program: entry point and heap. Takes a [`Program`].
#[macro_export]
macro_rules! program {
    ($program:expr) => {
        #[global_allocator]
        static HEAP: $crate::start::Heap = $crate::start::Heap::new();

        #[cfg(not(target_family = "wasm"))]
        #[allow(unsafe_code, reason = "the C runtime calls `main` by name")]
        // SAFETY: this is the only `main`, and it has the C signature.
        #[unsafe(no_mangle)]
        extern "C" fn main(argc: i32, argv: *const *const core::ffi::c_char) -> i32 {
            $crate::start::enter(argc, argv, $program)
        }

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the host shim calls `run` by name")]
        // SAFETY: this is the only `run`, and the shim declares the same signature.
        #[unsafe(no_mangle)]
        extern "C" fn run() -> i32 {
            $crate::start::enter($program)
        }
    };
}

/// The entry of the delivered programs, which `cargo dist` names to the linker, so that no start code of a C library is linked:
/// calls `main` as that would, with what the kernel put on the stack (argument count, arguments). Nothing here needs more: no memory
/// of a thread, no constructors.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[unsafe(naked)]
// SAFETY: nothing else has this name.
#[unsafe(no_mangle)]
unsafe extern "C" fn mapprobe_entry() -> ! {
    // The outermost frame has no frame pointer; before a call the stack is at a multiple of 16, which the kernel sees to on aarch64.
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

// What compilers call to copy, fill, compare and measure, in place of the C library's, which are made for speed: a report is copied
// once. In assembly, since such a loop in Rust would be compiled to a call of what it is to be.
#[cfg(all(target_arch = "x86_64", target_env = "musl"))]
core::arch::global_asm!(
    ".section .text.memcpy, \"ax\"",
    ".globl memcpy",
    "memcpy: mov rax, rdi",
    "mov rcx, rdx",
    "rep movsb",
    "ret",
    ".section .text.memset, \"ax\"",
    ".globl memset",
    "memset: mov r8, rdi",
    "mov eax, esi",
    "mov rcx, rdx",
    "rep stosb",
    "mov rax, r8",
    "ret",
    ".section .text.bcmp, \"ax\"",
    ".globl bcmp",
    "bcmp: mov rcx, rdx",
    // Nothing is equal to nothing.
    "xor eax, eax",
    "repe cmpsb",
    "setne al",
    "ret",
    ".section .text.strlen, \"ax\"",
    ".globl strlen",
    "strlen: or rax, -1",
    "0: inc rax",
    "cmp byte ptr [rdi + rax], 0",
    "jne 0b",
    "ret",
    ".text",
);
#[cfg(all(target_arch = "aarch64", target_env = "musl"))]
core::arch::global_asm!(
    ".section .text.memcpy, \"ax\"",
    ".globl memcpy",
    "0: sub x2, x2, 1",
    "ldrb w3, [x1, x2]",
    "strb w3, [x0, x2]",
    "memcpy: cbnz x2, 0b",
    "ret",
    ".section .text.memset, \"ax\"",
    ".globl memset",
    "0: sub x2, x2, 1",
    "strb w1, [x0, x2]",
    "memset: cbnz x2, 0b",
    "ret",
    ".section .text.bcmp, \"ax\"",
    ".globl bcmp",
    "0: sub x2, x2, 1",
    "ldrb w3, [x0, x2]",
    "ldrb w4, [x1, x2]",
    "subs w3, w3, w4",
    "b.ne 1f",
    "bcmp: mov w3, 0",
    "cbnz x2, 0b",
    "1: mov w0, w3",
    "ret",
    ".section .text.strlen, \"ax\"",
    ".globl strlen",
    "strlen: mov x1, -1",
    "0: add x1, x1, 1",
    "ldrb w2, [x0, x1]",
    "cbnz w2, 0b",
    "mov x0, x1",
    "ret",
    ".text",
);

/// Runs a program whose arguments came from the C runtime, or from the entry above. Never returns: a process with pid 1 must not.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "called as `main` only, through `program!`")]
pub fn enter(argc: i32, argv: *const *const core::ffi::c_char, program: Program) -> ! {
    let argument = |at: i32| {
        // SAFETY: `main` is given `argc` zero-terminated strings that live as long as the process.
        unsafe { core::ffi::CStr::from_ptr(*argv.add(at as usize)) }.to_bytes()
    };
    // SAFETY: the start code of musl and of glibc hands over the pointer into the stack that the kernel made, as ours does.
    let kernel = unsafe { Live::started_with(argv) };
    start(kernel, (0..argc).map(argument), program)
}

/// Runs a program whose arguments come from the host shim.
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub fn enter(program: Program) -> ! {
    let arguments: Vec<Vec<u8>> = crate::kernel::wasm::arguments();
    start(Live, arguments.iter().map(Vec::as_slice), program)
}

/// Runs a program and ends the process.
fn start<'a>(mut kernel: Live, arguments: impl Iterator<Item = &'a [u8]>, program: Program) -> ! {
    let kernel: &mut dyn Kernel = &mut kernel;
    let mut words = Vec::new();
    for argument in arguments {
        words.push(text(argument));
    }
    let code = program(kernel, &words);
    kernel.exit(code)
}
