//! A program that allocates more memory than its heap holds: it must end with a message, and as PID
//! 1 with power-off.
#![no_main]

mapprobe::program!(|_, arguments| {
    let mut blocks = Vec::new();
    loop {
        // The compiler does not know the length, so it must allocate.
        blocks.push(vec![arguments.len(); 4096]);
    }
});
