//! Writing to file descriptors.

use kernel::{Errno, Fd, Kernel};

/// Standard output.
pub const STDOUT: Fd = 1;
/// Standard error.
pub const STDERR: Fd = 2;

/// The number of retries while a file accepts nothing, one per second.
const RETRIES: u32 = 10;

/// Writes all bytes, in several calls if writes are short. After `EAGAIN` or `EINTR` it tries again
/// a second later: another program may have opened the file with `O_NONBLOCK`. A write of 0 bytes
/// is an error.
pub fn write_all(kernel: &mut dyn Kernel, fd: Fd, mut bytes: &[u8]) -> Result<(), Errno> {
    let mut retries = RETRIES;
    while !bytes.is_empty() {
        match kernel.write(fd, bytes).result() {
            Ok(0) => return Err(Errno::EIO),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                retries = RETRIES;
            }
            Err(Errno::EAGAIN | Errno::EINTR) if retries > 0 => {
                retries -= 1;
                kernel.sleep();
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
