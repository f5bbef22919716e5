//! Values that are computed once per process for each architecture.

use anyhow::{Result, anyhow};
use mapprobe::arch::Arch;
use std::sync::OnceLock;

/// A value for each architecture, computed on first use. A failure is kept, too.
#[derive(Debug)]
pub struct PerArch<T> {
    x86_64: OnceLock<Result<T, String>>,
    aarch64: OnceLock<Result<T, String>>,
    hppa: OnceLock<Result<T, String>>,
}

impl<T> PerArch<T> {
    pub const fn new() -> PerArch<T> {
        PerArch { x86_64: OnceLock::new(), aarch64: OnceLock::new(), hppa: OnceLock::new() }
    }

    /// The value for an architecture.
    pub fn get(&self, arch: Arch, make: impl FnOnce() -> Result<T>) -> Result<&T> {
        let value = match arch {
            Arch::X86_64 => &self.x86_64,
            Arch::Aarch64 => &self.aarch64,
            Arch::Hppa => &self.hppa,
        };
        let made = value.get_or_init(|| make().map_err(|error| format!("{error:#}")));
        made.as_ref().map_err(|message| anyhow!("{message}"))
    }
}

impl<T> Default for PerArch<T> {
    fn default() -> PerArch<T> {
        PerArch::new()
    }
}
