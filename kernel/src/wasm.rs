//! The running kernel, for a program compiled to WebAssembly and from there to C.
//!
//! The host shim (`targets/hppa/host.c`) implements the imported function `call`: it turns each
//! [`Call`] into one system call. Addresses are the host's and are only passed on; buffers are
//! offsets into the program's linear memory, which the shim checks. The result is a value, or a
//! negated error in the numbers of `asm-generic`. `cargo dist` writes the numbers of
//! [`Op`](crate::Op), [`OpenMode`](crate::OpenMode) and [`Advice`](crate::Advice) into a header for
//! the shim.
#![allow(unsafe_code, reason = "calling an import is unsafe; this file confines it")]

use crate::call::{Call, Kernel, SysResult};

// SAFETY: the shim declares these names with these signatures; the header that wasm2c generates
// makes the C compiler check them.
#[link(wasm_import_module = "host")]
unsafe extern "C" {
    safe fn argc() -> u32;
    fn argument(index: u32, into: *mut u8, len: u32) -> u32;
    fn call(
        op: u32,
        a: usize,
        b: usize,
        c: usize,
        d: usize,
        e: usize,
        input: *const u8,
        input_len: usize,
        output: *mut u8,
        output_len: usize,
    ) -> usize;
}

/// The running Linux kernel, behind the host shim.
#[derive(Default)]
pub struct Wasm;

/// The longest argument in bytes; the shim cuts longer ones.
const ARGUMENT_MAX: usize = 4096;

/// The arguments of the program, its own name first.
pub fn arguments() -> Vec<Vec<u8>> {
    let mut arguments = Vec::new();
    for index in 0..argc() {
        let mut bytes = vec![0; ARGUMENT_MAX];
        // SAFETY: the shim writes at most `ARGUMENT_MAX` bytes and returns their number.
        let len = unsafe { argument(index, bytes.as_mut_ptr(), ARGUMENT_MAX as u32) };
        bytes.truncate(len as usize);
        arguments.push(bytes);
    }
    arguments
}

impl Kernel for Wasm {
    fn call(&mut self, request: &mut Call) -> SysResult {
        let [a, b, c, d, e] = request.args;
        let (input, output) = (request.input, &mut *request.output);
        // SAFETY: the shim reads and writes only the two buffers.
        let register = unsafe {
            call(
                request.op as u32,
                a,
                b,
                c,
                d,
                e,
                input.as_ptr(),
                input.len(),
                output.as_mut_ptr(),
                output.len(),
            )
        };
        SysResult::from_register(register)
    }
}
