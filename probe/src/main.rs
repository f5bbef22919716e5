//! The program. Everything it does is in the library, where the tests can call it.
#![no_main]

mapprobe::program!(mapprobe::init::start);
