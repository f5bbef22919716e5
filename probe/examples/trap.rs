//! A program that panics: on hppa a WebAssembly trap, which must end in a sentence, and as PID 1 in power-off.
#![no_main]

mapprobe::program!(|_, arguments| {
    // There is never such an argument, and no compiler can know.
    arguments[arguments.len() + 1].len() as i32
});
