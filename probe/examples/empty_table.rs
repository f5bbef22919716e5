//! mapprobe without a single flag to ask about: what is left is what a run costs beside its experiments.
#![no_main]

use mapprobe::command;

mapprobe::program!(|kernel, arguments| command::main(kernel, arguments, &[]));
