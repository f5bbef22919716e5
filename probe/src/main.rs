//! The program: everything it does is in the library, so that tests can do it too.
#![no_main]

use mapprobe::{command, flags};

mapprobe::program!(|kernel, arguments| command::main(kernel, arguments, flags::TABLE));
