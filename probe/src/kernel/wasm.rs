//! The live kernel, for a program compiled to WebAssembly and from there to C: a call is an import that the host shim
//! (`targets/hppa/host.c`) turns into one system call. Addresses are the host's, so they are only passed on; a buffer is
//! an offset into the program's own linear memory, which the shim checks. The shim answers one scalar: a value, or below zero an
//! error in the numbers of `asm-generic`. It knows operations and choices by the numbers they have here: `cargo dist` writes them
//! down for it.
#![allow(unsafe_code, reason = "imports are unsafe to call; this file is where they are confined")]

use super::{Answer, Call, Kernel};

// SAFETY: the shim declares the same names and signatures; wasm2c's generated header makes the C compiler check them.
#[link(wasm_import_module = "host")]
unsafe extern "C" {
    safe fn argc() -> u32;
    fn argument(index: u32, into: *mut u8, len: u32) -> u32;
    fn call(
        op: u32,
        a: u32,
        b: u32,
        c: u32,
        d: u32,
        e: u32,
        input: *const u8,
        input_len: u32,
        output: *mut u8,
        output_len: u32,
    ) -> u32;
}

/// The running Linux kernel, behind the host shim.
#[derive(Default)]
pub struct Wasm;

/// Longest argument that is passed on; the shim cuts what is longer.
const ARGUMENT: usize = 4096;

/// The arguments of the program, its own name first.
pub fn arguments() -> Vec<Vec<u8>> {
    let get = |index| {
        let mut bytes = vec![0; ARGUMENT];
        // SAFETY: the shim writes at most `ARGUMENT` bytes and says how many.
        let len = unsafe { argument(index, bytes.as_mut_ptr(), ARGUMENT as u32) };
        bytes.truncate(len as usize);
        bytes
    };
    (0..argc()).map(get).collect()
}

impl Kernel for Wasm {
    fn call(&mut self, asked: &mut Call) -> Answer {
        let [a, b, c, d, e] = asked.args;
        let (input, output) = (asked.input, &mut *asked.output);
        let (from, into) = (input.as_ptr(), output.as_mut_ptr());
        // SAFETY: the shim reads and writes only the bytes that are lent.
        Answer(unsafe {
            call(
                asked.op as u32,
                a,
                b,
                c,
                d,
                e,
                from,
                input.len() as u32,
                into,
                output.len() as u32,
            )
        })
    }
}
