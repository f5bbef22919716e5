//! The binary.
#![no_main]

use mapprobe::kernel::Kernel;

mapprobe::program!(main_program);

fn main_program(kernel: &mut dyn Kernel, args: &[&str]) -> i32 {
    let text = format!("{args:?} {:?} {:?} {} {}\n", kernel.uname(), kernel.euid(), kernel.page_size(), kernel.time());
    let _ = kernel.write(1, text.as_bytes());
    0
}
