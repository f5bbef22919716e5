//! Machines of the simulated kernel and architectures of the program.

use mapprobe::arch::Arch;
use simulator::Machine;

/// The architecture whose flag numbers a machine uses.
pub fn arch(machine: Machine) -> Arch {
    match machine {
        Machine::X86 => Arch::X86_64,
        Machine::Arm64 | Machine::Arm64Large => Arch::Aarch64,
        Machine::Parisc | Machine::Parisc64 => Arch::Hppa,
    }
}
