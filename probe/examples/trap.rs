//! A program that panics (on hppa: a WebAssembly trap): it must end with a message, and as PID 1
//! with power-off.
#![no_main]

mapprobe::program!(|_, arguments| {
    // The index is out of bounds, and the compiler does not know it.
    arguments[arguments.len() + 1].len() as i32
});
