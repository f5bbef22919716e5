//! The program as PID 1 of a machine.

use crate::kernel::{Ending, Kernel};

/// Ends the process with `code`, or the machine when the process is its init. A PID namespace's pid 1 is no init: it may
/// not end the machine, and just exits.
pub fn end(kernel: &mut dyn Kernel, code: i32) -> ! {
    if kernel.pid() == 1 && kernel.may_reboot().is_ok() {
        power_off(kernel)
    }
    kernel.exit(code)
}

/// Switches the machine off, or stops it for good where it cannot.
fn power_off(kernel: &mut dyn Kernel) -> ! {
    let _ = kernel.reboot(Ending::PowerOff);
    let _ = kernel.reboot(Ending::Halt);
    loop {
        kernel.pause();
    }
}
