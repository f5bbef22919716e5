//! A scenario of the lab: the conditions in which a kernel is booted.

/// A scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The name on the command line and of the file of expectations.
    pub name: &'static str,
    /// Kernel command line arguments.
    pub append: &'static str,
    /// Memory in MiB, if it differs from the machine's. The first row whose pattern matches the
    /// kernel's name applies.
    pub memory: &'static [(&'static str, u32)],
    /// Modules of the kernel's package, which are loaded in this order before the steps. The first
    /// row whose pattern matches the kernel's name applies; what no row names has none.
    pub modules: &'static [(&'static str, &'static [&'static str])],
    /// Files of the initramfs.
    pub files: &'static [GuestFile],
    /// Whether the guest has the 9p tag `lab` (Documentation/filesystems/9p.rst): a directory of
    /// this machine, with the file `file`.
    pub share: bool,
    /// Steps that precede the program, in the language of `scenarios/steps.h`. None if the program
    /// itself is PID 1.
    pub setup: Option<&'static [&'static str]>,
    /// Arguments of the program, separated by spaces.
    pub arguments: &'static str,
    /// The user that the program runs as.
    pub euid: u32,
    /// The kernels that show the scenario, if not all do: names in which `*` is a wildcard.
    pub shown_on: Option<ShownOn>,
}

/// A file system in a file of the initramfs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestFile {
    /// An empty ext4 file system, `/disk`.
    Ext4,
    /// A squashfs file system with the file `file`, `/squashfs`.
    Squashfs,
}

/// The kernels that stand for all others in a scenario, to keep the lab short.
#[derive(Clone, Copy, Debug)]
pub struct ShownOn {
    pub kernels: &'static [&'static str],
    /// The reason of the skips of all others.
    pub reason: &'static str,
}

/// Scenarios that some kernels are not booted in.
#[derive(Debug)]
pub struct Skip {
    /// The names of the scenarios.
    pub scenarios: &'static [&'static str],
    /// Patterns for the names of the kernels; `*` is a wildcard.
    pub kernels: &'static [&'static str],
    pub reason: &'static str,
}
