//! A scenario of the lab: the conditions in which a kernel is booted.

/// A scenario.
#[derive(Debug)]
pub struct Scenario {
    /// The name on the command line and of the file of expectations.
    pub name: &'static str,
    /// Kernel command line arguments.
    pub append: &'static str,
    /// Memory in MiB, if it differs from the machine's. The first row whose pattern matches the
    /// kernel's name applies.
    pub memory: &'static [(&'static str, u32)],
    /// Modules of the kernel's package, as files in `/modules`.
    pub modules: &'static [&'static str],
    /// Whether the initramfs has an empty ext4 file system in the file `/disk`.
    pub disk: bool,
    /// Steps that precede the program, in the language of `scenarios/setup.c`. None if the program
    /// itself is PID 1.
    pub setup: Option<&'static [&'static str]>,
    /// Arguments of the program, separated by spaces.
    pub arguments: &'static str,
    /// The user that the program runs as.
    pub euid: u32,
}

/// A scenario that some kernels are not booted in.
#[derive(Debug)]
pub struct Skip {
    /// The name of the scenario.
    pub scenario: &'static str,
    /// A pattern for the names of the kernels; `*` is a wildcard.
    pub kernels: &'static str,
    pub reason: &'static str,
}
