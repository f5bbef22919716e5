//! Writing to file descriptors.

use kernel::{Errno, Fd, Kernel};

/// Standard output.
pub const STDOUT: Fd = 1;
/// Standard error.
pub const STDERR: Fd = 2;

/// How many seconds a file that accepts nothing is retried.
const RETRIES: u32 = 10;

/// Writes all bytes. Another call follows only a short write, or, a second later, `EAGAIN` or
/// `EINTR` (the file may have been opened with `O_NONBLOCK` by another program). A call that writes
/// nothing is an error.
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
