//! A program that panics (on hppa: a WebAssembly trap): it must end with a message, and as PID 1
//! with power-off.
#![no_main]

mapprobe::program!(|_, arguments| {
    // Out of bounds, which the compiler cannot know.
    arguments[arguments.len() + 1].len() as i32
});
