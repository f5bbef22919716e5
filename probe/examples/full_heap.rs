//! A program that asks for more memory than there is: it must end in a sentence, and as PID 1 in power-off.
#![no_main]

mapprobe::program!(|_, arguments| {
    let mut hoard = Vec::new();
    loop {
        // The arguments keep the compiler from knowing better.
        hoard.push(vec![arguments.len(); 4096]);
    }
});
