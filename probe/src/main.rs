//! The program. Everything it does is in the library, where the tests can call it.
#![no_main]

use mapprobe::{app, init};

mapprobe::program!(|kernel, arguments| {
    if init::is_init(kernel) { init::run(kernel, arguments) } else { app::run(kernel, arguments) }
});
