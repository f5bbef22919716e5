//! A program that allocates more memory than its heap holds: it must end with a message, and as PID
//! 1 with power-off.
#![no_main]

mapprobe::program!(|_, arguments| {
    let mut blocks = Vec::new();
    loop {
        // The length is unknown at compile time, so the allocation is not optimized away.
        blocks.push(vec![arguments.len(); 4096]);
    }
});
