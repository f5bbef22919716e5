//! Files on a simulated kernel.

use kernel::{Kernel, OpenMode};

/// Creates a file with this content.
pub fn create_file(kernel: &mut dyn Kernel, path: &str, content: &[u8]) {
    let file = kernel.open(path, OpenMode::Create).expect("a file");
    kernel.write(file, content).result().expect("a write");
    kernel.close(file).result().expect("a close");
}
