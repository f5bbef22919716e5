//! The program. Everything that it does is in the library, so that tests can do it too.
#![no_main]

use mapprobe::{app, init};

mapprobe::program!(|kernel, arguments| {
    if init::is_init(kernel) { init::run(kernel, arguments) } else { app::run(kernel, arguments) }
});
