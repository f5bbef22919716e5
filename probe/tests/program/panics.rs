//! Panics as errors: the simulated kernel panics where a real one would crash or harm the machine.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls a function. The error is the message of a panic.
pub fn catch_panic<T>(function: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(function)).map_err(|panic| match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().copied().unwrap_or_default().to_owned(),
    })
}
